#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch-mbedtls.sh: mbedTLS 3.6 from Debian trixie's source package, unpacked into build/mbedtls. Silent when it is there.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/source-package.sh"

version=3.6
target=$build/mbedtls

[ ! -f "$target/.fetched" ] || exit 0
fetch_source mbedtls trixie
description=$(find "$private/download" -name "mbedtls_$version.*.dsc")
[ -f "$description" ] || cannot "the archive's mbedTLS is not $version:" "$(ls "$private/download")"
dpkg-source --no-check -x "$description" "$private/tree" >"$private/log" 2>&1 || cannot "$(cat "$private/log")"
rm -rf "$target"
mv "$private/tree" "$target"
basename "$description" .dsc >"$target/.fetched"
