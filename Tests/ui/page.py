"""Opens /ui in Chromium while wrk and others ask for predictions, and compares what it shows with /metrics."""
import argparse
import contextlib
import http.server
import io
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import PIL.Image
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
DEADLINE_SECONDS = 30
IRIS = '{"instances": [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5], [5.9, 3.0, 4.2, 1.5]]}'
DIGIT = '{"image": ["....#", "##..#", "..#.#", "...##", "....#"]}'


# ---- the world that the page looks at ----------------------------------------------------------------------------
class PriceModel(http.server.BaseHTTPRequestHandler):
    """A Model Service whose values are numbers, and which sometimes fails."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fails = random.random() < 0.05
        body = b'{"error":"out of stock"}' if fails else json.dumps({"value": round(random.gauss(250, 40), 2)}).encode()
        self.send_response(500 if fails else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.do_POST()

    def log_message(self, *_):
        pass


class EchoModel(PriceModel):
    """A Model Service that predicts what it is asked."""
    def do_POST(self):
        body = b'{"value":%s}' % (self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class BusyReceiver(PriceModel):
    """Takes no events, so that they wait for their Reporter and in the spool."""
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


# By model: the values that are sent to it, and the bars that the page is to make of them. No more than 50 in all, so
# that the page gets to see each.
VALUES = {
    "classes": (["setosa"] * 5 + [{"label": "setosa", "score": 0.9}, "versicolor"] + ["virginica"] * 3,
                [("setosa", 6), ("virginica", 3), ("versicolor", 1)]),
    "letters": (["a", "a", *"abcdefghijkl"],
                [("a", 3), *((letter, 1) for letter in "bcdefghi"), ("others", 3)]),
    "grades": ([2, 1, 2, 3, 2, 1, 2, 3, 2], [("1", 2), ("2", 5), ("3", 2)]),
    "widths": ([0, 5, 15, 16, 25, 35, 45, 55, 56, 57, 75, 95, 96, 100],
               [("0 to 10", 2), ("10 to 20", 2), ("20 to 30", 1), ("30 to 40", 1), ("40 to 50", 1), ("50 to 60", 3),
                ("60 to 70", 0), ("70 to 80", 1), ("80 to 90", 0), ("90 to 100", 3)]),
}


@contextlib.contextmanager
def process(arguments, log):
    with open(log, "wb") as output:
        child = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()


def port_of(child, log):
    """The port that a server says it listens on."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        found = re.search(r"listening.*?http://127\.0\.0\.1:(\d+)", pathlib.Path(log).read_text())
        if found:
            return int(found[1])
        time.sleep(0.05)
    sys.exit(f"{child.args} does not serve:\n{pathlib.Path(log).read_text()}")


def trickle(url, stop):
    """Asks the slower models now and then."""
    while not stop.is_set():
        for model, body in [("digits", DIGIT), ("price", "{}"), ("price", "{}"), ("price", "{}")]:
            request = urllib.request.Request(f"{url}/predictions/{model}", body.encode())
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request, timeout=10).read()
        stop.wait(0.02)


