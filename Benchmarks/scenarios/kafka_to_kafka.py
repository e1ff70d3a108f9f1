"""Requests and replies over Kafka: the Sidecar in front of the same fixed answer, and MLServer's Kafka mode.

Both get the same messages (Open Inference Protocol V2, header `mlserver-model`) on the same broker.
"""
import signal
import time

import contestants
import events
import measure
import upstream
import usage
from faults import BenchError
from kafka_load import FETCH_WAIT_MS, KafkaLoad
from processes import START_WITHIN, wait_for_answer
from stats import rotated, summary

# All keep up with it by far. No more, since it fills the logs of the stand-in broker with sets of one record.
LATENCY_RATE = 200
SIDES = (("k2k-off", "Sidecar, reporting off", "off"), ("k2k-kafka", "Sidecar, Kafka best-effort", "kafka"),
         ("k2k-mlserver", "MLServer", None))
PATH = "/v2/models/fixed/infer"


class Side:
    """One that answers, on topics of its own: the stand-in broker looks for the offset of a fetch from the start of a
    partition's log, set by set, so what an earlier phase left in it would slow the next one down."""

    def __init__(self, bench, name, label, mode, phase):
        self.name, self.label = name, label
        self.events = 2 if mode == "kafka" else 0
        requests, replies = (f"{name}-{phase}-{kind}" for kind in ("requests", "replies"))
        if mode is None:
            self.server = contestants.mlserver(bench, (bench.broker_port, requests, replies))
        else:
            model = f'{{ name: fixed, protocol: v2, url: "http://127.0.0.1:{bench.model.port}/v2/models/rows2/infer" }}'
            providers = (f'providers: {{ kafka: {{ brokers: "127.0.0.1:{bench.broker_port}", group: {name}-{phase}, '
                         f'requestTopic: {requests}, replyTopic: {replies}, deadLetterTopic: {name}-dead, face: v2, '
                         f'properties: {{ fetch.wait.max.ms: {FETCH_WAIT_MS} }} }} }}\n')
            self.server, _ = contestants.sidecar(bench, name, bench.model.port, mode, models=[model],
                                                 providers=providers)
        try:
            wait_for_answer(self.server, PATH, upstream.V2_BODY,
                            contestants.MLSERVER_WITHIN if mode is None else START_WITHIN)
            # In batches where it is about rates: see above.
            self.load = KafkaLoad(bench.broker_port, requests, replies, linger_ms=5 if phase == "cost" else 0)
            self.load.first_answer(START_WITHIN)
        except BenchError:
            bench.processes.stop(self.server)
            raise

    def pause(self):
        """Idle, each would ask the broker for records a thousand times a second, beside the one that is measured."""
        self.server.signal(signal.SIGSTOP)

    def stop(self, bench):
        self.server.signal(signal.SIGCONT)
        self.load.close()
        bench.processes.stop(self.server)

    def slice(self, bench, run):
        """CPU per request, with what is reported after the load; notes what failed."""
        self.server.signal(signal.SIGCONT)
        try:
            return self.measured(bench, run)
        finally:
            self.pause()

    def measured(self, bench, run):
        before = events.settled(self.server.port) if self.events else None
        cpu, start = usage.cpu_ns(self.server.pid), time.monotonic()
        result = run(self.load)
        loaded, elapsed = usage.cpu_ns(self.server.pid), time.monotonic() - start
        answered = result["answered"]
        if result["failed"] or answered != result["sent"]:
            bench.faults.add(f"{self.label}: of {result['sent']} requests over Kafka {answered} were answered, "
                             f"{result['failed']} of them by errors")
        if not answered:
            return None
        if self.events:
            after = events.settled(self.server.port, sum(before.values()) + answered * self.events)
            events.check(bench.faults, self.label, before, after, answered * self.events, answered * self.events)
        result["cpu_us"] = (usage.cpu_ns(self.server.pid) - cpu) / 1000 / answered
        result["busy"] = (loaded - cpu) / 1e9 / elapsed
        if "seconds" in result:
            result["rate"] = answered / result["seconds"]
        result["resident_mib"] = usage.resident_mib(self.server.pid)
        return result


def start(bench, phase):
    sides = []
    for name, label, mode in SIDES:
        try:
            sides.append(Side(bench, name, label, mode, phase))
        except BenchError as error:
            if mode is not None:
                raise
            bench.note(f"MLServer's Kafka mode does not work with the stand-in broker: {error}")
    for side in sides:
        side.slice(bench, lambda load: load.closed(1))
    return sides


def stop(bench, sides):
    for side in sides:
        side.stop(bench)


def costs(bench, sides):
    nginx = bench.contestant("nginx")
    slices = {side.name: [] for side in sides}
    for number in range(bench.plan.kafka_rounds):
        reference = measure.closed(bench, nginx, bench.plan.slice)
        for side in rotated(sides, number):
            found = side.slice(bench, lambda load: load.closed(bench.plan.slice))
            if found and reference:
                found["to_nginx"] = found["cpu_us"] / reference["cpu_us"]
                slices[side.name].append(found)
    return slices


def latencies(bench, sides):
    slices = {side.name: [] for side in sides}
    for number in range(bench.plan.kafka_rounds):
        for side in rotated(sides, number):
            found = side.slice(bench, lambda load: load.constant(LATENCY_RATE, bench.plan.slice))
            if found:
                slices[side.name].append(found)
    return slices


def run(bench):
    bench.need_broker()
    sides = start(bench, "cost")
    cost = costs(bench, sides)
    # A short look goes on with the same, and saves the time of starting MLServer.
    if not bench.settings.quick:
        stop(bench, sides)
        sides = start(bench, "latency")
    latency = latencies(bench, sides)
    stop(bench, sides)
    table = {}
    for name, label, _ in SIDES:
        if name not in cost:
            continue
        row = {"label": label, "latency_rate": LATENCY_RATE,
               **{key: summary([one[key] for one in cost[name]])
                  for key in ("rate", "cpu_us", "to_nginx", "busy", "resident_mib")},
               **{key: summary([one[key] for one in latency.get(name, [])]) for key in ("p50", "p90", "p99")}}
        if row["cpu_us"]:
            # Requests that one core could do: what counts where the load or the broker was the limit.
            row["per_core"] = 1e6 / row["cpu_us"]["median"]
        table[name] = row
    return table
