"""What is compared: the Sidecar in its modes, plain proxies, and what else one would put in front of a model.

Each proxy has one worker and keeps up to 256 connections to the Model Service; none of them logs requests.
"""
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import upstream
from faults import BenchError
from processes import START_WITHIN, Server, wait_for_answer
from settings import HERE

# Python compiles what it imports on the first start.
MLSERVER_WITHIN = 60


@dataclass
class Contestant:
    """Running, and how to ask it. `events`: Predictions reported per request; 0 where nothing is reported."""
    name: str
    label: str
    server: Server
    path: str = "/predictions/digits"
    body: bytes = upstream.SMALL_BODY
    events: int = 0
    is_sidecar: bool = False
    event_file: Path | None = None
    extra: dict = field(default_factory=dict)

    @property
    def port(self):
        return self.server.port

    @property
    def pid(self):
        return self.server.pid


def nginx(bench, model_port, more=""):
    port, folder = bench.processes.free_port(), bench.processes.folder
    name = f"nginx-{port}"
    main, http = upstream.nginx_common(folder, name)
    config = folder / f"{name}.conf"
    config.write_text(f"""{main}http {{ {http}
upstream model {{ server 127.0.0.1:{model_port}; keepalive 256; keepalive_requests 1000000000; }}
server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
        proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_buffer_size 64k; proxy_buffers 8 64k; {more}
    }}
}} }}
""")
    return bench.processes.start("nginx", ["nginx", "-p", folder, "-c", config], bench.proxy_cores, port)


def haproxy(bench, model_port):
    port = bench.processes.free_port()
    config = bench.processes.folder / f"haproxy-{port}.cfg"
    config.write_text(f"""global
    nbthread 1
    no strict-limits
    maxconn 13000
    tune.bufsize 65536
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 60s
    timeout http-request 600s
    timeout http-keep-alive 600s
    option http-keep-alive
    http-reuse always
listen bench
    bind 127.0.0.1:{port} backlog 4096
    server model 127.0.0.1:{model_port} maxconn 256 pool-max-conn 256
""")
    return bench.processes.start("haproxy", ["haproxy", "-db", "-f", config], bench.proxy_cores, port)


def envoy(bench, model_port):
    port = bench.processes.free_port()
    thresholds = {"max_connections": 256, "max_pending_requests": 20000, "max_requests": 20000}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "model", "timeout": "15s"}}]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router", "dynamic_stats": False,
            "suppress_envoy_headers": True}}],
    }
    config = bench.processes.folder / f"envoy-{port}.json"
    config.write_text(json.dumps({"static_resources": {
        "listeners": [{
            "name": "bench", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "tcp_backlog_size": 4096,
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
        "clusters": [{
            "name": "model", "type": "STATIC", "connect_timeout": "5s",
            "circuit_breakers": {"thresholds": [thresholds]},
            "load_assignment": {"cluster_name": "model", "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": model_port}}}}]}]}}],
    }}))
    command = Path(sys.executable).parent / "envoy"
    return bench.processes.start(
        "envoy", [command, "-c", config, "--concurrency", 1, "--disable-hot-restart", "-l", "error"],
        bench.proxy_cores, port)


def build_go_proxy(bench):
    """The executable; None where there is no Go."""
    executable = bench.processes.folder / "reverse-proxy"
    if not executable.exists():
        if not shutil.which("go"):
            return None
        built = subprocess.run(["go", "build", "-o", executable, HERE / "peers/reverse-proxy.go"],
                               capture_output=True, text=True, timeout=300)
        if built.returncode != 0:
            raise BenchError(f"go build failed: {built.stderr}")
    return executable


def go_proxy(bench, model_port):
    executable = build_go_proxy(bench)
    if executable is None:
        return None
    port = bench.processes.free_port()
    return bench.processes.start("go", [executable, f"127.0.0.1:{port}", f"http://127.0.0.1:{model_port}"],
                                 bench.proxy_cores, port, {"GOMAXPROCS": "1"})


