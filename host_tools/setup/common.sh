# SPDX-License-Identifier: MIT
# Sourced by the setup scripts: where things are, plain messages, retries, rights.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$top/build

say() { printf '== %s\n' "$*" >&2; }

# The machine lacks something that we cannot install: say what, exit 2.
cannot() {
    printf 'setup: %s\n' "$*" >&2
    exit 2
}

# retry COMMAND...: three tries with growing pauses, because a mirror refuses requests for a while during its own update.
retry() {
    local try
    for try in 1 2 3; do
        if "$@"; then return 0; fi
        if [ "$try" -lt 3 ]; then
            say "failed (try $try of 3), again in $((try * 15)) s: $*"
            sleep $((try * 15))
        fi
    done
    return 1
}

is_debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    elif command -v sudo >/dev/null && [ -t 0 ]; then
        sudo "$@"
    else
        cannot "root or sudo is needed once, for: $*"
    fi
}

# The Debian archive that this machine's own apt uses; no script names one.
debian_site() {
    local site
    site=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' 'Label: Debian' 2>/dev/null | sed -n 1p)
    if [ -z "$site" ]; then # apt knows labels only after the first `apt-get update`
        site=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' | grep -v security | sed -n 1p || true)
    fi
    [ -n "$site" ] || cannot "apt has no Debian package source configured"
    printf '%s\n' "$site"
}
