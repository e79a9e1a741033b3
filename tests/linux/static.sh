#!/bin/sh
# The archive, linked into static programs: the same contracts, threads and contents.
set -u
build=${LARDER_BUILD:-build}
cc=${CC:-gcc}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
programs='contracts threads stress startup'
number=0
failed=0

echo "1..$(echo "$programs" | wc -w)"
for name in $programs; do
    number=$((number + 1))
    not='not '
    # A static PIE would be one more combination; this is what -static means everywhere.
    if $cc -std=c11 -D_GNU_SOURCE -DTAP_LINKED=1 -O1 -fno-builtin -w -static -Itests/linux/support \
        tests/linux/"$name".c tests/linux/support/*.c "$build/linux/liblarder.a" -pthread -lm \
        -o "$work/$name" >"$work/log" 2>&1 && "$work/$name" >>"$work/log" 2>&1; then
        not=
    else
        failed=1
        sed 's/^/# /' "$work/log"
    fi
    echo "${not}ok $number - $name, linked statically"
done
exit $failed
