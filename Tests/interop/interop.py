"""Compares what PyPI's tritonclient gets from Model Services directly with what it gets through the Sidecar."""
import argparse
import collections
import json
import os
import pathlib
import sys
import tempfile
import threading
import time

import numpy as np
import requests
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

import fake_v2
from processes import free_ports, start, stop, wait_until_ready

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3], [5.9, 3.0, 4.2, 1.5]], dtype=np.float32)


def start_mlserver(folder):
    """MLServer with scikit-learn's iris by logistic regression."""
    import joblib
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data, target = load_iris(return_X_y=True)
    joblib.dump(LogisticRegression(max_iter=1000).fit(data, target), folder / "iris.joblib")
    http, grpc, metrics = free_ports(3)
    (folder / "settings.json").write_text(json.dumps({
        "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics,
        "parallel_workers": 0, "debug": False}))
    (folder / "model-settings.json").write_text(json.dumps({
        "name": "iris", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./iris.joblib", "version": "1"}}))
    log = folder / "mlserver.log"
    process = start([os.path.join(os.path.dirname(sys.executable), "mlserver"), "start", str(folder)], log, folder)
    wait_until_ready(f"http://127.0.0.1:{http}/v2/models/iris/ready", process, log)
    return process, f"127.0.0.1:{http}"


def start_sidecar(executable, folder, iris, sums):
    port = free_ports(1)[0]
    (folder / "sidecar.yaml").write_text(f"""\
server: {{ host: 127.0.0.1, port: {port}, shards: 1 }}
models:
  - {{ name: iris, protocol: v2, url: "http://{iris}/v2/models/iris/infer", timeout: 10s }}
  - {{ name: sums, protocol: v2, url: "http://{sums}/v2/models/sums/infer", timeout: 10s }}
reporting:
  reporters:
    - {{ type: file, path: {folder}/predictions.jsonl }}
""")
    log = folder / "sidecar.log"
    process = start([os.path.abspath(executable), "serve", "--config", str(folder / "sidecar.yaml")], log, folder)
    wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, log)
    return process, f"127.0.0.1:{port}"


# ---- what is asked -----------------------------------------------------------------------------------------------
def infer(url, model, rows, binary, request_id):
    """One inference by tritonclient: (outputs by name, id of the answer), or the status and text of the refusal."""
    with triton.InferenceServerClient(url) as client:
        tensor = triton.InferInput("predict" if model == "iris" else "rows", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows, binary_data=binary)
        names = ["predict"] if model == "iris" else ["sum", "label"]
        outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
        try:
            result = client.infer(model, [tensor], request_id=request_id, outputs=outputs)
        except InferenceServerException as error:
            return "refused", error.status(), error.message()
        answer = result.get_response()
        return ({name: result.as_numpy(name).tolist() for name in names}, answer.get("id"), answer.get("model_name"),
                answer.get("model_version"))


def ask(url, question):
    with triton.InferenceServerClient(url) as client:
        return question(client)


def post(url, model, body, headers=()):
    """The status, the bytes and the headers that matter of one POST."""
    answer = requests.post(f"http://{url}/v2/models/{model}/infer", data=body, headers=dict(headers), timeout=20)
    kept = ("content-type", "inference-header-content-length")
    return answer.status_code, answer.content, {name: answer.headers.get(name) for name in kept}


def json_body(rows, request_id, tensor="predict"):
    return json.dumps({"id": request_id, "inputs": [
        {"name": tensor, "shape": list(rows.shape), "datatype": "FP32", "data": rows.flatten().tolist()}]})


def binary_body(rows, request_id):
    tensor = triton.InferInput("rows", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=True)
    outputs = [triton.InferRequestedOutput(name, binary_data=True) for name in ("sum", "label")]
    body, length = triton.InferenceServerClient.generate_request_body([tensor], outputs=outputs, request_id=request_id)
    return body, {"Inference-Header-Content-Length": str(length), "Content-Type": "application/octet-stream"}


# Name, question to either server, and what must hold of the direct answer (so that we do not compare two refusals).
# Inferences also say how many events they leave, by request id.
Case = collections.namedtuple("Case", "name model ask good rows request_id")


def cases():
    many = np.tile(ROWS, (50, 1))
    binary, headers = binary_body(ROWS, "raw-binary")
    ok = lambda got: got[0] == 200  # noqa: E731
    found = [
        Case("is_server_live", "iris", lambda url: ask(url, lambda c: c.is_server_live()), bool, 0, None),
        Case("is_server_ready", "iris", lambda url: ask(url, lambda c: c.is_server_ready()), bool, 0, None),
    ]
    for model in ("iris", "sums"):
        found += [
            Case(f"is_model_ready {model}", model,
                 lambda url, m=model: ask(url, lambda c: c.is_model_ready(m)), bool, 0, None),
            Case(f"get_model_metadata {model}", model,
                 lambda url, m=model: ask(url, lambda c: c.get_model_metadata(m)),
                 lambda got, m=model: got["name"] == m, 0, None),
            Case(f"infer {model}, JSON tensors", model,
                 lambda url, m=model: infer(url, m, ROWS, False, f"json-{m}"),
                 lambda got, m=model: got[1] == f"json-{m}", len(ROWS), f"json-{model}"),
            Case(f"POST {model}, byte for byte", model,
                 lambda url, m=model: post(url, m, json_body(ROWS, f"raw-{m}", "predict" if m == "iris" else "rows")),
                 ok, len(ROWS), f"raw-{model}"),
        ]
    return found + [
        Case("infer iris, binary tensors (MLServer refuses)", "iris",
             lambda url: infer(url, "iris", ROWS, True, "binary-iris"), lambda got: got[0] == "refused", 1,
             "binary-iris"),
        Case("infer sums, binary tensors", "sums",
             lambda url: infer(url, "sums", ROWS, True, "binary-sums"), lambda got: got[1] == "binary-sums",
             len(ROWS), "binary-sums"),
        Case("POST sums, binary, byte for byte", "sums",
             lambda url: post(url, "sums", binary, headers), ok, len(ROWS), "raw-binary"),
        Case("POST iris, 150 rows, client takes gzip", "iris",
             lambda url: post(url, "iris", json_body(many, "gzip"), {"Accept-Encoding": "gzip"}), ok, len(many), "gzip"),
        Case("POST iris, wrong shape: the model's own error", "iris",
             lambda url: post(url, "iris", json_body(ROWS[:, :2], "shape")), lambda got: got[0] >= 400, 1, "shape"),
    ]


# ---- events ------------------------------------------------------------------------------------------------------
def check_events(path, asked):
    """Name and fault (or None) of each check on the events that the inferences left."""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    by_request = collections.defaultdict(list)
    for event in events:
        by_request[event["data"]["requestId"]].append(event["data"])
    ids = {event["id"] for event in events}
    wanted = sum(case.rows for case in asked)
    yield "events: one per row", None if len(events) == wanted else f"{len(events)} events, not {wanted}"
    yield "events: unique ids", None if len(ids) == len(events) else f"{len(events) - len(ids)} repeated"
    for case in asked:
        rows = by_request.pop(case.request_id, [])
        fault = None
        if sorted(row["rowIndex"] for row in rows) != list(range(case.rows)):
            fault = f"rowIndex {[row['rowIndex'] for row in rows][:9]}, not 0..<{case.rows}"
        elif any(row["rowCount"] != case.rows or row["modelName"] != case.model or row["face"] != "v2" for row in rows):
            fault = f"wrong rowCount, modelName or face: {rows[0]}"
        elif case.rows > 1 and any(row["status"] != 200 or row.get("value") is None for row in rows):
            fault = f"a row without its value: {rows[0]}"
        elif case.rows == 1 and ("error" not in rows[0] or rows[0]["status"] < 400):
            fault = f"not a failed prediction: {rows[0]}"
        yield f"events of {case.request_id}", fault
    yield "events: no others", f"of {sorted(by_request)}" if by_request else None


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sidecar", default=".build/release/ameron-sidecar")
    arguments.add_argument("--direct-only", action="store_true", help="without a Sidecar: is the reference side well?")
    options = arguments.parse_args()

    results = []  # (name, fault or None)
    processes = []
    with tempfile.TemporaryDirectory(prefix="interop-") as name:
        folder = pathlib.Path(name)
        fake = fake_v2.server()
        threading.Thread(target=fake.serve_forever, daemon=True).start()
        sums = f"127.0.0.1:{fake.server_address[1]}"
        try:
            mlserver, iris = start_mlserver(folder)
            processes.append(mlserver)
            through = None
            if not options.direct_only:
                sidecar, through = start_sidecar(options.sidecar, folder, iris, sums)
                processes.append(sidecar)
                # The Sidecar describes itself here, so only the form is compared.
                metadata = ask(through, lambda c: c.get_server_metadata())
                missing = {"name", "version", "extensions"} - set(metadata)
                results.append(("get_server_metadata", f"without {missing}" if missing else None))

            for case in cases():
                direct = case.ask(iris if case.model == "iris" else sums)
                fault = None if case.good(direct) else f"the Model Service itself answered {direct}"
                if through and not fault:
                    got = case.ask(through)
                    fault = None if got == direct else f"direct {str(direct)[:400]}\n      Sidecar {str(got)[:400]}"
                results.append((case.name, fault))

            if through:
                code = stop(sidecar)
                results.append(("the Sidecar stops with exit code 0", None if code == 0 else f"exit code {code}"))
                results += check_events(folder / "predictions.jsonl", [case for case in cases() if case.rows])
                if any(fault for _, fault in results):
                    print((folder / "sidecar.log").read_text())
        finally:
            for process in reversed(processes):
                stop(process)
            fake.shutdown()

    for name, fault in results:
        print(f"{'FAIL' if fault else 'pass'}  {name}" + (f"\n      {fault}" if fault else ""))
    failed = sum(1 for _, fault in results if fault)
    print(f"{len(results) - failed} passed, {failed} failed" + (" (direct only)" if options.direct_only else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
