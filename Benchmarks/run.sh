#!/usr/bin/env bash
# Measures what the Sidecar costs beside what else one would put there, and writes bench/results: run.sh
# Python and its packages live in .venv-bench, made on the first run. `Benchmarks/settings.py` says what can be set.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-bench
wanted=Benchmarks/requirements.txt
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    echo "Installing $wanted into $venv" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi
PATH=$PATH:/usr/sbin exec "$venv/bin/python" Benchmarks "$@"
