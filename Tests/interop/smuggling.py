"""What models see of what clients send: public and generated inputs through nginx and through the Sidecar, before a server that
writes down every byte, and before servers of PyPI; compared with what the bytes say under RFC 9112 (reference.py).

The connections to the models are kept, one for each proxy and model; behind each input comes a good request of another client,
which must get its own answer.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import inputs
import real_servers
import reference
from recorder import Recorder

HERE = pathlib.Path(__file__).resolve().parent
# By RFC 9110, section 7.6.1, and what belongs to each connection's own message.
NOT_FORWARDED = {b"te", b"trailer", b"upgrade", b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding",
                 b"proxy-authenticate", b"proxy-authorization", b"host", b"content-length", b"expect", b"accept-encoding",
                 b"x-request-id"}
OWN = {b"host", b"content-length", b"x-request-id"}
REFUSALS = {400, 408, 413, 414, 417, 431, 501, 505}
# How long an answer may take; what comes unasked is waited for as long as an answer takes.
PATIENCE, GRACE = 5.0, 0.004


# ---- clients -----------------------------------------------------------------------------------------------------
def split_answers(data, heads_only, closed=False):
    """Statuses and bodies of the final answers in the bytes. Where the connection is closed, the last may be one to HEAD."""
    answers = []
    while data:
        head, separator, rest = data.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        if not separator or not match:
            return answers
        status = int(match[1])
        length = re.search(rb"(?im)^content-length: *(\d+)\r?$", head)
        if status < 200:
            data = rest
            continue
        count = int(length[1]) if length else 0
        if len(answers) < len(heads_only) and heads_only[len(answers)] and not rest.startswith(b"{"):
            count = 0
        if len(rest) < count and not (closed and not rest):
            return answers
        answers.append((status, rest[:count]))
        data = rest[count:]
    return answers


def exchange(port, data, wanted, heads_only=()):
    """Sends bytes over a connection of their own: the statuses of what is answered, and whether the server closed."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        # No port is left waiting after that.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        got, closed = b"", False
        deadline = time.monotonic() + PATIENCE
        try:
            client.sendall(data)
            while True:
                answers = split_answers(got, heads_only)
                # What is more than was to come, comes at once.
                left = GRACE if len(answers) >= wanted else deadline - time.monotonic()
                if left <= 0 or not select.select([client], [], [], left)[0]:
                    break
                more = client.recv(1 << 16)
                if not more:
                    closed = True
                    break
                got += more
        except OSError:
            closed = True
        return [status for status, _ in split_answers(got, heads_only, closed)], closed


class Victim:
    """A client that asks well, and keeps its connection."""

    def __init__(self, port, path):
        self.port, self.path, self.count, self.connection = port, path, 0, None

    def wait(self):
        """Until it is answered."""
        deadline = time.monotonic() + 60
        while fault := self.ask()[0]:
            if time.monotonic() > deadline:
                raise TimeoutError(fault)
            time.sleep(0.1)

    def ask(self):
        """What is wrong with its answer, and the answer's value."""
        self.count += 1
        name = f"v{self.count}"
        body = json.dumps({"instances": [name]}).encode()
        request = b"POST %s HTTP/1.1\r\nHost: v\r\nX-Victim: %s\r\nContent-Length: %d\r\n\r\n%s" % (
            self.path, name.encode(), len(body), body)
        for attempt in (1, 2):
            try:
                if not self.connection:
                    self.connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
                self.connection.sendall(request)
                got = b""
                while True:
                    answers = split_answers(got, ())
                    if answers:
                        break
                    more = self.connection.recv(1 << 20)
                    if not more:
                        raise ConnectionError("closed")
                    got += more
                status, text = answers[0]
                value = json.loads(text)["predictions"][0] if status == 200 else None
                if status != 200 or value["victim"] != name:
                    return f"the next client got {status} {text[:300]!r}", None
                return None, value
            except (OSError, ValueError, KeyError) as error:
                self.connection = None
                if attempt == 2:
                    return f"the next client: {error!r}", None


