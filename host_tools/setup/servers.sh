#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# servers.sh: the TFTP servers tftpd-hpa and atftpd, unpacked into build/servers (programs in build/servers/bin). Debian
# cannot install both at once, and an unpacked server starts no daemon and does not replace the machine's own.
source "$(dirname "$0")/common.sh"

servers=$build/servers
[ ! -x "$servers/bin/in.tftpd" ] || [ ! -x "$servers/bin/atftpd" ] || exit 0
is_debian || cannot "not a Debian machine: the tests need in.tftpd (tftpd-hpa) and atftpd, unpacked into build/servers"

say "fetching the TFTP servers tftpd-hpa and atftpd"
rm -rf "$servers"
mkdir -p "$servers/bin"
download() {
    # The lists may be missing or older than the archive: refresh them only then.
    (cd "$servers" && apt-get -qq -o APT::Sandbox::User=root download tftpd-hpa atftpd >&2) ||
        { as_root apt-get -qq update >&2 && false; }
}
retry download || cannot "apt-get could not download tftpd-hpa and atftpd (its messages are above)"
for archive in "$servers"/*.deb; do
    dpkg-deb -x "$archive" "$servers"
    rm "$archive"
done
ln -sfn ../usr/sbin/in.tftpd "$servers/bin/in.tftpd"
ln -sfn ../usr/sbin/atftpd "$servers/bin/atftpd"
