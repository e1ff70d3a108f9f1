"""How the cost of a request grows with body size, rows of the answer, connections, models and shards."""
import contestants
import measure
import upstream
from processes import wait_for_answer
from scenarios.cost import saturation
from stats import rotated, summary


def compare(bench, cells, rounds):
    """Slices of all cells, alternating; cells are (contestant, x, slice as a function). Cost by contestant and x."""
    slices = {}
    for number in range(rounds):
        for contestant, x, measured in rotated(cells, number):
            found = measured()
            if found:
                slices.setdefault(contestant.name, {"label": contestant.label, "points": {}})["points"] \
                    .setdefault(x, []).append(found["cpu_us"])
    for row in slices.values():
        row["points"] = [{"x": x, "cpu_us": summary(row["points"][x])} for x in sorted(row["points"])]
    return slices


def body_size(bench):
    """Requests of so many bytes, which the Sidecar passes on unread."""
    made = bench.present(["nginx", "haproxy", "off", "file"])
    cells = []
    for size in bench.plan.body_sizes:
        start, end = b'{"instances":[["', b'"]]}'
        body = start + b"x" * (size - len(start) - len(end)) + end
        cells += [(one, size, lambda one=one, body=body, size=size: measure.closed(
            bench, one, bench.plan.slice, body=body, note=f", {size} B")) for one in made]
    return compare(bench, cells, bench.plan.growth_rounds)


def rows(bench):
    """V2 answers of so many rows, each row an event."""
    made = {name: [] for name in ("nginx", "off", "file")}
    nginx = bench.contestant("nginx")
    models = [f'{{ name: rows{n}, protocol: v2, url: "http://127.0.0.1:{bench.model.port}/v2/models/rows{n}/infer" }}'
              for n in bench.plan.rows]
    servers = {mode: contestants.sidecar(bench, f"rows-{mode}", bench.model.port, mode, models=models)
               for mode in ("off", "file")}
    cells = []
    for n in bench.plan.rows:
        path = f"/v2/models/rows{n}/infer"
        made = [contestants.Contestant("nginx", "nginx", nginx.server, path, upstream.V2_BODY)]
        for mode, (server, file) in servers.items():
            made.append(contestants.Contestant(
                mode, contestants.MODES[mode], server, path, upstream.V2_BODY, events=n if mode == "file" else 0,
                is_sidecar=True, event_file=file))
            wait_for_answer(server, path, upstream.V2_BODY)
        cells += [(one, n, lambda one=one, n=n: measure.closed(bench, one, bench.plan.slice, note=f", {n} rows"))
                  for one in made]
    table = compare(bench, cells, bench.plan.growth_rounds)
    for server, _ in servers.values():
        bench.processes.stop(server)
    for row in table.values():
        first, last = row["points"][0], row["points"][-1]
        row["us_per_row"] = (last["cpu_us"]["median"] - first["cpu_us"]["median"]) / (last["x"] - first["x"])
    return table


def connections(bench):
    """So many connections in use, taking turns, at one rate."""
    made = bench.present(["nginx", "haproxy", "file"])
    rate = 0.4 * min(saturation(bench, one.name) for one in made)
    cells = [(one, count, lambda one=one, count=count: measure.open_loop(
        bench, one, rate, bench.plan.slice, connections=count, note=f", {count} connections", may_saturate=True))
        for count in bench.plan.connections for one in made]
    return compare(bench, cells, bench.plan.growth_rounds)


def models(bench):
    """So many models configured, asked in turn. One Model Service plays them all."""
    cells, servers = [], []
    for count in bench.plan.models:
        configured = [f'{{ name: m{i}, protocol: native, url: "http://127.0.0.1:{bench.model.port}/predict/{i}" }}'
                      for i in range(count)]
        paths = [f"/predictions/m{i}" for i in range(count)]
        server, file = contestants.sidecar(bench, f"models{count}", bench.model.port, "file", models=configured)
        servers.append(server)
        one = contestants.Contestant("file", contestants.MODES["file"], server, paths[0], events=upstream.NATIVE_ROWS,
                                     is_sidecar=True, event_file=file)
        wait_for_answer(server, paths[-1], one.body)
        cells.append((one, count, lambda one=one, paths=paths, count=count: measure.closed(
            bench, one, bench.plan.slice, paths=paths, note=f", {count} models")))
    table = compare(bench, cells, bench.plan.growth_rounds)
    for server in servers:
        bench.processes.stop(server)
    return table


def shards(bench):
    """So many shards, each with a core, at one rate. With two cores the second one is shared with the load."""
    settings = bench.settings
    rate = 0.4 * saturation(bench, "file")
    cells, servers = [], []
    for count in bench.plan.shards:
        cores = [settings.proxy_core] if count == 1 else [settings.proxy_core, settings.load_core]
        server, file = contestants.sidecar(bench, f"shards{count}", bench.model.port, "file", shards=count, cores=cores)
        servers.append(server)
        one = contestants.Contestant("file", contestants.MODES["file"], server, events=upstream.NATIVE_ROWS,
                                     is_sidecar=True, event_file=file)
        wait_for_answer(server, one.path, one.body)
        cells.append((one, count, lambda one=one, count=count: measure.open_loop(
            bench, one, rate, bench.plan.slice, note=f", {count} shards", may_saturate=True)))
    table = compare(bench, cells, bench.plan.growth_rounds)
    for server in servers:
        bench.processes.stop(server)
    return table
