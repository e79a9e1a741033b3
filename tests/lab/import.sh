#!/bin/sh
# larder import on files that the tools made (imports/README.md), and on lines after the specifications
# of those that are not to be had here: what comes out is what was in them.
set -u
# shellcheck source=tests/lab/support/tap.sh
. "$(dirname "$0")/support/tap.sh"
files=$(dirname "$0")/imports

# import FILE [FORMAT]: into $work/a.txt
import() {
    # shellcheck disable=SC2086 # no word iff there is no format
    "$larder" import ${2:-} "$1" -o "$work/a.ltr" 2>"$work/err" || { cat "$work/err"; return 1; }
    "$larder" dump "$work/a.ltr" >"$work/a.txt"
}

# events PATTERN: how many there are
events() {
    grep -c -E "^[0-9]+ [0-9]+ $1" "$work/a.txt"
}

# becomes FORMAT EXPECTED: standard input, imported by detection and by name, has these events
becomes() {
    cat >"$work/in"
    printf '%s\n' "$2" >"$work/wanted"
    for format in '' "$1"; do
        import "$work/in" $format && grep "^recorded-by: larder import $1$" "$work/a.txt" &&
            grep '^[0-9]' "$work/a.txt" >"$work/got" && diff "$work/wanted" "$work/got" || return 1
    done
}

mtrace() {
    import "$files/mtrace.txt" && is 63 "$(events 'malloc')" && is 5 "$(events realloc)" &&
        is 53 "$(events free)" && is 9 "$(events 'malloc [0-9]+ 48 ')" && is '' "$(sed 1d "$work/err")" &&
        grep "	0x11db			0	h$" "$work/a.txt"
}

ltrace() {
    import "$files/$1" && is 61 "$(events malloc)" && is 5 "$(events realloc)" && is 1 "$(events 'calloc [0-9]+ 300')" &&
        is 52 "$(events free)" && grep '1 frees named no live block' "$work/err" &&
        grep '^note: .*1 frees named no live block and are left out' "$work/a.txt"
}

ltrace_with_times() {
    ltrace ltrace-f.txt && grep '^997000 0 malloc 1 49$' "$work/a.txt"
}

# The run-time library of C++, which heaptrack brings along, allocates too.
heaptrack_raw() {
    import "$files/heaptrack.raw.zst" && is 69 "$(events malloc)" && is 59 "$(events free)" &&
        is 1 "$(events 'malloc [0-9]+ 320')" && is 9 "$(events 'malloc [0-9]+ 48 @')"
}

heaptrack_interpreted() {
    import "$files/heaptrack.zst" && is 69 "$(events malloc)" && is 59 "$(events free)" &&
        is 1 "$(events 'malloc [0-9]+ 1000')" && is 2 "$(events resident)" &&
        grep 'freed oldest first' "$work/a.txt" && grep '	mk	' "$work/a.txt"
}

kmem() {
    import "$files/kmem.txt" && grep 'perf_event_mmap' "$work/a.txt" &&
        is "$(grep -c -E 'kmem:(kmalloc|kmem_cache_alloc): ' "$files/kmem.txt")" "$(events malloc)" &&
        is "$(grep -c mm_page_alloc: "$files/kmem.txt")" "$(events 'aligned [0-9]+ [0-9]+ [0-9]+$')"
}

# A free, a realloc and an allocation that cannot be as they say.
lossy() {
    printf '20000\n2\n4\n1\na 0 8\nf 5\nr 6 16\na 0 32\n'
}

losses_noted() {
    lossy >"$work/in"
    import "$work/in" && is 4 "$(grep -c '^0 ' "$work/a.txt")" &&
        is 'note: no times; 1 frees were missing (a block came back without one) and are put in; 1 frees named no live block and are left out; 1 reallocs named no live block and are mallocs now' \
            "$(grep '^note' "$work/a.txt")" &&
        "$larder" compare --no-time --policies=good "$work/a.ltr" | grep 'note: .*1 frees were missing'
}

losses_into_a_pipe() {
    lossy >"$work/in"
    "$larder" import rep "$work/in" -o - 2>"$work/err" | cat >"$work/p.ltr"
    "$larder" dump "$work/p.ltr" >"$work/a.txt" && is 4 "$(grep -c '^0 ' "$work/a.txt")" &&
        grep '^note: no times$' "$work/a.txt"
}

# numbers of 64 bits
numbers() {
    python3 -c 'import struct, sys
for word in sys.argv[1:]: sys.stdout.buffer.write(struct.pack("<Q", int(word)))' "$@"
}

cut_in_an_operation() {
    numbers 2 2 1 0 1000 64 1 1 2 >"$work/in"
    ! import "$work/in" >"$work/says" && grep 'at byte 48: the file ends in an operation' "$work/says" &&
        "$larder" dump "$work/a.ltr" | grep '^0 0 malloc 0 64$'
}

