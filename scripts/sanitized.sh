#!/usr/bin/env bash
# Runs the tests in a sanitized build: sanitized.sh SCRATCH ARGUMENTS-OF-SWIFT...
# The executable that the tests start stands beside the test bundle, so it is the sanitized one. Fails when a test
# fails, or when any process, also one that a test killed, left a report in SCRATCH/reports.
set -euo pipefail
scratch=$1
sanitize=$2
shift 2

swift build --build-tests --scratch-path "$scratch" "$sanitize"
preload=
if [ "$sanitize" = --sanitize=thread ]; then
    preload=$PWD/$scratch/c11threads.so
    clang -O1 -g -fPIC -shared -o "$preload" Tests/tsan/c11threads.c
fi

code=0
run() { LD_PRELOAD=$preload swift test --skip-build --scratch-path "$scratch" "$sanitize" "$@" || code=$?; }
if [ $# -gt 0 ]; then
    run "$@"
else
    # The fault tests by themselves: they take long, and what stands beside them would run out of its time.
    run --skip '^FaultTests[.]'
    run --filter '^FaultTests[.]'
fi
shopt -s nullglob
reports=("$scratch"/reports/*)
for report in "${reports[@]}"; do
    echo "== $report"
    cat "$report"
done >&2
[ ${#reports[@]} -eq 0 ] || echo "error: ${#reports[@]} sanitizer reports (above)" >&2
[ ${#reports[@]} -eq 0 ] && exit $code
[ $code -ne 0 ] && exit $code
exit 66
