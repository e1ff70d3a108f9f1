"""Streams: what a chunk costs with 200 streams at once, when it arrives, and what a long or an unread stream keeps."""
import asyncio
import re
import sys
import time

import contestants
import events
import usage
from faults import BenchError
from processes import wait_for_port
from settings import HERE
from stats import rotated, summary

STREAMS, CHUNKS, PAUSE = 200, 200, 20
AT = re.compile(rb'"at":(\d+)')


def request(path):
    return (f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
            ).encode()


async def stream(port, path, delay, late):
    """Asks once, and reads to the last chunk; how many events came."""
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(path))
        await reader.readuntil(b"\r\n\r\n")
        seen, tail = 0, b""
        while not tail.endswith(b"0\r\n\r\n"):
            data = await reader.read(65536)
            if not data:
                raise BenchError("a stream broke off")
            now = time.monotonic_ns()
            for at in AT.findall(data):
                late.append(now - int(at))
            seen += data.count(b"data: ")
            tail = (tail + data)[-5:]
        return seen
    finally:
        writer.close()


async def many(port, path, count, pause):
    late = []
    asked = [stream(port, path, pause / 1000 * number / count, late) for number in range(count)]
    return sum(await asyncio.gather(*asked)), late


def slice_of(bench, one, count, chunks, pause, note):
    """One slice: processor time of the proxy per chunk, and how late chunks came, in microseconds."""
    path = one.extra["path"].format(chunks, pause)
    if one.events:
        events.settled(one.port)
    cpu = usage.cpu_ns(one.pid)
    seen, late = asyncio.run(asyncio.wait_for(many(one.port, path, count, pause), 60 + chunks * pause / 1000 * 2))
    if one.events:
        events.settled(one.port)
    used = usage.cpu_ns(one.pid) - cpu
    if seen != count * chunks:
        bench.faults.add(f"{one.label}{note}: {seen} chunks of {count * chunks}")
    late.sort()
    return {"cpu_us": used / 1000 / seen, "p50": late[len(late) // 2] / 1000, "p99": late[len(late) * 99 // 100] / 1000}


async def fetch(port, path, size):
    """Reads a long stream; how many bytes came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(request(path))
    read, tail = 0, b""
    while not tail.endswith(b"0\r\n\r\n"):
        data = await reader.read(1 << 20)
        if not data:
            raise BenchError("a long stream broke off")
        read += len(data)
        tail = (tail + data)[-5:]
    writer.close()
    if read < size:
        raise BenchError(f"{read} bytes of {size}")
    return read


async def unread(port, path, count, look):
    """So many clients that ask for a long stream, and do not read: what `look` says while they are there."""
    writers = []
    for _ in range(count):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.transport.pause_reading()
        writer.write(request(path))
        writers.append(writer)
    last = -1
    for _ in range(60):
        await asyncio.sleep(0.5)
        now = look()
        if now == last:
            break
        last = now
    for writer in writers:
        writer.transport.abort()
    return last


def start(bench, name, model):
    if name == "direct":
        return contestants.Contestant(name, "direct, no proxy", model, extra={"path": "/{}/{}"})
    if name == "nginx":
        server = contestants.nginx(bench, model.port, "proxy_buffering off;")
        wait_for_port(server)
        return contestants.Contestant(name, "nginx", server, extra={"path": "/{}/{}"})
    shapes = [(CHUNKS, PAUSE), (5, 500), ("bytes", 1024), ("bytes", 16)]
    models = [f'{{ name: "s-{first}-{second}", protocol: raw, url: "http://127.0.0.1:{model.port}/{first}/{second}", '
              f'maxConnections: 2000 }}' for first, second in shapes]
    server, file = contestants.sidecar(bench, "streams", model.port, name, models=models)
    wait_for_port(server)
    return contestants.Contestant(name, contestants.MODES[name], server, events=1, is_sidecar=True, event_file=file,
                                  extra={"path": "/v1/models/s-{}-{}:predict"})


def run(bench):
    port = bench.processes.free_port()
    model = bench.processes.start("stream model", [sys.executable, HERE / "peers/stream_model.py", port],
                                  [bench.settings.load_core], port)
    wait_for_port(model)
    made = [start(bench, name, model) for name in ("direct", "nginx", "off", "file")]
    slices, slow = ({one.name: [] for one in made} for _ in range(2))
    for number in range(bench.plan.growth_rounds):
        found = {}
        for one in rotated(made, number):
            found[one.name] = slice_of(bench, one, STREAMS, CHUNKS, PAUSE, ", 200 streams")
            slow[one.name].append(slice_of(bench, one, 1, 5, 500, ", one slow stream"))
        for name, one in found.items():
            one["to_nginx"] = one["cpu_us"] / found["nginx"]["cpu_us"]
            slices[name].append(one)
    table = {}
    for one in made:
        mine = slices[one.name]
        row = {key: summary([s[key] for s in mine]) for key in ("cpu_us", "to_nginx", "p50", "p99")}
        row |= {"label": one.label, "slow_p99": summary([s["p99"] for s in slow[one.name]])}
        if one.name == "direct":
            row["cpu_us"] = row["to_nginx"] = None
        else:
            row["start_mib"] = usage.resident_mib(one.pid)
            asyncio.run(asyncio.wait_for(fetch(one.port, one.extra["path"].format("bytes", 1024), 1 << 30), 300))
            row["long_mib"] = usage.resident_mib(one.pid)
            look = asyncio.run(unread(one.port, one.extra["path"].format("bytes", 16), 1000,
                                      lambda one=one: usage.resident_mib(one.pid)))
            row["unread_mib"] = look
        table[one.name] = row
    for one in made:
        bench.processes.stop(one.server)
    return table
