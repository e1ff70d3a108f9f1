"""One slice of one contestant: the load, what the proxy used for it, and whether all was answered and reported."""
import time

import events
import usage


def _before(contestant):
    if not contestant.events:
        return None
    seen = events.settled(contestant.port)
    if contestant.event_file and contestant.event_file.exists():
        # The Sidecar appends, so this is where it goes on: the file does not grow over the rounds.
        with contestant.event_file.open("r+b") as file:
            file.truncate(0)
    return seen


def _after(bench, contestant, what, before, answered, at_most):
    """Waits until all is reported: that belongs to the cost."""
    if before is None:
        return None
    least, most = answered * contestant.events, at_most * contestant.events
    after = events.settled(contestant.port, sum(before.values()) + least)
    sent = events.check(bench.faults, what, before, after, least, most)
    if contestant.event_file:
        written = _lines(contestant.event_file)
        if not least <= written <= most:
            bench.faults.add(f"{what}: {written} events in the file, not from {least} to {most}")
    return sent


def _lines(path):
    count = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            count += piece.count(b"\n")
    return count


def closed(bench, contestant, seconds, *, connections=64, paths=None, body=None, note=""):
    """wrk for some seconds. `busy`: the share of its core that the proxy used; above 0.95 it was the limit."""
    what = f"{contestant.label}{note}"
    before = _before(contestant)
    cpu = usage.cpu_ns(contestant.pid)
    start = time.monotonic()
    load = bench.load.closed(contestant.port, paths or [contestant.path], body or contestant.body, seconds, connections)
    loaded = usage.cpu_ns(contestant.pid)
    elapsed = time.monotonic() - start
    requests = load["requests"]
    if load["errors"]:
        bench.faults.add(f"{what}: {load['errors']} of {requests} requests failed")
    if not requests:
        bench.faults.add(f"{what}: no request was answered")
        return None
    # wrk leaves with up to one answer per connection unread, which the Sidecar may have reported.
    sent = _after(bench, contestant, what, before, requests, requests + connections)
    return {"requests": requests, "rate": requests / load["seconds"], "events": sent,
            "cpu_us": (usage.cpu_ns(contestant.pid) - cpu) / 1000 / requests,
            "busy": (loaded - cpu) / 1e9 / elapsed, "resident_mib": usage.resident_mib(contestant.pid)}


def open_loop(bench, contestant, rate, seconds, *, connections=64, idle=0, path=None, body=None, note="",
              may_saturate=False):
    """A constant rate for some seconds; what open-loop.c says, and `cpu_us`, `resident_mib` with all connections open.
    `kept_up` is false where not all that was due could be sent, or was answered."""
    what = f"{contestant.label}{note}"
    with bench.load.opened(contestant.port, path or contestant.path, body or contestant.body, rate, seconds,
                           connections, idle) as opened:
        before = _before(contestant)
        cpu = usage.cpu_ns(contestant.pid)
        result = opened.run()
        answered = result["answered"]
        bad = result["errors"] + result["warmErrors"]
        if bad or result["idleLost"]:
            bench.faults.add(f"{what} at {rate:.0f}/s: {bad} failed requests {result['errorKinds']}, "
                             f"{result['idleLost']} idle connections lost")
        if not answered:
            bench.faults.add(f"{what}: no request was answered")
            return None
        result["events"] = _after(bench, contestant, what, before, answered, answered)
        result["cpu_us"] = (usage.cpu_ns(contestant.pid) - cpu) / 1000 / answered
        result["resident_mib"] = usage.resident_mib(contestant.pid)
        result["kept_up"] = result["unsent"] <= 0.01 * result["due"]
        if not result["kept_up"] and not may_saturate:
            bench.note(f"{what} did not keep up with {rate:.0f} requests/s")
        return result
