#!/usr/bin/env python3
"""What clients and models can ask too much of, tried on the real executable: bounds.py EXECUTABLE [NAME ...]

A Sidecar with the default configuration and 512 MiB of address space gets each attack in turn, then all together. Each time: it
lives, /livez answers (99 % within 250 ms, while the machine does nothing else), and a few seconds later it is at most 1.5 times as
large as before. Prints a line per attack; exits with 1 where something does not hold.
Standard library only; everything is on 127.0.0.1 and bounded in count and time.
"""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import Process, Queue

HOST = "127.0.0.1"
MEMORY = 512 << 20
LIVE_WITHIN = 0.25
GROWTH = 1.5


def connect(port, timeout=10):
    s = socket.create_connection((HOST, port), timeout)
    assert s.getpeername()[0] == HOST
    return s


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def read_head(s, got=b""):
    while b"\r\n\r\n" not in got:
        piece = s.recv(65536)
        if not piece:
            return None, b""
        got += piece
    head, _, rest = got.partition(b"\r\n\r\n")
    return head, rest


def length(head):
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


class Model:
    """Answers each POST by its path, in a thread per connection."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((HOST, 0))
        self.listener.listen(256)
        self.port = self.listener.getsockname()[1]
        self.answers = {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            s, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        try:
            while True:
                head, rest = read_head(s)
                if head is None:
                    return
                left = length(head) - len(rest)
                while left > 0:
                    left -= len(s.recv(min(left, 1 << 20)))
                path = head.split(b" ")[1].decode().split("?")[0]
                s.sendall(self.answers.get(path, OK))
        except OSError:
            pass
        finally:
            s.close()


def answer(body, lines=()):
    head = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


OK = answer(b'{"predictions":[{"value":1}]}')


class Sidecar:
    def __init__(self, executable, models, extra="", memory=MEMORY, descriptors=None, stderr=None):
        self.directory = tempfile.mkdtemp(prefix="bounds-")
        self.port = free_port()
        text = f"server: {{ port: {self.port} }}\nmodels:\n"
        for name, protocol, url in models:
            text += f'  - {{ name: {name}, protocol: {protocol}, url: "{url}" }}\n'
        text += extra or "reporting: { reporters: [ { type: file, path: events.jsonl } ] }\n"
        with open(f"{self.directory}/c.yaml", "w") as f:
            f.write(text)

        def limit():
            if memory:
                resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.log = open(f"{self.directory}/log", "wb")
        command = [executable, "serve", "--config", "c.yaml", "--log-level", "debug" if stderr else "info"]
        self.process = subprocess.Popen(
            command, cwd=self.directory, preexec_fn=limit, stderr=stderr or self.log, stdout=subprocess.DEVNULL
        )
        until = time.time() + 20
        while True:
            try:
                connect(self.port).close()
                return
            except OSError:
                if self.process.poll() is not None or time.time() > until:
                    raise SystemExit(f"it does not start: {open(self.directory + '/log').read()[-1000:]}")
                time.sleep(0.05)

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * 4096

    def lives(self):
        return self.process.poll() is None

    def stop(self):
        if not self.lives():
            print(f"its last words: {open(self.directory + '/log').read()[-3000:]}", flush=True)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        return self.process.returncode


def request(path, body, lines=(), method="POST"):
    head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def ask(port, data, timeout=30):
    """The status of one answer, and all that came; None where the connection ended without one."""
    try:
        with connect(port, timeout) as s:
            try:
                s.sendall(data)
            except OSError:
                pass
            head, rest = read_head(s)
            if head is None:
                return None, b""
            pieces, left = [rest], length(head) - len(rest)
            while left > 0:
                piece = s.recv(1 << 20)
                if not piece:
                    return None, b""
                pieces.append(piece)
                left -= len(piece)
            return int(head[9:12]), b"".join(pieces)
    except OSError:
        return None, b""


def together(count, work):
    results = [None] * count

    def run(index):
        results[index] = work(index)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    return results


def watch(port, stop, queue):
    """Asks /livez all the time, on a new connection and on a kept one by turns; a process of its own."""
    times, failures = [], 0
    kept = connect(port, 20)
    data = request("/livez", b"", method="GET")
    count = 0
    while not stop.is_set():
        began = time.monotonic()
        try:
            if count % 2:
                kept.sendall(data)
                head, rest = read_head(kept)
                while len(rest) < length(head):
                    rest += kept.recv(65536)
                good = head.startswith(b"HTTP/1.1 200")
            else:
                good = ask(port, data, 20)[0] == 200
        except (OSError, AttributeError):
            good = False
            try:
                kept = connect(port, 20)
            except OSError:
                time.sleep(0.05)
        times.append(time.monotonic() - began)
        failures += not good
        count += 1
        time.sleep(0.005)
    queue.put((sorted(times), failures))


# ---- The attacks: each gets a Sidecar's port and the model, and says in a few words what came of it.


def long_ids(port, model):
    """1: an id of 450 kB in a V2 body, 500 rows in the answer."""
    body = b'{"id":"%s","inputs":[]}' % (b"x" * 450_000)
    return statuses(together(8, lambda _: [ask(port, request("/v2/models/rows/infer", body))[0] for _ in range(3)]))


def long_bodies(port, model):
    """2: 88 KB of request, 4,000 rows (with capture, where it is on)."""
    body = b'{"instances":[' + b",".join([b"[%s]" % b",".join([b"1.5"] * 5)] * 4000) + b"]}"
    return statuses(together(4, lambda _: [ask(port, request("/v1/models/rows4000:predict", body))[0] for _ in range(3)]))


def many_rows(port, model):
    """3: 2 MB of answer with 1,000,000 rows."""
    return statuses(together(4, lambda _: [ask(port, request("/v1/models/million:predict", b"{}"))[0] for _ in range(2)]))


def many_outputs(port, model):
    """3: 62 KiB of answer with 900 outputs of 60,000 rows that are not there."""
    data = request("/v2/models/outputs/infer", b"{}")
    return statuses(together(4, lambda _: [ask(port, data)[0] for _ in range(2)]))


def unfinished_bodies(port, model):
    """4: 30 clients that send 10 MiB but for the last byte."""
    held = []

    def send(_):
        try:
            s = connect(port, 20)
            held.append(s)
            s.sendall(b"POST /v1/models/plain:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (10 << 20))
            for _ in range(10):
                s.sendall(b" " * ((1 << 20) - 1))
            s.settimeout(0.2)
            return read_head(s)[0]
        except TimeoutError:
            return b"held"
        except OSError:
            return b"reset"

    results = together(30, send)
    time.sleep(2)
    for s in held:
        s.close()
    kinds = ["held" if r == b"held" else "reset" if r == b"reset" else int(r[9:12]) if r else None for r in results]
    return statuses([kinds])


def long_headers(port, model):
    """5: 24 KB of header in an answer; a request id of 4,500 bytes."""
    one = together(8, lambda _: [ask(port, request("/v1/models/headers:predict", b"{}"))[0] for _ in range(20)])
    data = request("/v1/models/plain:predict", b"{}", [f"X-Request-Id: {'i' * 4500}"])
    two = together(8, lambda _: [ask(port, data)[0] for _ in range(20)])
    return statuses(one + two)


def connection_words(port, model):
    """9: 256 KB of header in an answer whose Connection names 32,000 words."""
    return statuses(together(4, lambda _: [ask(port, request("/v1/models/words:predict", b"{}"))[0] for _ in range(3)]))


def long_names(port, model):
    """10: 64 models' names of 1 MiB in answers, then /metrics."""
    result = []
    for index in range(64):
        model.answers["/names"] = answer(
            b'{"predictions":[{"value":1,"modelName":"%s"}]}' % (b"%d-" % index + b"n" * (1 << 20))
        )
        result.append(ask(port, request("/predictions/names", b"{}"))[0])
    _, page = ask(port, request("/metrics", b"", method="GET"))
    return f"{statuses([result])}, /metrics {len(page)} bytes"


