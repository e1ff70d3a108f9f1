#!/usr/bin/env bash
# Fuzzes the HTTP response parser with libFuzzer and AddressSanitizer: run.sh [MINUTES]
# Begins with the corpus, and keeps what it finds in .build-fuzz. A finding ends it, with the input in .build-fuzz and the
# exit code of libFuzzer. With MERGE=1 it does not fuzz, but takes into the corpus what reaches more of the code.
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${1:-30}
out=${OUT:-$PWD/.build-fuzz}
mkdir -p "$out/found"
gateway=Sources/Gateway
tests=Tests/GatewayTests/ModelServiceAdapter
flags=(-O -g -swift-version 6 -parse-as-library "-sanitize=fuzzer,address" -I "$out")
features=(ExistentialAny MemberImportVisibility InternalImportsByDefault)
for feature in "${features[@]}"; do flags+=(-enable-upcoming-feature "$feature"); done

# Only the parser and what it stands on: everything in the program counts as coverage.
module() { # NAME FILE...
    local name=$1
    shift
    swiftc "${flags[@]}" -wmo -enable-testing -module-name "$name" -emit-module -emit-module-path "$out/$name.swiftmodule" \
        -c -o "$out/$name.o" "$@"
}
module TestSupport Tests/TestSupport/SeededGenerator.swift
module Gateway "$gateway"/ModelServiceAdapter/HTTP1ResponseParser.swift "$gateway"/Text/ByteView+Text.swift \
    "$gateway"/Wrappers/Memory/{ByteBuffer,ByteView,ByteView+HeaderLine}.swift
swiftc "${flags[@]}" -module-name Fuzz -o "$out/fuzz" Tests/fuzz/Fuzz.swift \
    "$tests"/{ReferenceResponse,ResponseMutation,ResponseParserCheck}.swift "$out"/{Gateway,TestSupport}.o

if [ -n "${MERGE:-}" ]; then
    # By edges alone, not by how often each is taken: a small corpus is quick to replay in `make test`.
    exec "$out/fuzz" -merge=1 -use_counters=0 -max_len=1024 Tests/fuzz/corpus "$out/found"
fi
# Swift's own report of a crash gets into the way of AddressSanitizer's.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=quarantine_size_mb=32
exec "$out/fuzz" -max_total_time=$((minutes * 60)) -max_len=1024 -len_control=20 -timeout=10 -rss_limit_mb=1024 \
    -dict=Tests/fuzz/http1.dict -print_final_stats=1 -artifact_prefix="$out/" "$out/found" Tests/fuzz/corpus
