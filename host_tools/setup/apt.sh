#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# apt.sh GROUP...: install what is missing of these groups of packages.txt; silent when nothing is.
source "$(dirname "$0")/common.sh"

wanted=()
for group in "$@"; do
    mapfile -t found < <(awk -v group="$group" '$1 == group { print $2 }' "$top/host_tools/setup/packages.txt")
    [ "${#found[@]}" -gt 0 ] || cannot "packages.txt has no group '$group'"
    wanted+=("${found[@]}")
done

if ! is_debian; then
    cannot "this is not a Debian machine (no apt-get). Needed here, by Debian's package names: ${wanted[*]}." \
        "On Debian 12 or later this script installs them by itself."
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qxF "$package installed" <<<"$installed" || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

say "installing Debian packages: ${missing[*]}"

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=
cleanup() {
    rm -f "$log"
    [ -z "$made_policy" ] || as_root rm -f "$policy"
}
trap cleanup EXIT

# Tests start TFTP servers themselves: no package may start its daemon meanwhile. The machine's own policy stays.
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
fi

# The output of apt is shown only if apt fails.
install() {
    { as_root apt-get -qq -o Acquire::Retries=3 update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
            -o Dpkg::Use-Pty=0 --no-install-recommends install "${missing[@]}" </dev/null; } >"$log" 2>&1 ||
        { cat "$log" >&2 && false; }
}
if ! retry install; then
    cannot "apt-get could not install: ${missing[*]} (its messages are above)"
fi
