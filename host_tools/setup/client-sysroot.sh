#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# client-sysroot.sh: Debian trixie's arm64 libraries and headers that the C example for phones is built with and runs
# with (libcurl, OpenSSL, libc), unpacked into build/sysroot/aarch64. Nothing of it is installed.
source "$(dirname "$0")/common.sh"

folder=$build/sysroot/aarch64
[ ! -e "$folder/.fetched" ] || exit 0
"$top/host_tools/setup/apt.sh" micropython # mmdebstrap, keys, the emulator

fetch() {
    local mode=auto
    [ "$(id -u)" = 0 ] || mode=chrootless # unpacking alone needs no root rights
    rm -rf "$folder.part"
    mmdebstrap --quiet --mode="$mode" --arch=arm64 --variant=extract \
        --include=libcurl4-openssl-dev,libssl-dev,libc6-dev \
        --aptopt='Acquire::Retries "3"' --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        trixie "$folder.part" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_site) trixie main" \
        </dev/null
}

say "fetching libcurl and OpenSSL for arm64"
mkdir -p "$build/sysroot"
if ! retry fetch; then
    cannot "could not fetch libcurl for arm64 from the machine's Debian archive"
fi
ln -sfn usr/lib "$folder.part/lib" # extract leaves out the merged-/usr links
touch "$folder.part/.fetched"
rm -rf "$folder"
mv "$folder.part" "$folder"