# ---- what is right -----------------------------------------------------------------------------------------------
def forwarded(request, path):
    """What a model may see of a request: targets, fields, body; nil where it is none of a model's."""
    if request.method != b"POST" or request.path != path:
        return None
    named = {one.strip(b" \t").lower() for name, value in request.fields if name.lower() == b"connection"
             for one in value.split(b",")} - {b"", b"close", b"keep-alive"}
    fields = [(name, value) for name, value in request.fields
              if name.lower().replace(b"_", b"-") not in NOT_FORWARDED and name.lower() not in named]
    query = re.sub(rb"[\x80-\xff]", lambda match: b"%%%02x" % match[0][0], request.query)
    return path + (b"?" + query if query else b""), fields, request.body


def model_fault(seen, wanted, port):
    """What is wrong with what a model has seen, which may be less than what was wanted."""
    if len(seen) > len(wanted):
        return f"the model saw {len(seen)} requests of {len(wanted)}: {seen[-1]}"
    for got, (target, fields, body) in zip(seen, wanted):
        line, *lines = got.head.split(b"\r\n")
        if not got.is_framed:
            return f"the model cannot tell where this ends: {got}"
        if line != b"POST " + target + b" HTTP/1.1":
            return f"the model saw {line!r}, not {target!r}"
        pairs = [(name, value.strip(b" \t")) for name, _, value in (one.partition(b":") for one in lines)]
        others = [pair for pair in pairs if pair[0].lower() not in OWN]
        if others != fields:
            return f"the model saw the fields {others}, not {fields}"
        own = collections.Counter(name.lower() for name, _ in pairs if name.lower() in OWN)
        if own != {name: 1 for name in OWN}:
            return f"the model saw {dict(own)}"
        values = {name.lower(): value for name, value in pairs}
        if values[b"host"] != b"127.0.0.1:%d" % port or values[b"content-length"] != b"%d" % len(body):
            return f"the model saw {pairs}"
        if got.body != body:
            return f"the model saw the body {got.body!r}, not {body!r}"
    return None


FRAMING_TAB = re.compile(rb"(?i)\n(?:content-length|host|transfer-encoding):(?: *\t|[^\n]*\t *\r?\n)")

# Why the Sidecar may take what nginx refuses: name, what is said for it, and when it is that of the request and its bytes.
REASONS = [
    ("a Host that is empty, or with two dots", "the Host goes nowhere; section 3.2 asks clients to send an empty one",
     lambda r, data: any(n.lower() == b"host" and (not v or b".." in v or v.startswith(b".")) for n, v in r.fields)),
    ("a path that leaves the root, or with a bad escape", "paths are not files here: what is not found is a 404",
     lambda r, data: b"%" in r.path or b"/.." in r.path or b"/." in r.path),
    ("CONNECT and TRACE", "they are answered with 404 or 405",
     lambda r, data: r.method in (b"CONNECT", b"TRACE")),
    ("a condition twice", "they concern versions of files, and are passed on both",
     lambda r, data: any(count > 1 for name, count in collections.Counter(n.lower() for n, _ in r.fields).items()
                   if name.startswith(b"if-") or name == b"content-range")),
    ("a target without a path, or `*`", "valid (sections 3.2.2, 3.2.4), and answered with 404",
     lambda r, data: not r.path.startswith(b"/")),
    ("a tab around a value", "it is white space (RFC 9110, section 5.6.3), and these lines go out as our own",
     lambda r, data: FRAMING_TAB.search(data)),
]


class Check:
    def __init__(self):
        self.faults, self.kinds = [], collections.Counter()
        self.inputs = 0

    def fault(self, kind, name, data, what):
        self.kinds[kind] += 1
        if self.kinds[kind] <= 20:
            self.faults.append(f"{kind}\n  {name}: {data[:600]!r}\n  {what}")

    def count(self, kind):
        self.kinds[kind] += 1

    def add(self, other):
        self.faults += other.faults
        self.kinds += other.kinds
        self.inputs += other.inputs


# ---- processes ---------------------------------------------------------------------------------------------------
def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(arguments, log, **options):
    with open(log, "wb") as output:
        return subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)


