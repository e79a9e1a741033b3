#!/bin/sh
# LARDER_HARDENED=1: each memory error ends the program, one error per run, with the exact words where
# larder can say them and by a fault where a guard is hit; and what a program can see of the rest.
set -u
library=$(realpath "${LARDER_BUILD:-build}/linux/liblarder.so")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0
failed=0

${CC:-gcc} -O1 -w -fno-builtin -D_GNU_SOURCE tests/linux/programs/hardened.c -o "$work/program" -pthread \
    -Wl,-z,dynamic-undefined-weak ||
    exit 1

# VERB [VARIABLE=VALUE…]
run() {
    verb=$1
    shift
    env LD_PRELOAD="$library" LARDER_HARDENED=1 "$@" "$work/program" "$verb" >"$work/out" 2>"$work/err"
    status=$?
}

# TEXT CONDITION…
expect() {
    text=$1
    shift
    number=$((number + 1))
    if "$@"; then
        echo "ok $number - $text"
    else
        failed=1
        echo "not ok $number - $text"
        { echo "status $status"; head -n 5 "$work/out" "$work/err"; } | sed 's/^/# /'
    fi
}

# VERB WORDS: the report's line, whatever the address; the program is aborted (134).
names() {
    run "$1"
    words=$(grep '^BUG ' "$work/err" | sed 's/0x[0-9a-f]*/AT/')
    expect "$1: $2" [ "$status $(cat "$work/out") $words" = "134 ready BUG $2" ]
}

# VERB: a segmentation fault (139) after it was ready.
faults() {
    run "$1"
    expect "$1 faults" [ "$status $(cat "$work/out")" = '139 ready' ]
}

echo 1..25
names double_free_at_once 'heap-112: double free: AT: the object is free already'
names double_free_later 'heap-112: double free: AT: the object is free already'
names double_free_by_another_thread 'heap-112: double free: AT: the object is free already'
names double_free_of_a_large_block 'free frames: double free: AT: the frames are free already'
names free_of_the_interior 'heap-112: free of an interior pointer: AT: not the start of an object'
names free_of_the_interior_of_a_large_block 'frames: free of an interior pointer: AT: not the start of the block'
names free_of_the_stack 'nobody: free of foreign memory: AT: outside the memory of this instance'
names free_of_a_guard 'reserved: free of reserved memory: AT: never given out'
names realloc_of_a_freed_object 'heap-112: double free: AT: the object is free already'
names realloc_of_the_stack 'nobody: free of foreign memory: AT: outside the memory of this instance'
names free_with_a_wrong_size 'heap-112: free with the wrong order or size: AT: the size given does not belong to this memory'
names write_after_free 'heap-112: written after free: AT: a wiped byte has changed'
for verb in overflow_of_a_large_block underflow_of_a_large_block overflow_of_a_slab underflow_of_a_slab \
    read_of_a_freed_large_block; do
    faults $verb
done

run read_after_free
expect 'a freed object reads as zeroes, and its place is not given out again soon' \
    [ "$status $(cat "$work/out")" = '0 zeroes' ]
run print_order
cp "$work/out" "$work/first"
run print_order
expect 'the order differs from run to run' eval '[ -s "$work/out" ] && ! cmp -s "$work/out" "$work/first"'
run print_order_of_a_fork
expect 'parent and child draw differently' eval \
    '[ "$(wc -l <"$work/out")" = 3 ] && [ "$(sort -u "$work/out" | wc -l)" = 3 ]'

# What is kept back: 64 KiB for each of 72 size classes, 32 MiB of addresses for runs, of which nothing is
# resident. Read from the statistics at exit.
run fill_the_quarantine LARDER_STATS_FILE="$work/stats"
expect 'the quarantine is bounded in bytes' python3 - "$work/stats" <<'END'
import json, sys
stats = json.load(open(sys.argv[1]))
held = [one["in_quarantine"] * one["stride_bytes"] for one in stats["caches"]]
assert 0 < max(held) <= 65536, held
assert sum(held) <= 72 * 65536
assert 0 < stats["in_magazines"]["now"] <= 33 << 20, stats["in_magazines"]
assert stats["resident"]["now"] < 40 << 20, stats["resident"]
END
run many_blocks LARDER_STATS_FILE="$work/stats"
expect 'more blocks than may have guards: they are given out, and mappings stay below half of what is allowed' \
    eval '[ "$(cat "$work/out")" = "12000 blocks" ] && python3 -c "
import json; assert 16000 < json.load(open(\"$work/stats\"))[\"mappings\"] < 33500"'
run fill_the_quarantine LARDER_LIMIT=64M LARDER_STATS_FILE="$work/stats"
expect 'under a hard limit it keeps an eighth of that at most' python3 - "$work/stats" <<'END'
import json, sys
stats = json.load(open(sys.argv[1]))
assert 0 < stats["in_magazines"]["now"] <= 8.2 * 2 ** 20, stats["in_magazines"]
END

# ---- whole programs ----
# What other tests run, hardened: contents, threads, forks.
for name in threads contracts; do
    LARDER_HARDENED=1 "${LARDER_BUILD:-build}/plain/tests/linux/$name" >"$work/out" 2>"$work/err"
    status=$?
    expect "the test linux/$name passes hardened" [ $status = 0 ]
done
exit $failed
