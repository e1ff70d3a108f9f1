#!/usr/bin/env bash
# Installs the built Sidecar below a directory, or takes away what was installed there: install.sh [--uninstall] PREFIX
set -euo pipefail
cd "$(dirname "$0")/.."
uninstall=
[ "$1" != --uninstall ] || { uninstall=yes && shift; }
prefix=$1
program=.build/release/ameron-sidecar

commit=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null) || commit=
if [ -z "$uninstall" ] && ! $program --version | grep -q "(commit ${commit:-.*})"; then
    echo "$program was built from another commit than this one, $commit: \`make build\` builds it anew." >&2
fi

put() { # MODE PATH COMMAND...: what the command prints becomes a file
    local mode=$1 path=$prefix/$2
    shift 2
    if [ -n "$uninstall" ]; then
        rm -f "$path"
    else
        echo "$path"
        "$@" | install -D -m "$mode" /dev/stdin "$path"
    fi
}

put 755 bin/ameron-sidecar cat $program
put 644 share/man/man1/ameron-sidecar.1 scripts/man.py $program
put 644 share/bash-completion/completions/ameron-sidecar $program --generate-completion-script bash
put 644 share/zsh/site-functions/_ameron-sidecar $program --generate-completion-script zsh
put 644 share/fish/vendor_completions.d/ameron-sidecar.fish $program --generate-completion-script fish
put 644 share/doc/ameron-sidecar/ameron-sidecar.yaml cat ameron-sidecar.yaml
put 644 share/doc/ameron-sidecar/LICENSE cat LICENSE
[ -z "$uninstall" ] || rmdir --ignore-fail-on-non-empty "$prefix/share/doc/ameron-sidecar" 2>/dev/null || true
