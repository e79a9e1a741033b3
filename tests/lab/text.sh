#!/bin/sh
# The text form: dumped, imported and dumped again it is the same; what is wrong in it is named by its
# line, and what came before is kept.
set -u
# shellcheck source=tests/lab/support/tap.sh
. "$(dirname "$0")/support/tap.sh"

cat >"$work/a.txt" <<'END'
larder trace text 1
program: a program \t with a tab
recorded-by: hand
note: none
page-bytes: 4096
pid: 12
start-unix-ms: 1700000000000
has: time threads sites

site 1
	0x10	main(int, char **)	a.c	3	app
	0x20	_start		0	app
site 2
10 0 malloc 0 100 @1
20 0 calloc 1 200
25 1 aligned 2 100 64 @2
30 1 realloc 0 300
40 0 free 1 @1
50 0 failed 123 0
55 1 free_sized 2 100
60 0 resident 4096
65 2 thread_start
70 1 thread_end
END

again() {
    "$larder" import "$1" -o "$work/t.ltr" && "$larder" dump "$work/t.ltr" >"$work/b.txt" &&
        diff "$1" "$work/b.txt"
}

# imported names line N and says WHAT: says N WHAT <TEXT
says() {
    cat >"$work/bad.txt"
    "$larder" import "$work/bad.txt" -o "$work/t.ltr" 2>"$work/err"
    [ $? = 1 ] && grep -F "bad.txt:$1: $2" "$work/err" || { cat "$work/err"; false; }
}

keeps_what_came_before() {
    printf 'larder trace text 1\n1 0 malloc 0 8\n2 0 what 0\n' | says 3 'there is no such kind' &&
        "$larder" dump "$work/t.ltr" | grep '^1 0 malloc 0 8$'
}

from_pipe() {
    "$larder" import text - -o - <"$work/a.txt" 2>/dev/null | "$larder" dump - | diff "$work/a.txt" -
}

compressed() {
    gzip -c "$work/a.txt" >"$work/a.gz" && "$larder" import "$work/a.gz" -o "$work/t.ltr" &&
        "$larder" dump "$work/t.ltr" | diff "$work/a.txt" -
}

cut_short() {
    gzip -c "$work/a.txt" | head -c 100 >"$work/a.gz"
    ! "$larder" import text "$work/a.gz" -o "$work/t.ltr" 2>"$work/err" && grep 'cut off' "$work/err"
}

first_three() {
    [ "$("$larder" dump -n 3 "$work/t.ltr" | grep -c '^[0-9]')" = 3 ]
}

no_such_file() {
    "$larder" dump "$work/none" 2>"$work/err"
    [ $? = 1 ] && grep 'No such file' "$work/err"
}

no_trace() {
    "$larder" dump "$work/a.txt" 2>"$work/err"
    [ $? = 1 ] && grep 'not a trace of larder' "$work/err"
}

wrong_use() {
    for words in '' 'a b' '--what x' '-n x a'; do
        # shellcheck disable=SC2086 # words on purpose
        "$larder" dump $words 2>/dev/null
        [ $? = 2 ] || return 1
    done
    "$larder" import "$work/a.txt" 2>/dev/null
    [ $? = 2 ]
}

echo 1..14
ok 'a text comes back as it was' again "$work/a.txt"
ok 'through pipes too' from_pipe
ok 'and from a compressed file' compressed
ok 'the first three events' first_three
ok 'a compressed file that is cut off is named' cut_short
ok 'what came before a fault is kept' keeps_what_came_before
ok 'a number is missing' says 2 'a number is missing' <<'END'
larder trace text 1
1 0 malloc 0
END
ok 'too much in a line' says 2 'there is more than' <<'END'
larder trace text 1
1 0 free 0 8
END
ok 'an alignment that is none' says 2 'an alignment is no power of two' <<'END'
larder trace text 1
1 0 aligned 0 8 24
END
ok 'a site that is not there' says 3 'there is no such call site' <<'END'
larder trace text 1
has: sites
1 0 malloc 0 8 @1
END
ok 'a frame without a site' says 3 'a frame, and no call site' <<'END'
larder trace text 1
1 0 malloc 0 8
	0x1	f	f.c	1	m
END
ok 'a file that is not there' no_such_file
ok 'a file that is no trace' no_trace
ok 'a command line that is wrong' wrong_use
exit $failed
