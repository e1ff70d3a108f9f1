"""What no schema knows of the files below deploy/: that they fit the program, and each other.

Run by check-deploy.sh, with the path to write the dashboard's queries to, as rules that promtool can read.
"""
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
problems = []


def expect(fine, where, what):
    if not fine:
        problems.append(f"{where}: {what}")


def load(path):
    return yaml.safe_load(path.read_text())


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def size(text):
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)B?", text).groups()
    return int(number) << {"Ki": 10, "Mi": 20, "Gi": 30}[unit]


# MARK: The metrics


def check_metrics():
    """Each metric that a file below deploy/ names is one of the program's; each of the program's is on the dashboard."""
    sources = "".join(path.read_text() for path in (ROOT / "Sources/Gateway/Observability").glob("*.swift"))
    known = set(re.findall(r'"(ameron_[a-z_]+)"', sources))
    expect(known, "Sources/Gateway/Observability", "no metric found")
    histograms = set(re.findall(r'histograms\(\s*"(ameron_[a-z_]+)"', sources))
    histograms |= set(re.findall(r'appendHead\(\s*"(ameron_[a-z_]+)",\s*"histogram"', sources))
    expect(len(histograms) > 1, "Sources/Gateway/Observability", "no histograms found")
    series = known - histograms | {name + end for name in histograms for end in ("_bucket", "_sum", "_count")}
    for path in sorted(DEPLOY.rglob("*")):
        if not path.is_file():
            continue
        for name in sorted(set(re.findall(r"\bameron_[a-z_]+", path.read_text()))):
            fine = name in series or path.suffix == ".md" and name in known
            expect(fine, path.relative_to(ROOT), f"the program has no metric {name}")
    dashboard = (DEPLOY / "grafana/ameron-sidecar.json").read_text()
    for name in sorted(known):
        expect(name in dashboard, "deploy/grafana/ameron-sidecar.json", f"nothing shows {name}")


# MARK: Grafana


def check_dashboard(queries_path):
    where = "deploy/grafana/ameron-sidecar.json"
    dashboard = json.loads((ROOT / where).read_text())
    panels = dashboard["panels"]
    ids = [panel["id"] for panel in panels]
    expect(len(set(ids)) == len(ids), where, "ids of panels are not unique")
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    taken, rules = {}, []
    for panel in panels:
        title, place = panel["title"], panel["gridPos"]
        expect(place["x"] + place["w"] <= 24, where, f"{title} is wider than the grid")
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), title)
                expect(other is title, where, f"{title} lies over {other}")
        if panel["type"] == "row":
            continue
        expect(panel.get("description"), where, f"{title} has no description")
        expect(panel["fieldConfig"]["defaults"].get("unit"), where, f"{title} has no unit")
        expect(panel.get("targets"), where, f"{title} asks for nothing")
        for target in panel["targets"]:
            for part in (panel, target):
                expect(part["datasource"]["uid"] == "${datasource}", where, f"{title}: not the chosen data source")
            query = target["expr"]
            for name in re.findall(r"\$(\w+)", query):
                expect(name in variables or name.startswith("__"), where, f"{title}: no variable ${name}")
            query = re.sub(r"\$__(rate_interval|interval|range)\b", "5m", query)
            rules.append({"record": f"panel_{panel['id']}:{target['refId']}", "expr": query})
    queries_path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))


# MARK: Kubernetes


