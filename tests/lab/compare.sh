#!/bin/sh
# larder compare as its users see it: the table, JSON and CSV say the same, little memory fails, what
# goes wrong in a malloc's process is a line of the table, and an interruption leaves what there is.
set -u
# shellcheck source=tests/lab/support/tap.sh
. "$(dirname "$0")/support/tap.sh"
unset NO_COLOR ODD_MALLOC

# status EXPECTED COMMAND…: it ends with that; what it says is in $work/said
status() {
    expected=$1
    shift
    "$@" >"$work/said" 2>&1
    found=$?
    [ $found = "$expected" ] || { cat "$work/said"; echo "exit code $found"; false; }
}

says() {
    grep -q -e "$1" "$work/said" || { cat "$work/said"; echo "no: $1"; false; }
}

# ---- Traces ----
trace() {
    awk -v events="$1" -v most="$2" 'BEGIN {
        srand(7)
        print "larder trace text 1\nprogram: made \"by\" awk\nhas: time\n"
        for (i = 0; i < events; i++) {
            if (count == 0 || (count < most && rand() < 0.55)) {
                id = unused > 0 ? spare[--unused] : top++
                live[count++] = id
                kind = rand()
                size = 16 + int(rand() * rand() * 2000)
                if (kind < 0.1) print i, 0, "calloc", id, size
                else if (kind < 0.15) print i, 0, "aligned", id, size, 64
                else print i, 0, "malloc", id, size
            } else {
                at = int(rand() * count)
                if (rand() < 0.1) { print i, 0, "realloc", live[at], 1 + int(rand() * 3000); continue }
                spare[unused++] = live[at]
                print i, 0, "free", live[at]
                live[at] = live[--count]
            }
        }
    }' >"$work/trace.txt"
    "$larder" import text "$work/trace.txt" -o "$work/$3" >"$work/out" 2>&1
}
ok 'a trace to work with' trace 20000 500 a.ltr

# ---- Table, JSON, CSV ----
ok 'compare without options' status 0 "$larder" compare "$work/a.ltr"
for title in 'first fit' 'next fit' 'best fit' 'worst fit' 'good fit' buddies 'slab on buddies' 'system malloc'; do
    ok "the table has $title" says "^$title  *[0-9]"
done
ok 'no colour in a file' sh -c "! grep -q '\\[' '$work/said'"

on_a_terminal() {
    python3 - "$@" <<'END'
import os, pty, sys
output = b""
def keep(fd):
    global output
    data = os.read(fd, 65536)
    output += data
    return data
status = pty.spawn(sys.argv[2:], keep)
sys.exit(0 if status == 0 and (b"\x1b[1;32m" in output) == (sys.argv[1] == "colour") else 1)
END
}
ok 'colour on a terminal' on_a_terminal colour "$larder" compare "$work/a.ltr" --policies=first,best
ok 'none with NO_COLOR' on_a_terminal plain env NO_COLOR=1 "$larder" compare "$work/a.ltr" -p first

