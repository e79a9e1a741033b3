#!/bin/sh
# Real programs: each must say the same, and end the same, as with the C library's malloc. A
# program that is not installed is skipped.
#
#   tests/linux/programs.sh [light|heavy]     heavy: what `./dev test-programs` adds
#   tests/linux/programs.sh light hardened    some of them, with LARDER_HARDENED=1
set -u
build=$(cd "${LARDER_BUILD:-build}" && pwd) || exit 1
library=$build/linux/liblarder.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
top=$PWD
LC_ALL=C
PYTHONHASHSEED=0
HOME=$work
export LC_ALL PYTHONHASHSEED HOME

seq 1 200000 | awk '{ printf "%d line %d of the file\n", ($1 * 7919) % 200003, $1 }' >"$work/lines"
mkdir "$work/make"
cat >"$work/make/Makefile" <<'END'
files := $(foreach i,1 2 3 4 5 6 7 8 9 10,file$(i))
all: $(files)
	cat $^
file%:
	echo $* >$@
END

# Each file of this folder is a program's script, named after the program; it is run in an empty
# folder with $top (of the tree) and $work (what is made above).
scripts=$top/tests/linux/programs/${1:-light}
hardened=0
names=$(cd "$scripts" && ls)
if [ "${2:-}" = hardened ]; then
    hardened=1
    names='bash perl python3 sqlite3'
fi

# $1: with or without; $2: name. The preload is for the programs, not for this script.
run() {
    mkdir "$work/$1"
    (
        cd "$work/$1" || exit 1
        export work top
        if [ "$1" = with ]; then export LD_PRELOAD="$library" LARDER_HARDENED="$hardened"; fi
        exec timeout 100 sh "$scripts/$2"
    ) >"$work/$1.out" 2>"$work/$1.err"
    echo "status $?" >>"$work/$1.out"
    rm -rf "${work:?}/$1"
}

# The preload must be in force, or all of this compares glibc with glibc.
in_force() {
    LD_PRELOAD=$library grep -q liblarder /proc/self/maps
}

echo "1..$(($(echo "$names" | wc -w) + 1))"
number=1
failed=0
not=
in_force || { not='not ' && failed=1; }
echo "${not}ok 1 - the library is preloaded"
for name in $names; do
    number=$((number + 1))
    if ! command -v "$name" >/dev/null 2>&1; then
        echo "ok $number - $name # SKIP not installed"
        continue
    fi
    run without "$name"
    run with "$name"
    if cmp -s "$work/without.out" "$work/with.out" && cmp -s "$work/without.err" "$work/with.err"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        failed=1
        diff "$work/without.out" "$work/with.out" | head -n 5 | cut -c 1-200 | sed 's/^/# /'
        diff "$work/without.err" "$work/with.err" | head -n 5 | cut -c 1-200 | sed 's/^/# /'
    fi
done
exit $failed