def check_kubernetes():
    base, monitoring = DEPLOY / "kubernetes/base", DEPLOY / "kubernetes/monitoring"
    for folder in (base, monitoring):
        check_kustomization(folder)
    manifests = [load(path) for path in base.glob("*.yaml")]
    by_kind = {manifest["kind"]: manifest for manifest in manifests if "kind" in manifest}
    configuration = load(base / "ameron-sidecar.yaml")
    where = "deploy/kubernetes/base"

    template = by_kind["Deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    monitor = load(monitoring / "podmonitor.yaml")
    spec = template["spec"]
    sidecar, model = spec["initContainers"][0], spec["containers"][0]

    selectors = {
        "Deployment": by_kind["Deployment"]["spec"]["selector"]["matchLabels"],
        "Service": by_kind["Service"]["spec"]["selector"],
        "NetworkPolicy": by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        "PodDisruptionBudget": by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "PodMonitor": monitor["spec"]["selector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        expect(selector and selector.items() <= labels.items(), where, f"the {kind} selects other pods")

    port = configuration["server"]["port"]
    ports = {entry["name"]: entry["containerPort"] for entry in sidecar["ports"]}
    expect(ports == {"http": port}, where, "the Sidecar's port is not server.port")
    expect(by_kind["Service"]["spec"]["ports"][0]["targetPort"] == port, where, "the Service has another port")
    ingress = by_kind["NetworkPolicy"]["spec"]["ingress"]
    expect([[entry["port"] for entry in rule["ports"]] for rule in ingress] == [[port]], where, "NetworkPolicy: port")
    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
        expect(endpoint["port"] in ports and endpoint["path"] == "/metrics", where, "the PodMonitor asks elsewhere")
        expect(set(endpoint) <= {"port", "path", "interval"}, where, "the PodMonitor has keys unknown to this check")
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        expect(sidecar[name]["httpGet"]["port"] == port, where, f"{name}: port")
    # The model starts only after the startup probe: one that asks for the model would wait for ever.
    expect(sidecar["startupProbe"]["httpGet"]["path"] == "/livez", where, "startupProbe must not ask for the model")
    model_port = model["ports"][0]["containerPort"]
    for entry in configuration["models"]:
        expect(f":{model_port}/" in entry["url"], where, f"model {entry['name']} is at another port")

    # The times of deployment.yaml: nobody is stopped while it is needed, and all fits into the grace period.
    reporters = 5  # seconds that RunningGateway gives the Reporters
    grace = spec["terminationGracePeriodSeconds"]
    drain = seconds(configuration["server"]["drainTimeout"])
    hook = sidecar["lifecycle"]["preStop"]["exec"]["command"][-1]
    wait = int(re.fullmatch(r"sleep (\d+); kill -TERM 1", hook)[1])
    kept = model["lifecycle"]["preStop"]["sleep"]["seconds"]
    longest = max(seconds(entry["timeout"]) for entry in configuration["models"])
    expect(drain >= longest, where, "drainTimeout is shorter than a model's timeout")
    expect(kept >= wait + drain, where, "the model is stopped while the Sidecar drains")
    expect(grace > max(wait + drain + reporters, kept), where, "terminationGracePeriodSeconds is too short")

    spool = configuration["reporting"]["spool"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in sidecar["volumeMounts"]}
    state = next((volume for path, volume in mounts.items() if spool["path"].startswith(path + "/")), {})
    limit = state.get("emptyDir", {}).get("sizeLimit")
    expect(limit and size(limit) > size(spool["maxBytes"]), where, "the spool may outgrow its volume")
    secret = by_kind["Secret"]
    for path in re.findall(r"\$\{file:(.*?)\}", json.dumps(configuration)):
        folder, _, name = path.rpartition("/")
        mounted = mounts.get(folder, {}).get("secret", {}).get("secretName")
        expect(mounted == secret["metadata"]["name"] and name in secret["stringData"], where, f"no secret is at {path}")

    for container in (sidecar, model):
        context = {**spec["securityContext"], **container["securityContext"]}
        for key, wanted in {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }.items():
            expect(context.get(key) == wanted, where, f"{container['name']}: {key}")


def check_kustomization(folder):
    """All that is named is there, and all that is there is named."""
    where = folder.relative_to(ROOT)
    kustomization = load(folder / "kustomization.yaml")
    generated = [name for entry in kustomization.get("configMapGenerator", []) for name in entry["files"]]
    named = kustomization["resources"] + generated
    for name in named:
        expect((folder / name).exists(), where, f"{name} is not there")
    for path in folder.iterdir():
        expect(path.name in named or path.name == "kustomization.yaml", where, f"{path.name} is not in the kustomization")


# MARK: Compose


def check_compose():
    where = "compose.yaml"
    compose = load(ROOT / where)
    services = compose["services"]
    for name, service in services.items():
        for needed in service.get("depends_on", []):
            expect(needed in services, where, f"{name} depends on {needed}, which is not there")
            # A service that always starts must not wait for one that does not.
            profiles = set(services.get(needed, {}).get("profiles", []))
            expect(profiles <= set(service.get("profiles", [])), where, f"{name} depends on {needed} of a profile")
        build = service.get("build")
        expect(build is None or (ROOT / build / "Dockerfile").exists(), where, f"{name}: no Dockerfile in {build}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (ROOT / source).exists() if source.startswith(".") else source in compose["volumes"]
            expect(there, where, f"{name}: no {source}")
        for key, value in service.get("environment", {}).items():
            expect(isinstance(value, str), where, f"{name}: {key} is not text")
    ports = [port for service in services.values() for port in service.get("ports", [])]
    outside = [port.rsplit(":", 1)[0] for port in ports]
    expect(len(set(outside)) == len(outside), where, "two services have the same port")
    expect(all(port.startswith("127.0.0.1:") for port in outside), where, "a port is open to the network")


check_metrics()
check_dashboard(pathlib.Path(sys.argv[1]))
check_kubernetes()
check_compose()
for problem in problems:
    print(f"error: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
