#!/usr/bin/env bash
# Fuzzes what reads bytes of others, with libFuzzer and AddressSanitizer: run.sh [MINUTES]
# FUZZ names the targets, all by default: responses requests json kafka-headers spool. They share the minutes.
# Begins with the corpora, and keeps what it finds in .build-fuzz. A finding ends it, with the input in .build-fuzz and the
# exit code of libFuzzer. With MERGE=1 it does not fuzz, but takes into the corpora what reaches more of the code.
set -euo pipefail
cd "$(dirname "$0")/../.."

minutes=${1:-30}
read -ra targets <<<"${FUZZ:-responses requests json kafka-headers spool}"
out=.build-fuzz
tests=Tests/GatewayTests

# Everything is instrumented, the C++ of the JSON reader too; what a target does not reach does not count.
mkdir -p "$out"
if ! swift build --target Gateway --scratch-path "$out" -c release \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing -Xcc -fsanitize=fuzzer-no-link,address \
    -Xcxx -fsanitize=fuzzer-no-link,address >"$out/build.log" 2>&1; then
    cat "$out/build.log" >&2
    exit 1
fi
built=$out/release
flags=(-O -g -swift-version 6 -parse-as-library -wmo "-sanitize=fuzzer,address" -I "$built/Modules" -I "$out")
for feature in ExistentialAny MemberImportVisibility InternalImportsByDefault; do
    flags+=(-enable-upcoming-feature "$feature")
done
for map in "$built"/C*.build/module.modulemap Sources/*/module.modulemap; do flags+=(-Xcc "-fmodule-map-file=$map"); done
# The checks are the tests' own, without their Testing.
swiftc "${flags[@]}" -package-name ameron_sidecar -module-name TestSupport -emit-module \
    -emit-module-path "$out/TestSupport.swiftmodule" -c -o "$out/TestSupport.o" \
    Tests/TestSupport/{Deadline,Gate,SeededGenerator,TemporaryDirectory}.swift
read -ra libraries <<<"$(pkg-config --libs libmicrohttpd libcurl rdkafka yaml-0.1 simdjson)"
swiftc "${flags[@]}" -package-name ameron_sidecar -module-name Fuzz \
    -emit-executable -emit-module -emit-module-path "$out/Fuzz.swiftmodule" -o "$out/fuzz" Tests/fuzz/Fuzz.swift \
    $tests/Fuzz/{ByteMutation,FuzzTarget,JSONCheck,JSONMutation,KafkaHeaderCheck,ReferenceJSON,SpoolCheck,SpoolFrame}.swift \
    $tests/HTTPServer/{ReferenceRequest,RequestMutation,RequestReaderCheck}.swift \
    $tests/ModelServiceAdapter/{ReferenceResponse,ResponseMutation,ResponseParserCheck}.swift \
    $tests/Prediction/Answer.swift $tests/Exchange/FlowSupport.swift "$out/TestSupport.o" \
    "$built"/{Gateway,Logging}.build/*.o "$built"/C*.build/*.o "${libraries[@]}" -lstdc++ 2>&1 |
    sed '/Cannot export local symbol/d'

# Swift's own report of a crash gets into the way of AddressSanitizer's.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=quarantine_size_mb=32
for target in "${targets[@]}"; do
    export AMERON_FUZZ=$target
    corpus=Tests/fuzz/corpora/$target.txt
    [ -f "$corpus" ] || { echo "there is no target $target" >&2; exit 2; }
    seeds=$out/corpora/$target
    found=$out/found/$target
    rm -rf "$seeds"
    mkdir -p "$found"
    python3 Tests/fuzz/corpus.py unpack "$corpus" "$seeds"
    arguments=(-max_len=1024 -timeout=10 -rss_limit_mb=2048 "-artifact_prefix=$out/$target-")
    if [ -n "${MERGE:-}" ]; then
        # By edges alone, not by how often each is taken: a small corpus is quick to replay in `make test`.
        "$out/fuzz" -merge=1 -use_counters=0 "${arguments[@]}" "$seeds" "$found"
        python3 Tests/fuzz/corpus.py pack "$corpus" "$seeds"
        continue
    fi
    echo "== $target"
    "$out/fuzz" -max_total_time=$((minutes * 60 / ${#targets[@]})) -len_control=20 -dict=Tests/fuzz/words.dict \
        -print_final_stats=1 "${arguments[@]}" "$found" "$seeds"
done
