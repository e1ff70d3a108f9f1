"""Load on the load core: wrk as a closed loop, open-loop.c at a constant rate."""
import contextlib
import json
import os
import select
import subprocess
import time

from faults import BenchError
from settings import HERE

WRK_SCRIPT = """
local bodyFile = io.open("%(body)s", "rb")
local body = bodyFile:read("*a")
bodyFile:close()
local paths, ready, turn = {%(paths)s}, {}, 0
function init(args)
    local headers = { ["Content-Type"] = "application/json" }
    for i, path in ipairs(paths) do ready[i] = wrk.format("POST", path, headers, body) end
end
function request()
    turn = turn %% #ready + 1
    return ready[turn]
end
function done(summary)
    local errors = summary.errors
    io.write(string.format("RESULT %%d %%d %%d\\n", summary.requests, summary.duration,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


class Load:
    def __init__(self, bench):
        self.bench = bench
        self.open_loop = bench.processes.folder / "open-loop"
        self.bodies = {}
        for compiler in ("cc", "clang"):
            try:
                built = subprocess.run([compiler, "-O2", "-o", self.open_loop, HERE / "open-loop.c"],
                                       capture_output=True, text=True, timeout=120)
            except FileNotFoundError:
                continue
            if built.returncode == 0:
                return
            raise BenchError(f"{compiler} cannot build open-loop.c: {built.stderr}")
        raise BenchError("neither cc nor clang is there to build open-loop.c")

    def body_file(self, body):
        if body not in self.bodies:
            path = self.bench.processes.folder / f"body-{len(self.bodies)}"
            path.write_bytes(body)
            self.bodies[body] = path
        return self.bodies[body]

    def pinned(self, *command):
        return ["taskset", "-c", str(self.bench.settings.load_core), *map(str, command)]

    def closed(self, port, paths, body, seconds, connections=64):
        """wrk: requests, seconds and errors."""
        script = self.bench.processes.folder / "load.lua"
        script.write_text(WRK_SCRIPT % {"body": self.body_file(body), "paths": ",".join(f'"{p}"' for p in paths)})
        try:
            done = subprocess.run(
                self.pinned("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script,
                            f"http://127.0.0.1:{port}{paths[0]}"),
                capture_output=True, text=True, timeout=seconds + 20)
        except subprocess.TimeoutExpired:
            raise BenchError(f"wrk did not end {seconds + 20} s after its start") from None
        result = [line.split() for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if not result:
            raise BenchError(f"wrk said: {done.stdout}{done.stderr}")
        return {"requests": int(result[0][1]), "seconds": int(result[0][2]) / 1e6, "errors": int(result[0][3])}

    @contextlib.contextmanager
    def opened(self, port, path, body, rate, seconds, connections=64, idle=0):
        """The open loop, all its connections open and warm. `run()` of what is given sends and says the result; the
        connections stay until the block ends."""
        process = subprocess.Popen(
            self.pinned(self.open_loop, "--port", port, "--path", path, "--body", self.body_file(body), "--rate", rate,
                        "--seconds", seconds, "--connections", connections, "--idle", idle, "--wait"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            opened = OpenLoop(process)
            if opened.line(30) != "ready":
                raise BenchError("open-loop is not ready")
            opened.seconds = seconds
            yield opened
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):
                    stream.close()


class OpenLoop:
    def __init__(self, process):
        self.process, self.seconds = process, 0

    def line(self, within):
        deadline, data = time.monotonic() + within, b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise BenchError(f"open-loop said nothing for {within} s")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise BenchError(f"open-loop ended: {self.process.stderr.read().decode(errors='replace')}")
            data += piece
        return data.decode().strip()

    def run(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        return json.loads(self.line(self.seconds + 20))
