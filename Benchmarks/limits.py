"""What issue and documentation promise, against what was found. Printed as met or missed; a run does not fail by it."""


def judge(scenarios):
    """What, sign, limit, found, whether it is met."""
    judged = []

    def limit(what, sign, most, found):
        if found is not None:
            judged.append((what, sign, most, found, found >= most if sign == "≥" else found <= most))

    def median(scenario, name, key):
        found = scenarios.get(scenario, {}).get(name, {}).get(key)
        return found["median"] if isinstance(found, dict) else found

    def grown(scenario, name):
        found = scenarios.get(scenario, {}).get(name, {})
        return found["end_mib"] - found["start_mib"] if "end_mib" in found else None

    limit("CPU per request, file, times nginx", "≤", 1.3, median("cost", "file", "to_nginx"))
    limit("CPU per request, file, times the executable BEFORE", "≤", 1.03, median("cost", "file", "to_before"))
    limit("CPU per request, file, times Envoy", "≤", 0.45, median("cost", "file", "to_envoy"))
    limit("CPU per request, Kafka best-effort, times nginx", "≤", 1.6, median("cost", "kafka", "to_nginx"))
    limit("CPU per request, Kafka at-least-once, times nginx", "≤", 2.0, median("cost", "spool", "to_nginx"))
    limit("Kafka to Kafka, reporting off, times nginx over HTTP", "≤", 2.5, median("kafka", "k2k-off", "to_nginx"))
    limit("Kafka to Kafka, Kafka best-effort, times nginx over HTTP", "≤", 2.5, median("kafka", "k2k-kafka", "to_nginx"))
    ours, theirs = median("kafka", "k2k-off", "per_core"), median("kafka", "k2k-mlserver", "per_core")
    limit("Kafka to Kafka, requests/s of a core, times MLServer's", "≥", 10, ours / theirs if ours and theirs else None)
    limit("latency added at half of saturation, p50, µs", "≤", 100, median("half", "file", "added_p50"))
    limit("latency added at half of saturation, p99, µs", "≤", 500, median("half", "file", "added_p99"))
    limit("CPU per chunk of a stream, file, times nginx", "≤", 1.3, median("streams", "file", "to_nginx"))
    limit("a chunk of a slow stream later than sent, p99, µs", "≤", 5000, median("streams", "file", "slow_p99"))
    for way in ("up", "down"):
        limit(f"CPU per request with 1 MiB {way}, file, times nginx", "≤", 1.2, median("bodies", "file", f"{way}_to_nginx"))
    limit("resident with 64 bodies of 1 MiB at once, MiB more", "≤", 64, grown("bodies", "file"))
    limit("resident with 11,000 connections, MiB", "≤", 128, median("many", "file", "many_mib"))
    limit("CPU per request with 11,000 connections, times that at 64", "≤", 1.3, median("many", "file", "growth"))
    ours, theirs = (scenarios.get("rows", {}).get(name, {}).get("us_per_row") for name in ("file", "nginx"))
    limit("CPU per more row of a V2 answer, less nginx's, µs", "≤", 1,
          ours - theirs if ours is not None and theirs is not None else None)
    for scenario, what in (("connections", "connections"), ("models", "models")):
        points = scenarios.get(scenario, {}).get("file", {}).get("points", [])
        if len(points) > 1:
            limit(f"CPU per request, {points[-1]['x']:,} {what}, times that at {points[0]['x']:,}", "≤", 1.3,
                  points[-1]["cpu_us"]["median"] / points[0]["cpu_us"]["median"])
    return judged
