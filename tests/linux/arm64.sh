#!/bin/sh
# tests/linux/arm64.sh PAGE_BYTES PROGRAM...: programs of this folder built for arm64, with the
# arm64 library preloaded, in an emulator of one process (on arm64: as they are).
#
# qemu-user cannot make pages larger than the machine's: the port takes them for that large. Old
# versions of it pay for address space, 6 GB for 1 TiB, so the reservation is kept small by
# `ulimit -v`. What counts resident memory counts the emulator's too, and is not for here.
set -u
page_bytes=$1
shift
build=${LARDER_BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
emulator=qemu-aarch64
[ "$(uname -m)" != aarch64 ] || emulator=
number=0
failed=0

if [ -n "$emulator" ] && { ! command -v $emulator || [ ! -e /lib/ld-linux-aarch64.so.1 ]; } >/dev/null; then
    echo '1..0 # SKIP qemu-user and libc6:arm64 are not installed'
    exit 0
fi
# shellcheck disable=SC3045 # dash and bash have it
ulimit -v 20000000
echo "1..$#"
for program; do
    number=$((number + 1))
    not=
    # shellcheck disable=SC2086 # empty or a word
    LARDER_PAGE_BYTES=$page_bytes env ${emulator:+$emulator -E} LD_PRELOAD="$build/linux-aarch64/liblarder.so" \
        "$build/linux-aarch64/tests/linux/$program" >"$work/log" 2>&1 || not='not '
    if [ -n "$not" ] || ! grep -q '^1\.\.' "$work/log"; then
        not='not '
        failed=1
        sed 's/^/# /' "$work/log"
    fi
    echo "${not}ok $number - $program on arm64 with pages of $page_bytes bytes"
done
exit $failed
