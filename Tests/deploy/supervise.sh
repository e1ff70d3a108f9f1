#!/usr/bin/env bash
# deploy/single-container/supervise.sh with stand-ins for the model and the Sidecar: who is told what, in which order,
# and with which code the container ends.
set -euo pipefail
supervise=$(cd "$(dirname "$0")/../.." && pwd)/deploy/single-container/supervise.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# A process that runs until it is told to stop (exit code $STOP_CODE), or until a line in its fifo says with which code to
# end, or "killed"; 20 s at most, so that a supervisor that waits for ever is found out.
cat >stand-in <<'END'
#!/usr/bin/env bash
name=$1
trap 'echo "$name told" >>log; exit "${STOP_CODE:-0}"' TERM
exec 3<>"$name.fifo"
echo "$name runs" >started
# In short turns, as a signal that comes just before `read` waits for its end.
for _ in {1..100}; do
    read -rt 0.2 code <&3 || continue
    [ "$code" != killed ] || kill -KILL $$
    exit "$code"
done
exit 99
END
# What supervise.sh runs as the Sidecar.
printf '#!/bin/sh\nexec ./stand-in sidecar\n' >ameron-sidecar
chmod +x stand-in ameron-sidecar
# Each stand-in writes a line here once it can be told to stop.
mkfifo started
exec 4<>started
export PATH=$work:$PATH

wait_for_both() {
    local _
    for _ in model sidecar; do
        read -rt 10 -u 4 _ || { echo "error: the supervisor does not start both" >&2; exit 1; }
    done
}

check() { # name, wanted exit code, wanted log after the start, then what to do
    local name=$1 code=$2 log=$3 got=0
    shift 3
    rm -f ./*.fifo
    mkfifo model.fifo sidecar.fifo
    : >log
    "$supervise" ./stand-in model 2>messages &
    supervisor=$!
    wait_for_both
    "$@"
    wait $supervisor || got=$?
    if [ $got != "$code" ] || [ "$(tr '\n' ' ' <log)" != "$log" ]; then
        echo "error: $name: exit code $got, wanted $code; then the log and the messages" >&2
        cat log messages >&2
        exit 1
    fi
}

die() { echo "$2" >"$1.fifo"; }
stop() { kill -TERM "$supervisor"; }

check "told to stop" 0 "sidecar told model told " stop
STOP_CODE=7 check "the Sidecar's code is the container's" 7 "sidecar told model told " stop
check "the model fails" 1 "sidecar told " die model 3
check "the model ends well" 1 "sidecar told " die model 0
check "the model is killed" 1 "sidecar told " die model killed
check "the Sidecar fails" 1 "model told " die sidecar 3
check "the Sidecar ends well" 1 "model told " die sidecar 0
