#!/bin/sh
# Prints what the image consists of as CycloneDX 1.5 JSON: sbom.sh PACKAGE.RESOLVED VERSION
# Runs in the image, whose shell and awk are all it needs: Debian's packages by dpkg-query, Swift's by SwiftPM's own record.
set -eu

{
    dpkg-query -W -f 'deb\t${Package}\t${Version}\t${Architecture}\n'
    sed -nE 's/^ *"(location|version)" : "(.*)",?$/\1\t\2/p' "$1"
} | awk -F '\t' -v version="$2" '
    function encoded(text) { gsub(/%/, "%25", text); gsub(/\+/, "%2B", text); gsub(/:/, "%3A", text); return text }
    function component(name, version, url) {
        printf "%s{\"type\":\"library\",\"name\":\"%s\",\"version\":\"%s\",\"purl\":\"%s\"}",
            separator, name, version, url
        separator = ",\n"
    }
    BEGIN {
        printf "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"version\":1,\"metadata\":{\"component\":" \
            "{\"type\":\"application\",\"name\":\"ameron-sidecar\",\"version\":\"%s\"}},\"components\":[\n", version
    }
    $1 == "deb" { component($2, $3, "pkg:deb/debian/" encoded($2) "@" encoded($3) "?arch=" $4 "&distro=debian-12") }
    $1 == "location" { location = $2; sub(/^https:\/\//, "", location); sub(/\.git$/, "", location) }
    $1 == "version" {
        name = location
        sub(/.*\//, "", name)
        component(name, $2, "pkg:swift/" location "@" encoded($2))
    }
    END { print "\n]}" }'
