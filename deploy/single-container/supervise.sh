#!/bin/bash
# Process 1 of the container: runs the model and the Sidecar. When one of them ends, the other is stopped and the
# container ends with 1, so that the platform starts a new one. Told to stop (SIGTERM), it lets the Sidecar answer what
# is in flight while the model still runs, then stops the model, and ends with the Sidecar's exit code.
#
# The command of the model is this script's arguments. MODEL_STOP_SECONDS (10): after these the model is killed.
set -uo pipefail

stopping='' model='' sidecar='' told=''

# Once: a second signal would tell the Sidecar not to wait for what is in flight.
stop_sidecar() {
    [ -n "$sidecar" ] && [ -z "$told" ] || return 0
    told=yes
    kill -TERM "$sidecar" 2>/dev/null
}
trap 'stopping=yes; stop_sidecar' TERM INT

"$@" &
model=$!
ameron-sidecar serve &
sidecar=$!

runs() { kill -0 "$1" 2>/dev/null; }

# Waits until the process has ended, whatever signals come meanwhile, and returns its exit code.
finish() {
    while runs "$1"; do wait "$1"; done
    # Bash still knows the code; an earlier wait may have been left for a signal in the moment of the end.
    wait "$1"
}

# Looks once a second, as `wait -n` waits for ever for a process that was killed just before it. A signal ends the pause.
while [ -z "$stopping" ] && runs "$model" && runs "$sidecar"; do
    sleep 1 &
    wait $!
done
if [ -z "$stopping" ]; then
    if runs "$model"; then ended=Sidecar; else ended=model; fi
    echo "supervise: the $ended has ended by itself; stopping the container" >&2
fi

stop_sidecar
finish "$sidecar"
code=$?
kill -TERM "$model" 2>/dev/null
(
    sleep "${MODEL_STOP_SECONDS:-10}"
    kill -KILL "$model" 2>/dev/null
) &
killer=$!
finish "$model"
kill "$killer" 2>/dev/null
[ -n "$stopping" ] || exit 1
exit $code