"$larder" compare "$work/a.ltr" --no-time --policies=first,next,best,worst,good,buddies,slab >"$work/table"
"$larder" compare "$work/a.ltr" --no-time --policies=first,next,best,worst,good,buddies,slab --json >"$work/json"
"$larder" compare "$work/a.ltr" --no-time --policies=first,next,best,worst,good,buddies,slab --csv >"$work/csv"
the_same() {
    python3 - "$work" <<'END'
import csv, json, sys
work = sys.argv[1]
made = json.load(open(work + "/json"))
rows = list(csv.DictReader(open(work + "/csv")))
table = open(work + "/table").read()
assert made["trace"]["program"] == 'made "by" awk', made["trace"]
assert [p["name"] for p in made["policies"]] == [r["name"] for r in rows] == \
    "first next best worst good buddies slab".split()

def words(count):
    units = "B KiB MiB GiB".split()
    unit = 0
    while count >= 1023.95:
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {units[unit]}" if unit == 0 or count >= 99.95 else f"{count:.1f} {units[unit]}"

for policy, row in zip(made["policies"], rows):
    for name in row:
        assert str(policy[name]) == row[name], (policy["name"], name, policy[name], row[name])
    line = next(l for l in table.splitlines() if l.startswith(policy["title"] + " "))
    cells = line[16:].split()
    assert " ".join(cells[:2]) == words(policy["footprint_peak_bytes"]), line
    assert cells[2] == f"{policy['footprint_peak_bytes'] / policy['live_bytes_peak']:.2f}", line
    assert cells[3] == str((policy["internal_permille"] + 5) // 10), line
    # The equations of replay.h, at each sample and at the end.
    for s in policy["samples"] + [policy]:
        assert s["footprint_bytes"] == s["held_bytes"] + s["cached_bytes"] + s["free_bytes"], s
        assert s["live_bytes"] <= s["held_bytes"] and s["largest_free_bytes"] <= s["free_bytes"], s
    assert 100 <= len(policy["samples"]) <= 200
    assert policy["samples"][-1]["event"] == policy["events"] == 20000
    assert policy["failures"] == 0 and policy["state"] == "whole"
    assert (len(policy["orders"]) > 0) == (policy["name"] in ("buddies", "slab"))
same = {p["live_bytes_peak"] for p in made["policies"]}
assert len(same) == 1, same
END
}
ok 'table, JSON and CSV say the same, by the equations' the_same
"$larder" compare "$work/a.ltr" --no-time --policies=first,next,best,worst,good,buddies,slab >"$work/again"
ok 'without times it says the same each time' cmp "$work/table" "$work/again"

ok 'from standard input' status 0 sh -c "'$larder' compare - -p first,best <'$work/a.ltr'"
ok 'both policies have read all of it' says '20000 events'
ok 'the first policy' says '^first fit'
ok 'and the second' says '^best fit'

# ---- Little memory ----
ok 'in little memory' status 0 "$larder" compare "$work/a.ltr" -m 64K --json
fails() {
    python3 -c 'import json, sys
made = json.load(open(sys.argv[1]))
assert made["memory_bytes"] == 65536
assert [p["name"] for p in made["policies"]][-1] == "slab"  # nobody bounds a malloc
for p in made["policies"]:
    assert p["failures"] > 0 and p["footprint_peak_bytes"] == 65536, p["name"]
    assert p["live_bytes_peak"] <= p["held_at_peak_bytes"] <= 65536' "$work/said"
}
ok 'each policy fails and stays in it' fails

# ---- Mallocs ----
odd=$work/odd.so
ok 'an odd malloc is built' "${CC:-gcc}" -shared -fPIC -O1 -fno-builtin -o "$odd" tests/lab/support/odd_malloc.c
ok 'a malloc by preload' status 0 "$larder" compare "$work/a.ltr" -p first --with="$odd"
ok 'has a line of its own' says '^odd.so  *[0-9]'
ok "larder's own, found beside the command" status 0 "$larder" compare "$work/a.ltr" -p malloc --with=liblarder.so --json
larders() {
    python3 -c 'import json, sys
libc, ours = json.load(open(sys.argv[1]))["policies"]
assert ours["name"] == "liblarder.so" and libc["name"] == "malloc"
for p in libc, ours:
    assert p["is_process"] and p["state"] == "whole" and p["failures"] == 0
    assert p["live_bytes_peak"] <= p["held_at_peak_bytes"]
    assert p["footprint_peak_bytes"] > p["live_bytes_peak"] / 2, p["footprint_peak_bytes"]' "$work/said"
}
ok 'both are measured' larders

ok 'a malloc that crashes' status 1 env ODD_MALLOC=crash "$larder" compare "$work/a.ltr" -p best --with="$odd"
ok 'is said to have died, and where' says '^odd.so  *its process died at event [0-9]*: '
ok 'and the others are there' says '^best fit  *[0-9]'
ok 'a malloc that leaves' status 1 env ODD_MALLOC=exit "$larder" compare "$work/a.ltr" -p best --with="$odd"
ok 'with its status' says 'ended at event [0-9]* with status 7'
ok 'a malloc that gives out a block again' status 1 env ODD_MALLOC=overlap "$larder" compare "$work/a.ltr" -p best --with="$odd"
ok 'is caught' says '^odd.so: event [0-9]*: block [0-9]* of [0-9]* bytes was overwritten at byte'
ok 'unless nobody looks' status 0 env ODD_MALLOC=overlap "$larder" compare "$work/a.ltr" --no-check -p best --with="$odd"
ok 'a library that is not there' status 1 "$larder" compare "$work/a.ltr" -p best --with=no-such-malloc.so
ok 'is named' says '^no-such-malloc.s*o*  *it was not loaded'

# ---- Interrupted ----
trace 300000 500 long.ltr || echo '# no long trace'
ok 'an interruption' status 1 env ODD_MALLOC=interrupt "$larder" compare "$work/long.ltr" -p first --with="$odd" --with="$odd" --json
partial() {
    python3 -c 'import json, sys
policies = json.load(open(sys.argv[1]))["policies"]
assert [p["state"] for p in policies] == ["whole", "interrupted"], [p["state"] for p in policies]
assert 0 < policies[1]["events"] < 300000 == policies[0]["events"]
assert policies[1]["what"].startswith("interrupted after %d events" % policies[1]["events"]), policies[1]["what"]' "$work/said"
}
ok 'leaves what there is, and says so' partial

# ---- What is wrong ----
ok 'no trace' status 2 "$larder" compare
ok 'an unknown policy' status 2 "$larder" compare "$work/a.ltr" --policies=first,fist
ok 'is named' says 'no policy "fist"'
ok 'an unknown option' status 2 "$larder" compare "$work/a.ltr" --no-such
for size in 0 x 12Q -1 99999999999999999999 64KK; do
    ok "no size: $size" status 2 "$larder" compare "$work/a.ltr" --memory=$size
done
ok 'no file' status 1 "$larder" compare "$work/none.ltr"
ok 'too little memory to begin' status 1 "$larder" compare "$work/a.ltr" -p first -m 8
ok 'is a line of the table' says '^first fit  *first fit cannot begin'
head -c 20000 "$work/a.ltr" >"$work/cut.ltr"
ok 'a trace that was cut' status 1 "$larder" compare "$work/cut.ltr" -p first
ok 'is compared as far as it goes' says '^first fit  *[0-9]'
ok 'and where it ends is said' says 'cut.ltr: byte [0-9]*: '

echo "1..$count"
exit $failed
