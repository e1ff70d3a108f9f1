"""From results to Markdown: the tables, the limits, and the page that has both."""
import json

import limits
import plots

# The share of its core from which on a proxy counts as saturated.
SATURATED = 0.95


def number(value):
    """Three figures or so, whatever the size."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def spread(found, scale=1.0):
    """Median and quartiles."""
    if not found:
        return "–"
    if len(found["values"]) == 1:
        return number(found["median"] * scale)
    return f"{number(found['median'] * scale)} ({number(found['low'] * scale)} – {number(found['high'] * scale)})"


def middle(found, scale=1.0):
    return number(found["median"] * scale) if found else "–"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def limit_of(row):
    """Whose core was full: the one of what is measured, or that of load, Model Service and broker."""
    return "–" if not row["busy"] else "own core" if row["busy"]["median"] >= SATURATED else "load"


def cost(found, _):
    yield ("Cost of a request", "64 connections, closed loop (wrk), two Predictions per answer. Times: processor time "
           "of the proxy over that of nginx in the same round. What is reported after the load belongs to it. "
           "*Limit*: what stopped it from answering more: its own core, or the one of load and Model Service; then the "
           "column of one core says what its processor time would allow.")
    yield table(["", "times nginx", "times Envoy", "µs CPU", "requests/s measured", "limit", "requests/s of one core",
                 "resident MiB"],
                [[row["label"], spread(row["to_nginx"]), middle(row["to_envoy"]), spread(row["cpu_us"]),
                  middle(row["rate"]),
                  limit_of(row),
                  number(1e6 / row["cpu_us"]["median"]) if row["cpu_us"] else "–", middle(row["resident_mib"])]
                 for row in found.values()])


def latency_rows(found, added):
    keys = ("p50", "p90", "p99", "p999")
    for row in found.values():
        cells = [row["label"] + ("" if row["kept_up"] else " (did not keep up)"), number(row["rate"])]
        cells += [spread(row["added_" + key] if added else row[key]) for key in keys]
        yield cells


def latency(found, _):
    yield ("Latency at a constant rate", "µs from the moment a request was due, 64 connections; 40 % of what the "
           "slowest proxy can do, MLServer at 40 % of its own. Medians of the rounds' percentiles.")
    yield table(["", "requests/s", "p50", "p90", "p99", "p99.9"], latency_rows(found, added=False))


def half(found, _):
    yield ("Latency added over direct", "µs, at half of what the Sidecar (file) can do, all at the same rate: the "
           "percentile less that of direct requests in the same round.")
    yield table(["", "requests/s", "p50", "p90", "p99", "p99.9"],
                latency_rows({name: row for name, row in found.items() if name != "direct"}, added=True))


def curve(found, _):
    yield ("Latency against offered rate", "p50 / p99 in µs; rates as shares of what the Sidecar (file) can do. Who "
           "did not keep up is not asked at a higher rate.")
    shares = sorted({point["share"] for row in found.values() for point in row["points"]})
    rows = []
    for row in found.values():
        by_share = {point["share"]: point for point in row["points"]}
        cells = [row["label"]]
        for share in shares:
            point = by_share.get(share)
            if point is None or not point["kept_up"]:
                cells.append("–" if point is None else "did not keep up")
            else:
                cells.append(f"{middle(point['p50'])} / {middle(point['p99'])}")
        rows.append(cells)
    yield table(["", *(f"{share} %" for share in shares)], rows)


def growth(title, text, unit):
    def section(found, _):
        yield title, text
        xs = sorted({point["x"] for row in found.values() for point in row["points"]})
        rows = []
        for row in found.values():
            by_x = {point["x"]: point["cpu_us"] for point in row["points"]}
            first = by_x.get(xs[0])
            rows.append([row["label"]] + [
                f"{spread(by_x[x])}, ×{number(by_x[x]['median'] / first['median'])}" if x in by_x and first else "–"
                for x in xs] + ([number(row["us_per_row"])] if "us_per_row" in row else []))
        per_row = ["µs per more row"] if any("us_per_row" in row for row in found.values()) else []
        yield table(["µs CPU per request", *(f"{x:,} {unit}" for x in xs), *per_row], rows)
    return section


def many(found, _):
    one = next(iter(found.values()))
    yield ("Many connections", f"{one['active']:,} in use and {one['idle']:,} open and idle, against 64, at the same "
           "rate (open loop). Resident memory in MiB, with all of them open.")
    yield table(["", "requests/s", "MiB at start", "MiB at 64", "MiB with all", "CPU: times that at 64", "µs CPU at 64",
                 "µs CPU with all", "p99 µs at 64", "p99 µs with all"],
                [[row["label"], number(row["rate"]), number(row["start_mib"]), number(row["first_few_mib"]),
                  middle(row["many_mib"]), spread(row["growth"]), middle(row["few_cpu_us"]), middle(row["many_cpu_us"]),
                  middle(row["few_p99"]), middle(row["many_p99"])] for row in found.values()])


def start(found, _):
    yield ("Time to the first answer", "ms from starting the process to the first 200.")
    yield table(["", "ms"], [[row["label"], spread(row["ms"])] for row in found.values() if row["ms"]])


def slow(found, _):
    yield "A model that takes 5 ms", "The example Model Service, 64 connections, constant rate (open loop)."
    yield table(["", "requests/s", "p50 ms", "p99 ms", "µs CPU"],
                [[row["label"], number(row["rate"]), spread(row["p50"], 0.001), spread(row["p99"], 0.001),
                  spread(row["cpu_us"])] for row in found.values()])


def streams(found, _):
    yield ("Streams", "200 streams at once of 200 server-sent events each, one every 20 ms; processor time of the proxy "
           "per event, and how long after its sending an event came. *Slow*: one stream of 5 events in 2 s. Resident "
           "memory in MiB: at start, after a stream of 1 GiB, with 1,000 clients that do not read theirs of 16 MiB.")
    yield table(["", "times nginx", "µs CPU per event", "p50 µs", "p99 µs", "slow p99 µs", "MiB at start",
                 "MiB after 1 GiB", "MiB unread"],
                [[row["label"], spread(row["to_nginx"]), spread(row["cpu_us"]), middle(row["p50"]), middle(row["p99"]),
                  middle(row["slow_p99"]), number(row.get("start_mib")), number(row.get("long_mib")),
                  number(row.get("unread_mib"))] for row in found.values()])


def bodies(found, _):
    yield ("Bodies of 1 MiB", "Requests of 1 MiB with short answers (*up*), short requests with answers of 1 MiB "
           "(*down*), of a `raw` model: nobody has to look into them. 64 connections, closed loop. Times nginx: the one "
           "that passes bodies on, with `proxy_request_buffering` and `proxy_buffering` off. Resident memory in MiB.")
    yield table(["", "up, times nginx", "down, times nginx", "µs CPU up", "µs CPU down", "MiB at start", "MiB at the end"],
                [[row["label"], spread(row["up_to_nginx"]), spread(row["down_to_nginx"]), spread(row["up"]),
                  spread(row["down"]), number(row["start_mib"]), number(row["end_mib"])] for row in found.values()])


def kafka(found, _):
    rate = next(iter(found.values()))["latency_rate"]
    yield ("Kafka to Kafka", "The same Open Inference requests on the same broker (`ameron-sidecar dev-kafka`), 1,000 "
           "out at a time; the Sidecar calls the Model Service over HTTP, MLServer answers by itself. Times nginx: of "
           "a request over HTTP in the same round. Latency: ms from the moment due until the reply is read, at "
           f"{rate} requests/s.")
    yield table(["", "times nginx", "µs CPU", "requests/s measured", "limit", "requests/s of one core", "p50 ms",
                 "p90 ms", "p99 ms", "resident MiB"],
                [[row["label"], spread(row["to_nginx"]), spread(row["cpu_us"]), middle(row["rate"]), limit_of(row),
                  number(row.get("per_core")), spread(row["p50"], 0.001), middle(row["p90"], 0.001),
                  middle(row["p99"], 0.001), middle(row["resident_mib"])] for row in found.values()])


SECTIONS = {
    "cost": cost, "latency": latency, "half": half, "curve": curve, "kafka": kafka, "many": many,
    "connections": growth("Growth with connections", "All in use, in turns, at one constant rate (open loop).",
                          "connections"),
    "body": growth("Growth with the request's size", "Closed loop, 64 connections.", "B"),
    "rows": growth("Growth with the answer's rows", "Open Inference answers; each row is a Prediction and, with a "
                   "Reporter, an event. Closed loop, 64 connections.", "rows"),
    "models": growth("Growth with models", "So many configured, asked in turn.", "models"),
    "shards": growth("Growth with shards", "One constant rate (open loop); each shard may use one more core.",
                     "shards"),
    "start": start, "slow": slow, "streams": streams, "bodies": bodies,
}
PLOTS_OF = {"cost": ["cost.svg"], "curve": ["latency.svg"], "connections": ["growth.svg"]}


def tables(results, with_plots=False):
    parts = []
    judged = limits.judge(results["scenarios"])
    if judged:
        parts += ["## Limits\n", table(["what", "limit", "found", ""], [
            [what, f"{sign} {number(limit)}", number(found), "met" if met else "**missed**"]
            for what, sign, limit, found, met in judged])]
    for name, section in SECTIONS.items():
        found = results["scenarios"].get(name)
        if found:
            (title, text), body = section(found, results)
            parts += [f"## {title}\n", text + "\n"]
            if with_plots:
                parts += [f"![{title}]({plot})\n" for plot in PLOTS_OF.get(name, [])]
            parts.append(body)
    if results["notes"]:
        parts += ["## Notes\n", "\n".join(f"- {note}" for note in results["notes"]) + "\n"]
    return "\n".join(parts)


def page(results):
    machine, plan = results["machine"], results["plan"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    head = f"""# What the Sidecar costs

Made by `make bench`; `docs/PERFORMANCE.md` says how to read it. Median (first to third quartile) of alternating slices
of {plan['slice']} s each; {results['seconds'] / 60:.0f} minutes in all.

- {machine['date']}, commit {machine['commit']}
- {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {machine['system']}, Linux {machine['kernel']}
- {versions}
"""
    if results["faults"]:
        head += "\n**This run failed:**\n\n" + "\n".join(f"- {fault}" for fault in results["faults"]) + "\n"
    else:
        head += "\nNo request failed, and every Prediction was reported.\n"
    return head + "\n" + tables(results, with_plots=True)


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    plots.draw(results["scenarios"], folder)
    (folder / "README.md").write_text(page(results))
