# SPDX-License-Identifier: MIT
# Sourced by the scripts that fetch a source package: `fetch_source` takes one from the machine's own Debian archive.
# apt gets a private state of its own, so the machine's lists and caches are neither used nor changed; it checks the
# release's signature and the files' digests.

# fetch_source PACKAGE SUITE [OPTION...]: downloads its files into $private/download, with more options for `apt-get source`.
# $private is removed when the script ends.
fetch_source() {
    local package=$1 suite=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    is_debian && command -v dpkg-source >/dev/null || cannot "apt-get and dpkg-source (package dpkg-dev) are needed"
    mkdir -p "$build"
    private=$(mktemp -d "$build/fetch-$package.XXXXXX")
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
    say "fetching the source of $package"
    retry download_source "$package" "${@:3}" || cannot "could not fetch $package from the machine's Debian archive"
}

download_source() {
    APT_CONFIG=$private/apt.conf apt-get -qq update &&
        (cd "$private/download" && APT_CONFIG=$private/apt.conf apt-get -qq source --download-only "${@:2}" "$1")
}
