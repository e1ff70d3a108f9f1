#!/usr/bin/env bash
# Makes a Python environment with the packages of a requirements file, where that is not done: venv.sh FOLDER REQUIREMENTS
# A file that has changed since makes it anew. Needs Debian's python3-venv.
set -euo pipefail
venv=$1
wanted=$2
! cmp -s "$wanted" "$venv/installed.txt" || exit 0
echo "Installing $wanted into $venv" >&2
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
cp "$wanted" "$venv/installed.txt"
