#!/bin/sh
# larder top, snapshot, whatis and leaks on a program that waits: what they say of what it holds.
set -u
build=${LARDER_BUILD:-build}
larder=$build/larder
library=$(realpath "$build/linux/liblarder.so")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0

# WHAT CODE PATTERN…: the code of the command before, and lines of what it said.
expect() {
    what=$1 status=0
    [ "$code" = "$2" ] || { echo "# exit code $code" && status=1; }
    shift 2
    for pattern in "$@"; do
        grep -q -e "$pattern" "$work/said" || { echo "# not there: $pattern" && status=1; }
    done
    count=$((count + 1))
    [ $status = 0 ] || { sed 's/^/# /' "$work/said" | head -20 && printf 'not '; }
    echo "ok $count - $what"
}

run() {
    "$larder" "$@" >"$work/said" 2>&1
    code=$?
}

# Holds 1000 objects of one call site, and a run; says where one of them is, and waits.
cat >"$work/program.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline)) static void *forgetful(void) {
    return malloc(100);
}
int main(void) {
    void *volatile kept[1000], *volatile run = malloc(3000000);
    for (int i = 0; i < 1000; i++)
        kept[i] = forgetful();
    printf("%p\n", kept[7]);
    fflush(stdout);
    return run && getchar() == EOF ? 0 : 1;
}
END
${CC:-gcc} -g -O1 -fno-builtin "$work/program.c" -o "$work/program" || exit 1
mkfifo "$work/hold"
# PATH VARIABLE=VALUE…: start it with its control socket there, until descriptor 3 is closed.
start() {
    socket=$1
    shift
    : >"$work/where"
    env LD_PRELOAD="$library" LARDER_CONTROL="$socket" "$@" "$work/program" <"$work/hold" >"$work/where" &
    process=$!
    exec 3>"$work/hold"
    until [ -s "$work/where" ] || ! kill -0 $process; do sleep 0.1; done
}
start "$work/socket" LARDER_DEBUG=U

run top "$work/socket"
expect "top, without a terminal: one picture" 0 "^larder top: process $process (program)  *resident " \
    '^  live  *[23]\.[0-9] MiB  #####' '^  metadata ' '^  heap-112  *1000  *109 KiB' \
    '^ *109 KiB  *1000  .*forgetful .*program.c:[0-9]'
run snapshot -o "$work/snapshot.json" "$work/socket"
expect "snapshot" 0
python3 - "$work/snapshot.json" >"$work/said" 2>&1 <<'END'
import json, sys
data = json.load(open(sys.argv[1], encoding="utf-8"))
frames = data["frames"]
assert sum(block[1] for block in frames["blocks"]) == frames["frames"]
assert any(block[2] == "run" and block[1] >= 733 for block in frames["blocks"])
assert next(one for one in data["caches"] if one["name"] == "heap-112")["live"] >= 1000
END
code=$?
expect "its numbers" 0
run report --json -o "$work/report.json" "$work/snapshot.json"
expect "a report of a snapshot" 0
# Frame by frame, counted here: runs, what slabs hold, what is free by order, and where they lie.
python3 - "$work/snapshot.json" "$work/report.json" >"$work/said" 2>&1 <<'END'
import json, sys
taken, report = [json.load(open(name, encoding="utf-8")) for name in sys.argv[1:]]
blocks, moment = taken["frames"]["blocks"], report["moments"][0]
cells = moment["cells"]
size = {taken["frames"]["caches"][str(b[4])]: 1 for b in blocks if b[2] == "slab"}
size = {one["name"]: one["object_bytes"] for one in taken["caches"] if one["name"] in size and not one["is_internal"]}
held = {n: sum(b[6] for b in blocks if b[2] == "slab" and taken["frames"]["caches"][str(b[4])] == n) for n in size}
runs = [b for b in blocks if b[2] == "run"]
reach = sum((b[0] + b[1] - 1) // report["cell_frames"] - b[0] // report["cell_frames"] + 1 for b in runs)
assert sum(cells["objects"]) == sum(held.values()) + reach, (sum(cells["objects"]), held, reach)
line = next(one for one in moment["caches"] if one["name"] == "runs")
assert line["live"] == len(runs) and line["slab_bytes"] == 4096 * sum(b[1] for b in runs)
free = sum(b[1] for b in blocks if b[2] == "free")
assert report["orders"]["free_frames"] == [free]
assert sum(row["free_blocks"][0] << row["order"] for row in report["orders"]["rows"]) == free
sites = {report["frames"][one["stack"][0]]["function"]: one for one in report["sites"] if one["stack"]}
assert (sites["forgetful"]["end_blocks"], sites["forgetful"]["end_bytes"]) == (1000, 112000), sites
lit = {n for names in cells["sites"] for n in names}
assert lit == {sites["main"]["site"]}, lit
assert report["lifetimes"] is None and report["policies"] is None and "requested" not in moment
END
code=$?
expect "its numbers are the snapshot's" 0
sed 's/"time_unix_ms": [0-9]*/"time": 1/' "$work/snapshot.json" >"$work/old.json"
run report --json -o "$work/x" "$work/old.json"
expect "a snapshot without a time" 1 'old.json: it does not say when'
sed '0,/^   \[/s//   [ "pear",/' "$work/snapshot.json" | sed 's/"frames": [0-9][0-9]*,/"frames": 7,/' >"$work/bad.json"
run report --json -o "$work/x" "$work/bad.json"
expect "a damaged one" 1 'bad.json: '
sed 's/"process": [0-9]*/"process": 1/' "$work/snapshot.json" >"$work/other.json"
run report --json -o "$work/x" "$work/snapshot.json" "$work/other.json"
expect "two processes" 1 'one process a report'
head -c 1000 "$work/snapshot.json" >"$work/cut.json"
run report --json -o "$work/x" "$work/cut.json"
expect "one that is cut off" 1 'cut.json: .*(line [0-9]'
run whatis "$work/socket" "$(cat "$work/where")"
expect "whatis" 0 '^kind  *slab$' 'bytes of cache heap-112, taken$' '^offset  *0 bytes' '^allocated by 0x'
run whatis "$work/socket" 10
expect "whatis of what is not larder's" 0 '^kind  *foreign$'
run leaks "$work/socket"
expect "leaks, by call site" 0 '^ *109 KiB  *1000  .* forgetful .*program.c:4' '^ *2\.9 MiB  *1  *?  *?  main '

exec 3>&-
wait $process
start "$work/other"
run leaks "$work/other"
expect "leaks without call sites" 1 'LARDER_DEBUG=U'
exec 3>&-
wait $process
run top "$work/other"
expect "nobody answers" 1 'no answer from .*LARDER_CONTROL=1'
run whatis "$work/other" pear
expect "no address" 2 'hexadecimal number, not "pear"'
run top --interval=1 1
expect "too short an interval" 2 'not "1"'
run snapshot
expect "no process" 2 'say which process'
echo "1..$count"
