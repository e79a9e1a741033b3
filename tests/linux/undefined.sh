#!/bin/sh
# The library with the core's assertions, and a trap wherever C leaves a result undefined (UBSan,
# without its run-time library, which would need a malloc): contracts, contents and the fuzzer.
set -u
build=$(realpath "${LARDER_BUILD:-build}")
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
number=0
failed=0

echo 1..4
for program in contracts stress realloc 'fuzz 12'; do
    number=$((number + 1))
    not=
    # shellcheck disable=SC2086 # a program and its argument
    env LD_PRELOAD="$build/linux-undefined/liblarder.so" "$build/plain/tests/linux/"$program >"$log" 2>&1 || {
        not='not '
        failed=1
        sed 's/^/# /' "$log"
    }
    echo "${not}ok $number - $program, with assertions and traps"
done
exit $failed
