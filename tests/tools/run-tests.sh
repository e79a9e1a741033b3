#!/bin/sh
# The test runner tells a crash, silence, a hang and a failure from success (trap 41).
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# case NAME EXPECTED-LAST-LINE EXPECTED-STATUS: judge what run-tests made of $work/t.
judge() {
    count=$((count + 1))
    printf 'test %s\n%s\n' "$work/t${arguments:-}" "options *:limit=${limit:-10}" >"$work/list"
    chmod +x "$work/t"
    tools/run-tests --build "$work/build" --limit-factor "${factor:-1}" \
        ${broken:+--broken "$broken"} ${only:+--only "$only"} "$work/list" >"$work/out" 2>&1
    status=$?
    last=$(tail -n 1 "$work/out")
    if [ "$last" = "$2" ] && [ "$status" = "$3" ] &&
        [ "$(grep -c '^[0-9]* passed, [0-9]* failed' "$work/out")" = 1 ] &&
        grep -q -e "${says:-.}" "$work/out"; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1: status $status, last line \"$last\""
        sed 's/^/# /' "$work/out"
    fi
}

script() {
    { echo '#!/bin/sh'; cat; } >"$work/t"
}

script <<'END'
echo 1..2; echo "ok 1 - one"; echo "ok 2"
END
judge 'two that pass' '2 passed, 0 failed' 0

broken=build:asan says='failed: build:asan' judge 'what could not be built' '2 passed, 1 failed' 1

script <<'END'
echo 1..2; echo "ok 1 - one"; echo "not ok 2 - the bad one"; exit 1
END
says='the bad one' judge 'one that fails, and its log is shown' '1 passed, 1 failed' 1
says='/t: the bad one' judge 'and it is named once more at the end' '1 passed, 1 failed' 1

script <<'END'
echo 1..1; echo "not ok 1 - failed and exits 0"
END
judge 'a failure with status 0' '0 passed, 1 failed' 1

script <<'END'
echo 1..1; echo "x.c:1: runtime error: overflow"; yes filler | head -n 500; echo "ok 1"; exit 1
END
says='x.c:1: runtime error' judge "a sanitizer's word far above the end" '1 passed, 1 failed' 1

script <<'END'
exit 0
END
says='printed no plan' judge 'an empty test' '0 passed, 1 failed' 1

script <<'END'
echo 1..0
END
says='ran nothing' judge 'a plan of nothing' '0 passed, 1 failed' 1

script <<'END'
echo "1..0 # SKIP no such machine"
END
says='no such machine' judge 'a test that skips itself is no success' '0 passed, 0 failed, 1 skipped' 1

script <<'END'
echo 1..2; echo "ok 1 - here"; echo "ok 2 - there # SKIP no such board"
END
judge 'a subtest that skips' '1 passed, 0 failed, 1 skipped' 0

script <<'END'
echo 1..1; echo "ok 1"; kill -SEGV $$
END
says='killed by SIGSEGV' judge 'a crash after success' '1 passed, 1 failed' 1

script <<'END'
echo 1..3; echo "ok 1"
END
says='planned 3 tests, ran 1' judge 'an early end' '1 passed, 1 failed' 1

script <<'END'
echo 1..1; echo "ok 1"; echo "ok 2"
END
says='planned 1 tests, ran 2' judge 'more than planned' '2 passed, 1 failed' 1

script <<'END'
echo "ok 1"
END
says='printed no plan' judge 'success without a plan' '1 passed, 1 failed' 1

script <<'END'
echo "ok 1"; echo "ok 2"; echo 1..2
END
judge 'a plan at the end' '2 passed, 0 failed' 0

script <<'END'
echo 1..2; echo "ok 1"; echo "ok 1"
END
says='test number 1 where 2 was due' judge 'a number twice' '2 passed, 1 failed' 1

script <<'END'
echo 1..1; echo "ok 1"; exit 3
END
says='status 3' judge 'a bad status without a failure' '1 passed, 1 failed' 1

script <<'END'
echo 1..2; echo "ok 1"; echo "Bail out! no memory"; exit 1
END
says='Bail out! no memory' judge 'a test that gives up' '1 passed, 1 failed' 1

script <<'END'
echo 1..2; echo "ok 1"; sleep 60; echo "ok 2"
END
limit=1 says='cut off after 1 s' judge 'a test that hangs' '1 passed, 1 failed' 1

script <<'END'
echo 1..1; sleep 2; echo "ok 1"
END
limit=1 factor=8.5 judge 'a slow machine' '1 passed, 0 failed' 0

script <<'END'
trap '' TERM; echo 1..1; while :; do sleep 1; done
END
limit=1 says='cut off after 1 s' judge 'a test that hangs and ignores the request to stop' \
    '0 passed, 1 failed' 1

script <<'END'
read -r line && { echo "not ok 1 - input: $line"; exit 1; }
echo 1..2; echo "ok 1 - no input"; [ "$1 $2" = "a b" ] && echo "ok 2 - arguments"
END
arguments=@a,b judge 'arguments and no input' '2 passed, 0 failed' 0

script <<'END'
echo 1..1; echo "ok 1"
END
only='nothing/*' says='nothing ran' judge 'a choice that matches nothing' '0 passed, 0 failed' 1

rm "$work/t"; : >"$work/t"
says='cannot be started' judge 'a file that is no program' '0 passed, 1 failed' 1

# cmocka's own form, with two groups and a test that skips.
cat >"$work/t.c" <<'END'
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
static void good(void **state) { (void)state; }
static void bad(void **state) { (void)state; assert_int_equal(1, 2); }
static void absent(void **state) { (void)state; skip(); }
int main(void)
{
    const struct CMUnitTest first[] = {cmocka_unit_test(good), cmocka_unit_test(absent)};
    const struct CMUnitTest second[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};
    int status = cmocka_run_group_tests_name("first", first, NULL, NULL);
    return status + cmocka_run_group_tests_name("second", second, NULL, NULL);
}
END
if ${CC:-cc} "$work/t.c" -o "$work/t" -lcmocka 2>"$work/log"; then
    says='0x1 != 0x2' judge 'a cmocka program' '2 passed, 1 failed, 1 skipped' 1
else
    count=$((count + 1))
    failed=1
    echo "not ok $count - a cmocka program does not compile"
    sed 's/^/# /' "$work/log"
fi

echo "1..$count"
exit $failed
