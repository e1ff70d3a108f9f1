"""Starts servers pinned to a core, waits until they answer, and stops all of them whatever happens."""
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from faults import BenchError

START_WITHIN = 20
STOP_WITHIN = 15


def raise_file_limit():
    """10,000 connections need as many descriptors; what is started takes the limit over."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return
        except (ValueError, PermissionError, OSError):
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < 13000:
        raise BenchError(f"11,000 connections need more than the {wanted} descriptors allowed: raise ulimit -n")


class Server:
    """A process started by us. `cores` is where it and its children may run."""

    def __init__(self, name, process, log, port=None):
        self.name, self.process, self.log, self.port = name, process, log, port

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        if self.process.poll() is not None:
            raise BenchError(f"{self.name} ended with {self.process.returncode}; it said:\n{self.said()}")

    def said(self):
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def stop(self):
        """SIGTERM to its process group; SIGKILL after STOP_WITHIN, and to children that outlived it."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # where it was stopped
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            pass
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass


class Processes:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ameron-bench-"))
        self.servers = []
        self.given = set()
        self.started = 0

    def free_port(self):
        """Below the range that the kernel takes the clients' ports from, so that none of 10,000 takes it."""
        for _ in range(500):
            port = random.randrange(20000, 32000)
            if port in self.given:
                continue
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            self.given.add(port)
            return port
        raise BenchError("no free port from 20000 to 31999")

    def start(self, name, command, cores, port=None, environment=None, cwd=None):
        self.started += 1
        log = self.folder / f"{name.replace(' ', '-')}-{self.started}.log"
        core_list = ",".join(str(core) for core in cores)
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["taskset", "-c", core_list, *map(str, command)], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}, cwd=cwd, start_new_session=True)
        server = Server(name, process, log, port)
        self.servers.append(server)
        return server

    def stop(self, server):
        server.stop()
        self.servers.remove(server)

    def stop_all(self):
        # Last started first: the Sidecars before their broker.
        while self.servers:
            self.stop(self.servers[-1])

    def close(self):
        self.stop_all()
        shutil.rmtree(self.folder, ignore_errors=True)


def post(port, path, body, timeout=2.0, method="POST"):
    """Status and body of one request on a connection of its own; (0, b"") where there is no answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                               f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
        head, _, rest = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), rest
    except (OSError, ValueError, IndexError):
        return 0, b""


def wait_for_answer(server, path, body, within=START_WITHIN, pause=0.02):
    """Until the server answers 200; raises with what it said when it does not."""
    deadline = time.monotonic() + within
    while True:
        status, answer = post(server.port, path, body)
        if status == 200:
            return answer
        server.check()
        if time.monotonic() > deadline:
            raise BenchError(f"{server.name} gave no answer within {within} s (last status {status}); it said:\n"
                             f"{server.said()}")
        time.sleep(pause)


def wait_for_port(server, within=START_WITHIN):
    deadline = time.monotonic() + within
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            return
        except OSError:
            server.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{server.name} does not listen within {within} s; it said:\n{server.said()}") from None
            time.sleep(0.05)
