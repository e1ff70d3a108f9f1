"""Bodies of 1 MiB that nobody has to look into, up and down, beside nginx that passes them on and nginx that gathers them."""
import contestants
import events
import measure
import upstream
import usage
from processes import wait_for_answer
from stats import rotated, summary

# An upload and its short answer; a short request and its long answer.
UP, DOWN = "/v1/models/up:predict", "/v1/models/down:predict"


def nginx(bench, name, label, more=""):
    server = contestants.nginx(bench, bench.model.port, more)
    return contestants.Contestant(name, label, server, extra={"up": "/reads", "down": "/large"})


def sidecar(bench, mode):
    port = bench.model.port
    models = [f'{{ name: up, protocol: raw, url: "http://127.0.0.1:{port}/reads" }}',
              f'{{ name: down, protocol: raw, url: "http://127.0.0.1:{port}/large" }}']
    server, file = contestants.sidecar(bench, "bodies", port, mode, models=models)
    return contestants.Contestant(mode, contestants.MODES[mode], server, events=0 if mode == "off" else 1,
                                  is_sidecar=True, event_file=file, extra={"up": UP, "down": DOWN})


def run(bench):
    made = [nginx(bench, "nginx", "nginx, passes on", "proxy_buffering off; proxy_request_buffering off;"),
            nginx(bench, "gathers", "nginx, gathers"), sidecar(bench, "off"), sidecar(bench, "file")]
    bodies = {"up": b"x" * upstream.LARGE, "down": upstream.SMALL_BODY}
    for one in made:
        for way, path in one.extra.items():
            wait_for_answer(one.server, path, bodies[way])
    table = {one.name: {"label": one.label, "start_mib": usage.resident_mib(one.pid)} for one in made}
    slices = {one.name: {key: [] for key in ("up", "down", "up_to_nginx", "down_to_nginx")} for one in made}
    for number in range(bench.plan.growth_rounds):
        for way, body in bodies.items():
            found = {}
            for one in rotated(made, number):
                measured = measure.closed(bench, one, bench.plan.slice, paths=[one.extra[way]], body=body,
                                          note=f", 1 MiB {way}")
                if measured:
                    found[one.name] = measured["cpu_us"]
            for name, cpu in found.items():
                slices[name][way].append(cpu)
                if "nginx" in found:
                    slices[name][f"{way}_to_nginx"].append(cpu / found["nginx"])
    for one in made:
        if one.events:
            events.settled(one.port)
        table[one.name] |= {key: summary(values) if values else None for key, values in slices[one.name].items()}
        table[one.name]["end_mib"] = usage.resident_mib(one.pid)
        bench.processes.stop(one.server)
    return table
