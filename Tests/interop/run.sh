#!/usr/bin/env bash
# Drives MLServer with tritonclient, directly and through the Sidecar, and compares: run.sh [--direct-only]
# Python and its packages live in .venv-interop, made on the first run. SIDECAR names another executable.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=.venv-interop
wanted=Tests/interop/requirements.txt
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    echo "Installing $wanted into $venv" >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi
exec "$venv/bin/python" Tests/interop/interop.py --sidecar "${SIDECAR:-.build/release/ameron-sidecar}" "$@"
