"""Many connections: 1,000 that are used and 10,000 that are not, against 64, at the same rate."""
import measure
import usage
from stats import rotated, summary

NAMES = ["nginx", "haproxy", "envoy", "file"]


def run(bench):
    """Fresh processes: what earlier load left in their memory would count as that of the connections."""
    made = [one for one in map(bench.start, NAMES) if one]
    slices = {one.name: [] for one in made}
    at_start = {one.name: usage.resident_mib(one.pid) for one in made}
    rates = {one.name: 0.5 * measure.closed(bench, one, 1, note=", for its saturation")["rate"] for one in made}
    rate = min(rates[name] for name in rates if name != "envoy")
    rates = {name: min(rate, rates[name]) for name in rates}
    for number in range(bench.plan.connection_rounds):
        for one in rotated(made, number):
            few = measure.open_loop(bench, one, rates[one.name], bench.plan.slice, note=", 64 connections")
            many = measure.open_loop(bench, one, rates[one.name], bench.plan.slice,
                                     connections=bench.plan.many_active, idle=bench.plan.many_idle,
                                     note=f", {bench.plan.many_active + bench.plan.many_idle} connections")
            if few and many:
                slices[one.name].append({
                    "few_mib": few["resident_mib"], "many_mib": many["resident_mib"], "few_cpu_us": few["cpu_us"],
                    "many_cpu_us": many["cpu_us"], "growth": many["cpu_us"] / few["cpu_us"],
                    "few_p99": few["p99"], "many_p99": many["p99"]})
    table = {}
    for one in made:
        mine = slices[one.name]
        table[one.name] = {"label": one.label, "rate": rates[one.name], "start_mib": at_start[one.name],
                           "active": bench.plan.many_active, "idle": bench.plan.many_idle,
                           # Later rounds have what the connections of the earlier ones left.
                           "first_few_mib": mine[0]["few_mib"] if mine else None,
                           **{key: summary([s[key] for s in mine]) for key in
                              ("many_mib", "few_cpu_us", "many_cpu_us", "growth", "few_p99", "many_p99")}}
        bench.processes.stop(one.server)
    return table
