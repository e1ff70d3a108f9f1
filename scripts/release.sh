#!/usr/bin/env bash
# Builds the executable as it is shipped: release.sh [ARGUMENTS of swift build, such as --show-bin-path]
# Debug builds, and so the unit tests, the fault tests and all sanitized ones, check at run time that no variable is changed
# while it is in use; here that is left out (it took 4 % of a request's time).
# Environment: REVISION (the commit to name in --version, where there is no git to ask; "unknown": none)
set -euo pipefail
cd "$(dirname "$0")/.."
options=(-c release --product ameron-sidecar --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked)

# The commit is linked in, so that a new one compiles nothing anew; named in the path, so that it does link anew.
revision=$([ ! -e .git ] || git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || true)
revision=${revision:-${REVISION:-unknown}}
if [ "$revision" != unknown ]; then
    [[ $revision =~ ^[0-9a-f]{40}(-dirty)?$ ]] || { echo "REVISION=$revision is not a commit's 40 digits" >&2; exit 1; }
    object=$PWD/.build/commits/$revision.o
    mkdir -p "${object%/*}"
    clang -x c -c -o "$object" - <<<"const char ameron_sidecar_commit[] = \"$revision\";"
    options+=(-Xlinker "$object")
fi
exec swift build "${options[@]}" "$@"
