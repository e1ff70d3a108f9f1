#!/usr/bin/env bash
# Checks compose.yaml, the Dockerfiles and all below deploy/ without a container engine or a cluster.
#
#   check-deploy.sh                  all of it; the Sidecar's configurations only where an executable is built
#   check-deploy.sh configurations   those alone
#
# The first run installs the tools into .venv-deploy: four Python packages, and promtool out of Debian's package
# `prometheus`, which itself is not installed, as it would start a server and needs a dozen others.
# Environment: SIDECAR (the executable; else the newer one of .build/release and .build/debug)
set -euo pipefail
cd "$(dirname "$0")/.."

tools=.venv-deploy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

install_tools() {
    scripts/venv.sh $tools scripts/check-deploy.txt
    [ ! -x $tools/bin/promtool ] || return 0
    # Here, as apt drops its rights for the download.
    (cd "$work" && chmod 755 . && { apt-get download -qq prometheus 2>/dev/null || update_and_download; })
    dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar -x -C $tools/bin --strip-components=3 ./usr/bin/promtool
}

update_and_download() {
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q >&2
    apt-get download -qq prometheus
}

# With empty files for the secrets that a configuration names.
check_configurations() {
    local sidecar=${SIDECAR:-.build/release/ameron-sidecar} debug=.build/debug/ameron-sidecar file secret
    [ -n "${SIDECAR:-}" ] || [ ! $debug -nt "$sidecar" ] || sidecar=$debug
    if [ ! -x "$sidecar" ]; then
        echo "No executable is built: \`make test\` checks the configurations below deploy/."
        return
    fi
    while read -r file; do
        sed "s#\${file:/#\${file:$work/#" "$file" >"$work/ameron-sidecar.yaml"
        while read -r secret; do
            mkdir -p "$(dirname "$secret")"
            echo secret >"$secret"
        done < <( # shellcheck disable=SC2016
            sed -n 's/^[^#]*${file:\(.*\)}.*/\1/p' "$work/ameron-sidecar.yaml"
        )
        "$sidecar" validate --elsewhere --config "$work/ameron-sidecar.yaml" >"$work/validated" ||
            { echo "error: $file (above)" >&2; return 1; }
        echo "ok: $file"
    done < <(find deploy -name ameron-sidecar.yaml -not -path '*/provisioning/*')
}

if [ "${1:-}" = configurations ]; then
    check_configurations
    exit
fi

install_tools
PATH=$PWD/$tools/bin:$PATH

mapfile -t yaml < <(find compose.yaml deploy .github -name '*.y*ml')
yamllint --strict -d '{extends: default, rules: {line-length: {max: 120}, document-start: disable,
    braces: {max-spaces-inside: 1}, comments: {min-spaces-from-content: 2}}}' "${yaml[@]}"

mapfile -t docker < <(find . -path './.*' -prune -o -name 'Dockerfile*' -print)
hadolint --ignore DL3008 "${docker[@]}" # DL3008: versions are those of the Debian release

check-jsonschema --builtin-schema vendor.compose-spec compose.yaml >"$work/compose" ||
    { cat "$work/compose" >&2; exit 1; }

check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml >"$work/workflows" ||
    { cat "$work/workflows" >&2; exit 1; }

# The oldest version that has all that is used, and the newest that the validator knows. Kustomizations and what
# operators define have no schema there; check_deploy.py looks at them.
mapfile -t manifests < <(find deploy/kubernetes -name '*.yaml' -not -name 'ameron-sidecar.yaml' \
    -not -name kustomization.yaml -not -name podmonitor.yaml)
for version in 1.30.0 1.37.0; do
    kubernetes-validate --strict --quiet -k $version "${manifests[@]}"
done
if kustomize=$(command -v kustomize || command -v kubectl); then
    [ "${kustomize##*/}" = kustomize ] && build=(build) || build=(kustomize)
    "$kustomize" "${build[@]}" deploy/kubernetes/monitoring >"$work/rendered.yaml"
    kubernetes-validate --strict --quiet --no-warn "$work/rendered.yaml"
fi

# Metrics and references; writes the dashboard's queries as rules, which promtool then reads.
python scripts/check_deploy.py "$work/queries.yaml"
promtool check rules --lint=all --lint-fatal deploy/prometheus/alerts.yaml "$work/queries.yaml" >"$work/promtool" ||
    { cat "$work/promtool" >&2; exit 1; }
promtool check config --lint=all --lint-fatal deploy/prometheus/prometheus.yml >"$work/promtool" ||
    { cat "$work/promtool" >&2; exit 1; }
promtool test rules deploy/prometheus/alerts.test.yaml >"$work/promtool" || { cat "$work/promtool" >&2; exit 1; }

Tests/deploy/supervise.sh
check_configurations
echo "ok: ${#yaml[@]} YAML files, ${#docker[@]} Dockerfiles, the dashboard and the alerts"
