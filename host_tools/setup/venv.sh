#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# venv.sh [EXTRA]: .venv with this project (editable) and the extra of pyproject.toml. A stamp makes repeats free.
source "$(dirname "$0")/common.sh"
extra=${1:-dev}
venv=$top/.venv
stamp=$venv/.phonetrust-$extra

# A Python that is new enough and whose venv can bring pip.
usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}
find_python() {
    local candidate
    for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && usable "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

wanted=$(sha256sum <"$top/pyproject.toml")
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    exit 0
fi
if ! python=$(find_python); then
    "$top/host_tools/setup/apt.sh" python
    python=$(find_python) || cannot "Python 3.11 or later with venv is needed (Debian 12 or later has it: python3-venv)"
fi
if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    say "making .venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi
say "installing the Python packages of pyproject.toml ($extra) into .venv"
if ! retry "$venv/bin/python" -m pip install -qq --editable "$top[$extra]" </dev/null; then
    cannot "pip could not install the packages of pyproject.toml (its messages are above)"
fi
printf '%s\n' "$wanted" >"$stamp"