def slow_heads(port, model):
    """Also: 500 clients that send a byte of a head, 2,000 that are nonsense."""
    held = [connect(port) for _ in range(500)]
    for s in held:
        s.sendall(b"P")
    result = together(8, lambda _: [ask(port, b"X Y: z\r\n\r\n")[0] for _ in range(250)])
    for s in held:
        s.close()
    return statuses(result)


ATTACKS = [
    long_ids, long_bodies, many_rows, many_outputs, unfinished_bodies, long_headers, connection_words, long_names, slow_heads,
]


def statuses(results):
    counts = {}
    for result in results:
        for status in result or ["no end"]:
            counts[status] = counts.get(status, 0) + 1
    return ", ".join(f"{n} x {s}" for s, n in sorted(counts.items(), key=str))


def prepare(model):
    names = [f'{{"name":"o{i}","shape":[60000],"datatype":"FP32","parameters":{{"binary_data_size":0}}}}' for i in range(900)]
    outputs = ('{"model_name":"m","outputs":[' + ",".join(names) + "]}").encode()
    rows = json.dumps(
        {"model_name": "m", "outputs": [{"name": "o", "shape": [500], "datatype": "INT64", "data": list(range(500))}]}
    ).encode()
    words = "Connection: " + ",".join(f"w{i}" for i in range(32_000))
    model.answers |= {
        "/rows": answer(rows),
        "/rows4000": answer(json.dumps({"predictions": list(range(4000))}).encode()),
        "/million": answer(b'{"predictions":[' + b",".join([b"1"] * 1_000_000) + b"]}"),
        "/outputs": answer(outputs, [f"Inference-Header-Content-Length: {len(outputs)}"]),
        "/plain": answer(b'{"predictions":[1]}'),
        "/headers": answer(b'{"predictions":[1]}', [f"X-Big-{i}: {'x' * 1000}" for i in range(24)]),
        # In lines of 8 KB, as many as 256 KB hold.
        "/words": answer(
            b'{"predictions":[1]}',
            ["Connection: " + words[12:][i : i + 7_000].strip(",") for i in range(0, len(words) - 12, 7_000)],
        ),
    }
    models = [("names", "native", "names"), ("rows", "v2", "rows"), ("outputs", "v2", "outputs")]
    models += [(name, "v1", name) for name in ("rows4000", "million", "plain", "headers", "words")]
    return [(name, protocol, f"http://{HOST}:{model.port}/{path}") for name, protocol, path in models]


