#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# micropython.sh ARCHITECTURE...: MicroPython with its libraries as Debian trixie packages it, unpacked into
# build/micropython/ARCHITECTURE (aarch64: as on the board; x86_64: fast on a PC). Nothing of it is installed.
source "$(dirname "$0")/common.sh"

fetch() { # fetch DEBIAN_ARCHITECTURE FOLDER
    local mode=auto
    # Unpacking alone needs no root rights; mmdebstrap's own choice for others would be user namespaces.
    [ "$(id -u)" = 0 ] || mode=chrootless
    rm -rf "$2"
    mmdebstrap --quiet --mode="$mode" --arch="$1" --variant=extract --include=micropython \
        --aptopt='Acquire::Retries "3"' \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        trixie "$2" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_site) trixie main" </dev/null
}

for architecture in "$@"; do
    case $architecture in
    aarch64) debian=arm64 ;;
    x86_64) debian=amd64 ;;
    *) cannot "no MicroPython for '$architecture': aarch64 or x86_64" ;;
    esac
    folder=$build/micropython/$architecture
    [ ! -x "$folder/usr/bin/micropython" ] || continue
    "$top/host_tools/setup/apt.sh" micropython
    say "fetching MicroPython for $architecture"
    mkdir -p "$build/micropython"
    rm -rf "$folder.part"
    if ! retry fetch "$debian" "$folder.part"; then
        cannot "could not fetch MicroPython for $architecture from the machine's Debian archive"
    fi
    ln -sfn usr/lib "$folder.part/lib" # extract leaves out the merged-/usr links
    [ "$architecture" = aarch64 ] || ln -sfn usr/lib64 "$folder.part/lib64"
    rm -rf "$folder"
    mv "$folder.part" "$folder"
    printf 'Debian %s\n' "$("$top/host_tools/setup/micropython" "$architecture" -c \
        'import sys; print(sys.version)')" >&2
done