def mlserver(bench, kafka=None):
    """Answers by itself: there is no Model Service behind it. `kafka`: port and topics of requests and replies."""
    processes = bench.processes
    port = processes.free_port()
    folder = processes.folder / f"mlserver-{port}/fixed"
    folder.mkdir(parents=True)
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": processes.free_port(),
                "metrics_port": processes.free_port(), "parallel_workers": 0, "debug": False,
                "logging_settings": {"version": 1, "disable_existing_loggers": True,
                                     "root": {"level": "ERROR", "handlers": []}}}
    if kafka:
        settings |= {"kafka_enabled": True, "kafka_servers": f"127.0.0.1:{kafka[0]}",
                     "kafka_topic_input": kafka[1], "kafka_topic_output": kafka[2]}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(
        {"name": "fixed", "implementation": "mlserver_fixed.Fixed", "parameters": {"version": "7"}}))
    command = [sys.executable, HERE / "peers/mlserver_start.py", "start", folder]
    return processes.start("mlserver", command, bench.proxy_cores, port,
                           {"PYTHONPATH": str(HERE / "peers"), "PYTHONDONTWRITEBYTECODE": "1"}, cwd=folder)


def sidecar(bench, name, model_port, mode="off", *, models=None, shards=1, cores=None, providers="", executable=None):
    """Server and the file of events, where the mode has one. `models`: lines of YAML, else `digits`, native."""
    processes = bench.processes
    port = processes.free_port()
    folder = processes.folder
    event_file = folder / f"{name}-{port}.jsonl"
    kafka = f'{{ type: kafka, brokers: "127.0.0.1:{bench.broker_port}", topic: predictions }}'
    reporting = {
        "off": "reporters: []",
        "file": f'reporters: [{{ type: file, path: "{event_file}" }}]',
        "kafka": f"reporters: [{kafka}]",
        "spool": f'delivery: at-least-once, spool: {{ path: "{folder}/{name}-{port}-spool", fsync: interval }}, '
                 f"reporters: [{kafka}]",
    }[mode]
    models = models or [f'{{ name: digits, protocol: native, url: "http://127.0.0.1:{model_port}/predict" }}']
    config = folder / f"{name}-{port}.yaml"
    config.write_text(f"server: {{ host: 127.0.0.1, port: {port}, shards: {shards}, idleTimeout: 600s }}\n"
                      "models:\n" + "".join(f"  - {model}\n" for model in models)
                      + f"reporting: {{ {reporting} }}\n" + providers + "log: { level: error }\n")
    server = processes.start(name, [executable or bench.settings.sidecar, "serve", "--config", config],
                             cores or bench.proxy_cores, port)
    return server, event_file if mode == "file" else None


MODES = {"off": "Sidecar, reporting off", "file": "Sidecar, file", "kafka": "Sidecar, Kafka best-effort",
         "spool": "Sidecar, Kafka at-least-once"}
LABELS = {"direct": "direct, no proxy", "nginx": "nginx", "haproxy": "haproxy", "envoy": "Envoy",
          "go": "Go ReverseProxy", "mlserver": "MLServer", "before": "Sidecar before, file", **MODES}
OPTIONAL = {"haproxy", "envoy", "go", "mlserver"}


def start(bench, name, model_port):
    """The contestant once it answers; None where this machine does not have it."""
    if name == "direct":
        return Contestant(name, LABELS[name], bench.model)
    if name in MODES:
        if name in ("kafka", "spool"):
            bench.need_broker()
        server, event_file = sidecar(bench, name, model_port, name)
        contestant = Contestant(name, LABELS[name], server, events=0 if name == "off" else upstream.NATIVE_ROWS,
                                is_sidecar=True, event_file=event_file)
    elif name == "before":
        server, event_file = sidecar(bench, name, model_port, "file", executable=bench.settings.before)
        contestant = Contestant(name, LABELS[name], server, events=upstream.NATIVE_ROWS, is_sidecar=True,
                                event_file=event_file)
    elif name == "mlserver":
        contestant = Contestant(name, LABELS[name], mlserver(bench), path="/v2/models/fixed/infer",
                                body=upstream.V2_BODY)
    else:
        server = {"nginx": nginx, "haproxy": haproxy, "envoy": envoy, "go": go_proxy}[name](bench, model_port)
        if server is None:
            return None
        contestant = Contestant(name, LABELS[name], server)
    wait_for_answer(contestant.server, contestant.path, contestant.body,
                    MLSERVER_WITHIN if name == "mlserver" else START_WITHIN)
    return contestant
