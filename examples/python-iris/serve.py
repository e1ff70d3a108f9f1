"""A Model Service: scikit-learn's iris model behind plain HTTP, in the Sidecar's native protocol.

POST /predict  {"instances": [[5.1, 3.5, 1.4, 0.2], ...]}  one Prediction per row
GET  /healthz  answers once the model is trained
"""
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

IRIS = load_iris()
MODEL = LogisticRegression(max_iter=1000).fit(IRIS.data, IRIS.target)


def predict(rows):
    start = time.perf_counter()
    chances = MODEL.predict_proba(rows)
    milliseconds = round((time.perf_counter() - start) * 1000 / len(rows), 3)
    for row in chances:
        best = int(row.argmax())
        value = {"label": str(IRIS.target_names[best]), "score": round(float(row[best]), 4)}
        yield {"modelName": "iris", "modelVersion": "1", "timeTakenInMs": milliseconds, "value": value}


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
            self.answer(200, {"predictions": list(predict(json.loads(body)["instances"]))})
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f"instances must be rows of four numbers: {error}"})

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9091
    host = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    ThreadingHTTPServer((host, port), Handler).serve_forever()
