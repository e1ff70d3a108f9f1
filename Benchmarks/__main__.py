"""`Benchmarks/run.sh` runs this: all scenarios, then the report. Fails when a request or an event was lost."""
import json
import os
import signal
import sys
import traceback

import machine
import report
from bench import Bench
from faults import BenchError
from processes import raise_file_limit
from scenarios import bodies, connections, cost, growth, kafka_to_kafka, latency, slow_model, start, streams
from settings import ROOT, Settings

# Fresh processes come first and last; in between, those of `cost` go on being asked.
SCENARIOS = {
    "start": start.run,
    "cost": cost.run,
    "latency": latency.fixed_rate,
    "half": latency.half,
    "curve": latency.curve,
    "body": growth.body_size,
    "rows": growth.rows,
    "connections": growth.connections,
    "models": growth.models,
    "shards": growth.shards,
    "many": connections.run,
    "slow": slow_model.run,
    "streams": streams.run,
    "bodies": bodies.run,
    "kafka": kafka_to_kafka.run,
}
# These have processes of their own, and the others are stopped before.
ALONE = {"many", "slow", "streams", "bodies", "kafka"}


def check(settings):
    if not os.access(settings.sidecar, os.X_OK):
        raise BenchError(f"{settings.sidecar} is not there: make build")
    for core in (settings.proxy_core, settings.load_core):
        if core not in os.sched_getaffinity(0):
            raise BenchError(f"core {core} is not to be had: set PROXY_CORE and LOAD_CORE")
    unknown = set(settings.only) - set(SCENARIOS)
    if unknown:
        raise BenchError(f"no scenario {', '.join(unknown)}: there are {', '.join(SCENARIOS)}")
    raise_file_limit()


def main():
    settings = Settings()
    if sys.argv[1:2] == ["--report"]:
        # Only draws what results.json has.
        report.write(json.loads((settings.results / "results.json").read_text()), settings.results)
        return 0
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us in the background
    bench = None
    try:
        check(settings)
        os.sched_setaffinity(0, {settings.load_core})
        bench = Bench(settings)
        bench.begin()
        for name, scenario in SCENARIOS.items():
            if settings.only and name not in settings.only:
                continue
            if name in ALONE:
                bench.stop_contestants()
            bench.say(name)
            try:
                bench.results[name] = scenario(bench)
            except BenchError as error:
                bench.faults.add(f"{name}: {error}")
            except Exception:  # one scenario's mistake does not cost the others' figures
                bench.faults.add(f"{name}: {traceback.format_exc()}")
        seconds = bench.elapsed()
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    finally:
        if bench:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience must not leave servers behind
            bench.close()
    results = {"machine": machine.describe(settings), "plan": vars(settings.plan), "quick": settings.quick,
               "seconds": seconds, "notes": bench.notes, "faults": bench.faults.messages, "scenarios": bench.results}
    print(report.tables(results))
    if settings.writes:
        # A run that failed does not replace a report that holds.
        folder = ROOT / ".build/bench-failed" if bench.faults.messages else settings.results
        report.write(results, folder)
        print(f"Report: {folder}")
    for message in bench.faults.messages:
        print(f"FAIL  {message}")
    if not bench.faults.messages:
        print(f"pass, in {seconds:.0f} s")
    return 1 if bench.faults.messages else 0


sys.exit(main())
