"""An application for each way in which Python serves HTTP. It answers with what it has seen since a victim asked last:
`echo_app.py SERVER PORT`, or `echo_app:wsgi`, `echo_app:asgi`."""
import json
import sys
import threading

OWN = ("host", "content-length", "x-request-id", "transfer-encoding", "connection")
lock = threading.Lock()
seen = []


def answer(method, target, fields, body):
    """`fields`: pairs of names and values, as the server tells them."""
    victim = next((value for name, value in fields if name.lower().replace("_", "-") == "x-victim"), None)
    own = {}
    for name, value in fields:
        if name.lower().replace("_", "-") in OWN[:3]:
            own.setdefault(name.lower().replace("_", "-"), []).append(value)
    note = {"method": method, "target": target, "fields": [name for name, _ in fields], "own": own,
            "body": body.decode("latin1"), "victim": victim}
    with lock:
        seen.append(note)
        all_seen = list(seen)
        if victim:
            seen.clear()
    return json.dumps({"predictions": [{"victim": victim, "seen": all_seen if victim else []}]}).encode()


def wsgi(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    fields = [(name[5:], value) for name, value in environ.items() if name.startswith("HTTP_")]
    fields += [(name, environ[name]) for name in ("CONTENT_LENGTH", "CONTENT_TYPE") if environ.get(name)]
    text = answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], fields, body)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
    return [text]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
    fields = [(name.decode("latin1"), value.decode("latin1")) for name, value in scope["headers"]]
    text = answer(scope["method"], scope["path"], fields, body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def http_server(port):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            text = answer(self.command, self.path, list(self.headers.items()), body)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = do_DELETE = do_POST

        def log_message(self, *_):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def main(server, port):
    if server == "http.server":
        http_server(port)
    elif server == "wsgiref":
        from wsgiref.simple_server import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log_message(self, *_):
                pass

        make_server("127.0.0.1", port, wsgi, handler_class=Quiet).serve_forever()
    elif server == "werkzeug":
        import logging

        from werkzeug.serving import WSGIRequestHandler, run_simple

        logging.getLogger("werkzeug").disabled = True
        # Keeps connections, as it does when an application asks for it.
        WSGIRequestHandler.protocol_version = "HTTP/1.1"
        run_simple("127.0.0.1", port, wsgi, threaded=True)
    elif server == "waitress":
        import waitress

        waitress.serve(wsgi, host="127.0.0.1", port=port, _quiet=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