def measure(name, sidecar, work):
    """Runs an attack under watch; what does not hold."""
    from multiprocessing import Event

    before = sidecar.resident()
    stop, queue = Event(), Queue()
    watcher = Process(target=watch, args=(sidecar.port, stop, queue))
    watcher.start()
    began = time.time()
    try:
        result = work()
    finally:
        took = time.time() - began
        stop.set()
    times, failures = queue.get(timeout=40)
    watcher.join(5)
    peak_at = sidecar.resident() if sidecar.lives() else 0
    until = time.time() + 10
    after = peak_at
    while sidecar.lives() and time.time() < until and after > GROWTH * before:
        time.sleep(0.2)
        after = sidecar.resident()
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)] if times else 99
    problems = []
    if not sidecar.lives():
        problems.append(f"it ended with {sidecar.process.returncode}")
    if failures:
        problems.append(f"/livez failed {failures} times")
    if p99 > LIVE_WITHIN:
        problems.append(f"/livez took {p99 * 1000:.0f} ms (p99)")
    if after > GROWTH * before:
        problems.append(f"{after >> 20} MiB after {before >> 20} MiB")
    print(
        f"{name:18} {took:6.1f} s  livez p99 {p99 * 1000:6.1f} max {times[-1] * 1000:6.1f} ms of {len(times):5}  "
        f"MiB {before >> 20} -> {peak_at >> 20} -> {after >> 20}  {result}  {'; '.join(problems) or 'ok'}",
        flush=True,
    )
    return problems


