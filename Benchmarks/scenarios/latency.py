"""Latency at constant rates, from the moment that each request was due (open-loop.c)."""
import measure
from scenarios.cost import NAMES, saturation
from stats import rotated, summary

PERCENTILES = ("p50", "p90", "p99", "p999")
CURVE = ["direct", "nginx", "haproxy", "envoy", "file", "spool"]


def rounds_at(bench, contestants, rates, rounds):
    """Alternating slices, each contestant at its rate; the table has what is added over direct in the same round."""
    slices = {contestant.name: [] for contestant in contestants}
    for number in range(rounds):
        found = {contestant.name: measure.open_loop(bench, contestant, rates[contestant.name], bench.plan.slice,
                                                    may_saturate=True)
                 for contestant in rotated(contestants, number)}
        direct = found.get("direct")
        for name, one in found.items():
            if one:
                for key in PERCENTILES:
                    same_rate = direct and rates[name] == rates["direct"]
                    one["added_" + key] = one[key] - direct[key] if same_rate and name != "direct" else None
                slices[name].append(one)
    keys = (*PERCENTILES, *("added_" + key for key in PERCENTILES), "lag99", "achieved", "cpu_us")
    return {contestant.name: {
        "label": contestant.label, "rate": rates[contestant.name],
        "kept_up": bool(slices[contestant.name]) and all(one["kept_up"] for one in slices[contestant.name]),
        **{key: summary([one[key] for one in slices[contestant.name]]) for key in keys}} for contestant in contestants}


def fixed_rate(bench):
    """One rate that is well under the saturation of all proxies: 40 % of the slowest one's. MLServer: 40 % of its own."""
    contestants = bench.present(NAMES)
    common = 0.4 * min(saturation(bench, one.name) for one in contestants if one.name not in ("mlserver", "direct"))
    rates = {one.name: common for one in contestants}
    if "mlserver" in rates:
        rates["mlserver"] = 0.4 * saturation(bench, "mlserver")
    return rounds_at(bench, contestants, rates, bench.plan.latency_rounds)


def half(bench):
    """What is added over direct at half of the Sidecar's own saturation, each Sidecar at the same rate as the rest."""
    contestants = bench.present(["direct", "nginx", "haproxy", "envoy", "off", "file", "kafka", "spool"])
    rate = 0.5 * saturation(bench, "file")
    return rounds_at(bench, contestants, {one.name: rate for one in contestants}, bench.plan.latency_rounds)


def curve(bench):
    """Latency against offered rate. Who does not keep up at one rate is not asked at a higher one."""
    full = saturation(bench, "file")
    contestants = bench.present(CURVE)
    points = {one.name: {"label": one.label, "points": []} for one in contestants}
    gave_up = set()
    for share in bench.plan.curve_shares:
        rate = full * share / 100
        asked = [one for one in contestants if one.name not in gave_up]
        table = rounds_at(bench, asked, {one.name: rate for one in asked}, bench.plan.curve_rounds)
        for name, row in table.items():
            points[name]["points"].append({"share": share, **row})
            if not row["kept_up"]:
                gave_up.add(name)
    return points
