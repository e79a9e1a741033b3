#!/bin/sh
# larder run: the account, the program's own output and exit code, and what cannot be accounted for.
set -u
larder=$(realpath "${LARDER_BUILD:-build}/larder")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
TMPDIR=$work
export TMPDIR
count=0

# WHAT STATUS: one result.
say() {
    count=$((count + 1))
    if [ "$2" = 0 ]; then echo "ok $count - $1"; else
        echo "not ok $count - $1"
        head -n 20 "$work/out" "$work/err" | sed 's/^/# /'
    fi
}

# ARGUMENT…: larder run, its output and its code.
run() {
    "$larder" run "$@" >"$work/out" 2>"$work/err"
    code=$?
}

# WHAT CODE PATTERN…: the code of the run, and lines of its standard error in any order.
expect() {
    what=$1
    status=0
    [ "$code" = "$2" ] || { echo "# exit code $code" && status=1; }
    shift 2
    for pattern in "$@"; do
        grep -q -e "$pattern" "$work/err" || { echo "# not there: $pattern" && status=1; }
    done
    say "$what" $status
}

# 60 MB in blocks of a class, all of them live at once.
run perl -e 'my @a; push @a, "x" x 3000 for 1..20000; print scalar @a; exit 5'
expect "an account" 5 '^larder: perl, process [0-9]' '^  peak live  *[56][0-9]\.[0-9] MiB$' \
    '^  peak resident  *[0-9.]* MiB' '^  largest heap  *[0-9.]* MiB' '^  live .*[0-9][0-9]\.[0-9] %  with the program' \
    '^  in slabs .* %' '^  in magazines .* %' '^  free frames .* %' '^  metadata .* %' \
    '^  slow paths .* % of .* s of processor time, [1-9][0-9]* calls'
[ "$(cat "$work/out")" = 20000 ]
say "standard output is the program's" $?
awk 'match($0, /[0-9.]+ %  /) { sum += substr($0, RSTART, RLENGTH) }
    END { exit !(sum > 99 && sum < 101) }' "$work/err"
say "the parts of the heap are all of it" $?

# shellcheck disable=SC2016 # for perl to expand
run --json perl -e 'my @a = map { "x" x $_ } 1..1000'
python3 -c 'import json, sys; d = json.load(sys.stdin)
sys.exit(not (d["program"] == "perl" and d["live"]["peak"] > 500000 and d["caches"]))' <"$work/err"
say "the account as JSON" $?

run perl -e 'for (1..9) { my $p = fork; if (!$p) { my $x = "x" x 1e6; exit 0 } waitpid $p, 0 }'
expect "processes that it starts, the largest" 0 '^  process [0-9]* *perl *peak live *[0-9.]* MiB' \
    '^  and 3 more processes'

run sh -c 'kill -TERM $$'
expect "a program that ends by a signal" 143 'left no account'
run "$work/nothing"
expect "a program that is not there" 127 'cannot be started: No such file'
run
expect "no program" 2 'say which program to run' 'larder run --help says more'
run --pear true
expect "an option that there is not" 2 'no option "--pear"'
run --library="$work/nothing.so" true
expect "a library that is not there" 1 "no library $work/nothing.so"
LARDER_LIBRARY=$work/nothing.so run true
expect "nor there" 1 "no library $work/nothing.so"
LD_PRELOAD=libm.so.6 run perl -e 1
expect "what is preloaded already stays" 0 'peak live'
[ "$(ls "$work")" = "$(printf 'err\nout')" ]
say "nothing is left behind" $?
"$larder" run --help >"$work/out" 2>"$work/err" && grep -q '^usage: larder run ' "$work/out"
say "help" $?
echo "1..$count"
