#!/usr/bin/env bash
# Measures what the Sidecar costs beside what else one would put there, and writes bench/results: run.sh
# Python and its packages live in .venv-bench, made on the first run. `Benchmarks/settings.py` says what can be set.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-bench
scripts/venv.sh "$venv" Benchmarks/requirements.txt
PATH=$PATH:/usr/sbin exec "$venv/bin/python" Benchmarks "$@"
