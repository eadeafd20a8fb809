#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetch mbedTLS 3.6 as Debian trixie's source package and unpack it to build/mbedtls.
#
# The mirror is the one the machine's own apt is set up with; none is named here. Everything apt writes (lists, cache)
# goes to a private folder under build/, so the machine's own apt state is neither used nor changed. apt checks the
# signature of the release and the digests of the files. Safe to run again: does nothing where the tree is complete.
#
# Usage: fetch-mbedtls.sh            Exit status: 0 the tree is there, 2 it could not be had.
set -eu

suite=trixie
version_wanted=3.6
top=$(cd "$(dirname "$0")/../.." && pwd)
target=$top/build/mbedtls
stamp=$target/.fetched
attempts=4

say() { printf 'fetch-mbedtls: %s\n' "$*" >&2; }

[ -f "$stamp" ] && exit 0

for tool in apt-get dpkg-source; do
    command -v "$tool" >/dev/null || { say "$tool is missing: apt-get install apt dpkg-dev"; exit 2; }
done

# The archive this machine installs its main packages from: the first repository that is not a security one.
site=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' |
    awk '$2 !~ /security|updates|backports/ { print $1; exit }')
[ -n "$site" ] || { say "apt on this machine knows no package source"; exit 2; }

mkdir -p "$top/build"
private=$(mktemp -d "$top/build/fetch-mbedtls.XXXXXX")
trap 'rm -rf "$private"' EXIT
trap 'exit 2' HUP INT TERM
mkdir -p "$private/state/lists/partial" "$private/cache/archives/partial" "$private/sources" "$private/download"
: > "$private/state/status"

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
{
    printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n' "$site" "$suite"
    [ ! -f "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
} > "$private/sources/trixie.sources"
cat > "$private/apt.conf" <<CONF
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

# A mirror may be in the middle of its own update, with an index that does not fit its files yet: ask again later.
attempt=1
until fetch; do
    [ "$attempt" -lt "$attempts" ] || { say "no source package after $attempts attempts"; exit 2; }
    say "attempt $attempt failed, next one in $((attempt * 5)) s"
    sleep $((attempt * 5))
    attempt=$((attempt + 1))
done

description=$(find "$private/download" -name 'mbedtls_*.dsc')
case ${description##*/} in
    mbedtls_"$version_wanted".*) ;;
    *) say "wanted mbedTLS $version_wanted, the archive has ${description##*/}"; exit 2 ;;
esac
dpkg-source --no-check -x "$description" "$private/tree" > "$private/unpack.log" 2>&1 ||
    { cat "$private/unpack.log" >&2; exit 2; }

rm -rf "$target"
mv "$private/tree" "$target"
basename "$description" .dsc > "$stamp"
say "$(cat "$stamp") is in build/mbedtls"
