#!/bin/sh
# Bounded fuzzing of the region heap: a fixed number of inputs from a printed seed, or so many
# seconds. LARDER_FUZZ_RUNS and LARDER_SEED change them.
set -u
runs=${LARDER_FUZZ_RUNS:-30000}
seed=${LARDER_SEED:-20260921}
fuzzer=${LARDER_BUILD:-build}/fit/fuzz
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
echo 1..1
"$fuzzer" -seed="$seed" -runs="$runs" -max_total_time=25 -max_len=2048 -len_control=0 \
    -artifact_prefix="$work/" "$work" >"$work.out" 2>&1
status=$?
done=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work.out")
if [ $status = 0 ] && [ "${done:-0}" -gt 500 ]; then
    echo "ok 1 - $done inputs, seed $seed"
else
    tail -n 40 "$work.out" | sed 's/^/# /'
    for input in "$work"/crash-* "$work"/timeout-*; do
        [ ! -f "$input" ] || { echo "# input:"; od -An -tx1 "$input" | sed 's/^/#  /'; }
    done
    echo "not ok 1 - fuzzing, seed $seed, ${done:-0} inputs"
    status=1
fi
rm -f "$work.out"
exit $status
