"""What a request costs: processor time, requests/s on one core, resident memory at 64 connections."""
import measure
from stats import rotated, summary

NAMES = ["direct", "nginx", "haproxy", "envoy", "go", "mlserver", "off", "file", "kafka", "spool"]
# MLServer answers a hundredth of the requests and is steady: fewer slices tell as much.
SELDOM = {"mlserver": 3, "direct": 2}


def run(bench):
    contestants = bench.present(NAMES + (["before"] if bench.settings.before else []))
    if not bench.settings.quick:
        for contestant in contestants:
            measure.closed(bench, contestant, 1, note=", warming up")
    slices = {contestant.name: [] for contestant in contestants}
    for number in range(bench.plan.cost_rounds):
        found = {}
        for contestant in rotated(contestants, number):
            if number % SELDOM.get(contestant.name, 1) == 0:
                found[contestant.name] = measure.closed(bench, contestant, bench.plan.slice)
        for name, one in found.items():
            if one:
                reference = found.get("nginx")
                one["to_nginx"] = one["cpu_us"] / reference["cpu_us"] if reference and name != "direct" else None
                envoy = found.get("envoy")
                one["to_envoy"] = one["cpu_us"] / envoy["cpu_us"] if envoy and name != "direct" else None
                before = found.get("before")
                one["to_before"] = one["cpu_us"] / before["cpu_us"] if before and name == "file" else None
                slices[name].append(one)
    table = {}
    for contestant in contestants:
        mine = slices[contestant.name]
        row = {key: summary([one[key] for one in mine])
               for key in ("cpu_us", "to_nginx", "to_envoy", "to_before", "rate", "busy", "resident_mib")}
        row["label"] = contestant.label
        if contestant.name == "direct":
            row["cpu_us"] = row["busy"] = row["resident_mib"] = None
        table[contestant.name] = row
    # The other scenarios choose their rates by this.
    bench.saturation = {name: row["rate"]["median"] for name, row in table.items() if row["rate"]}
    return table


def saturation(bench, name):
    """Requests/s of a closed loop with 64 connections: as measured above, else by a slice of its own."""
    known = getattr(bench, "saturation", None)
    if known is None:
        known = bench.saturation = {}
    if name not in known:
        found = measure.closed(bench, bench.contestant(name), max(1, bench.plan.slice), note=", for its saturation")
        known[name] = found["rate"] if found else 1000
    return known[name]
