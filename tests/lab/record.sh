#!/bin/sh
# larder record on programs that allocate, start threads and processes, get signals and are killed: what
# they did is in the trace, no more and no less. tests/lab/recorded/recorded.c is what is recorded.
set -u
# shellcheck source=tests/lab/support/tap.sh
. "$(dirname "$0")/support/tap.sh"
build=${LARDER_BUILD:-build}
recorded=$build/plain/tests/lab/recorded/recorded
unset LD_PRELOAD

# record NAME [OPTION…] WORD: into $work/NAME.ltr and as text into NAME.txt
record() {
    into=$work/$1
    shift
    "$larder" record -q -o "$into.ltr" "$@" 2>"$into.err"
    code=$?
    "$larder" dump "$into.ltr" >"$into.txt" && return $code
}

# events NAME PATTERN: how many there are
events() {
    grep -c -E "^[0-9]+ [0-9]+ $2" "$work/$1.txt"
}

family() {
    record a "$recorded" family
    is 7 $? &&
        is 1000 "$(events a 'malloc [0-9]+ 77777( @|$)')" &&
        is 1000 "$(events a 'realloc [0-9]+ 77778( @|$)')" &&
        is 1 "$(events a 'calloc [0-9]+ 77777( @|$)')" &&
        is 1 "$(events a 'aligned [0-9]+ 77056 256( @|$)')" &&
        is 1 "$(events a 'aligned [0-9]+ 77780 4096( @|$)')" &&
        is 1 "$(events a 'malloc [0-9]+ 77791( @|$)')" &&
        is 2 "$(events a 'failed 9223372036854771711 0( @|$)')" &&
        is 1 "$(events a 'malloc [0-9]+ 77784( @|$)')" &&
        is 1 "$(events a 'free_sized [0-9]+ 77784( @|$)')" &&
        is '' "$(cat "$work/a.err")"
}

# Every block with one of the sizes of a test is freed.
all_are_freed() {
    awk '$3 ~ /^(malloc|calloc|aligned)$/ { size[$4] = $5 } $3 == "realloc" { size[$4] = $5 }
        $3 ~ /^free/ { delete size[$4] }
        END { for (id in size) if (size[id] ~ /^777/) { print id, size[id]; bad = 1 } exit bad }' "$work/a.txt"
}

another_allocator() {
    LD_PRELOAD=$build/linux/liblarder.so LARDER_STATS=1 record b "$recorded" family
    is 1000 "$(events b 'malloc [0-9]+ 77777( @|$)')" && is 1 "$(events b 'malloc [0-9]+ 77784( @|$)')" &&
        grep larder "$work/b.err"
}

threads() {
    record c "$recorded" threads
    # The C library allocates for a thread too, so there may be some more.
    [ "$(events c 'malloc')" -ge 80000 ] && [ "$(events c 'malloc')" -lt 80200 ] &&
        is 5 "$(events c 'thread_start')" && is 4 "$(events c 'thread_end')" &&
        is '' "$(cat "$work/c.err")"
}

short_threads() {
    record d "$recorded" short-threads
    is 2000 "$(events d 'malloc [0-9]+ 77777( @|$)')" && is 2001 "$(events d thread_start)" &&
        is '' "$(cat "$work/d.err")"
}

forks() {
    record e "$recorded" fork
    child=$(find "$work" -name 'e.*.ltr')
    "$larder" dump "$child" >"$work/child.txt" && is 1 "$(events e 'malloc [0-9]+ 77777( @|$)')" &&
        is 0 "$(events e 'malloc [0-9]+ 77778( @|$)')" && is 99 "$(events child 'malloc [0-9]+ 77778( @|$)')"
}

execs() {
    record f sh -c "exec $recorded family"
    grep "^program: $recorded family" "$work/f.txt" &&
        is 1000 "$(events f 'malloc [0-9]+ 77777( @|$)')" && [ "$(find "$work" -name 'f.*.ltr' | wc -l)" = 1 ]
}

