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
run --report="$work/perl.html" perl -e 'my @a; push @a, "x" x 3000 for 1..20000; print scalar @a; exit 5'
expect "a report, beside the account" 5 '^  peak live  *[56][0-9]\.[0-9] MiB$' "^  report in $work/perl.html"
[ "$(cat "$work/out")" = 20000 ] && ! grep -q 'unknown option' "$work/err"
say "and nothing else is said" $?
# Every string of 3000 bytes is in it, with the peak; the trace, which is gone, has no name.
python3 - "$work/perl.html" >>"$work/out" 2>&1 <<'END'
import json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
data = json.loads(re.search('id="report">(.*?)</script>', page, re.S).group(1))
assert data["trace"]["program"].startswith("perl -e my @a") and data["trace"]["file"] == "", data["trace"]
assert data["trace"]["error"] is None and data["trace"]["has_sites"]
assert data["totals"]["allocs"] > 20000 and 60e6 < data["totals"]["peak"]["requested"] < 70e6, data["totals"]
assert sum(site["peak_bytes"] for site in data["sites"]) == data["totals"]["peak"]["requested"]
END
say "with all that the program did" $?
rm "$work/perl.html"
run --report="$work/kill.html" --stacks=none sh -c 'kill -TERM $$'
expect "a report of a program that ends by a signal" 143 'left no account' 'report in'
rm "$work/kill.html"
run --report="$work/nowhere/x.html" perl -e 'print "has run"'
expect "a report that cannot be written: the program does not run" 1 "$work/nowhere/x.html: No such file"
[ ! -s "$work/out" ] || say "it has run" 1
run --report="$work/x.html" "$work/nothing"
expect "a report of a program that is not there" 127 'cannot run .*nothing: No such file'
rm -f "$work/x.html"
run --report="$work/x.html" --stacks=pear true
expect "stacks that there are not" 2 'one of none, caller, frames, unwind'
[ "$(ls "$work")" = "$(printf 'err\nout')" ]
say "nothing is left behind" $?
"$larder" run --help >"$work/out" 2>"$work/err" && grep -q '^usage: larder run ' "$work/out"
say "help" $?
echo "1..$count"
