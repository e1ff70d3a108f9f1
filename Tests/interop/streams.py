"""Streams of a real server, read by a real client directly and through the Sidecar: the same events, each when it is sent."""
import argparse
import json
import pathlib
import sys
import tempfile
import time

import httpx

from processes import free_ports, start, stop, wait_until_ready

WORDS = ["Setosa", " is", " a", " small", " iris", "."]
# The server waits so long before each word.
PAUSE = 0.2
SERVER = """
import time
import litserve as ls

class Words(ls.LitAPI):
    def setup(self, device):
        pass

    def predict(self, prompt):
        for word in {words!r}:
            time.sleep({pause})
            yield word

if __name__ == "__main__":
    ls.LitServer(Words({inside}), accelerator="cpu", {outside}).run(host="127.0.0.1", port={port}, generate_client_file=False)
"""


def litserve(folder, port):
    """LitServe with OpenAI's chat completions; where the specification goes differs by its version."""
    import inspect

    import litserve

    inside = "spec" in inspect.signature(litserve.LitAPI.__init__).parameters
    spec = "spec=ls.OpenAISpec()"
    script = folder / "server.py"
    script.write_text(SERVER.format(words=WORDS, pause=PAUSE, port=port, inside=spec if inside else "",
                                    outside="" if inside else spec))
    return [sys.executable, script]


def read(client, url):
    """The data of each event, and when it came, in seconds since the first."""
    body = {"model": "words", "stream": True, "messages": [{"role": "user", "content": "iris?"}]}
    found = []
    with client.stream("POST", url, json=body, timeout=60) as answer:
        answer.raise_for_status()
        kind = answer.headers["content-type"]
        if not kind.startswith("text/event-stream"):
            sys.exit(f"{url} answered {kind}")
        for line in answer.iter_lines():
            if line.startswith("data:"):
                found.append((line[5:].strip(), time.monotonic()))
    return found


def words(events):
    text = []
    for data, _ in events:
        if data != "[DONE]":
            text += [choice["delta"].get("content") or "" for choice in json.loads(data)["choices"]]
    return "".join(text)


def check(what, is_right, detail=""):
    print(f"{'ok  ' if is_right else 'FAIL'}  {what} {detail}")
    return is_right


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sidecar", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        port, own = free_ports(2)
        log, events = folder / "server.log", folder / "events.jsonl"
        server = start(litserve(folder, port), log, cwd=folder)
        sidecar = None
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health", server, log)
            config = folder / "sidecar.yaml"
            config.write_text(
                f"server: {{ host: 127.0.0.1, port: {own}, shards: 1 }}\n"
                f'models: [{{ name: words, protocol: raw, url: "http://127.0.0.1:{port}/v1/chat/completions", '
                f'healthUrl: "http://127.0.0.1:{port}/health", timeout: 5s }}]\n'
                f'reporting: {{ reporters: [{{ type: file, path: "{events}" }}] }}\n')
            sidecar = start([options.sidecar, "serve", "--config", config], folder / "sidecar.log", cwd=folder)
            wait_until_ready(f"http://127.0.0.1:{own}/readyz", sidecar, folder / "sidecar.log")
            with httpx.Client() as client:
                direct = read(client, f"http://127.0.0.1:{port}/v1/chat/completions")
                through = read(client, f"http://127.0.0.1:{own}/v1/models/words:predict")
            gaps = [later - earlier for (_, earlier), (_, later) in zip(through, through[1:])]
            waits = sum(gap > PAUSE / 2 for gap in gaps)
            deadline = time.monotonic() + 20
            while not events.exists() or not events.read_text().endswith("\n"):
                if time.monotonic() > deadline:
                    sys.exit("no event is recorded")
                time.sleep(0.05)
            event = json.loads(events.read_text())["data"]
            recorded = "".join(choice["delta"].get("content") or "" for part in event["value"]
                               for choice in part["choices"])
            right = [
                check("the same text", words(through) == words(direct) == "".join(WORDS), repr(words(through))),
                check("the same events", len(through) == len(direct), f"{len(through)}"),
                check("each as it is sent", waits >= len(WORDS) - 1, f"{waits} waits of {PAUSE} s between them"),
                check("recorded once, whole", recorded == "".join(WORDS) and event["status"] == 200,
                      f"{event['stream']}"),
            ]
            return 0 if all(right) else 1
        finally:
            for process in (sidecar, server):
                if process:
                    stop(process)


if __name__ == "__main__":
    sys.exit(main())
