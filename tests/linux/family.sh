#!/bin/sh
# The family is whole: what the C library and the C++ runtime export of it, the library exports too,
# and nothing else but larder_*; so does the archive, for both machines.
set -u
build=${LARDER_BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0

say() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# By name, because the C library exports other things that sound alike (posix_fallocate).
family='malloc calloc realloc free cfree posix_memalign aligned_alloc memalign valloc pvalloc reallocarray
    malloc_usable_size malloc_trim mallopt mallinfo mallinfo2 malloc_info malloc_stats'
c23='free_sized free_aligned_sized'
dynamic() { nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//' | sort -u; }
library_of() { ${CC:-gcc} -print-file-name="$1"; }
words() { echo "$*" | tr ' ' '\n' | grep . | sort -u; }

echo 1..7
# shellcheck disable=SC2086 # words
words $family >"$work/family"
cat >"$work/first.c" <<'END'
int main(void) { return 0; }
END
${CC:-gcc} "$work/first.c" -o "$work/first" || exit 1
libc=$(ldd "$work/first" | awk '/libc\.so/ { print $3 }')
dynamic "$libc" >"$work/libc"
# All of the list is in the C library: or this test compares with nothing.
comm -23 "$work/family" "$work/libc" | grep .
say $((! $?)) "the list is what the C library has"

dynamic "$(library_of libstdc++.so)" | grep -E '^_Z(n|d)[wal]' >"$work/operators"
say "$([ "$(wc -l <"$work/operators")" = 20 ]; echo $?)" 'the C++ runtime has twenty operators'

dynamic "$build/linux/liblarder.so" >"$work/ours"
# shellcheck disable=SC2086
words $c23 | sort -u - "$work/family" "$work/operators" >"$work/wanted"
comm -23 "$work/wanted" "$work/ours" | sed 's/^/# missing: /' | grep .
say $((! $?)) 'the library exports all of it'
comm -13 "$work/wanted" "$work/ours" | grep -v '^larder_' | sed 's/^/# too much: /' | grep .
say $((! $?)) 'and nothing else but larder_*'

for machine in linux linux-aarch64; do
    nm -g --defined-only "$build/$machine/liblarder.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
        sort -u >"$work/archive"
    { comm -23 "$work/wanted" "$work/archive"; comm -13 "$work/wanted" "$work/archive" | grep -v '^larder_'; } |
        sed "s/^/# $machine: /" | grep .
    say $((! $?)) "the archive of $machine has the same"
done

# No library but the C library, and none of its entrances that allocate at start.
needed=$(readelf -d "$build/linux/liblarder.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
say "$([ "$needed" = libc.so.6 ]; echo $?)" "nothing is needed but the C library: $needed"
