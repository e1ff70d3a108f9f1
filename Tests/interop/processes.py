"""Starts servers on loopback, waits until they answer, and stops them."""
import http.client
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

START_SECONDS = 60


def free_ports(count):
    """That many free loopback ports: all held at once, so that they differ, then let go."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def start(arguments, log, cwd=None):
    with open(log, "wb") as output:
        return subprocess.Popen(arguments, cwd=cwd, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def wait_until_ready(url, process, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode}:\n{pathlib.Path(log).read_text()}")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    sys.exit(f"no 200 from {url} within {START_SECONDS} s:\n{pathlib.Path(log).read_text()}")


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode
