#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch-uboot.sh: the source of U-Boot 2025.01 from Debian trixie, unpacked into build/u-boot/source. Silent when it is there.
# Only the original source is taken, because Debian's patches are for other boards. host_tools/image/bootloader.py builds it.
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/source-package.sh"

version=2025.01
target=$build/u-boot/source

[ ! -f "$target/.fetched" ] || exit 0
fetch_source u-boot trixie --tar-only
archive=$(find "$private/download" -name "u-boot_$version.orig.tar.*")
[ -f "$archive" ] || cannot "the archive's U-Boot is not $version:" "$(ls "$private/download")"
mkdir "$private/tree" "$build/u-boot" 2>/dev/null || true
tar -C "$private/tree" --strip-components=1 -xf "$archive"
rm -rf "$target"
mv "$private/tree" "$target"
basename "$archive" >"$target/.fetched"
