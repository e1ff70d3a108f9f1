"""What the Sidecar says about its events on /metrics, and whether all Predictions were reported."""
import time

from faults import BenchError
from processes import post

SETTLE_WITHIN = 60


def counts(port):
    """Events by result, over all Reporters."""
    status, text = post(port, "/metrics", b"", method="GET", timeout=5)
    if status != 200:
        raise BenchError(f"/metrics on port {port} answered {status}")
    found = {"sent": 0, "failed": 0, "dropped": 0}
    for line in text.decode().splitlines():
        if line.startswith("ameron_report_events_total"):
            for result in found:
                if f'result="{result}"' in line:
                    found[result] += int(float(line.rsplit(" ", 1)[1]))
    return found


def settled(port, at_least=0):
    """The counts once they stand still, and not before `at_least` are settled one way or another, if they ever are."""
    deadline = time.monotonic() + SETTLE_WITHIN
    before, still = None, 0
    while True:
        now = counts(port)
        still = still + 1 if now == before else 0
        # Twice the same with all there; four times the same counts as the end in any case.
        if still >= (1 if sum(now.values()) >= at_least else 20) or time.monotonic() > deadline:
            return now
        before = now
        time.sleep(0.1)


def check(faults, what, before, after, least, most):
    """Notes what is wrong: events failed or dropped, fewer sent than Predictions made, or more."""
    sent = after["sent"] - before["sent"]
    lost = {result: after[result] - before[result] for result in ("failed", "dropped")}
    if any(lost.values()):
        faults.add(f"{what}: events lost: {lost}")
    if not least <= sent <= most:
        faults.add(f"{what}: {sent} events sent, not from {least} to {most}")
    return sent
