#!/usr/bin/env bash
# What a request costs in the Sidecar, beside nginx as a plain reverse proxy of the same Model Service.
#
# One core has the proxy (nginx with one worker, or a Sidecar with one shard that decodes the Predictions and reports
# them); the other has the load (wrk), the Model Service (an nginx that answers two Predictions) and the broker
# (ameron-sidecar dev-kafka). Runs of the proxies alternate. Cost: user and system time of the proxy's processes, all
# threads, over the requests. The Sidecars, one for each of MODES:
#   file    best effort, file Reporter
#   kafka   best effort, Kafka Reporter
#   spool   at least once (fsync: interval), Kafka Reporter
# Fails when a request fails, when not every Prediction was reported, or when a limit is broken (the limit of the
# ratio not with QUICK=1, which is too short to judge it).
#
# Environment: QUICK=1 (one run of 3 s each), DURATION (seconds, 30), RUNS (3), CONNECTIONS (64), MODES, SIDECAR (the
# executable), PROXY_CORE (0), LOAD_CORE (1), MAX_RATIO_FILE (2.4), MAX_RATIO_KAFKA (2.8), MAX_RATIO_SPOOL (3.2),
# MAX_RESIDENT_MIB (64, file only: librdkafka keeps up to 16 MiB more in hand)
# Everything is on the loopback interface and in a temporary folder, and is stopped at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=${QUICK:-}
duration=${DURATION:-$([ -n "$quick" ] && echo 3 || echo 30)}
runs=${RUNS:-$([ -n "$quick" ] && echo 1 || echo 3)}
connections=${CONNECTIONS:-64}
read -ra modes <<<"${MODES-file kafka spool}"
sidecar=${SIDECAR:-.build/release/ameron-sidecar}
proxy_core=${PROXY_CORE:-0}
load_core=${LOAD_CORE:-1}
declare -A max_ratio=(
    [file]=${MAX_RATIO_FILE:-2.4} [kafka]=${MAX_RATIO_KAFKA:-2.8} [spool]=${MAX_RATIO_SPOOL:-3.2}
)
max_resident=${MAX_RESIDENT_MIB:-64}
model_port=${MODEL_PORT:-19490}
nginx_port=${NGINX_PORT:-19480}
kafka_port=${KAFKA_PORT:-19492}
declare -A port=([nginx]=$nginx_port [file]=19481 [kafka]=19482 [spool]=19483) pid=()
PATH=$PATH:/usr/sbin

die() { echo "error: $*" >&2; exit 1; }
for core in "$proxy_core" "$load_core"; do
    taskset -c "$core" true 2>/dev/null || die "core $core is not to be had: set PROXY_CORE and LOAD_CORE"
