#!/bin/sh
# What `make install` puts into a folder is enough to build programs: by hand, with pkg-config, with
# CMake, in C and C++, shared and static; moved to another folder, too.
set -u
build=$(realpath "${LARDER_BUILD:-build}")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0

expect() {
    text=$1
    shift
    number=$((number + 1))
    if "$@" >"$work/log" 2>&1; then
        echo "ok $number - $text"
    else
        echo "not ok $number - $text"
        head -n 20 "$work/log" | sed 's/^/# /'
    fi
}
# WANTED COMMAND…: what it prints.
prints() {
    wanted=$1
    shift
    printed=$("$@")
    [ "$printed" = "$wanted" ] || { echo "printed: $printed"; return 1; }
}

echo 1..18
install() { env -u MAKEFLAGS -u MAKELEVEL make -s BUILD="$build" install DESTDIR="$work/root" "$@"; }
expect 'make install' install PREFIX=/opt/larder
root=$work/root/opt/larder
libraries=$root/lib
expect 'the soname is a link to the library' sh -c "readelf -d '$libraries/liblarder.so.0' |
    grep -q 'SONAME.*\[liblarder.so.0\]'"
expect 'the linker finds it by name' test -f "$libraries/liblarder.so"
expect 'no header of a home is among them' test ! -e "$root/include/larder/port.h"
options() {
    env LD_PRELOAD="$libraries/liblarder.so.0" LARDER_HELP=1 cat /dev/null 2>&1 |
        sed -n 's/^  \(LARDER_[A-Z_]*\)=.*/\1/p' >"$work/options"
    [ "$(wc -l <"$work/options")" -ge 13 ] || return 1
    while IFS= read -r name; do
        grep -q "$name" "$root/share/man/man7/liblarder.7" && grep -q "$name" docs/linux.md || {
            echo "$name"
            return 1
        }
    done <"$work/options"
}
expect 'the man page and docs/linux.md have every option' options
command_is_there() {
    "$root/bin/larder" --version && test -s "$root/share/man/man1/larder.1" &&
        bash -n "$root/share/bash-completion/completions/larder" && test -s "$root/share/zsh/site-functions/_larder"
}
expect 'the larder command, its man page and completions' command_is_there

each_header() {
    for header in "$root"/include/larder/*.h*; do
        printf '#include "%s"\n' "$header" >"$work/one.cpp"
        g++ -std=c++17 -Wall -Wextra -Werror -I"$root/include" -fsyntax-only "$work/one.cpp" || return 1
    done
}
expect 'every installed header compiles alone' each_header
numbers_of_library() {
    printf '#include <larder/config.h>\nLARDER_SLOTS_MAX LARDER_CACHES_MAX\n' |
        ${CC:-gcc} -E -P -I"$root/include" - | tail -n 1
}
configured=$(sed -n 's/^#define LARDER_\(SLOTS\|CACHES\)_MAX \([0-9]*\).*/\2/p' homes/linux/linux-config.h | xargs)
expect 'they have the numbers of the library' prints "$configured" numbers_of_library

# ---- pkg-config ----
PKG_CONFIG_PATH=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# shellcheck disable=SC2046 # words
shared() { ${CC:-gcc} -fno-builtin tests/linux/programs/installed.c $(pkg-config --cflags --libs larder) -o "$work/shared"; }
# shellcheck disable=SC2046
static() {
    ${CC:-gcc} -static -fno-builtin tests/linux/programs/installed.c \
        $(pkg-config --static --cflags --libs larder) -o "$work/static"
}
expect 'a program by pkg-config' shared
expect 'runs on larder' prints '1 112 1 1' env LD_LIBRARY_PATH="$libraries" "$work/shared"
expect 'a static one' static
expect 'runs on larder' prints '1 112 1 1' "$work/static"

# ---- CMake ----
# In another place than it was made for.
mv "$work/root/opt" "$work/elsewhere"
moved=$work/elsewhere/larder
configure() {
    cmake -S tests/linux/programs/cmake -B "$work/cmake" -DCMAKE_PREFIX_PATH="$moved" -DCMAKE_C_FLAGS=-fno-builtin &&
        cmake --build "$work/cmake"
}
expect 'a CMake project finds the package where it was moved to' configure
expect 'larder::larder in C' prints '1 112 1 1' "$work/cmake/shared-c"
expect 'larder::static in C' prints '1 112 1 1' "$work/cmake/static-c"
expect 'larder::larder in C++, with larder.hpp' prints '1 1 1 1' "$work/cmake/shared-cpp"
expect 'larder::static in C++, with larder.hpp' prints '1 1 1 1' "$work/cmake/static-cpp"
too_new() { ! sed 's/larder 0.1 REQUIRED/larder 0.2 REQUIRED/' tests/linux/programs/cmake/CMakeLists.txt |
    sed "s|\.\./|$PWD/tests/linux/programs/|" >"$work/CMakeLists.txt" ||
    ! cmake -S "$work" -B "$work/new" -DCMAKE_PREFIX_PATH="$moved"; }
expect 'a version that is not there is not found' too_new
