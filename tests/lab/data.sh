#!/bin/sh
# The traces of data/ are whole, as many as data/README.md says, and small.
set -u
larder=${LARDER_BUILD:-build}/larder
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0 failed=0
set -- data/*.ltr
echo "1..$(($# + 1))"
for trace; do
    count=$((count + 1))
    "$larder" dump "$trace" >"$work/text" 2>"$work/err"
    status=$?
    events=$(grep -c '^[0-9]' "$work/text")
    said=$(sed -n "s/^| \`$(basename "$trace")\` | \([0-9]*\),\([0-9]*\) .*/\1\2/p" data/README.md)
    if [ $status = 0 ] && [ $(((events + 500) / 1000)) = $((said / 1000)) ]; then
        echo "ok $count - $trace"
    else
        failed=1
        sed 's/^/# /' "$work/err"
        echo "not ok $count - $trace: $events events, the list says $said"
    fi
done
bytes=$(cat data/*.ltr | wc -c)
if [ "$bytes" -lt 4194304 ] && [ $count = 8 ]; then
    echo "ok $((count + 1)) - eight of them, less than 4 MiB"
else
    failed=1
    echo "not ok $((count + 1)) - $count traces, $bytes bytes"
fi
exit $failed
