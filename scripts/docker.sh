#!/usr/bin/env bash
# Builds the container image and says what is in it: docker.sh IMAGE
# Environment: DOCKER (docker, or podman)
set -euo pipefail
cd "$(dirname "$0")/.."
image=$1
docker=${DOCKER:-docker}
command -v "$docker" >/dev/null || {
    echo "make docker needs the command $docker (make docker DOCKER=podman takes podman)" >&2
    exit 1
}

version=$(sed -nE 's/.*current = "(.*)"/\1/p' Sources/Gateway/Text/Version.swift)
revision=$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)
options=()
# podman's own format has no health checks.
"$docker" --version | grep -qi podman && options+=(--format docker)
"$docker" build "${options[@]}" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" -t "$image" .

echo "Software bill of materials (CycloneDX; /usr/share/doc/ameron-sidecar/sbom.cdx.json in the image):"
"$docker" run --rm --entrypoint cat "$image" /usr/share/doc/ameron-sidecar/sbom.cdx.json
echo "$image: $(($("$docker" image inspect -f '{{.Size}}' "$image") / 1000000)) MB"
