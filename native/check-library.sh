#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks a built library: it needs only libc, exports exactly the NAMES (default: phonetrust_...) that its HEADER (default:
# phonetrust.h and phonetrust_tls.h) declares, has no symbols for debugging, and has at most LIMIT bytes.
#
# Usage: check-library.sh LIBRARY LIMIT [HEADER [NAMES]]     Exit status: 0 all is right, 1 not; a line says what is wrong.
set -eu

library=$1
limit=$2
folder=$(dirname "$0")
headers=${3:-$folder/phonetrust.h $folder/phonetrust_tls.h}
names=${4:-'^PHONETRUST[A-Z_]*API.*phonetrust_[a-z_]*'}
failed=0
wrong() { printf '%s: %s\n' "$library" "$*" >&2; failed=1; }

needed=$(readelf --dynamic --wide "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
[ "$needed" = 'libc.so.6 ' ] || wrong "needs $needed"
exported=$(readelf --dyn-syms --wide "$library" | awk '$7 ~ /^[0-9]+$/ && $5 != "LOCAL" { print $8 }' | sort)
declared=$(grep -oh "$names(" $headers | grep -o '[A-Za-z0-9_]*($' | tr -d '(' | sort -u)
[ "$exported" = "$declared" ] || wrong "exports $(echo $exported), declared are $(echo $declared)"

! readelf --sections --wide "$library" | grep -q '\.symtab' || wrong "is not stripped"
size=$(wc -c < "$library")
[ "$size" -le "$limit" ] || wrong "has $size bytes, more than $limit"
[ "$failed" = 0 ] && printf '%s: %s bytes, %s functions, needs %s\n' "$library" "$size" "$(echo "$exported" | wc -l)" "$needed"
exit "$failed"