only_one() {
    record g --one "$recorded" fork
    [ "$(find "$work" -name 'g.*.ltr' | wc -l)" = 0 ]
}

killed() {
    record h "$recorded" kill
    is 137 $? && is 1000 "$(events h 'malloc [0-9]+ 77777( @|$)')"
}

gets_signals() {
    record i "$recorded" signals
    is 7 $? && is 2000 "$(events i 'malloc [0-9]+ 77777( @|$)')"
}

# The recorder is killed: what it had is readable, and the program goes on to its end.
recorder_killed() {
    mkfifo "$work/in" "$work/began"
    "$larder" record -q -o "$work/j.ltr" "$recorded" until-input-ends <"$work/in" >"$work/began" 2>/dev/null &
    recorder=$!
    exec 3>"$work/in" 4<"$work/began"
    read -r line <&4
    rounds=0
    until "$larder" dump "$work/j.ltr" 2>/dev/null | grep -q 77777; do
        rounds=$((rounds + 1))
        [ $rounds -lt 600 ] || return 1
        sleep 0.1
    done
    kill -9 $recorder
    wait $recorder
    exec 3>&-
    read -r line <&4
    exec 4<&-
    "$larder" dump "$work/j.ltr" >"$work/j.txt" 2>"$work/err"
    is 1 $? && is ended "$line" && grep -q 77777 "$work/j.txt" && grep 'the file ends' "$work/err"
}

# caller, frames, unwind: the frames of the one allocation of that size
site_of() {
    site=$(sed -n 's/^[0-9]* 0 malloc [0-9]* 77777 @//p' "$work/k.txt")
    awk -v site="$site" '$1 == "site" { inside = $2 == site } /^\t/ && inside { print $2, $3 }' "$work/k.txt"
}

stacks() {
    record k --stacks="$1" "$recorded" stack
    site_of | head -"$2" | cut -d' ' -f1 | tr '\n' ' ' >"$work/frames"
    is "$3" "$(cat "$work/frames")" && site_of | head -1 | grep 'recorded.c'
}

no_stacks() {
    record k --stacks=none "$recorded" stack
    is 0 "$(grep -c '^site' "$work/k.txt")" && is 1 "$(events k 'malloc [0-9]+ 77777$')"
}

sampled() {
    record m --every=10 --stacks=unwind "$recorded" signals
    some=$(events m 'malloc [0-9]+ 77777 @')
    [ "$some" -ge 190 ] && [ "$some" -le 210 ]
}

allocates_nothing() {
    record n true && is 1 "$(events n thread_start)"
}

nothing_to_record() {
    "$larder" record -o "$work/l.ltr" "$work/none" 2>"$work/err"
    is 127 $? && grep 'cannot run' "$work/err"
}

wrong_use() {
    for words in '' '-s what true' '--every=0 true' '--every=x true' '--what true'; do
        # shellcheck disable=SC2086 # words on purpose
        "$larder" record $words 2>/dev/null
        [ $? = 2 ] || return 1
    done
}

resident() {
    [ "$(events c resident)" -ge 1 ]
}

echo 1..20
ok 'every call of the family is there' family
ok 'and every block is freed' all_are_freed
ok 'another allocator behind it' another_allocator
ok 'threads that free what others made' threads
ok 'marks of resident memory' resident
ok 'two thousand short threads' short_threads
ok 'a child of fork has a file of its own' forks
ok 'what exec starts has the name that was asked for' execs
ok 'a child that nobody asked for' only_one
ok 'a program that is killed' killed
ok 'a program that gets signals' gets_signals
ok 'a recorder that is killed' recorder_killed
ok 'no stacks' no_stacks
ok 'the caller' stacks caller 1 'innermost_function '
ok 'stacks along frame pointers' stacks frames 3 'innermost_function outer_function stack '
ok 'stacks by unwinding' stacks unwind 3 'innermost_function outer_function stack '
ok 'the stack of one in ten' sampled
ok 'a program that allocates nothing' allocates_nothing
ok 'a program that is not there' nothing_to_record
ok 'a command line that is wrong' wrong_use
exit $failed
