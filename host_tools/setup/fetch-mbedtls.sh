#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch-mbedtls.sh: mbedTLS 3.6 from Debian trixie's source package, unpacked into build/mbedtls. Silent when it is there.
# apt gets a private state of its own, so the machine's lists and caches are neither used nor changed; it checks the
# release's signature and the files' digests.
source "$(dirname "$0")/common.sh"

suite=trixie
version=3.6
target=$build/mbedtls
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

[ ! -f "$target/.fetched" ] || exit 0
is_debian && command -v dpkg-source >/dev/null || cannot "apt-get and dpkg-source (package dpkg-dev) are needed"

mkdir -p "$build"
private=$(mktemp -d "$build/fetch-mbedtls.XXXXXX")
trap 'rm -rf "$private"' EXIT
mkdir -p "$private"/{state/lists/partial,cache/archives/partial,sources,download}
: >"$private/state/status"
printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
    "$(debian_site)" "$suite" "$keyring" >"$private/sources/$suite.sources"
cat >"$private/apt.conf" <<CONF
Dir::State "$private/state";
Dir::State::status "$private/state/status";
Dir::Cache "$private/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$private/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
CONF

fetch() {
    APT_CONFIG=$private/apt.conf apt-get -qq update &&
        (cd "$private/download" && APT_CONFIG=$private/apt.conf apt-get -qq source --download-only mbedtls)
}

say "fetching the source of mbedTLS"
retry fetch || cannot "could not fetch mbedTLS from the machine's Debian archive"
description=$(find "$private/download" -name "mbedtls_$version.*.dsc")
[ -f "$description" ] || cannot "the archive's mbedTLS is not $version:" "$(ls "$private/download")"
dpkg-source --no-check -x "$description" "$private/tree" >"$private/log" 2>&1 || cannot "$(cat "$private/log")"
rm -rf "$target"
mv "$private/tree" "$target"
basename "$description" .dsc >"$target/.fetched"
