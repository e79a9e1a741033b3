#!/bin/sh
# What a small program has of the library in its memory: nothing of what is rare (homes/linux/layout.ld), and
# little of the rest.
set -u
build=$(cd "${LARDER_BUILD:-build}/linux" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
number=0

expect() { # WHAT COMMAND...
    number=$((number + 1))
    what=$1
    shift
    if "$@"; then echo "ok $number - $what"; else
        failed=1
        echo "not ok $number - $what"
        sed 's/^/# /' "$work/rss"
    fi
}

# KiB by permissions of the mapping: its size, what is resident, what of that was written.
LD_PRELOAD=$build/liblarder.so cat /proc/self/smaps |
    awk '/^[0-9a-f]+-/ { kind = /liblarder/ ? $2 : "" }
         kind != "" && /^(Size|Rss|Private_Dirty):/ { kib[kind] = kib[kind] " " $2 }
         END { for (kind in kib) print kind kib[kind] }' >"$work/rss"
resident() { awk -v kind="$1" '$1 == kind { for (i = 3; i <= NF; i += 3) sum += $i } END { print sum + 0 }' "$work/rss"; }
size() { awk -v kind="$1" '$1 == kind { print $2 }' "$work/rss"; }
rare=$(readelf -SW "$build/liblarder.so" | sed -n 's/.* \.text_rare *PROGBITS *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p')
rare=$((0x${rare:-0} / 1024))

echo 1..3
expect 'there is rare code' [ "$rare" -ge 16 ]
expect "none of its $rare KiB is resident" [ "$(resident r-xp)" -le $(($(size r-xp) - rare)) ]
expect 'all of the library that is resident are 128 KiB' \
    [ $(($(resident r-xp) + $(resident r--p) + $(resident rw-p))) -le 128 ]
exit $failed
