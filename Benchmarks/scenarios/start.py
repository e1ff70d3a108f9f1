"""Time to the first answer: from starting the process to the first 200, asked every millisecond."""
import time

import contestants
import events
import upstream
from faults import BenchError
from processes import wait_for_answer
from stats import summary

NAMES = ["nginx", "haproxy", "envoy", "go", "file", "spool", "mlserver"]


def run(bench):
    table = {}
    for name in NAMES:
        times = []
        for _ in range(bench.plan.start_rounds if name != "mlserver" else min(2, bench.plan.start_rounds)):
            try:
                started = start_one(bench, name)
            except BenchError as error:
                if name not in contestants.OPTIONAL:
                    raise
                bench.note(f"start of {contestants.LABELS[name]} not measured: {error}")
                break
            if started is None:
                break
            seconds, server = started
            times.append(seconds * 1000)
            if name == "file":
                events.settled(server.port)
            bench.processes.stop(server)
        table[name] = {"label": contestants.LABELS[name], "ms": summary(times)}
    return table


def start_one(bench, name):
    model = bench.model.port
    path, body = "/predictions/digits", upstream.SMALL_BODY
    if name == "spool":
        bench.need_broker()
    if name == "go" and contestants.build_go_proxy(bench) is None:
        return None
    start = time.monotonic()
    if name in contestants.MODES:
        server, _ = contestants.sidecar(bench, f"start-{name}", model, name)
    elif name == "mlserver":
        server = contestants.mlserver(bench)
        path, body = "/v2/models/fixed/infer", upstream.V2_BODY
    else:
        server = {"nginx": contestants.nginx, "haproxy": contestants.haproxy, "envoy": contestants.envoy,
                  "go": contestants.go_proxy}[name](bench, model)
    wait_for_answer(server, path, body, contestants.MLSERVER_WITHIN, pause=0.001)
    return time.monotonic() - start, server
