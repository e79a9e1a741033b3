#!/bin/sh
# The two files of tools/amalgamate stand alone: in an empty folder, with every warning, as C and as
# C++, for each policy, and linked into a program that knows nothing else of this tree.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0
failed=0
report() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1"
        head -n 30 "$work/out" | sed 's/^/# /'
    fi
}

tools/amalgamate "$work/copy" >"$work/out" 2>&1
report 'makes two files' $?
[ "$(find "$work/copy" -type f | wc -l)" = 2 ] || { echo 'Bail out! not two files'; exit 1; }
cat >"$work/copy/main.c" <<'END'
#include "larder_fit.h"

static unsigned char arena[4096];

int main(void) {
    struct larder_fit *heap = larder_fit_create(arena, sizeof arena, LARDER_FIT_USED);
    void *a = larder_fit_alloc(heap, 100), *b = larder_fit_aligned(heap, 256, 300);
    a = larder_fit_realloc(heap, a, 700);
    larder_fit_free(heap, b);
    return heap != NULL && a != NULL && larder_fit_check(heap, NULL) == LARDER_FIT_SOUND ? 0 : 1;
}
END
warn='-Wall -Wextra -Wconversion -Wundef -pedantic -Werror -O2'
cd "$work/copy" || exit 1
grep '#include' larder_fit.[ch] | grep -v -e 'include <std[a-z]*.h>' -e 'LARDER_CONFIG_HEADER' \
    -e '"larder_fit.h"' >"$work/out"
report 'includes only headers of a freestanding compiler' $((! $?))

# LABEL COMPILER FLAGS…
builds() {
    label=$1
    shift
    # shellcheck disable=SC2086 # flags are words
    { "$@" $warn larder_fit.c main.c -o main && ./main; } >"$work/out" 2>&1
    report "$label" $?
}
strict='-Wstrict-prototypes -Wmissing-prototypes'
for compiler in gcc clang; do
    # shellcheck disable=SC2086 # flags are words
    {
        builds "$compiler, C11" $compiler -std=c11 $strict -DLARDER_FIT_USED=LARDER_FIT_GOOD
        builds "$compiler, C11, all protections" $compiler -std=c11 $strict -DLARDER_FIT_CHECKS=2 \
            -DLARDER_FIT_CANARY=1 -DLARDER_FIT_POISON=1 -DLARDER_FIT_OWNER=1 \
            -DLARDER_FIT_USED=LARDER_FIT_BEST
        policy=1
        for name in FIRST NEXT BEST WORST GOOD; do
            builds "$compiler, C11, $name only, no statistics" $compiler -std=c11 $strict \
                -DLARDER_FIT_POLICIES=$policy -DLARDER_FIT_STATS=0 -DLARDER_FIT_SIZE_LOG2=16 \
                -DLARDER_FIT_CHECKS=0 -DLARDER_FIT_USED=LARDER_FIT_$name
            policy=$((policy * 2))
        done
    }
done
for compiler in g++ clang++; do
    builds "$compiler, C++17" $compiler -std=c++17 -x c++ -DLARDER_FIT_USED=LARDER_FIT_FIRST
done

echo "1..$count"
exit $failed
