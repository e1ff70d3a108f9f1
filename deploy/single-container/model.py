"""A Model Service that needs nothing but Python: which iris is nearest, in the Sidecar's native protocol.

Put your own in its place: it listens on 127.0.0.1:9090, answers POST /predict, and GET /healthz once it is ready.
"""
import json
import math
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Means of Fisher's iris data set: sepal length and width, petal length and width, in cm.
MEANS = {
    "setosa": (5.006, 3.428, 1.462, 0.246),
    "versicolor": (5.936, 2.770, 4.260, 1.326),
    "virginica": (6.588, 2.974, 5.552, 2.026),
}


def predict(row):
    start = time.perf_counter()
    weights = {label: math.exp(-(math.dist(row, mean) ** 2)) for label, mean in MEANS.items()}
    label = max(weights, key=weights.get)
    score = weights[label] / (sum(weights.values()) or 1)
    milliseconds = round((time.perf_counter() - start) * 1000, 3)
    value = {"label": label, "score": round(score, 4)}
    return {"modelName": "iris", "modelVersion": "1", "timeTakenInMs": milliseconds, "value": value}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/healthz" else 404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.answer(200, {"predictions": [predict(row) for row in json.loads(body)["instances"]]})
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f"instances must be rows of four numbers: {error}"})

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 9090), Handler).serve_forever()
