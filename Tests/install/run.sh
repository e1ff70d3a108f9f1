#!/usr/bin/env bash
# Installs the release build into a folder, looks at what is there as a user's shell and man do, and uninstalls it.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=Tests/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A space, so that a path without its quotes is found out.
root="$work/the root"
prefix=$root/opt/sidecar
fail() { echo "error: $*" >&2; exit 1; }
look() { find "$root" -type f -printf '%m %P\n' | sort -k 2; }

make --no-print-directory install DESTDIR="$root" PREFIX=/opt/sidecar >"$work/log" 2>&1 || fail "$(cat "$work/log")"
diff <(look) - <<'END' || fail "other files than these, or other modes"
755 opt/sidecar/bin/ameron-sidecar
644 opt/sidecar/share/bash-completion/completions/ameron-sidecar
644 opt/sidecar/share/doc/ameron-sidecar/LICENSE
644 opt/sidecar/share/doc/ameron-sidecar/ameron-sidecar.yaml
644 opt/sidecar/share/fish/vendor_completions.d/ameron-sidecar.fish
644 opt/sidecar/share/man/man1/ameron-sidecar.1
644 opt/sidecar/share/zsh/site-functions/_ameron-sidecar
END
commit=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo "${REVISION:-unknown}")
home=$HOME
export PATH="$prefix/bin:$PATH" HOME=$work
[ "$(command -v ameron-sidecar)" = "$prefix/bin/ameron-sidecar" ] || fail "not in bin"

version=$(ameron-sidecar --version | head -1)
[[ $version == "ameron-sidecar "*" (commit $commit)" ]] || fail "'$version' does not name the commit $commit"
ameron-sidecar validate --config "$prefix/share/doc/ameron-sidecar/ameron-sidecar.yaml" >/dev/null

export MANPATH=$prefix/share/man MANWIDTH=100 LC_ALL=C.UTF-8
complaints=$(man --warnings ameron-sidecar 2>&1 >"$work/page"; mandoc -Tlint -W warning "$prefix/share/man/man1/"*) ||
    fail "the man page: $complaints"
[ -z "$complaints" ] || fail "the man page: $complaints"
# Of each command the heading, and one each of what else it is made of.
commands=$(ameron-sidecar --help | awk '/^SUBCOMMANDS/ {on = 1; next} on && /^  [a-z]/ {print $1}')
for command in ask ${commands:?}; do
    grep -qx -- "   $command" "$work/page" || fail "the man page does not tell of '$command'"
done
for line in '^ *ameron-sidecar health --ready$' 'The topic of the events (default: predictions).' 'native, v1, v2' \
    '^ *SIGHUP ' '^ *78 ' '^ *AMERON_CONFIG$' 'example with all keys'; do
    grep -q -- "$line" "$work/page" || fail "the man page has no '$line'"
done

# A command, an option, a value of it, a file.
touch "$work/sidecar.yaml" "$work/sidecar.txt"
while read -r wanted words; do
    IFS=' ' read -ra words <<<"$words"
    got=$(cd "$work" && bash -eu "$OLDPWD/$here/complete.bash" \
        "$prefix/share/bash-completion/completions/ameron-sidecar" "${words[@]}")
    [ "$got" = "$wanted" ] || fail "bash completes '${words[*]}' to '$got' and not to '$wanted'"
    got=$(cd "$work" && XDG_DATA_DIRS=$prefix/share timeout 20 fish -c "complete -C '${words[*]}'" | cut -f 1)
    [ "$got" = "$wanted" ] || fail "fish completes '${words[*]}' to '$got' and not to '$wanted'"
    (cd "$work" && timeout 20 zsh -f "$OLDPWD/$here/complete.zsh" "$prefix/share/zsh/site-functions" \
        "${words[*]}" "$wanted") || fail "zsh does not complete '${words[*]}' to '$wanted'"
done <<'END'
validate ameron-sidecar va
--log-level ameron-sidecar serve --log-l
debug ameron-sidecar serve --log-level de
sidecar.yaml ameron-sidecar serve --config sid
END

tarball=$(HOME=$home make --no-print-directory tarball 2>"$work/log" | tail -1) || fail "$(cat "$work/log")"
mkdir "$work/unpacked"
tar -xzf "$tarball" -C "$work/unpacked" --strip-components=1
diff <(look | sed 's, opt/sidecar/, ,') <(cd "$work/unpacked" && find . -type f -printf '%m %P\n' | sort -k 2) ||
    fail "other files in the tarball than those that are installed"
[ "$("$work/unpacked/bin/ameron-sidecar" --version | head -1)" = "$version" ] || fail "another program in the tarball"

make --no-print-directory uninstall DESTDIR="$root" PREFIX=/opt/sidecar >/dev/null
[ -z "$(look)" ] || fail "left behind: $(look)"
[ ! -e "$prefix/share/doc/ameron-sidecar" ] || fail "its folder of documents is left behind"
echo "installed, looked at, and uninstalled: $version"
