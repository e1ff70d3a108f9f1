"""Requests and replies over Kafka: the Sidecar in front of the same fixed answer, and MLServer's Kafka mode.

Both get the same messages (Open Inference Protocol V2, header `mlserver-model`) on the same broker.
"""
import time

import contestants
import events
import measure
import upstream
import usage
from faults import BenchError
from kafka_load import FETCH_WAIT_MS, KafkaLoad
from processes import wait_for_answer
from stats import rotated, summary

LATENCY_RATES = (100, 500)


class Side:
    def __init__(self, bench, name, label, mode=None):
        self.name, self.label, self.events = name, label, 0
        topics = ("mlserver" if mode is None else "reporting" if mode == "kafka" else "sidecar")
        if mode is None:
            self.server = contestants.mlserver(bench, bench.broker_port)
            wait_for_answer(self.server, "/v2/models/fixed/infer", upstream.V2_BODY, contestants.MLSERVER_WITHIN)
        else:
            self.events = 2 if mode == "kafka" else 0
            model = f'{{ name: fixed, protocol: v2, url: "http://127.0.0.1:{bench.model.port}/v2/models/rows2/infer" }}'
            providers = (f'providers: {{ kafka: {{ brokers: "127.0.0.1:{bench.broker_port}", group: bench-{topics}, '
                         f'requestTopic: {topics}-requests, replyTopic: {topics}-replies, '
                         f'deadLetterTopic: {topics}-dead, face: v2, '
                         f'properties: {{ fetch.wait.max.ms: {FETCH_WAIT_MS} }} }} }}\n')
            self.server, _ = contestants.sidecar(bench, name, bench.model.port, mode, models=[model],
                                                 providers=providers)
            wait_for_answer(self.server, "/v2/models/fixed/infer", upstream.V2_BODY)
        self.load = KafkaLoad(bench.broker_port, f"{topics}-requests", f"{topics}-replies")
        self.load.first_answer(20)

    def slice(self, bench, run):
        """CPU per request, with what is reported after the load; notes what failed."""
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


def run(bench):
    bench.need_broker()
    nginx = bench.contestant("nginx")
    sides = []
    for name, label, mode in (("k2k-off", "Sidecar, reporting off", "off"),
                              ("k2k-kafka", "Sidecar, Kafka best-effort", "kafka"), ("k2k-mlserver", "MLServer", None)):
        try:
            sides.append(Side(bench, name, label, mode))
        except BenchError as error:
            if mode is not None:
                raise
            bench.note(f"MLServer's Kafka mode does not work with the stand-in broker: {error}")
    # Latency first: the stand-in broker looks for a fetch's offset from the start of its log, which is short now. At a
    # rate that all keep up with by far, and at one for those that have room for it.
    room = {}
    for side in sides:
        warm = side.slice(bench, lambda load: load.closed(1))
        room[side.name] = 0.3 * warm["rate"] if warm else 0
    latency = {side.name: {rate: [] for rate in LATENCY_RATES} for side in sides}
    for number in range(bench.plan.kafka_rounds):
        for side in rotated(sides, number):
            for rate in LATENCY_RATES:
                if rate == LATENCY_RATES[0] or rate <= room[side.name]:
                    found = side.slice(bench, lambda load: load.constant(rate, bench.plan.slice))
                    if found:
                        latency[side.name][rate].append(found)
    slices = {side.name: [] for side in sides}
    for number in range(bench.plan.kafka_rounds):
        reference = measure.closed(bench, nginx, bench.plan.slice)
        for side in rotated(sides, number):
            found = side.slice(bench, lambda load: load.closed(bench.plan.slice))
            if found and reference:
                found["to_nginx"] = found["cpu_us"] / reference["cpu_us"]
                slices[side.name].append(found)
    table = {}
    for side in sides:
        mine = slices[side.name]
        row = {"label": side.label,
               **{key: summary([s[key] for s in mine]) for key in ("rate", "cpu_us", "to_nginx", "busy", "resident_mib")},
               "latency": [{"rate": rate, **{key: summary([s[key] for s in late]) for key in ("p50", "p90", "p99")}}
                           for rate, late in latency[side.name].items()]}
        if row["cpu_us"]:
            # Requests that one core could do: what counts where the load or the broker was the limit.
            row["per_core"] = 1e6 / row["cpu_us"]["median"]
        table[side.name] = row
        side.load.close()
        bench.processes.stop(side.server)
    return table