def wait_for(port, process, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{process.args[0]} does not serve:\n{pathlib.Path(log).read_text()[-2000:]}")


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def start_nginx(folder, model):
    """As Debian configures it, but for one connection to the model, which is kept."""
    port = free_port()
    (folder / "nginx.conf").write_text(f"""\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 10000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; client_max_body_size 16m;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream model {{ server 127.0.0.1:{model}; keepalive 1; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
""")
    log = folder / "nginx.out"
    process = start(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], log)
    wait_for(port, process, log)
    return process, port


def start_sidecar(executable, folder, models):
    """`models`: name, transport, port."""
    port = free_port()
    lines = "".join(
        f"  - {{ name: {name}, protocol: v1, transport: {transport}, maxConnections: 1, timeout: 20s,"
        f" url: \"http://127.0.0.1:{model}/v1/models/{name}:predict\", healthUrl: \"http://127.0.0.1:{health}/\" }}\n"
        for name, transport, model, health in models)
    (folder / "sidecar.yaml").write_text(
        f"server: {{ host: 127.0.0.1, port: {port}, shards: 1, drainTimeout: 5s }}\nmodels:\n{lines}"
        f"reporting:\n  reporters:\n    - {{ type: file, path: {folder}/events.jsonl }}\n")
    log = folder / "sidecar.log"
    process = start([os.path.abspath(executable), "serve", "--config", str(folder / "sidecar.yaml")], log)
    wait_for(port, process, log)
    return process, port


# ---- the comparison ----------------------------------------------------------------------------------------------
def statuses_wanted(requests, end):
    """How many answers there will be: one for each request, and one for what is refused."""
    return len(requests) + (1 if isinstance(end, int) else 0)


def accepted(statuses):
    """How many requests were taken before the first that was refused."""
    return next((index for index, status in enumerate(statuses) if status in REFUSALS), len(statuses))


def compare(check, name, data, path, sidecar, nginx, victims, recorders):
    check.inputs += 1
    requests, end = reference.read(data)
    wanted = [one for one in (forwarded(request, path) for request in requests) if one]
    heads_only = [request.method == b"HEAD" for request in requests]
    count = statuses_wanted(requests, end)

    statuses, closed = exchange(sidecar, data, count, heads_only)
    fault, _ = victims[0].ask()
    seen = recorders[0].take()
    if fault:
        check.fault("(a) another client's answer", name, data, fault)
        victims[0].connection = None
    elif b"X-Victim: v%d\r\n" % victims[0].count not in seen[-1].head + b"\r\n":
        check.fault("(a) another client's request", name, data, f"the model saw {seen[-1]} last")
    seen = [one for one in seen if b"X-Victim: v" not in one.head]
    if fault := model_fault(seen, wanted, recorders[0].port):
        check.fault("(a) the model sees what the bytes do not have", name, data, fault)
    if len(statuses) != count or (isinstance(end, int) and statuses[-1:] != [end]):
        check.fault("answers", name, data, f"{statuses}, but {count} were to come and the end is {end}")
    elif (isinstance(end, int) or end == "closed") and not closed:
        check.fault("answers", name, data, "the connection is not closed")

    if nginx:
        other, _ = exchange(nginx, data, max(count, 1) if end != "incomplete" else count, heads_only)
        fault, _ = victims[1].ask()
        passed = [one for one in recorders[1].take() if b"X-Victim: v" not in one.head]
        if fault:
            check.count("nginx: another client's answer")
            victims[1].connection = None
        ours, theirs = accepted(statuses), accepted(other)
        if ours > theirs and theirs < len(requests):
            request = requests[theirs]
            reason = next((text for text, _, holds in REASONS if holds(request, data)), None)
            # nginx closes after some good requests (HTTP/1.0, HEAD with a body), and reads no further.
            if other and other[-1] not in REFUSALS | {405} or not other and theirs == 0 and ours == 0:
                check.count("nginx reads no further after an answer")
            elif reason:
                check.count(f"(b) laxer than nginx: {reason}")
            else:
                check.fault("(b) laxer than nginx", name, data, f"{statuses}, nginx {other}: {request}")
        elif ours < theirs:
            check.count(f"(c) stricter than nginx: {statuses[-1] if statuses else 'closed'}")
        if len(passed) > len(requests):
            check.count("(c) stricter than nginx: its model sees more requests than our reading has")


