#!/bin/sh
# Statistics: at exit, on a signal while the program sleeps, by the GNU functions. What they must say
# is in statistics.py.
set -u
library=$(realpath "${LARDER_BUILD:-build}/linux/liblarder.so")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
${CC:-gcc} -O1 -fno-builtin -D_GNU_SOURCE tests/linux/programs/statistics.c -o "$work/program" -pthread ||
    exit 1

# FILE: wait for it, a minute at most.
await() {
    tries=0
    until [ -s "$1" ] || [ $tries -gt 600 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    [ -s "$1" ]
}

# FILE VARIABLE=VALUE… : a snapshot of a program that allocates nothing more.
snapshot() {
    file=$1
    shift
    rm -f "$work/ready" "$work/hold"
    mkfifo "$work/hold"
    env LD_PRELOAD="$library" LARDER_SNAPSHOT_SIGNAL=USR2 LARDER_SNAPSHOT_FILE="$file" "$@" \
        "$work/program" <"$work/hold" >"$work/ready" &
    exec 3>"$work/hold"
    await "$work/ready" && kill -USR2 $! && await "$file"
    exec 3>&-
    wait $!
}

env LD_PRELOAD="$library" LARDER_STATS=json LARDER_STATS_FILE="$work/end.json" "$work/program" </dev/null \
    >/dev/null || exit 1
env LD_PRELOAD="$library" LARDER_STATS=1 "$work/program" </dev/null 2>"$work/text" >/dev/null || exit 1
env LD_PRELOAD="$library" "$work/program" info >"$work/info" || exit 1
env LD_PRELOAD="$library" "$work/program" numbers >"$work/numbers" 2>"$work/stats" || exit 1
{
    snapshot "$work/signal.json" LARDER_PURGE_MS=100000 || echo "not ok - the snapshot's program ended well"
    [ -s "$work/signal.json" ] && echo "ok - a sleeping program writes a snapshot"
    # Without a thread of ours the next slow path writes.
    env LD_PRELOAD="$library" LARDER_BACKGROUND=0 LARDER_SNAPSHOT_SIGNAL=12 \
        LARDER_SNAPSHOT_FILE="$work/slow.json" "$work/program" busy || echo "not ok - the busy program ended well"
    cmp -s /dev/null "$work/stats" || echo "ok - malloc_stats writes to stderr"
    python3 tests/linux/statistics.py "$work"
} >"$work/tap"
awk '{ sub(/ok/, "ok " NR); print } END { print "1.." NR }' "$work/tap"
