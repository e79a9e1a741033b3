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
    '^  live  *[23]\.[0-9] MiB  #####' '^  metadata ' '^  heap-112  *1000  *109 KiB'
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
