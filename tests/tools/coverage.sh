#!/bin/sh
# tools/coverage passes a core that its tests reach, and fails one that they do not, or no core.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
source=$PWD
count=0
failed=0
LARDER_BUILD=$work/build
export LARDER_BUILD
mkdir -p "$work/core" "$work/build/coverage"
cd "$work" || exit 1

# NAME STATUS PATTERN
judge() {
    count=$((count + 1))
    "$source/tools/coverage" >"$work/out" 2>&1
    status=$?
    if [ $status = "$2" ] && grep -q -e "$3" "$work/out"; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1: status $status"
        sed 's/^/# /' "$work/out"
    fi
}

# ARGUMENTS…: run the program once for each.
measure() {
    rm -rf "$work/build/coverage"
    mkdir -p "$work/build/coverage"
    ${CC:-gcc} --coverage -O0 -c core/sign.c -o build/coverage/sign.o &&
        ${CC:-gcc} --coverage build/coverage/sign.o -o build/coverage/sign || echo '# no build'
    for argument; do build/coverage/sign "$argument"; done
}

cat >core/sign.c <<'END'
int main(int count, char **argument) {
    if (count > 1 && argument[1][0] == '-')
        return 0;
    if (count > 2)
        return 0;
    return 0 * count;
}
END

judge 'no core at all' 1 'not ok 1'
measure x
judge 'half of the core' 1 '^not ok 1 - line coverage of core/: 66.7 % (4 of 6)'
measure
judge 'a core no test reached' 1 '^not ok 1 - line coverage of core/: 0.0 %'

sed -i '/count > 2/,+1d; s/count > 1 && //' core/sign.c
measure x -x
judge 'all of the core' 0 '^ok 2 - branch coverage of core/: 100.0 % (2 of 2)'

echo "1..$count"
exit $failed
