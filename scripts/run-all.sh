#!/usr/bin/env bash
# Starts a local Kafka, an example Model Service and the Sidecar between them, says what to try, and stops them all on
# Ctrl-C. When one of them ends by itself the others are stopped too, and the exit code is 1.
#
# Environment: KAFKA (dev: the broker built into the Sidecar, the default; compose: Apache Kafka by compose.yaml),
# SIDECAR_PORT (8080), MODEL_PORT (9090), KAFKA_PORT (9092), SIDECAR (the executable), START_TIMEOUT (seconds, 60),
# EVENTS (the file of Predictions, predictions.jsonl)
set -euo pipefail
cd "$(dirname "$0")/.."

sidecar=${SIDECAR:-.build/release/ameron-sidecar}
port=${SIDECAR_PORT:-8080}
model_port=${MODEL_PORT:-9090}
kafka=${KAFKA:-dev}
kafka_port=${KAFKA_PORT:-9092}
timeout=${START_TIMEOUT:-60}
events=${EVENTS:-predictions.jsonl}
[ -x "$sidecar" ] || { echo "$sidecar is not there: make build" >&2; exit 1; }

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Before anything starts: what has a port taken stays, and somebody else's answers would confuse.
require_free() { # PORT VARIABLE EXAMPLE
    is_open "$1" || return 0
    echo "Port $1 is taken ('ss -ltnp' shows by what). Choose another one: $2=$3 make run-all" >&2
    exit 1
}
require_free "$port" SIDECAR_PORT 8088
require_free "$model_port" MODEL_PORT 9098
[ "$kafka" != dev ] || require_free "$kafka_port" KAFKA_PORT 9099

pids=()
# shellcheck disable=SC2317 # called by the trap
stop() {
    local index
    # The last started first: the Sidecar still reports to Kafka what it has.
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill -TERM "${pids[index]}" 2>/dev/null || continue
        wait "${pids[index]}" 2>/dev/null || continue
    done
    [ "$kafka" != compose ] || docker compose stop kafka
}
trap stop EXIT
trap 'echo; echo "Stopping."; exit 0' INT TERM HUP

# In process groups of their own (setsid): Ctrl-C reaches this script alone, which then stops them in order.
case $kafka in
    dev)
        setsid "$sidecar" dev-kafka --port "$kafka_port" &
        pids+=($!)
        ;;
    compose)
        command -v docker >/dev/null || { echo "KAFKA=compose needs the docker command" >&2; exit 1; }
        docker compose up --detach --wait kafka
        ;;
    *)
        echo "KAFKA=$kafka is not known; allowed: dev, compose" >&2
        exit 1
        ;;
esac
setsid "$sidecar" example-model --port "$model_port" &
pids+=($!)

all_run() {
    local pid
    for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || return 1; done
}

deadline=$((SECONDS + timeout))
wait_for() { # WHAT COMMAND...
    local what=$1
    shift
    until "$@"; do
        all_run || { echo "One of them did not start (see above)." >&2; exit 1; }
        [ $SECONDS -lt $deadline ] || { echo "$what was not ready within $timeout s." >&2; exit 1; }
        sleep 0.05
    done
}

# The Sidecar would find them when they come, and warn until then.
wait_for Kafka is_open "$kafka_port"
wait_for "The Model Service" is_open "$model_port"
AMERON_SERVER_PORT=$port \
AMERON_MODELS_0_URL=http://127.0.0.1:$model_port/predict/iris \
AMERON_MODELS_1_URL=http://127.0.0.1:$model_port/predict/digits \
AMERON_REPORTING_REPORTERS_0_PATH=$events \
AMERON_REPORTING_REPORTERS_1_BROKERS=127.0.0.1:$kafka_port \
AMERON_PROVIDERS_KAFKA_BROKERS=127.0.0.1:$kafka_port \
    setsid "$sidecar" serve --config examples/run-all/ameron-sidecar.yaml &
pids+=($!)

wait_for "The Sidecar" curl -fs -o /dev/null --max-time 1 "http://127.0.0.1:$port/readyz"

brokers=
[ "$kafka_port" = 9092 ] || brokers=" --brokers 127.0.0.1:$kafka_port"
cat <<END

Model Service  http://127.0.0.1:$model_port
Kafka          127.0.0.1:$kafka_port   (topics prediction-requests, prediction-replies, predictions)
Sidecar        http://127.0.0.1:$port   (/ui: a page to look at; /readyz  /metrics  /openapi.json)
Events         $events (48 MiB at most), and the topic predictions: one per Prediction

Try over REST (a picture of a digit that lies on its side; two Predictions: how to turn it, and the digit):
  curl -s http://127.0.0.1:$port/predictions/digits -d '{"image":["....#","##..#","..#.#","...##","....#"]}'
Over Kafka (a flower by its measures):
  $sidecar ask$brokers --model iris '{"instances":[[5.1,3.5,1.4,0.2]]}'
And watch the Predictions of both come by:
  $sidecar events$brokers --from-beginning

Ctrl-C stops all.
END

ended=0
wait -n "${pids[@]}" || ended=$?
echo "One of them ended (exit code $ended); stopping the others." >&2
exit 1