# refused WORD: what is on standard input, and WORD is in the reason
refused() {
    cat >"$work/in"
    "$larder" import "$work/in" -o "$work/none.ltr" 2>"$work/err"
    is 1 $? && grep "$1" "$work/err" && [ ! -e "$work/none.ltr" ]
}

damaged_line() {
    printf '7: malloc 0x10 8\n7: malloc 0x20\n' >"$work/in"
    ! import "$work/in" >"$work/says" && grep 'in:2: a number is missing' "$work/says" &&
        "$larder" dump "$work/a.ltr" | grep '^0 0 malloc 0 8$'
}

lists_formats() {
    is 'text rep android mtrace heaptrack bytehound kmem calls ' \
        "$("$larder" import --formats | awk '{ printf "%s ", $1 }')"
}

echo 1..22
ok 'glibc mtrace' mtrace
ok 'ltrace' ltrace ltrace.txt
ok 'ltrace -f -ttt' ltrace_with_times
ok 'heaptrack, raw' heaptrack_raw
ok 'heaptrack, interpreted' heaptrack_interpreted
ok 'kmem tracepoints of perf' kmem
ok 'CS:APP .rep' becomes rep '0 0 malloc 0 100
0 0 malloc 1 200
0 0 realloc 0 300
0 0 free 1
0 0 free 0' <<'END'
20000
2
5
1
a 0 100
a 1 200
r 0 300
f 1
f 0
END
ok 'Android memory_replay' becomes android '0 0 malloc 0 16
0 1 calloc 1 40
0 1 aligned 2 100 256
0 0 realloc 0 32
0 1 free 0
0 0 malloc 0 7
0 0 free 0
0 0 failed 99 0
0 1 thread_end' <<'END'
100: malloc 0x1000 16
200: calloc 0x2000 4 10
200: memalign 0x3000 256 100
100: realloc 0x4000 0x1000 32
200: free 0x4000
100: realloc 0x1000 0x0 7
100: realloc 0x0 0x1000 0
100: malloc 0x0 99
100: free 0x0
200: thread_done 0x0
END
ok 'Android memory_replay with times' becomes android '500 0 malloc 0 16
700 0 free 0' <<'END'
100: malloc 0x1000 16 500 510
100: free 0x1000 700 705
END
ok 'Firefox logalloc' becomes calls '0 0 malloc 0 42
0 0 aligned 1 24 256
0 1 calloc 2 40
0 0 realloc 0 64
0 0 free 1
0 1 aligned 1 10 8' <<'END'
10 11 malloc(42)=#1
10 11 memalign(256,24)=#2
10 12 calloc(4,10)=#3
10 11 realloc(#1,64)=#1
10 11 free(#2)
10 12 posix_memalign(8,10)=#4
END
ok 'calls that are interrupted by others' becomes calls '0 0 malloc 0 7
0 1 malloc 1 9
0 1 failed 99 0
0 0 free 1' <<'END'
[pid 5] malloc(9 <unfinished ...>
[pid 4] app->malloc(7)                   = 0x1000
[pid 5] <... malloc resumed> )           = 0x2000
[pid 5] malloc(99)                       = nil
[pid 4] free(nil)                        = <void>
[pid 4] free(0x2000)                     = <void>
END
ok 'ftrace, without perf' becomes kmem '0 0 malloc 0 64 @1
1000 0 aligned 1 16384 16384
2000 1 free 0 @2
3000 0 free 1' <<'END'
# tracer: nop
            bash-77    [001] .....   100.000001: kmalloc: call_site=f+0x1 ptr=00000000ab000010 bytes_req=64 bytes_alloc=64 gfp_flags=GFP_KERNEL
            bash-77    [001] .....   100.000002: mm_page_alloc: page=0x10 pfn=0x10 order=2 migratetype=0 gfp_flags=GFP_KERNEL
      rcu thread-12    [000] .....   100.000003: kfree: call_site=g+0x1 ptr=00000000ab000010
            bash-77    [001] .....   100.000004: mm_page_free: page=0x10 pfn=0x10 order=2
END
ok 'losses of all kinds are in the note, and the trace is whole' losses_noted
ok 'a pipe has no note, and all else' losses_into_a_pipe
numbers 2 4 1 0 1000 64 1 1 1001 32 3 0 1002 128 2 1 1003 0 >"$work/replay"
ok 'bytehound' becomes bytehound '0 0 malloc 0 64
1000 0 malloc 1 32
2000 0 realloc 0 128
3000 0 free 1' <"$work/replay"
ok 'bytehound, cut in an operation' cut_in_an_operation
ok 'a damaged line, and what came before it' damaged_line
ok 'massif is refused' refused 'massif file has snapshots' <<'END'
desc: (none)
cmd: ./app
time_unit: i
#-----------
END
ok 'DHAT is refused' refused 'DHAT file has sums' <<'END'
{"dhatFileVersion":2,"mode":"heap"}
END
ok 'memray is refused' refused 'memray' <<'END'
memray and more
END
ok 'what nobody knows' refused 'of no format that is known' <<'END'
Dear diary,
END
ok 'the formats there are' lists_formats
exit $failed
