#!/bin/sh
# operator new and delete: a C++ program with the library preloaded, and with the archive linked in;
# then a delete that lies about the size, which debugging finds.
set -u
build=$(realpath "${LARDER_BUILD:-build}/linux")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
source=tests/linux/programs/new.cpp

# No removal of new and delete pairs: that is what is being tested.
g++ -std=c++17 -O1 -fno-builtin -fno-assume-sane-operators-new-delete "$source" -o "$work/new" 2>/dev/null ||
    g++ -std=c++17 -O1 -fno-builtin "$source" -o "$work/new" || exit 1
g++ -std=c++17 -O1 -fno-builtin -static "$source" "$build/liblarder.a" -pthread -o "$work/static" || exit 1

LD_PRELOAD=$build/liblarder.so "$work/new" >"$work/out" || exit 1
count=$(sed -n 's/^1\.\.//p' "$work/out")
"$work/static" static >"$work/static.out" || exit 1
more=$(sed -n 's/^1\.\.//p' "$work/static.out")
echo "1..$((count + more + 1))"
grep -v '^1\.\.' "$work/out"
sed -n "s/ok \([0-9]*\) - /& static: /p" "$work/static.out" |
    awk -v add="$count" '{ for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+$/) { $i += add; break } print }'

LD_PRELOAD=$build/liblarder.so LARDER_DEBUG=F "$work/new" mistake 2>"$work/message"
if [ $? -gt 128 ] && grep -q 'free with the wrong order or size' "$work/message"; then
    echo "ok $((count + more + 1)) - a wrong size in delete is named when debugging"
else
    echo "not ok $((count + more + 1)) - a wrong size in delete is named when debugging"
fi