def wrk(url, folder, seconds):
    script = folder / "iris.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = '{IRIS}'\n")
    return subprocess.Popen(
        ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", str(script), f"{url}/predictions/iris"], stdout=subprocess.DEVNULL)


# ---- the figures, worked out once more ---------------------------------------------------------------------------
def samples(text):
    for line in text.splitlines():
        found = re.fullmatch(r"([a-z_:]+)(?:\{(.*)\})? (\S+)", line)
        if found:
            yield found[1], dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")), float(found[3])


def total(text, name, want=lambda labels: True):
    return sum(value for known, labels, value in samples(text) if known == name and want(labels))


def quantile(q, newer, older, name, want):
    """Seconds, as Prometheus' histogram_quantile has it."""
    counts = {}
    for text, sign in [(newer, 1), (older, -1)]:
        for known, labels, value in samples(text):
            if known == name + "_bucket" and want(labels):
                bound = float(labels["le"].replace("+Inf", "inf"))
                counts[bound] = counts.get(bound, 0) + sign * value
    rank, low, below = q * counts[math.inf], 0, 0
    for bound in sorted(counts):
        if counts[bound] >= rank and counts[bound] > below:
            return low if bound == math.inf else low + (bound - low) * (rank - below) / (counts[bound] - below)
        low, below = bound, counts[bound]
    return low


def shown_number(text):
    return float(re.sub(r"[^\d.]", "", text))


def wait_for(page, fact):
    """Not Playwright's own way, which the page's Content-Security-Policy forbids."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not page.evaluate(fact):
        if time.monotonic() > deadline:
            sys.exit(f"FAILED: not within {DEADLINE_SECONDS} s: {fact}")
        page.wait_for_timeout(50)


class Checks:
    def __init__(self):
        self.count = 0

    def that(self, fact, what):
        self.count += 1
        if not fact:
            sys.exit(f"FAILED: {what}")

    def near(self, shown, expected, what):
        """As far as the digits go that are shown."""
        tolerance = 0.51 * 10 ** -len(shown.partition(".")[2].split(" ")[0])
        self.that(abs(shown_number(shown) - expected) <= tolerance, f"{what}: shown {shown}, /metrics gives {expected}")
        print(f"  {what:34} {shown:>12}   /metrics {expected:.4f}")


    def size(self, shown, expected, what):
        """A number of bytes with its unit."""
        number, unit = shown.split(" ")
        self.near(number, expected / 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit), f"{what}, {unit}")


# ---- the checks --------------------------------------------------------------------------------------------------
STATE = """() => ({
  ...document.body.dataset,
  text: Object.fromEntries([...document.querySelectorAll('dd[id]')].map(e => [e.id, e.textContent])),
  models: [...document.querySelectorAll('#models tr')].map(r => [...r.children].map(c => c.textContent)),
  reporters: [...document.querySelectorAll('#reporters tr')].map(r => [...r.children].map(c => c.textContent)),
  spool: document.getElementById('spool').textContent,
})"""


def readings(state, texts):
    """The newer and the older reading of /metrics that the page was made of."""
    last = int(state["polls"]) - 1
    return texts[last], texts[last - int(state["span"])]


def compare(checks, state, texts):
    """The figures on the page against the very readings of /metrics that they were made of."""
    newer, older = readings(state, texts)
    name = "ameron_requests_total"
    seconds = float(state["seconds"])

    def change(want):
        return total(newer, name, want) - total(older, name, want)

    def failed(labels):
        return 500 <= int(labels["code"]) < 600

    def rejected(labels):
        return 400 <= int(labels["code"]) < 500

    shown = state["text"]
    checks.near(shown["rate"], change(lambda labels: True) / seconds, "requests/s")
    for part in ["model", "gateway"]:
        for percent in [50, 99]:
            value = quantile(percent / 100, newer, older, f"ameron_{part}_duration_seconds", lambda labels: True)
            checks.near(shown[f"{part}-p{percent}"], 1000 * value, f"{part} p{percent}, ms")
    checks.near(shown["inflight"], total(newer, "ameron_inflight"), "in flight")
    checks.near(shown["connections"], total(newer, "ameron_connections"), "connections")
    for model, _, ready, requests, errors, wrong, rate, ratio, model_ms, gateway_ms in state["models"]:
        def own(labels, model=model):
            return labels["model"] == model
        checks.near(requests, total(newer, name, own), f"{model} requests")
        checks.near(errors, total(newer, name, lambda labels: own(labels) and failed(labels)), f"{model} errors")
        checks.near(wrong, total(newer, name, lambda labels: own(labels) and rejected(labels)), f"{model} 4xx")
        checks.near(rate, change(own) / seconds, f"{model} requests/s")
        expected = 100 * change(lambda labels: own(labels) and failed(labels)) / change(own)
        checks.near(ratio, expected, f"{model} error ratio, %")
        for part, figures in [("model", model_ms), ("gateway", gateway_ms)]:
            for q, figure in zip([0.5, 0.9, 0.99], figures.split(" / ")):
                value = quantile(q, newer, older, f"ameron_{part}_duration_seconds", own)
                checks.near(figure, 1000 * value, f"{model} {part} p{100 * q:.0f}, ms")
    compare_reporters(checks, state, texts)


def compare_reporters(checks, state, texts):
    newer, older = readings(state, texts)
    for reporter, sent, failures, dropped, queue, delivery in state["reporters"]:
        def own(labels, reporter=reporter):
            return labels["reporter"] == reporter
        for result, figure in [("sent", sent), ("failed", failures), ("dropped", dropped)]:
            expected = total(newer, "ameron_report_events_total",
                             lambda labels: labels["reporter"] == reporter and labels["result"] == result)
            checks.near(figure, expected, f"{reporter} {result}")
        checks.size(queue, total(newer, "ameron_report_queue_bytes", own), f"{reporter} queue")
        count = "ameron_report_delivery_seconds_count"
        if total(newer, count, own) == total(older, count, own):
            checks.that(delivery == "–", f"{reporter} delivery p99 is {delivery} though nothing was delivered")
        else:
            value = quantile(0.99, newer, older, "ameron_report_delivery_seconds", own)
            checks.near(delivery, 1000 * value, f"{reporter} delivery p99, ms")
    spool = re.search(r"In the spool: (.*)\.$", state["spool"])
    checks.that(bool(spool) == ("ameron_spool_bytes" in newer), f"the spool where there is one: {state['spool']}")
    if spool:
        checks.size(spool[1], total(newer, "ameron_spool_bytes"), "spool")


BARS = """() => Object.fromEntries([...document.querySelectorAll('#values h3')].map(title => [title.textContent,
  [...title.nextElementSibling.children].map(bar => {
    const fill = bar.querySelector('.fill');
    return [bar.firstChild.textContent, bar.lastChild.textContent, fill.hidden ? 0 : parseFloat(fill.style.width)];
  })]))"""


def check_values(checks, browser, url):
    """Known values in known counts, and Reporters that let events wait."""
    page = browser.new_page()
    open_page(page, url)
    for model, (values, _) in VALUES.items():
        for value in values:
            request = urllib.request.Request(f"{url}/predictions/{model}", json.dumps(value).encode())
            urllib.request.urlopen(request, timeout=10).read()
    sent = sum(len(values) for values, _ in VALUES.values())
    wait_for(page, f"document.getElementById('sample').textContent.includes(' {sent} Predictions')")
    shown = page.evaluate(BARS)
    for model, (values, bars) in VALUES.items():
        top = max(count for _, count in bars)
        expected = [[name, f"{100 * count / len(values):.1f} %", 100 * count / top] for name, count in bars]
        got = shown.get(f"{model}, the last {len(values)}", [])
        same = [bar[:2] for bar in got] == [bar[:2] for bar in expected] and all(
            abs(bar[2] - wanted[2]) < 0.01 for bar, wanted in zip(got, expected))
        checks.that(same, f"the bars of {model}: {got}, expected {expected}")
        print(f"  bars of {model}: {', '.join(f'{name} {share}' for name, share, _ in got)}")
    # Once everything is delivered that can be, and counted in the window.
    polls = page.evaluate("Number(document.body.dataset.polls)")
    wait_for(page, f"Number(document.body.dataset.polls) > {polls} && "
             f"document.querySelector('#reporters tr').children[1].textContent === '{sent}'")
    state, texts = page.evaluate(f"() => [({STATE})(), window.readings]")
    compare_reporters(checks, state, texts)
    waiting = state["reporters"][1][4]
    checks.that(waiting != "0 B" and "spool: 0 B" not in state["spool"], f"events wait: {waiting}, {state['spool']}")
    page.close()


def check_form(checks, page):
    page.select_option("#model", "iris/1")
    page.fill("#body", '{"instances": [')
    page.click("button.main")
    checks.that("not JSON" in page.text_content("#problem"), "a body that is not JSON is not sent")
    page.fill("#body", IRIS)
    page.keyboard.press("Tab")
    checks.that(page.evaluate("document.activeElement.textContent") == "Send", "after the body comes Send")
    page.keyboard.press("Enter")
    wait_for(page, "document.getElementById('event').textContent.startsWith('{')")
    answer = json.loads(page.text_content("#answer"))
    event = json.loads("[" + page.text_content("#event").replace("\n}\n{", "\n},\n{") + "]")
    checks.that(page.text_content("#outcome") == "Answered with 200", "the answer's status is shown")
    checks.that([e["predictionId"] for e in event] == [p["id"] for p in answer["predictions"]],
                "the events are those of the answer")
    checks.that({e["requestId"] for e in event} == {page.text_content("#request-id")}, "their request id is shown")
    checks.that("model;dur=" in page.text_content("#timing"), "Server-Timing is shown")


def check_keyboard(checks, page):
    page.reload()
    wait_for(page, "document.querySelectorAll('#last tr').length > 0")
    order = []
    for _ in range(8):
        page.keyboard.press("Tab")
        order.append(page.evaluate(
            "(e => e.id || e.getAttribute('aria-labelledby') || e.textContent)(document.activeElement)"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        checks.that(outline != "none", f"{order[-1]} shows that it has the focus")
    checks.that(order == ["Skip to the form", "pause", "models-title", "reporters-title", "model", "body", "Send",
                          "last-title"], f"the order of the keyboard: {order}")


def check_names(checks, page):
    """What a screen reader needs: one main, named sections, captions and scopes, labelled fields, no empty names."""
    counts = page.evaluate("""() => ({
      main: document.querySelectorAll('main').length, h1: document.querySelectorAll('h1').length,
      unnamed: [...document.querySelectorAll('section, [role=region], ul, svg')].filter(e =>
        !e.getAttribute('aria-label') && !document.getElementById(e.getAttribute('aria-labelledby'))).length,
      unlabelled: [...document.querySelectorAll('select, textarea')].filter(e => !e.labels.length).length,
      uncaptioned: [...document.querySelectorAll('table')].filter(e => !e.caption).length,
      unscoped: [...document.querySelectorAll('th')].filter(e => !e.scope).length,
    })""")
    checks.that(counts == {"main": 1, "h1": 1, "unnamed": 0, "unlabelled": 0, "uncaptioned": 0, "unscoped": 0},
                f"names and landmarks: {counts}")


CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parse(c).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!(parse(c)[3] === 0)) return c; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.id} ${e.textContent.slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""


def open_page(page, url):
    # The page's own readings, kept in order as it gets them.
    page.add_init_script("""const real = window.fetch; window.readings = [];
      window.fetch = async (...a) => { const r = await real(...a);
        if (a[0] === 'metrics') window.readings.push(await r.clone().text()); return r; };""")
    page.goto(url + "/ui")
    wait_for(page, "Number(document.body.dataset.span) > 0")


def look(checks, url, values_url, screenshots):
    with sync_playwright() as playwright:
        # Chromium has no sandbox for root, as whom containers run tests.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1240, "height": 900})
        page = context.new_page()
        page.set_default_timeout(DEADLINE_SECONDS * 1000)
        troubles, strangers = [], []
        page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: strangers.append(request.url)
                if not request.url.startswith((url + "/", "data:")) else None)
        open_page(page, url)
        wait_for(page, "Number(document.body.dataset.span) === 10")
        state, texts = page.evaluate(f"() => [({STATE})(), window.readings]")
        print("Figures on the page, and what the two readings of /metrics give for them:")
        compare(checks, state, texts)
        check_values(checks, browser, values_url)
        check_form(checks, page)
        page.evaluate("scrollTo(0, 0)")
        for name, scheme, width in [("light", "light", 1240), ("dark", "dark", 1240), ("phone", "light", 390)]:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            checks.that(wide <= width, f"{name}: the page is {wide} wide on a screen of {width}")
            faint = page.evaluate(CONTRAST)
            checks.that(not faint, f"{name}: contrast under 4.5: {faint}")
            if screenshots:
                path = screenshots / f"ui-{name}.png"
                picture = PIL.Image.open(io.BytesIO(page.screenshot(full_page=True)))
                picture.convert("RGB").quantize(256).save(path, optimize=True)
                print(f"{path}: {path.stat().st_size // 1024} KiB")
        page.set_viewport_size({"width": 1240, "height": 900})
        check_names(checks, page)
        check_keyboard(checks, page)
        checks.that(not troubles, f"errors on the console: {troubles}")
        checks.that(not strangers, f"requests to others: {strangers}")
        browser.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sidecar", required=True)
    parser.add_argument("--screenshots", type=pathlib.Path)
    options = parser.parse_args()
    checks, stop = Checks(), threading.Event()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        log = folder / "model.log"
        model = stack.enter_context(process([options.sidecar, "example-model", "--port", "0"], log))
        port = port_of(model, log)
        configuration = folder / "sidecar.yaml"
        configuration.write_text(f"""
server: {{port: 0, shards: 1}}
models:
  - {{name: iris, version: "1", url: "http://127.0.0.1:{port}/predict/iris"}}
  - {{name: digits, version: "1", url: "http://127.0.0.1:{port}/predict/digits"}}
  - {{name: price, version: "2024-11", url: "http://127.0.0.1:{serve(PriceModel)}/"}}
reporting: {{reporters: [{{type: file, path: "{folder}/events.jsonl"}}]}}
""")
        log = folder / "sidecar.log"
        sidecar = stack.enter_context(process([options.sidecar, "serve", "--config", str(configuration)], log))
        url = f"http://127.0.0.1:{port_of(sidecar, log)}"
        configuration = folder / "values.yaml"
        echo = serve(EchoModel)
        models = "\n".join(f'  - {{name: {model}, url: "http://127.0.0.1:{echo}/"}}' for model in VALUES)
        configuration.write_text(f"""
server: {{port: 0, shards: 1}}
models:
{models}
reporting:
  delivery: at-least-once
  spool: {{path: "{folder}/spool"}}
  reporters:
    - {{type: file, path: "{folder}/values.jsonl"}}
    - {{type: http, url: "http://127.0.0.1:{serve(BusyReceiver)}/"}}
""")
        log = folder / "values.log"
        values = stack.enter_context(process([options.sidecar, "serve", "--config", str(configuration)], log))
        values_url = f"http://127.0.0.1:{port_of(values, log)}"
        load = wrk(url, folder, 90)
        trickler = threading.Thread(target=trickle, args=(url, stop))
        trickler.start()
        try:
            look(checks, url, values_url, options.screenshots)
        finally:
            stop.set()
            trickler.join()
            load.terminate()
            load.wait()
    print(f"{checks.count} checks passed")


main()
