#!/usr/bin/env bash
# Installs those of the named Debian packages that are missing: deps.sh PACKAGE[=FILE]...
# A package is also taken as there when FILE exists. Says what it installs; does nothing when all is there.
set -euo pipefail

missing=()
for wanted in "$@"; do
    package=${wanted%%=*}
    file=${wanted#"$package"}
    [ -z "$file" ] || [ ! -e "${file#=}" ] || continue
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
    echo "Missing: ${missing[*]} (Debian's names). There is no apt-get here: install them by hand." >&2
    exit 1
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Missing packages, and neither root nor sudo to install them. Ask for: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "Installing missing packages: ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq >/dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends "${missing[@]}" >/dev/null
