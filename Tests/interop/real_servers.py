"""Servers of Python, behind the Sidecar: each writes down what it takes for requests, and tells it in its next answer."""
import pathlib
import sys

import inputs
import reference

HERE = pathlib.Path(__file__).resolve().parent
# Name to command; {port} is filled in.
SERVERS = {
    "http.server": [sys.executable, str(HERE / "echo_app.py"), "http.server", "{port}"],
    "wsgiref": [sys.executable, str(HERE / "echo_app.py"), "wsgiref", "{port}"],
    "werkzeug": [sys.executable, str(HERE / "echo_app.py"), "werkzeug", "{port}"],
    "waitress": [sys.executable, str(HERE / "echo_app.py"), "waitress", "{port}"],
    "gunicorn": [sys.executable, "-m", "gunicorn", "--chdir", str(HERE), "--workers", "1", "--threads", "2",
                 "--worker-class", "gthread", "--bind", "127.0.0.1:{port}", "--log-level", "error", "echo_app:wsgi"],
    "uvicorn-h11": [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "--http", "h11", "--port", "{port}",
                    "--log-level", "error", "echo_app:asgi"],
    "uvicorn-httptools": [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "--http", "httptools", "--port",
                          "{port}", "--log-level", "error", "echo_app:asgi"],
    "hypercorn": [sys.executable, "-m", "hypercorn", "--bind", "127.0.0.1:{port}", "--log-level", "error",
                  f"file:{HERE / 'echo_app.py'}:asgi"],
}


def fault_of(seen, wanted):
    """What is wrong with what the application has seen: method, target, fields by lower-case name, body."""
    if len(seen) > len(wanted):
        return f"the application saw {len(seen)} requests of {len(wanted)}: {seen[-1]}"
    for got, (target, fields, body) in zip(seen, wanted):
        if got["method"] != "POST" or got["body"].encode("latin1") != body:
            return f"the application saw {got}, not {body!r}"
        names = {name.lower().replace(b"-", b"_").decode("latin1") for name, _ in fields}
        names |= {"host", "content_length", "x_request_id"}
        # What the server's own gateway adds.
        names |= {"content_type", "accept", "user_agent"}
        strange = {name for name in got["fields"] if name.lower().replace("-", "_") not in names}
        if strange:
            return f"the application saw the fields {strange}, which the client did not send: {fields}"
        for own, value in got["own"].items():
            if len(value) != 1 or "," in value[0]:
                return f"the application saw {own} as {value}"
    return None


def run(check, name, options, folder, tools):
    """Public inputs and a few generated ones, through the Sidecar to one server."""
    place = folder / name
    place.mkdir()
    server_port = tools.free_port()
    log = place / "server.log"
    server = tools.start([part.format(port=server_port) for part in SERVERS[name]], log, cwd=place)
    started = [server]
    try:
        tools.wait_for(server_port, server, log)
        health = tools.Recorder()
        sidecar, port = tools.start_sidecar(options.sidecar, place, [
            ("m", "direct", server_port, health.port), ("c", "curl", server_port, health.port)])
        started.append(sidecar)
        victims = [tools.Victim(port, path) for path in inputs.PATHS]
        for victim in victims:
            victim.wait()
        examples = list(inputs.public())
        generator = inputs.Generator(options.seed + 1, [data for _, data, _ in examples])
        sent = 0
        for number, (label, data, _) in enumerate(examples + [(f"generated {n}", None, None) for n in range(300)]):
            path = inputs.PATHS[number % 2]
            data = inputs.aimed(data, path) if data is not None else generator.input(path)
            requests, end = reference.read(data)
            wanted = [one for one in (tools.forwarded(request, path) for request in requests) if one]
            tools.exchange(port, data, tools.statuses_wanted(requests, end), [r.method == b"HEAD" for r in requests])
            fault, value = victims[number % 2].ask()
            sent += 1
            fault = fault or fault_of([one for one in value["seen"] if not one["victim"]], wanted)
            if fault:
                check.fault(f"(a) behind the Sidecar, {name}", label, data, fault)
                victims[number % 2].connection = None
        check.kinds[f"inputs before {name}"] += sent
    finally:
        for process in reversed(started):
            tools.stop(process)
