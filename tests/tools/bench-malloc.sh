#!/bin/sh
# The malloc benchmark's arithmetic, on runs made up so that every figure can be checked in one's head.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# Reads lines "WORKLOAD ALLOCATOR WALL PEAK_KIB [OUTPUT]" and, with threads, "growth WORKLOAD ALLOCATOR
# THREADS WALL", and reports on them. A WALL that is no number is the reason of a failure.
report() {
    python3 -c '
import json, sys
runs, growth = [], []
def add(to, key, wall, peak, output, **more):
    run = {"workload": key[0], "allocator": key[1], **more}
    run["round"] = sum(run.items() <= other.items() for other in to)
    try:
        run.update(wall_s=float(wall), user_s=float(wall) / 2, system_s=0.0, peak_kib=int(peak),
                   faults=100, output=output)
    except ValueError:
        run["failed"] = wall
    to.append(run)
for words in map(str.split, sys.stdin):
    if words and words[0] == "growth":
        add(growth, words[1:3], words[4], 1, "", threads=int(words[3]))
    elif words:
        add(runs, words[:2], words[2], words[3], (words + ["same"])[4])
names = list(dict.fromkeys(run["allocator"] for run in runs))
json.dump({"subject": "larder", "notes": [], "runs": runs, "growth_runs": growth,
           "machine": {"cpu": "?", "cpus": 2, "memory_gib": 1, "system": "?"},
           "allocators": {name: "" for name in names}}, open(sys.argv[1], "w"))
' "$work/runs.json" || return
    bench/malloc/run --from "$work/runs.json" --out "$work/out" >"$work/said" 2>&1
}

# NAME PATTERN...: every pattern is on a line of the table.
has() {
    count=$((count + 1))
    name=$1
    shift
    for pattern; do
        grep -q -e "$pattern" "$work/out.txt" && continue
        failed=1
        echo "not ok $count - $name: no line '$pattern'"
        sed 's/^/# /' "$work/said"
        return
    done
    echo "ok $count - $name"
}

# Medians 2 4 8 and 6 3 3 with an outlier each; means sqrt(2/4 * 6/3) = 1, sqrt(1 * 1), sqrt(2 * 1).
report <<'END_OF_RUNS'
one larder 2 100
one larder 2 100
one larder 90 100
one glibc 4 200
one glibc 1 200
one glibc 4 200
one tcmalloc 8 50
one tcmalloc 8 50
one tcmalloc 9 50
two larder 6 100
two larder 1 100
two larder 7 100
two glibc 3 100
two glibc 3 100
two glibc 3 100
two tcmalloc 3 400
two tcmalloc 3 400
two tcmalloc 3 400
END_OF_RUNS
has 'a median is not moved by one round' '^  one  *2\.000 *4\.000 *8\.000$'
has 'the spread is that of the rounds' '^  one  *1\.00\.\.45\.00 *0\.25\.\.1\.00 '
has 'scores are to the best peer, not to larder' '^  one  *0\.50 *1\.00 *2\.00$' \
    '^  two  *2\.00 *1\.00 *1\.00$'
has 'means are geometric' '^  geometric mean *1\.000 *1\.000 *1\.414$'
# Memory: scores 2 and 1 for larder (mean 1.414), 4 and 1 for glibc (2), 1 and 4 for tcmalloc (2).
has 'goals are not met above their limit' \
    'mean of wall time.* 1\.000 ≤ 0\.95   goal NOT MET   (glibc)' \
    'worst workload.* 2\.000 ≤ 1\.10   goal NOT MET   (two)'
has 'goals are met below it' 'mean of peak memory.* 0\.707 ≤ 1\.00   goal met   (glibc)' \
    'did not end well.* 0\.000 ≤ 0\.00   goal met' '^2 of 4 goals met'

# A peer that fails one workload, however fast on the other, is nobody's best mean.
report <<'END_OF_RUNS'
one larder 9 100
one glibc 10 100
one scudo 5 100
two larder 9 100
two glibc 10 100
two scudo crashed 0
growth t larder 1 10
growth t larder 64 30
growth t glibc 1 20
growth t glibc 64 40
growth t scudo 1 10
growth t scudo 64 crashed
END_OF_RUNS
has 'a failed run has no figure and is reported' '^note: scudo failed on two: crashed' '^  two .* -$'
has 'a mean over fewer workloads is marked' '^  geometric mean .*\*'
has 'who did not run everything is not the best of all' \
    'mean of wall time.* 0\.900 ≤ 0\.95   goal met   (glibc)' \
    'worst workload.* 1\.800 ≤ 1\.10   goal NOT MET   (one)'
has 'growth is the ratio of the ratios' '^  larder  *1\.00 *3\.00 *10\.000 *30\.000' \
    'growth of t.* 1\.500 ≤ 1\.00   goal NOT MET   (glibc)'

# Fast, and wrong.
report <<'END_OF_RUNS'
one larder 1 10 different
one glibc 9 100
two larder 1 10
two glibc 9 100
END_OF_RUNS
has 'another output than the reference is a failure' "^note: larder failed on one: its output" \
    'did not end well.* 1\.000 ≤ 0\.00   goal NOT MET'

report <<'END_OF_RUNS'
one glibc 2 100
one tcmalloc 1 100
END_OF_RUNS
has 'without larder there is a table and no verdict' '^  one *2\.00 *1\.00$' \
    'not evaluated: larder or its peers took no part'

report <<'END_OF_RUNS'
one larder 2 100
END_OF_RUNS
has 'without peers there is no verdict' 'not evaluated'

# In pieces: the second measures one of the first's workloads again, and the growth.
report <<'END_OF_RUNS'
one larder 9 100
one glibc 10 100
two larder 9 100
two glibc 3 100
END_OF_RUNS
cp "$work/runs.json" "$work/first.json"
report <<'END_OF_RUNS'
two larder 9 100
two glibc 10 100
growth t larder 1 10
growth t larder 64 30
growth t glibc 1 20
growth t glibc 64 40
END_OF_RUNS
bench/malloc/run --from "$work/first.json" "$work/runs.json" --out "$work/out" >"$work/said" 2>&1
has 'pieces are one measurement, and the last of a workload counts' '^  one *0\.90 *1\.00$' \
    '^  two *0\.90 *1\.00$' 'growth of t.* 1\.500 ≤ 1\.00   goal NOT MET   (glibc)'

echo "1..$count"
exit $failed
