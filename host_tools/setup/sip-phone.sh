#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sip-phone.sh ARCHITECTURE...: Debian trixie's baresip (a SIP stack), OpenSSL, its PKCS#11 provider and curl with their
# libraries, unpacked into build/sip-phone/ARCHITECTURE. Nothing of it is installed. tests/helpers/servers/trixie.py runs it:
# Debian 12 has no PKCS#11 provider, and its libc is too old for trixie's programs.
source "$(dirname "$0")/common.sh"

fetch() { # fetch DEBIAN_ARCHITECTURE FOLDER
    local mode=auto
    [ "$(id -u)" = 0 ] || mode=chrootless # unpacking alone needs no root rights
    rm -rf "$2"
    mmdebstrap --quiet --mode="$mode" --arch="$1" --variant=extract \
        --include=baresip-core,pkcs11-provider,openssl,curl \
        --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        trixie "$2" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_site) trixie main" </dev/null
}

for architecture in "$@"; do
    case $architecture in
    aarch64) debian=arm64 ;;
    x86_64) debian=amd64 ;;
    *) cannot "no SIP phone for '$architecture': aarch64 or x86_64" ;;
    esac
    folder=$build/sip-phone/$architecture
    [ ! -e "$folder/.fetched" ] || continue
    "$top/host_tools/setup/apt.sh" micropython # mmdebstrap, keys, the emulator
    say "fetching baresip and OpenSSL's PKCS#11 provider for $architecture"
    mkdir -p "$build/sip-phone"
    if ! retry fetch "$debian" "$folder.part"; then
        cannot "could not fetch baresip for $architecture from the machine's Debian archive"
    fi
    ln -sfn usr/lib "$folder.part/lib" # extract leaves out the merged-/usr links
    [ "$architecture" = aarch64 ] || ln -sfn usr/lib64 "$folder.part/lib64"
    touch "$folder.part/.fetched"
    rm -rf "$folder"
    mv "$folder.part" "$folder"
done