def run_lane(options, lane, folder):
    """One of several that run beside each other, each with proxies and models of its own."""
    check = Check()
    recorders = {"m": Recorder(), "c": Recorder(), "nginx": Recorder()}
    health = Recorder()
    started = []
    try:
        sidecar, port = start_sidecar(options.sidecar, folder, [
            ("m", "direct", recorders["m"].port, health.port), ("c", "curl", recorders["c"].port, health.port)])
        started.append(sidecar)
        nginx, nginx_port = start_nginx(folder, recorders["nginx"].port)
        started.append(nginx)
        victims = {path: Victim(port, path) for path in inputs.PATHS}
        nginx_victim = Victim(nginx_port, inputs.PATHS[0])
        for victim in [*victims.values(), nginx_victim]:
            victim.wait()
        for recorder in recorders.values():
            recorder.take()

        def put(name, data, which, beside_nginx=True):
            compare(check, name, data, inputs.PATHS[which], port, nginx_port if beside_nginx else None,
                    (victims[inputs.PATHS[which]], nginx_victim), (recorders["mc"[which]], recorders["nginx"]))

        examples = list(inputs.public())
        for name, data, ours in examples[lane::options.lanes]:
            described = reference.describe(data)
            if described != ours:
                check.fault("the reference", name, data, f"reads {described}, not {ours}")
            put(name, data, 0)
            put(name, inputs.aimed(data, inputs.PATHS[0]), 0)
            put(name, inputs.aimed(data, inputs.PATHS[1]), 1, beside_nginx=False)
        seed = options.seed * 1000 + lane
        generator = inputs.Generator(seed, [data for _, data, _ in examples])
        for number in range(options.count // options.lanes):
            put(f"seed {seed}, input {number}", generator.input(inputs.PATHS[number % 2]), number % 2)
            if sidecar.poll() is not None:
                check.fault("the Sidecar ended", f"seed {seed}, input {number}", b"", f"{sidecar.returncode}")
                break
        for name in ("m", "c"):
            check.kinds[f"connections to the model, {'direct' if name == 'm' else 'curl'}"] += recorders[name].connections
        started.remove(sidecar)
        if code := stop(sidecar):
            check.fault("the Sidecar's end", "exit code", b"", f"{code}")
    finally:
        for process in started:
            stop(process)
    return check


def run_server(options, name, folder):
    check = Check()
    real_servers.run(check, name, options, folder, sys.modules[__name__])
    return check


def in_folder(work, *arguments):
    with tempfile.TemporaryDirectory(prefix="smuggling-") as folder:
        return work(*arguments, pathlib.Path(folder))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sidecar", default=".build/release/ameron-sidecar")
    arguments.add_argument("--count", type=int, default=400, help="how many inputs are generated")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--lanes", type=int, default=4, help="how many run beside each other")
    arguments.add_argument("--servers", nargs="*", default=list(real_servers.SERVERS), help="which of PyPI's servers")
    options = arguments.parse_args()

    check = Check()
    begun = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(options.lanes) as pool:
        works = [pool.submit(in_folder, run_lane, options, lane) for lane in range(options.lanes)]
        works += [pool.submit(in_folder, run_server, options, name) for name in options.servers]
        for work in works:
            check.add(work.result())
    print(f"{check.inputs} inputs in {time.monotonic() - begun:.0f} s; {options.count} generated, seed {options.seed}")
    for kind, count in sorted(check.kinds.items()):
        print(f"{count:7}  {kind}")
    for fault in check.faults:
        print(f"FAIL  {fault}")
    print(f"{len(check.faults)} faults")
    sys.exit(1 if check.faults else 0)


if __name__ == "__main__":
    main()
