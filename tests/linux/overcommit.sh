#!/bin/sh
# Memory that is accounted strictly, as databases have it: overcommit_memory=2. The setting is the
# whole machine's, so it is set in another kernel: user-mode Linux, on this machine's files.
#
# The script starts itself again in there: `overcommit.sh inside LIBRARY PROGRAM`.
set -u

# ---- inside ----

result() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# KiB that are charged to all processes while this one looks; $1: what it has preloaded
charged() {
    LD_PRELOAD=$1 awk '/^Committed_AS:/ { print $2 }' /proc/meminfo
}

inside() {
    number=0
    mount -t proc proc /proc && echo 2 >/proc/sys/vm/overcommit_memory
    result $? 'memory is accounted strictly'

    more=$(($(charged "$1") - $(charged '')))
    echo "# a small program: $more KiB more than with the C library's malloc"
    [ $more -lt 8192 ]
    result $? 'a small program is charged less than 8 MiB more'

    said=$(LD_PRELOAD=$1 "$2")
    status=$?
    echo "# $said"
    result $status 'memory ends in malloc(), and can be had again'

    said=$(LD_PRELOAD=$1 perl -e 'my @a = map { "x" x 1000 } 1 .. 20000; print scalar @a')
    [ "$said" = 20000 ]
    result $? 'perl takes 20 MB'

    said=$(LD_PRELOAD=$1 sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait; echo all')
    [ "$said" = all ]
    result $? 'processes beside each other'
    echo o >/proc/sysrq-trigger
    sleep 60
}

[ "${1:-}" != inside ] || inside "$2" "$3"

# ---- outside ----

if ! command -v linux.uml >/dev/null 2>&1; then
    echo '1..0 # SKIP there is no user-mode Linux (Debian has it for x86-64)'
    exit 0
fi
build=$(cd "${LARDER_BUILD:-build}" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
${CC:-gcc} -O1 -fno-builtin tests/linux/programs/overcommit.c -o "$work/program" || exit 1
printf '#!/bin/sh\nexec "%s/tests/linux/overcommit.sh" inside "%s/linux/liblarder.so" "%s/program"\n' \
    "$PWD" "$build" "$work" >"$work/init"
chmod +x "$work/init"

TMPDIR=$work timeout 200 linux.uml mem=256M rootfstype=hostfs rootflags=/ ro quiet \
    init="$work/init" con=null con0=null,fd:1 con1=null </dev/null >"$work/log" 2>&1
tr -d '\r' <"$work/log" | grep -e '^ok' -e '^not ok' -e '^#' >"$work/said"
if [ ! -s "$work/said" ]; then
    echo '1..0 # SKIP user-mode Linux does not start here:'
    sed 's/^/# /' "$work/log"
    exit 0
fi
cat "$work/said"
echo 1..5
! grep -q '^not ok' "$work/said"
