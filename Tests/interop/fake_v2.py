"""A small Model Service of the Open Inference Protocol that speaks Triton's binary tensor extension.

MLServer refuses binary tensors, so this one stands in for Triton. The model `sums` adds up each row of its FP32 input
`rows`: output `sum`, FP32 of shape [n, 1], and output `label`, BYTES of shape [n]. Outputs are binary where the
request asks for it, as Triton does, with Inference-Header-Content-Length on the way out.
"""
import json
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LENGTH = "Inference-Header-Content-Length"
METADATA = {
    "name": "sums", "versions": ["7"], "platform": "fake",
    "inputs": [{"name": "rows", "datatype": "FP32", "shape": [-1, 4]}],
    "outputs": [{"name": "sum", "datatype": "FP32", "shape": [-1, 1]}, {"name": "label", "datatype": "BYTES", "shape": [-1]}],
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, value, status=200):
        self.answer(status, json.dumps(value).encode(), [("Content-Type", "application/json")])

    def do_GET(self):
        path = self.path.removesuffix("/")
        if path in ("/v2/health/live", "/v2/health/ready", "/v2/models/sums/ready"):
            self.answer(200, b"")
        elif path == "/v2":
            self.answer_json({"name": "fake", "version": "1", "extensions": ["binary_tensor_data"]})
        elif path == "/v2/models/sums":
            self.answer_json(METADATA)
        else:
            self.answer_json({"error": "not found"}, 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v2/models/sums/infer":
            return self.answer_json({"error": "not found"}, 404)
        head = int(self.headers.get(LENGTH, len(body)))
        request = json.loads(body[:head])
        tensor = request["inputs"][0]
        count, width = tensor["shape"]
        if "binary_data_size" in tensor.get("parameters", {}):
            values = struct.unpack(f"<{count * width}f", body[head:])
        else:
            values = tensor["data"]
            values = sum(values, []) if values and isinstance(values[0], list) else values
        sums = [sum(values[i * width:(i + 1) * width]) for i in range(count)]
        labels = ["large" if value > 10 else "small" for value in sums]

        asked = request.get("outputs") or [{"name": "sum"}, {"name": "label"}]
        all_binary = request.get("parameters", {}).get("binary_data_output", False)
        outputs, tail = [], b""
        for wanted in asked:
            is_sum = wanted["name"] == "sum"
            output = {"name": wanted["name"], "datatype": "FP32" if is_sum else "BYTES",
                      "shape": [count, 1] if is_sum else [count]}
            if wanted.get("parameters", {}).get("binary_data", all_binary):
                raw = struct.pack(f"<{count}f", *sums) if is_sum else b"".join(
                    struct.pack("<I", len(label)) + label.encode() for label in labels)
                output["parameters"] = {"binary_data_size": len(raw)}
                tail += raw
            else:
                output["data"] = sums if is_sum else labels
            outputs.append(output)
        answer = {"model_name": "sums", "model_version": "7", "outputs": outputs}
        if "id" in request:
            answer["id"] = request["id"]
        if not tail:
            return self.answer_json(answer)
        text = json.dumps(answer).encode()
        self.answer(200, text + tail, [("Content-Type", "application/octet-stream"), (LENGTH, str(len(text)))])


def server():
    """A server on a free loopback port; call serve_forever on a thread."""
    ThreadingHTTPServer.daemon_threads = True
    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