done
[ ${#modes[@]} -eq 0 ] || [ -x "$sidecar" ] || die "$sidecar is not there: make build"

work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317 # called by the trap
stop() {
    local pid
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || continue; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || continue; done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# ---- the three servers -----------------------------------------------------------------------------------------
common="worker_processes 1; daemon off; error_log $work/nginx-error.log warn; events { worker_connections 4096; }"
paths="client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi; access_log off; keepalive_requests 1000000000;
    keepalive_timeout 300s;"
answer='{"predictions":[{"modelName":"rotate","modelVersion":"3","timeTakenInMs":4.125,"value":90},'
answer+='{"modelName":"digits","modelVersion":"7","timeTakenInMs":11.875,"value":{"label":"4","score":0.98}}]}'

cat >"$work/model.conf" <<END
$common pid $work/model.pid;
http {
    $paths
    server {
        listen 127.0.0.1:$model_port backlog=1024;
        location / { default_type application/json; return 200 '$answer'; }
    }
}
END
cat >"$work/peer.conf" <<END
$common pid $work/peer.pid;
http {
    $paths
    upstream model { server 127.0.0.1:$model_port; keepalive 256; keepalive_requests 1000000000; }
    server {
        listen 127.0.0.1:$nginx_port backlog=1024;
        location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
}
END
write_config() { # mode, reporting
    cat >"$work/$1.yaml" <<END
server: { host: 127.0.0.1, port: ${port[$1]}, shards: 1 }
models:
  - { name: digits, protocol: native, url: "http://127.0.0.1:$model_port/predict", healthUrl: "http://127.0.0.1:$model_port/" }
reporting: { $2 }
END
}
kafka="{ type: kafka, brokers: \"127.0.0.1:$kafka_port\", topic: predictions }"
write_config file "reporters: [{ type: file, path: $work/predictions.jsonl }]"
write_config kafka "reporters: [$kafka]"
write_config spool "delivery: at-least-once, spool: { path: $work/spool, fsync: interval }, reporters: [$kafka]"

cat >"$work/load.lua" <<'END'
wrk.method = "POST"
wrk.body = '{"instances":[[5.1,3.5,1.4,0.2],[6.7,3.0,5.2,2.3]]}'
wrk.headers["Content-Type"] = "application/json"
function done(summary)
    local errors = summary.errors
    io.write(string.format("RESULT %d %d\n", summary.requests,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
END

taskset -c "$load_core" nginx -p "$work" -c "$work/model.conf" 2>"$work/model.log" &
pids+=($!)
taskset -c "$proxy_core" nginx -p "$work" -c "$work/peer.conf" 2>"$work/peer.log" &
pid[nginx]=$!
pids+=("${pid[nginx]}")
if [[ " ${modes[*]} " == *" kafka "* || " ${modes[*]} " == *" spool "* ]]; then
    taskset -c "$load_core" "$sidecar" dev-kafka --port "$kafka_port" >"$work/broker.log" 2>&1 &
    pids+=($!)
fi
for mode in "${modes[@]}"; do
    taskset -c "$proxy_core" "$sidecar" serve --config "$work/$mode.yaml" >"$work/$mode.log" 2>&1 &
    pid[$mode]=$!
    pids+=($!)
done

wait_for() { # url: until it answers a prediction
    local deadline=$((SECONDS + 10))
    until curl -fs --max-time 1 "$1" -d '{}' | grep -q '"value"'; do
        [ $SECONDS -lt $deadline ] || { cat "$work"/*.log >&2; die "no answer from $1"; }
        sleep 0.1
    done
}
for proxy in nginx "${modes[@]}"; do wait_for "http://127.0.0.1:${port[$proxy]}/predictions/digits"; done

# ---- measuring -------------------------------------------------------------------------------------------------
family() { echo "$1"; cat "/proc/$1/task/$1/children"; }

ticks() { # clock ticks of user and system time of a process and its children
    local pid sum=0 stat
    local fields
    for pid in $(family "$1"); do
        stat=$(<"/proc/$pid/stat")
        read -ra fields <<<"${stat##*) }"
        sum=$((sum + fields[11] + fields[12]))
    done
    echo $sum
}

resident_mib() {
    local pid files=()
    for pid in $(family "$1"); do files+=("/proc/$pid/status"); done
    awk '/^VmRSS:/ { sum += $2 } END { printf "%.1f", sum / 1024 }' "${files[@]}"
}

events() { # mode, result: how many events had this result, by the metrics
    curl -fs "http://127.0.0.1:${port[$1]}/metrics" \
        | awk -v result="result=\"$2\"" '/^ameron_report_events_total/ && index($0, result) { sum += $NF } END { print sum + 0 }'
}

settled_events() { # mode: how many events were sent, once that has stopped growing
    local sent=-1 now deadline=$((SECONDS + 60))
    while now=$(events "$1" sent); [ "$now" -ne "$sent" ] && [ $SECONDS -lt $deadline ]; do
        sent=$now
        sleep 0.5
    done
    echo "$now"
}

faults=()
hertz=$(getconf CLK_TCK)
row='%-4s %-8s %10s %10s %8s %12s %8s %10s %10s\n'

measure() { # run, proxy, seconds: prints a row; sets cost and ratio
    local before after requests failed resident events=- sent lost result
    [ "$2" = nginx ] || { sent=$(settled_events "$2"); : >"$work/predictions.jsonl"; }
    before=$(ticks "${pid[$2]}")
    taskset -c "$load_core" wrk -t1 -c"$connections" -d"${3}s" -s "$work/load.lua" \
        "http://127.0.0.1:${port[$2]}/predictions/digits" >"$work/wrk.txt"
    result=$(grep ^RESULT "$work/wrk.txt") || die "wrk said: $(cat "$work/wrk.txt")"
    read -r _ requests failed <<<"$result"
    [ "$requests" -gt 0 ] || die "no request of $2 was answered"
    # What is still to be reported belongs to the cost.
    [ "$2" = nginx ] || events=$(($(settled_events "$2") - sent))
    after=$(ticks "${pid[$2]}")
    cost=$(awk "BEGIN { printf \"%.2f\", ($after - $before) * 1000000 / $hertz / $requests }")
    resident=$(resident_mib "${pid[$2]}")
    [ "$1" = warm ] && return
    if [ "$2" != nginx ]; then
        lost=$(($(events "$2" failed) + $(events "$2" dropped)))
        [ "$lost" -eq 0 ] || faults+=("run $1: $2 failed or dropped $lost events")
        # wrk leaves with up to one answer per connection unread, which the Sidecar may have reported.
        if [ "$events" -lt $((requests * 2)) ] || [ "$events" -gt $(((requests + connections) * 2)) ]; then
            faults+=("run $1: $2 sent $events events, not twice $requests requests (and up to $connections more)")
        fi
        [ "$2" != file ] || [ "$(grep -c '"status":200[,}]' "$work/predictions.jsonl")" -ge $((requests * 2)) ] \
            || faults+=("run $1: not every event is in the file")
        [ "$2" = file ] && awk "BEGIN { exit !($resident > $max_resident) }" \
            && faults+=("run $1: $2 has $resident MiB resident")
    fi
    [ "$failed" -eq 0 ] || faults+=("run $1: $failed requests of $2 failed")
    ratio=
    [ "$2" = nginx ] || ratio=$(awk "BEGIN { printf \"%.2f\", $cost / $nginx_cost }")
    # shellcheck disable=SC2059 # the format is ours
    printf "$row" "$1" "$2" "$requests" $((requests / $3)) "$failed" "$cost" "$ratio" "$resident" "$events"
}

for proxy in nginx "${modes[@]}"; do measure warm "$proxy" 1; done

echo "$runs alternating runs of $duration s, $connections connections; proxy on core $proxy_core, rest on $load_core"
# shellcheck disable=SC2059
printf "$row" run proxy requests req/s failed "µs CPU/req" ratio "RSS MiB" events
declare -A ratios=()
for ((run = 1; run <= runs; run++)); do
    measure $run nginx "$duration"
    nginx_cost=$cost
    for mode in "${modes[@]}"; do
        measure $run "$mode" "$duration"
        ratios[$mode]+=" $ratio"
        [ -z "$quick" ] || continue # too short to judge
        awk "BEGIN { exit !($ratio > ${max_ratio[$mode]}) }" \
            && faults+=("run $run: $mode has ratio $ratio, limit ${max_ratio[$mode]}")
    done
done
for mode in "${modes[@]}"; do
    echo "Ratios Sidecar/nginx, $mode:${ratios[$mode]} (limit ${max_ratio[$mode]})"
done

if [ ${#faults[@]} -gt 0 ]; then
    printf 'FAIL  %s\n' "${faults[@]}"
    exit 1
fi
echo "pass"
