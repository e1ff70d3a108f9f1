#!/usr/bin/env bash
# Drives MLServer with tritonclient, directly and through the Sidecar, and compares: run.sh [--direct-only]
# Python and its packages live in .venv-interop, made on the first run. SIDECAR names another executable.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=.venv-interop
scripts/venv.sh "$venv" Tests/interop/requirements.txt
exec "$venv/bin/python" Tests/interop/interop.py --sidecar "${SIDECAR:-.build/release/ameron-sidecar}" "$@"
