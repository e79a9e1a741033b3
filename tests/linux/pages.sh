#!/bin/sh
# Systems with pages of 16 and 64 KiB: every program of this folder again, on a port that takes the
# system's pages for that large. One line of TAP for each program and size.
set -u
build=${LARDER_BUILD:-build}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
# What the system refuses has no page size (refused), and takes a minute.
programs=$(for source in tests/linux/*.c; do basename "$source" .c; done | grep -vx refused)

echo "1..$((2 * $(echo "$programs" | wc -w)))"
number=0
failed=0
for page_bytes in 16384 65536; do
    for program in $programs; do
        number=$((number + 1))
        not=
        LARDER_PAGE_BYTES=$page_bytes "$build/plain/tests/linux/$program" >"$log" 2>&1 || {
            not='not '
            failed=1
            sed 's/^/# /' "$log"
        }
        echo "${not}ok $number - $program with pages of $page_bytes bytes"
    done
done
exit $failed
