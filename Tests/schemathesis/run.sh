#!/usr/bin/env bash
# Tries the REST Provider against its own /openapi.json with schemathesis, the example model behind it: run.sh [OPTION...]
# Options are those of `schemathesis run`. Python and its packages live in .venv-schemathesis, made on the first run.
#
# Environment: SIDECAR (the executable), CASES (at most so many per operation and phase, 50), SEED (1), LIMIT (seconds for
# each of the three runs, 300)
set -euo pipefail
cd "$(dirname "$0")/../.."

sidecar=${SIDECAR:-.build/release/ameron-sidecar}
venv=.venv-schemathesis
scripts/venv.sh "$venv" Tests/schemathesis/requirements.txt

logs=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
stop() {
    local pid
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" || continue
    done
    rm -rf "$logs"
}
trap stop EXIT
trap 'exit 1' INT TERM HUP

start() { # name, then arguments: starts the executable, and sets `url` when it listens
    local log=$logs/$1 deadline=$((SECONDS + 20))
    shift
    "$sidecar" "$@" >"$log" 2>&1 &
    pids+=($!)
    # The log names models' addresses too.
    until url=$(grep -Eo -m 1 'listening.*http://127\.0\.0\.1:[0-9]+' "$log" 2>/dev/null | grep -Eo 'http://[0-9.:]+'); do
        if ! kill -0 "${pids[-1]}" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
            cat "$log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# The whole document for a Sidecar before each kind of Model Service: what a body must hold differs.
failed=0
for protocol in native v1 v2; do
    case $protocol in
        native) path=predict/iris ;;
        v1) path=v1/models/iris:predict ;;
        v2) path=v2/models/iris/infer ;;
    esac
    start "model-$protocol" example-model --port 0 --protocol "$protocol"
    # A low limit, so that bodies that are too long are among the cases.
    start "sidecar-$protocol" serve --host 127.0.0.1 --port 0 --model "iris:$protocol=$url/$path" \
        --model "digits:$protocol=$url/${path/iris/digits}" --set models.0.version=1 --set models.1.version=7 \
        --set server.maxBodyBytes=64KiB
    echo "Model Services that speak $protocol:"
    timeout -k 10 "${LIMIT:-300}" "$venv/bin/schemathesis" --config-file Tests/schemathesis/schemathesis.toml \
        run "$url/openapi.json" --max-examples "${CASES:-50}" --seed "${SEED:-1}" "$@" || failed=1
    # Refusals alone would prove little.
    curl -fs --max-time 5 "$url/metrics" >"$logs/metrics"
    grep -E '^ameron_requests_total.*code="200"' "$logs/metrics" || { echo "no prediction succeeded" >&2; failed=1; }
done
exit $failed
