#!/bin/sh
# The musl C library: the archive linked into static programs, the library built for it preloaded
# into dynamic ones. The same contracts, threads and contents.
# shellcheck disable=SC2317 # functions are called through result()
set -u
build=$(realpath "${LARDER_BUILD:-build}")
cc=${CC_MUSL:-musl-gcc}
library=$build/linux-musl/liblarder.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
programs='contracts threads stress startup realloc'
flags='-std=c11 -D_GNU_SOURCE -O1 -fno-builtin -w -Iinclude -Itests/linux/support'
number=0
failed=0

# TEXT COMMAND…
result() {
    text=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/log" 2>&1; then
        echo "ok $number - $text"
    else
        echo "not ok $number - $text"
        failed=1
        sed 's/^/# /' "$work/log"
    fi
}

if ! command -v "$cc" >/dev/null; then
    echo "1..0 # SKIP $cc is not installed"
    exit 0
fi

# shellcheck disable=SC2086 # words
static() {
    $cc $flags -DTAP_LINKED=1 -static tests/linux/"$1".c tests/linux/support/*.c \
        "$build/linux/liblarder.a" -pthread -o "$work/$1" && "$work/$1"
}

# The programs export what they define, and leave to the library what musl lacks.
# shellcheck disable=SC2086
dynamic() {
    $cc $flags -rdynamic -Wl,-z,dynamic-undefined-weak tests/linux/"$1".c tests/linux/support/*.c \
        -pthread -o "$work/$1" && env LD_PRELOAD="$library" "$work/$1"
}

needs_libc_alone() {
    readelf -d "$library" | grep NEEDED
    [ "$(readelf -d "$library" | grep -c NEEDED)" = 1 ] && readelf -d "$library" | grep -q '\[libc\.so\]'
}

# Nothing below larder's own malloc to opt out to: it says so, and serves.
serves_all_the_same() {
    env LD_PRELOAD="$library" LARDER_DISABLE=1 "$work/startup"
    grep -q 'there is no other malloc' "$work/log"
}

echo "1..$((2 * $(echo "$programs" | wc -w) + 2))"
result 'nothing is needed but the C library' needs_libc_alone
for name in $programs; do
    result "$name, linked statically with musl" static "$name"
    result "$name, preloaded with musl" dynamic "$name"
done
result 'LARDER_DISABLE is refused with a word' serves_all_the_same
exit $failed
