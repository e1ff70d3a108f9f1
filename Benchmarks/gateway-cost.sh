#!/usr/bin/env bash
# What a request costs in the Sidecar, beside nginx as a plain reverse proxy of the same Model Service.
#
# One core has the proxy (nginx with one worker, or the Sidecar with one shard, predictions decoded and the file
# Reporter on); the other has the load (wrk) and the Model Service (an nginx that answers two Predictions). Runs of the
# two proxies alternate. Cost: user and system time of the proxy's processes, all threads, over the requests.
# Fails when a request fails, when not every Prediction is in the file, or when a limit is broken (the limit of the
# ratio not with QUICK=1, which is too short to judge it).
#
# Environment: QUICK=1 (one run of 3 s each), DURATION (seconds, 30), RUNS (3), CONNECTIONS (64), ONLY=nginx (no
# Sidecar), SIDECAR (the executable), PROXY_CORE (0), LOAD_CORE (1), MAX_RATIO (2.4), MAX_RESIDENT_MIB (64)
# Everything is on the loopback interface and in a temporary folder, and is stopped at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=${QUICK:-}
duration=${DURATION:-$([ -n "$quick" ] && echo 3 || echo 30)}
runs=${RUNS:-$([ -n "$quick" ] && echo 1 || echo 3)}
connections=${CONNECTIONS:-64}
only=${ONLY:-}
sidecar=${SIDECAR:-.build/release/ameron-sidecar}
proxy_core=${PROXY_CORE:-0}
load_core=${LOAD_CORE:-1}
max_ratio=${MAX_RATIO:-2.4}
max_resident=${MAX_RESIDENT_MIB:-64}
model_port=${MODEL_PORT:-19490}
nginx_port=${NGINX_PORT:-19480}
sidecar_port=${SIDECAR_PORT:-19481}
PATH=$PATH:/usr/sbin

die() { echo "error: $*" >&2; exit 1; }
for core in "$proxy_core" "$load_core"; do
    taskset -c "$core" true 2>/dev/null || die "core $core is not to be had: set PROXY_CORE and LOAD_CORE"
done
[ -n "$only" ] || [ -x "$sidecar" ] || die "$sidecar is not there: make build"

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
cat >"$work/sidecar.yaml" <<END
server: { host: 127.0.0.1, port: $sidecar_port, shards: 1 }
models:
  - { name: digits, protocol: native, url: "http://127.0.0.1:$model_port/predict", healthUrl: "http://127.0.0.1:$model_port/" }
reporting:
  reporters:
    - { type: file, path: $work/predictions.jsonl }
END
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
nginx_pid=$!
pids+=("$nginx_pid")
sidecar_pid=
if [ -z "$only" ]; then
    taskset -c "$proxy_core" "$sidecar" serve --config "$work/sidecar.yaml" >"$work/sidecar.log" 2>&1 &
    sidecar_pid=$!
    pids+=("$sidecar_pid")
fi

wait_for() { # url: until it answers a prediction
    local deadline=$((SECONDS + 10))
    until curl -fs --max-time 1 "$1" -d '{}' | grep -q '"value"'; do
        [ $SECONDS -lt $deadline ] || { cat "$work"/*.log >&2; die "no answer from $1"; }
        sleep 0.1
    done
}
wait_for "http://127.0.0.1:$nginx_port/predictions/digits"
[ -n "$only" ] || wait_for "http://127.0.0.1:$sidecar_port/predictions/digits"

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

settled_events() { # events with a status of 200, once the file has stopped growing
    local size=-1 now deadline=$((SECONDS + 10))
    while now=$(stat -c %s "$work/predictions.jsonl"); [ "$now" -ne "$size" ] && [ $SECONDS -lt $deadline ]; do
        size=$now
        sleep 0.5
    done
    grep -c '"status":200[,}]' "$work/predictions.jsonl" || echo "error: no events" >&2
}

faults=()
hertz=$(getconf CLK_TCK)
row='%-4s %-8s %10s %10s %8s %12s %8s %10s %10s\n'

measure() { # run, name, pid, seconds, port: prints a row; sets cost and ratio
    local before after requests failed resident events=- result
    [ "$2" = nginx ] || : >"$work/predictions.jsonl"
    before=$(ticks "$3")
    taskset -c "$load_core" wrk -t1 -c"$connections" -d"${4}s" -s "$work/load.lua" \
        "http://127.0.0.1:$5/predictions/digits" >"$work/wrk.txt"
    after=$(ticks "$3")
    result=$(grep ^RESULT "$work/wrk.txt") || die "wrk said: $(cat "$work/wrk.txt")"
    read -r _ requests failed <<<"$result"
    [ "$requests" -gt 0 ] || die "no request of $2 was answered"
    cost=$(awk "BEGIN { printf \"%.2f\", ($after - $before) * 1000000 / $hertz / $requests }")
    resident=$(resident_mib "$3")
    [ "$1" = warm ] && return
    if [ "$2" != nginx ]; then
        events=$(settled_events)
        # wrk leaves with up to one answer per connection unread, which the Sidecar may have reported.
        if [ $((events % 2)) -ne 0 ] || [ "$events" -lt $((requests * 2)) ] \
            || [ "$events" -gt $(((requests + connections) * 2)) ]; then
            faults+=("run $1: $events events, not twice $requests requests (and up to $connections more)")
        fi
        awk "BEGIN { exit !($resident > $max_resident) }" && faults+=("run $1: $resident MiB resident")
    fi
    [ "$failed" -eq 0 ] || faults+=("run $1: $failed requests of $2 failed")
    ratio=
    [ "$2" = nginx ] || ratio=$(awk "BEGIN { printf \"%.2f\", $cost / $nginx_cost }")
    # shellcheck disable=SC2059 # the format is ours
    printf "$row" "$1" "$2" "$requests" $((requests / $4)) "$failed" "$cost" "$ratio" "$resident" "$events"
}

measure warm nginx "$nginx_pid" 1 "$nginx_port"
[ -n "$only" ] || measure warm sidecar "$sidecar_pid" 1 "$sidecar_port"

echo "$runs alternating runs of $duration s, $connections connections; proxy on core $proxy_core, rest on $load_core"
# shellcheck disable=SC2059
printf "$row" run proxy requests req/s failed "µs CPU/req" ratio "RSS MiB" events
ratios=()
for ((run = 1; run <= runs; run++)); do
    measure $run nginx "$nginx_pid" "$duration" "$nginx_port"
    nginx_cost=$cost
    [ -z "$only" ] || continue
    measure $run sidecar "$sidecar_pid" "$duration" "$sidecar_port"
    ratios+=("$ratio")
    [ -z "$quick" ] || continue # too short to judge
    awk "BEGIN { exit !($ratio > $max_ratio) }" && faults+=("run $run: ratio $ratio, limit $max_ratio")
done
[ ${#ratios[@]} -eq 0 ] || echo "Ratios Sidecar/nginx: ${ratios[*]} (limit $max_ratio; events: with status 200)"

if [ ${#faults[@]} -gt 0 ]; then
    printf 'FAIL  %s\n' "${faults[@]}"
    exit 1
fi
echo "pass"
