#!/usr/bin/env bash
# Packs what `make install` installs, and says where: tarball.sh
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(.build/release/ameron-sidecar --version | awk 'NR == 1 { print $2 }')
name=ameron-sidecar-$version-linux-$(uname -m)
# The same bytes for the same commit: its time, and no user of this machine.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

rm -rf ".build/$name"
scripts/install.sh ".build/$name" >/dev/null
strip ".build/$name/bin/ameron-sidecar"
# Files only: what is unpacked as root changes no folder that is there.
(cd .build && find "$name" -type f -print0 | LC_ALL=C sort -z) |
    tar -C .build --null -T - --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -c |
    gzip -9n >".build/$name.tar.gz"
rm -rf ".build/$name"
echo ".build/$name.tar.gz"
