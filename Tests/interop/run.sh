#!/usr/bin/env bash
# Drives MLServer with tritonclient, directly and through the Sidecar, and compares; reads LitServe's streams in both ways; then
# sends what is wrong through nginx and through the Sidecar: run.sh [ARGUMENTS]
# INTEROP: mlserver, streams or smuggling for one of them. COUNT, SEED: how many inputs smuggling generates, and which.
# Python and its packages live in .venv-interop and the like, made on the first run. SIDECAR names another executable.
set -euo pipefail
cd "$(dirname "$0")/../.."

sidecar=${SIDECAR:-.build/release/ameron-sidecar}
which=${INTEROP:-mlserver streams smuggling}
for one in $which; do
    case $one in
    mlserver)
        scripts/venv.sh .venv-interop Tests/interop/requirements.txt
        .venv-interop/bin/python Tests/interop/interop.py --sidecar "$sidecar" "$@"
        ;;
    streams)
        scripts/venv.sh .venv-streams Tests/interop/streams-requirements.txt
        .venv-streams/bin/python Tests/interop/streams.py --sidecar "$sidecar"
        ;;
    smuggling)
        scripts/venv.sh .venv-smuggling Tests/interop/smuggling-requirements.txt
        .venv-smuggling/bin/python Tests/interop/smuggling.py --sidecar "$sidecar" --count "${COUNT:-400}" --seed "${SEED:-1}"
        ;;
    *)
        echo "INTEROP=$one is none of mlserver, streams, smuggling" >&2
        exit 2
        ;;
    esac
done
