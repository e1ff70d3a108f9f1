#!/usr/bin/env bash
# Starts an example Model Service and the Sidecar before it, says what to try, and stops both on Ctrl-C. When one of
# the two ends by itself the other is stopped too, and the exit code is 1.
#
# Environment: SIDECAR_PORT (8080), MODEL_PORT (9090), SIDECAR (the executable), START_TIMEOUT (seconds, 20)
set -euo pipefail
cd "$(dirname "$0")/.."

sidecar=${SIDECAR:-.build/release/ameron-sidecar}
port=${SIDECAR_PORT:-8080}
model_port=${MODEL_PORT:-9090}
timeout=${START_TIMEOUT:-20}
[ -x "$sidecar" ] || { echo "$sidecar is not there: make build" >&2; exit 1; }

# ameron-sidecar.yaml names the default port of the example; for another port, a copy of it does.
config=ameron-sidecar.yaml
copy=
model_pid=
sidecar_pid=

# shellcheck disable=SC2317 # called by the trap
stop() {
    local pid
    for pid in $sidecar_pid $model_pid; do
        kill -TERM "$pid" 2>/dev/null || continue
    done
    for pid in $sidecar_pid $model_pid; do
        wait "$pid" 2>/dev/null || continue
    done
    [ -z "$copy" ] || rm -f "$copy"
}
trap stop EXIT
trap 'echo; echo "Stopping."; exit 0' INT TERM HUP

if [ "$model_port" != 9090 ]; then
    copy=$(mktemp)
    sed "s/127\.0\.0\.1:9090/127.0.0.1:$model_port/" "$config" >"$copy"
    config=$copy
fi

# In process groups of their own (setsid): Ctrl-C reaches this script alone, which then stops them in order.
setsid "$sidecar" example-model --port "$model_port" &
model_pid=$!
AMERON_SERVER_PORT=$port setsid "$sidecar" serve --config "$config" &
sidecar_pid=$!

both_run() { kill -0 "$model_pid" 2>/dev/null && kill -0 "$sidecar_pid" 2>/dev/null; }

deadline=$((SECONDS + timeout))
until curl -fs -o /dev/null --max-time 1 "http://127.0.0.1:$port/readyz"; do
    both_run || { echo "One of the two did not start (see above)." >&2; exit 1; }
    [ $SECONDS -lt $deadline ] || { echo "The Sidecar was not ready within $timeout s." >&2; exit 1; }
    sleep 0.1
done

cat <<END

Model Service  http://127.0.0.1:$model_port
Sidecar        http://127.0.0.1:$port   (/readyz  /metrics  /openapi.json)
Events         predictions.jsonl, one line per Prediction

Try (a picture of a digit that lies on its side; two Predictions: how to turn it, and the digit):
  curl -s http://127.0.0.1:$port/predictions/digits -d '{"image":["....#","##..#","..#.#","...##","....#"]}'
Or (a flower by its measures):
  curl -s http://127.0.0.1:$port/predictions/iris -d '{"instances":[[5.1,3.5,1.4,0.2]]}'
Then:
  tail -n 2 predictions.jsonl

Ctrl-C stops both.
END

ended=0
wait -n "$model_pid" "$sidecar_pid" || ended=$?
echo "One of the two ended (exit code $ended); stopping the other." >&2
exit 1
