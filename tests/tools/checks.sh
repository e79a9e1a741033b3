#!/bin/sh
# Every check of tools/check can fail, and passes when nothing is wrong: each looks at a small tree
# made here, first a good one, then the same with one mistake.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0
failed=0

CC=${CC:-gcc} CLANG=clang CC_AARCH64=aarch64-linux-gnu-gcc
warn='-Wall -Wextra -Wundef -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror'
CORE_CFLAGS="-std=c11 -ffreestanding -fvisibility=hidden $warn -Iinclude"
CORE_CFLAGS_AARCH64=$CORE_CFLAGS
HOST_CFLAGS="-std=c11 $warn -Iinclude"
KERNEL_CFLAGS='' HOMES=sim HOME_FLAGS_sim=-Ihomes/sim
LARDER_TREE=$work/tree
SYMBOLS_FOLDER=$work/objects
export CC CLANG CC_AARCH64 CORE_CFLAGS CORE_CFLAGS_AARCH64 HOST_CFLAGS KERNEL_CFLAGS HOMES \
    HOME_FLAGS_sim LARDER_TREE SYMBOLS_FOLDER

# A tree in which nothing is wrong, and one build of its core.
good_tree() {
    rm -rf "$work/tree" "$work/objects"
    mkdir -p "$work/tree/include/larder" "$work/tree/core" "$work/tree/homes/sim" "$work/tree/docs"
    cd "$work/tree" || exit 1
    git init -q .
    cp "$source/.clang-format" "$source/.clang-tidy" .
    cat >include/larder/larder.h <<'END'
#ifndef LARDER_LARDER_H
#define LARDER_LARDER_H
#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)
int larder_answer(void);
#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
END
    cat >core/base.h <<'END'
#ifndef LARDER_BASE_H
#define LARDER_BASE_H
#include <stdint.h>
int base_answer(void);
#endif
END
    cat >core/heap.c <<'END'
#include "base.h"
#include "larder/larder.h"

int base_answer(void) {
    return 42;
}

int larder_answer(void) {
    return base_answer();
}
END
    echo '#define LARDER_PORT_CAN_RESERVE 0' >homes/sim/larder_port_home.h
    touch include/larder/port.h
    cat >README.md <<'END'
# A tree
See [the map](docs/source-map.md) and [above](#a-tree).
END
    echo 'The heap is in `core/heap.c`.' >docs/source-map.md
    printf '#!/bin/sh\necho "$1"\n' >dev
    chmod +x dev
    git add -A
    cd "$source" || exit 1
}
build_core() {
    mkdir -p "$work/objects/sim-x86_64-gcc/core"
    for file in "$work"/tree/core/*.c; do
        # shellcheck disable=SC2086 # flags are words
        (cd "$work/tree" && $CC $CORE_CFLAGS -c "$file" \
            -o "$work/objects/sim-x86_64-gcc/core/$(basename "$file" .c).o") || echo "# no build"
    done
    ld -r -o "$work/objects/all.o" "$work"/objects/sim-x86_64-gcc/core/*.o
    objcopy --localize-hidden "$work/objects/all.o" "$work/objects/sim-x86_64-gcc/larder.o"
}

result() { # PASSED NAME
    count=$((count + 1))
    if [ "$1" = yes ]; then
        echo "ok $count - $2"
    else
        failed=1
        echo "not ok $count - $2"
        sed 's/^/# /' "$work/out"
    fi
}

accepts() { # CHECK
    tools/check/"$1" >"$work/out" 2>&1
    status=$?
    if [ $status = 77 ]; then
        count=$((count + 1))
        echo "ok $count - $1 # SKIP $(cat "$work/out")"
    else
        result "$([ $status = 0 ] && echo yes)" "$1 accepts a good tree"
    fi
}

refuses() { # CHECK WHAT PATTERN
    tools/check/"$1" >"$work/out" 2>&1
    status=$?
    if [ $status = 77 ]; then
        count=$((count + 1))
        echo "ok $count - $1 # SKIP $(cat "$work/out")"
    else
        result "$([ $status = 1 ] && grep -q -e "$3" "$work/out" && echo yes)" "$1 refuses $2"
    fi
    good_tree
}

source=$PWD
good_tree
tree=$LARDER_TREE
build_core
for check in format tidy headers layers conditionals symbols canary size links artefacts paths scripts; do
    accepts $check
done

printf 'int  larder_x( void );\n' >"$tree/core/heap.h"
refuses format 'a badly formatted file' 'core/heap.h:1: is not formatted'

cat >"$tree/core/heap.c" <<'END'
int heap_size(char *text);
int heap_size(char *text) {
    return (int)sizeof(sizeof(text));
}
END
refuses tidy 'a bug' 'core/heap.c:3.*bugprone-sizeof'

echo 'uint32_t base_word(void);' >"$tree/core/check.h"
refuses headers 'one that lacks an include' 'core/check.h does not compile alone (gcc, sim)'

echo 'int larder_class(int class);' >>"$tree/include/larder/heap.h"
refuses headers 'a public one that is no C++' 'larder/heap.h does not compile alone (g++)'

echo '#include "heap.h"' >"$tree/core/slab.c"
refuses layers 'an include upwards' 'core/slab.c:1: heap.h is in row 7, above 4'

echo '#include "lock.h"' >"$tree/core/slab.c"
refuses layers 'what the rows allow and the list forbids' 'lock.h is not for slab to know'

mkdir -p "$tree/fit"
printf '#include "base.h"\n#include "slab.h"\n' >"$tree/fit/region.c"
refuses layers 'a region heap that knows slabs' 'fit/region.c:2: slab.h is not for fit/ to know'

echo '#include <string.h>' >"$tree/core/slab.c"
refuses layers 'a header of libc' 'string.h is not freestanding'

echo '#include "../homes/sim/sim.h"' >"$tree/core/slab.c"
refuses layers 'a header of a home' 'sim.h is not in the core'

echo '/* new */' >"$tree/core/newcomer.c"
refuses layers 'a file that is in no row' 'newcomer.c: in no row'

for line in '#ifdef __linux__' '# if defined(__GNUC__) && 1' '#elif __aarch64__' '#ifndef _WIN32' \
    '#if 1 && \
    __x86_64__'; do
    printf '%s\n' "$line" >"$tree/core/slab.c"
    refuses conditionals "$(echo "$line" | tail -n 1)" 'core/slab.c:[12]:'
done

printf '#pragma GCC visibility push(default)\nint slab_take(void);\nint slab_take(void) { return 1; }\n' \
    >"$tree/core/slab.c"
build_core
refuses symbols 'one that is not hidden' 'larder.o: slab_take is visible'

printf 'int larder_hidden(void);\nint larder_hidden(void) { return 1; }\n' >"$tree/core/slab.c"
build_core
refuses symbols 'a public name that is hidden' 'larder_hidden is public by name'

printf 'int take(void);\nint take(void) { return 1; }\n' >"$tree/core/slab.c"
build_core
refuses symbols 'a name without a noun' 'take is no noun_verb'

printf 'void abort(void);\nint slab_take(void);\nint slab_take(void) { abort(); return 1; }\n' \
    >"$tree/core/slab.c"
build_core
refuses symbols 'a call of libc' 'abort is needed'

rm -rf "$work/objects"
refuses symbols 'no build at all' 'nothing is built'

for flag in all extra undef conversion strict-prototypes missing-prototypes error; do
    CORE_CFLAGS=$(echo "$CORE_CFLAGS" | sed "s/-W$flag //; s/-W$flag\$//")
    refuses canary "a core without -W$flag" "accepts $flag.c: -W$flag is not in force"
    CORE_CFLAGS=$CORE_CFLAGS_AARCH64
done

{ echo 'int slab_long(void) {'; yes '    ;' | head -n 60; echo '}'; } >"$tree/core/slab.c"
refuses size 'a function of 62 lines' 'core/slab.c:1: slab_long: 62 lines'

printf 'static int\nslab_long(int a,\n          int b) {\n%s\n}\n' "$(yes '    ;' | head -n 60)" \
    >"$tree/core/slab.c"
refuses size 'one with a head of several lines' 'core/slab.c:[123]: slab_long: 6[234] lines'

yes '/* */' | head -n 601 >"$tree/core/slab.c"
refuses size 'a file of 601 lines' 'core/slab.c: 601 lines'

mkdir -p "$tree/tests/unit"
yes '/* */' | head -n 601 >"$tree/tests/unit/slab.c"
tools/check/size >"$work/out" 2>&1
status=$?
result "$([ $status = 0 ] && grep -q 'tests/unit/slab.c has 601 lines' "$work/out" && echo yes)" \
    'size only names a long test'
good_tree

echo '[gone](docs/gone.md)' >>"$tree/README.md"
refuses links 'a link to nowhere' 'README.md: docs/gone.md leads nowhere'

echo '[gone](docs/source-map.md#gone)' >>"$tree/README.md"
refuses links 'a link to no heading' 'source-map.md#gone has no such heading'

echo '![picture](docs/gone.png)' >>"$tree/README.md"
refuses links 'a picture that is gone' 'docs/gone.png leads nowhere'

echo 'Events are in `core/event.c`.' >>"$tree/docs/source-map.md"
refuses links 'a file of the map that is gone' 'there is no core/event.c'

printf '\177ELF\001\000' >"$tree/tool"
refuses artefacts 'a binary' 'tool is binary'

echo 1 >"$tree/heap.o"
refuses artefacts 'an object file' 'heap.o is build output'

yes | head -c 1100000 >"$tree/docs/trace.txt"
refuses artefacts 'a file above 1 MiB' 'trace.txt is larger'

echo "see /ro""ot/larder" >>"$tree/README.md"
refuses paths 'a folder of this machine' 'README.md:3'

printf '#!/bin/sh\nif true; then\n' >"$tree/dev"
refuses scripts 'one that no shell reads' 'dev'

printf '#!/bin/sh\nrm -rf "$1/"*\nunused=1\n' >"$tree/dev"
refuses scripts 'one that shellcheck minds' 'SC2034'

printf '#!/usr/bin/env python3\nprint(\n' >"$tree/dev"
refuses scripts 'Python that does not parse' 'never closed'

chmod -x "$tree/dev"
refuses scripts 'one that cannot be executed' 'not executable'

# The list of checks: all run after one has failed, and the failure is not lost.
echo '[gone](docs/gone.md)' >>"$tree/README.md"
tools/check/run links paths >"$work/out" 2>&1
status=$?
result "$([ $status = 1 ] && grep -q '^FAILED   links' "$work/out" && grep -q '^ok       paths' \
    "$work/out" && grep -q '^1 checks ok, 1 failed$' "$work/out" && echo yes)" \
    'run goes on after a failure and remembers it'
good_tree
tools/check/run links paths >"$work/out" 2>&1
status=$?
result "$([ $status = 0 ] && grep -q '^2 checks ok, 0 failed$' "$work/out" && echo yes)" 'run passes'

# Each check that exists is on that list.
tools/check/run >"$work/out" 2>&1
missing=$(for check in tools/check/*; do
    name=$(basename "$check")
    case $name in run | lib.sh | *.txt | canaries) continue ;; esac
    grep -q -e "^[a-zA-Z]* *$name " "$work/out" || echo "$name"
done)
result "$([ -z "$missing" ] && echo yes)" "run knows every check${missing:+, but not $missing}"

echo "1..$count"
exit $failed
