"""The Model Services: an nginx that gives fixed answers, and the example Model Service that takes 5 ms."""
import json

from processes import wait_for_answer

NATIVE = ('{"predictions":[{"modelName":"rotate","modelVersion":"3","timeTakenInMs":4.125,"value":90},'
          '{"modelName":"digits","modelVersion":"7","timeTakenInMs":11.875,"value":{"label":"4","score":0.98}}]}')
NATIVE_ROWS = 2
# Of the answer at /large: one that no event holds (reporting.maxEventBytes is 1 MiB).
LARGE = (1 << 20) + 1
V1 = '{"predictions":[{"label":"4","score":0.98},{"label":"9","score":0.91}]}'
SMALL_BODY = b'{"instances":[[5.1,3.5,1.4,0.2],[6.7,3.0,5.2,2.3]]}'
V2_BODY = (b'{"inputs":[{"name":"rows","datatype":"FP32","shape":[2,4],'
           b'"data":[5.1,3.5,1.4,0.2,6.7,3.0,5.2,2.3]}]}')


def v2_answer(rows):
    scores = [round((i * 7919 % 10007) / 10007, 6) for i in range(rows)]
    return json.dumps({"model_name": f"rows{rows}", "model_version": "7", "outputs": [
        {"name": "score", "datatype": "FP64", "shape": [rows], "data": scores}]}, separators=(",", ":"))


def location(path, answer, exact=True):
    """A `return` takes its text from variables, since nginx reads no word of more than 4 KiB."""
    pieces = [answer[i:i + 3000] for i in range(0, len(answer), 3000)]
    name = "v" + "".join(c if c.isalnum() else "_" for c in path)
    lines = [f"set ${name}_{i} '{piece}';" for i, piece in enumerate(pieces)]
    whole = "".join(f"${{{name}_{i}}}" for i in range(len(pieces)))
    return (f"location {'= ' if exact else ''}{path} {{ default_type application/json; {' '.join(lines)} "
            f'return 200 "{whole}"; }}')


def nginx_common(folder, name):
    paths = " ".join(f"{kind}_temp_path {folder}/{name}-{kind};" for kind in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (f"worker_processes 1; daemon off; error_log {folder}/{name}-error.log warn; pid {folder}/{name}.pid;\n"
            f"worker_rlimit_nofile 13000; events {{ worker_connections 13000; }}\n", f"{paths} access_log off; "
            "keepalive_requests 1000000000; keepalive_timeout 600s; client_header_timeout 600s; "
            "client_max_body_size 0; client_body_buffer_size 2m; variables_hash_max_size 4096;")


def start_fixed(bench):
    port = bench.processes.free_port()
    folder = bench.processes.folder
    main, http = nginx_common(folder, "model")
    rows = sorted(set(bench.settings.plan.rows) | {2})
    locations = [location("/v1/models/digits:predict", V1), location("/", NATIVE, exact=False)]
    locations += [location(f"/v2/models/rows{n}/infer", v2_answer(n)) for n in rows]
    # A file, since a text of that length would be put together anew for each answer. POST asks for it as GET does.
    (folder / "large").write_bytes(b"x" * LARGE)
    folder.chmod(0o711)  # nginx that root has started reads it as nobody
    locations.append(f"location = /large {{ default_type application/octet-stream; root {folder}; "
                     "error_page 405 =200 $uri; }")
    # `return` answers before the body is in; what asks another server reads it first.
    locations.append(f"location = /reads {{ proxy_pass http://itself/; proxy_http_version 1.1; proxy_method GET; "
                     'proxy_set_header Connection ""; proxy_pass_request_body off; proxy_set_header Content-Length ""; }')
    http += f" upstream itself {{ server 127.0.0.1:{port}; keepalive 256; keepalive_requests 1000000000; }}"
    config = folder / "model.conf"
    config.write_text(f"{main}http {{ {http}\nserver {{ listen 127.0.0.1:{port} backlog=4096;\n"
                      + "\n".join(locations) + "\n} }\n")
    server = bench.processes.start("model service", ["nginx", "-p", folder, "-c", config], [bench.settings.load_core], port)
    wait_for_answer(server, "/", SMALL_BODY)
    return server


def start_slow(bench, delay="5ms"):
    port = bench.processes.free_port()
    server = bench.processes.start(
        "slow model service", [bench.settings.sidecar, "example-model", "--port", port, "--delay", delay],
        [bench.settings.load_core], port)
    wait_for_answer(server, "/predict/iris", b'{"instances":[[5.1,3.5,1.4,0.2]]}')
    return server