def full_pipe(executable, models):
    """6: nobody reads stderr, and clients send nonsense at log level debug."""
    reader, writer = os.pipe()
    sidecar = Sidecar(executable, models, stderr=writer)
    os.close(writer)
    try:
        nonsense = b"GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n"
        return measure(
            "full_pipe", sidecar,
            lambda: statuses(together(4, lambda _: [ask(sidecar.port, nonsense)[0] for _ in range(500)])),
        )
    finally:
        code = sidecar.stop()
        os.close(reader)
        if code != 0:
            print(f"full_pipe: it ended with {code}")


def many_models(executable, models):
    """6: /metrics of 500 models."""
    many = [(f"m{i}", "v1", models[-1][2]) for i in range(500)]
    sidecar = Sidecar(executable, many)
    try:
        for i in range(0, 500, 25):
            ask(sidecar.port, request(f"/v1/models/m{i}:predict", b"{}"))
        page = request("/metrics", b"", method="GET")
        return measure(
            "many_models", sidecar, lambda: statuses(together(4, lambda _: [ask(sidecar.port, page)[0] for _ in range(25)]))
        )
    finally:
        sidecar.stop()


def few_descriptors(executable, models):
    """11: 64 descriptors, and clients that take all they get."""
    try:
        sidecar = Sidecar(executable, models[:1], extra="\n", descriptors=64)
    except SystemExit as error:
        refused = "descriptor" in str(error)
        print(f"few_descriptors    refused at the start: {str(error)[-300:].strip()}", flush=True)
        return [] if refused else ["it does not start, and does not say why"]
    held = []
    try:
        for _ in range(80):
            try:
                s = connect(sidecar.port, 1)
                s.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                held.append(s)
            except OSError:
                pass
        served = []
        for s in held:
            s.settimeout(0.3)
            try:
                served.append(read_head(s)[0] is not None)
            except OSError:
                served.append(False)
        # A new client has a place when those before it have had theirs, each for a second.
        status = ask(sidecar.port, request("/predictions/names", b"{}"), 40)[0]
        print(f"few_descriptors    {sum(served)} of {len(held)} clients are served; a model's answer: {status}", flush=True)
        return [] if status == 200 else [f"a model cannot be called: {status}"]
    finally:
        for s in held:
            s.close()
        sidecar.stop()


def main():
    executable, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    # A crash tells where it was.
    os.environ.setdefault("SWIFT_BACKTRACE", "enable=yes,interactive=no,color=no")
    model = Model()
    models = prepare(model)
    problems = {}
    captures = {
        "default": "",
        "capture: body": "reporting: { capture: body, maxCaptureBytes: 1MiB, reporters: [ { type: file, path: e.jsonl } ] }\n",
        "at least once": "reporting: { delivery: at-least-once, spool: { maxBytes: 200MiB }, "
        "reporters: [ { type: file, path: e.jsonl } ] }\n",
    }
    for title, extra in captures.items():
        print(f"-- {title}", flush=True)
        sidecar = Sidecar(executable, models, extra)
        for _ in range(20):
            ask(sidecar.port, request("/v1/models/plain:predict", b"{}"))
        try:
            for attack in ATTACKS:
                if names and attack.__name__ not in names:
                    continue
                found = measure(attack.__name__, sidecar, lambda attack=attack: attack(sidecar.port, model))
                problems[f"{title}: {attack.__name__}"] = found
                if not sidecar.lives():
                    sidecar.stop()
                    sidecar = Sidecar(executable, models, extra)
            if not names:
                everything = lambda: "; ".join(
                    filter(None, together(len(ATTACKS), lambda i: ATTACKS[i](sidecar.port, model)))
                )
                problems[f"{title}: all together"] = measure("all together", sidecar, everything)
            status = ask(sidecar.port, request("/v1/models/plain:predict", b"{}"))[0]
            if status != 200:
                problems[f"{title}: after"] = [f"a plain request gets {status}"]
        finally:
            sidecar.stop()
    for special in (full_pipe, many_models, few_descriptors):
        if not names or special.__name__ in names:
            problems[special.__name__] = special(executable, models)
    bad = {name: found for name, found in problems.items() if found}
    for name, found in bad.items():
        print(f"WRONG {name}: {'; '.join(found)}")
    print("all bounds hold" if not bad else f"{len(bad)} do not hold")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
