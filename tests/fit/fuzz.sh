#!/bin/sh
# Bounded fuzzing of the region heap: a fixed number of inputs from a printed seed, at fixed
# addresses where the system allows that, so that each machine does the same, however slow it is.
# LARDER_FUZZ_RUNS and LARDER_SEED change them. Leaks are not looked for: nothing here calls malloc,
# and the leak checker cannot run in a container without ptrace.
set -u
runs=${LARDER_FUZZ_RUNS:-12000}
seed=${LARDER_SEED:-20260921}
fuzzer=${LARDER_BUILD:-build}/fit/fuzz
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/inputs"
fixed=''
setarch -R true 2>/dev/null && fixed='setarch -R'
echo 1..1
# shellcheck disable=SC2086 # words on purpose
ASAN_OPTIONS=detect_leaks=0 LC_ALL=C $fixed "$fuzzer" -seed="$seed" -runs="$runs" -max_len=2048 \
    -len_control=0 -detect_leaks=0 -timeout=60 -artifact_prefix="$work/" "$work/inputs" \
    >"$work/out" 2>&1
status=$?
done=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/out")
if [ $status = 0 ] && [ "${done:-0}" -ge "$runs" ]; then
    echo "ok 1 - $done inputs, seed $seed"
else
    tail -n 40 "$work/out" | sed 's/^/# /'
    for input in "$work"/crash-* "$work"/timeout-* "$work"/oom-*; do
        [ ! -f "$input" ] || { echo "# input:"; od -An -tx1 "$input" | sed 's/^/#  /'; }
    done
    echo "not ok 1 - fuzzing, seed $seed, ${done:-0} inputs, status $status"
    status=1
fi
exit $status
