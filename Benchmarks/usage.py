"""What a process and its children have used: processor time in nanoseconds, and resident memory."""
from pathlib import Path


def tasks(pid):
    """The folders of its threads; none where it has ended."""
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def family(pid):
    """The process and all below it."""
    pids, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        pids.append(one)
        for task in tasks(one):
            try:
                waiting += map(int, (task / "children").read_text().split())
            except OSError:
                continue
    return pids


def cpu_ns(pid):
    """Time on a processor of all threads. The clock ticks of /proc/PID/stat would be too coarse for a short slice."""
    total = 0
    for one in family(pid):
        for task in tasks(one):
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (OSError, IndexError):
                continue
    return total


def resident_mib(pid):
    total = 0
    for one in family(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return total / 1024
