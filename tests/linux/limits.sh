#!/bin/sh
# Limits of the system: ulimit -v, ulimit -d, strict accounting of memory. A program works, or ends
# with a message; it never crashes.
set -u
build=$(cd "${LARDER_BUILD:-build}" && pwd) || exit 1
library=$build/linux/liblarder.so
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
number=0
failed=0

result() {
    number=$((number + 1))
    [ "$1" = 0 ] || failed=1
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; sed 's/^/# /' "$log"; fi
}

# $1: ulimit's letter; $2: KiB; $3: works or survives
limited() {
    (
        # shellcheck disable=SC3045 # dash and bash have both
        ulimit -"$1" "$2" || exit 99
        LD_PRELOAD=$library awk 'BEGIN { for (i = 0; i < 20000; i++) a[i] = i " of many"; print length(a) }'
    ) >"$log" 2>&1
    status=$?
    if [ "$3" = works ]; then
        [ "$(cat "$log")" = 20000 ] && [ $status = 0 ]
    else
        [ $status -lt 128 ] && { [ $status = 0 ] || [ -s "$log" ]; }
    fi
    result $? "ulimit -$1 $2 KiB: $3"
}

echo 1..12
limited v 4000000 works
limited v 1000000 works
limited v 400000 works
limited v 200000 works
limited v 100000 works
limited v 50000 survives
limited v 20000 survives
limited v 10000 survives
limited d 400000 works
limited d 100000 works
limited d 20000 survives

# Strict accounting (overcommit_memory=2) charges what is private and writable. The setting is the
# whole machine's, so it is not changed here: it is counted what would be charged. (Set, in another
# kernel: overcommit.sh.)
LD_PRELOAD=$library python3 -c '
charged = 0
for line in open("/proc/self/maps"):
    addresses, rights = line.split()[:2]
    first, end = (int(address, 16) for address in addresses.split("-"))
    charged += end - first if rights[1] == "w" and rights[3] == "p" else 0
print(charged >> 20, "MiB are charged")
assert "liblarder" in open("/proc/self/maps").read()
raise SystemExit(charged >= 128 << 20)
' >"$log" 2>&1
result $? 'a small program is charged less than 128 MiB by overcommit_memory=2'
exit $failed
