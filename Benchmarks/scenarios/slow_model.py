"""A Model Service that takes 5 ms: calls stay out for long, and many at once. Cost and latency at a constant rate."""
import contestants
import measure
import upstream
from processes import wait_for_answer
from stats import rotated, summary

BODY = b'{"instances":[[5.1,3.5,1.4,0.2]]}'
RATE = 2000


def run(bench):
    slow = upstream.start_slow(bench)
    made = []
    for name in ("direct", "nginx", "envoy", "file"):
        path, events, file = "/predict/iris", 0, None
        if name == "direct":
            server = slow
        elif name == "file":
            model = f'{{ name: iris, protocol: native, url: "http://127.0.0.1:{slow.port}/predict/iris" }}'
            server, file = contestants.sidecar(bench, "slow-file", slow.port, "file", models=[model])
            path, events = "/predictions/iris", 1
        else:
            server = {"nginx": contestants.nginx, "envoy": contestants.envoy}[name](bench, slow.port)
        one = contestants.Contestant(name, contestants.LABELS[name], server, path, BODY, events,
                                     is_sidecar=name == "file", event_file=file)
        wait_for_answer(server, path, BODY)
        made.append(one)
    slices = {one.name: [] for one in made}
    for number in range(bench.plan.growth_rounds):
        for one in rotated(made, number):
            found = measure.open_loop(bench, one, RATE, bench.plan.slice, note=", 5 ms model")
            if found:
                slices[one.name].append(found)
    table = {one.name: {"label": one.label, "rate": RATE,
                        **{key: summary([s[key] for s in slices[one.name]]) for key in ("p50", "p99", "cpu_us")}}
             for one in made}
    table["direct"]["cpu_us"] = None
    for one in made:
        bench.processes.stop(one.server)
    return table
