#!/usr/bin/env bash
# Nothing of one machine in the tree: no paths of it, no hosts of package registries.
set -euo pipefail
cd "$(dirname "$0")/.."

found=0
refuse() { # what, then arguments for git grep
    local what=$1
    shift
    if git grep --no-index --exclude-standard -nI "$@" -- .; then
        echo "error: $what in the tree (above)" >&2
        found=1
    fi
}

# Machine paths: this checkout, the home folder, the toolchain, and anybody's home.
paths=()
for path in "$PWD/" "${HOME:-}/" "$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")/"; do
    [ ${#path} -lt 4 ] || [ "$path" = /usr/ ] || paths+=(-e "$path")
done
[ ${#paths[@]} -eq 0 ] || refuse "machine paths" -F "${paths[@]}"
refuse "somebody's home folder" -E '(^|[^[:alnum:]_.])/(home|Users)/[[:alnum:]_.-]+/'
# Brackets, so that this line does not find itself.
refuse "hosts of package registries" -E '([d]ebian|[p]ypi|[p]ythonhosted)\.(org|net)|registry\.[n]pmjs'
exit $found
