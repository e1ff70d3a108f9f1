#!/usr/bin/env bash
# Opens the page at /ui in Debian's Chromium while wrk asks for predictions: run.sh [--screenshots FOLDER]
# Python and its packages live in .venv-ui, made on the first run. SIDECAR names another executable.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=.venv-ui
scripts/venv.sh "$venv" Tests/ui/requirements.txt
exec "$venv/bin/python" Tests/ui/page.py --sidecar "${SIDECAR:-.build/release/ameron-sidecar}" "$@"
