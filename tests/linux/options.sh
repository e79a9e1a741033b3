#!/bin/sh
# LARDER_*: each option does what its help says, and what is wrong costs one line and no more.
set -u
library=$(realpath "${LARDER_BUILD:-build}/linux/liblarder.so")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0

${CC:-gcc} -O1 -fno-builtin -D_GNU_SOURCE tests/linux/programs/options.c -o "$work/options" || exit 1

# VARIABLE=VALUE… COMMAND: stdout in $out, stderr in $err.
run() {
    env LD_PRELOAD="$library" "$@" >"$work/out" 2>"$work/err"
    status=$?
    out=$(cat "$work/out")
    err=$(cat "$work/err")
    lines=$(wc -l <"$work/err")
}

# TEXT CONDITION…: the condition is a command.
expect() {
    text=$1
    shift
    number=$((number + 1))
    if "$@"; then
        echo "ok $number - $text"
    else
        echo "not ok $number - $text"
        printf 'status %s, stdout: %s\nstderr: %s\n' "$status" "$out" "$err" | head -n 20 | sed 's/^/# /'
    fi
}
has() { printf '%s\n' "$err" | grep -q -e "$1"; }
is() { [ "$out" = "$1" ] && [ "$lines" -le "${2:-0}" ] && [ "$status" = 0 ]; }
between() { [ "$out" -ge "$1" ] && [ "$out" -le "$2" ]; }
program=$work/options

echo 1..27
run "$program" active
expect 'without options larder serves, and says nothing' is '1 112'

# ---- opting out ----
"$program" functions 2>&1 | sed 's/size="[0-9]*"/size=""/' >"$work/theirs"
run LARDER_DISABLE=1 "$program" functions
sed 's/size="[0-9]*"/size=""/' "$work/out" >"$work/disabled"
expect 'DISABLE: every function is the C library'"'"'s' cmp -s "$work/theirs" "$work/disabled"
run "$program" functions
expect 'and none of them is otherwise' eval \
    '[ "$(grep -Ev "^mallopt|^malloc_trim|^ *<|>$" "$work/theirs" | grep -Fxc -f - "$work/out")" = 0 ]'
run LARDER_DISABLE=1 "$program" active
expect 'larder_is_active() knows' is "0 $("$program" active | sed 's/.* //')"
run LARDER_DISABLE=0 "$program" active
expect 'DISABLE=0 is no opting out' is '1 112'

# ---- what is wrong ----
run LARDER_PURGEMS=5 "$program" active
expect 'an unknown option is one line' is '1 112' 1
expect 'that names it' has 'unknown option LARDER_PURGEMS=5'
run LARDER_PURGE_MS=5s "$program" active
expect 'a value that is none is one line' is '1 112' 1
expect 'that names it' has 'LARDER_PURGE_MS=5s: not a value'
for wrong in LARDER_LIMIT=12Q LARDER_LIMIT=99999999999999999999 LARDER_THP=sometimes LARDER_DISABLE=maybe \
    LARDER_SNAPSHOT_SIGNAL=USR9; do
    run "$wrong" "$program" active
    expect "$wrong is refused, and changes nothing" eval 'is "1 112" 1 && has "$wrong: not a value"'
done
run LARDER_DEBUG=FZX "$program" active
expect 'so is a DEBUG that the core does not understand' eval 'is "1 112" 1 && has "LARDER_DEBUG=FZX"'
run LARDER_HELP=1 LARDER_LIMIT=3G LARDER_THP=never "$program" active
grep -o '"[A-Z_]*", [A-Z]*, &options' homes/linux/options.c | sed 's/"\([A-Z_]*\)".*/LARDER_\1/' >"$work/names"
expect 'HELP shows every option' eval \
    '[ "$(wc -l <"$work/names")" -ge 13 ] && [ "$(grep -oFw -f "$work/names" "$work/err" | sort -u | wc -l)" = \
    "$(wc -l <"$work/names")" ]'
expect 'with the values they have' eval 'has "LARDER_LIMIT=3G" && has "LARDER_THP=never"'

# ---- limits ----
run LARDER_LIMIT=64M "$program" limit
expect 'LIMIT: ENOMEM, and room after some frees' eval \
    'case $out in *" ENOMEM 1") [ "${out%% *}" -ge 40 ] && [ "${out%% *}" -le 64 ];; *) false;; esac'
run LARDER_LIMIT=64M "$program" unwind
expect 'with a reserve for small requests' eval '[ "${out##* }" = 2000 ] && [ "${out%% *}" -ge 50 ]'
run LARDER_LIMIT=8M "$program" unwind
expect 'small limits hold too' eval '[ "${out%% *}" -ge 4 ] && [ "${out%% *}" -le 8 ]'
wait_long='LARDER_PURGE_MS=1000000 LARDER_BACKGROUND=0'
# shellcheck disable=SC2086 # words
run $wait_long "$program" coming-and-going
expect 'nothing is purged before its time' between 200 100000
# shellcheck disable=SC2086
run $wait_long LARDER_SOFT_LIMIT=64M "$program" coming-and-going
expect 'SOFT_LIMIT: but at once beyond the limit' between 0 90
mkdir "$work/group"
echo $((73 * 1024 * 1024)) >"$work/group/memory.max"
# shellcheck disable=SC2086
run $wait_long LARDER_CGROUP="$work/group" "$program" coming-and-going
expect 'CGROUP: the same with the limit of a control group' between 0 90

# shellcheck disable=SC2016,SC3045 # for the other shell; dash has ulimit -v
run sh -c 'ulimit -v 24000; exec "$0" active' "$program"
expect 'without address space the C library serves, which is said' eval \
    'is "0 $("$program" active | sed "s/.* //")" 1 && has "no address space"'
# shellcheck disable=SC2016,SC3045
run sh -c 'ulimit -v 200000; exec "$0" active' "$program"
expect 'with a little of it larder does' is '1 112'

# ---- more rights than the caller ----
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && grep -q '^NoNewPrivs:.0' /proc/self/status &&
    ! findmnt -no OPTIONS -T "$work" | grep -qw nosuid &&
    ${CC:-gcc} -O1 -fno-builtin -D_GNU_SOURCE -static tests/linux/programs/options.c \
        "$(dirname "$library")/liblarder.a" -pthread -o "$work/suid" && chmod 755 "$work" && chmod 4755 "$work/suid" &&
    setpriv --reuid=65534 --clear-groups sh -c "LARDER_X=1 '$work/suid' active" >"$work/out" 2>"$work/err"; then
    out=$(cat "$work/out") err=$(cat "$work/err") lines=$(wc -l <"$work/err") status=0
    expect 'a setuid program reads no option' is '1 112'
else
    number=$((number + 1))
    echo "ok $number - a setuid program reads no option # SKIP needs root and setpriv"
fi

# ---- huge pages ----
flags=''
for thp in default always never; do
    run LARDER_THP=$thp "$program" flags
    flags="$flags $thp:$out"
done
if grep -qs . /sys/kernel/mm/transparent_hugepage/enabled; then
    expect "THP is asked for on our mapping alone:$flags" [ "$flags" = ' default: always:hg never:nh' ]
else
    number=$((number + 1))
    echo "ok $number - THP # SKIP this kernel has no transparent huge pages"
fi
