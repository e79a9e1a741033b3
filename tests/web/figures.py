#!/usr/bin/env python3
"""The numbers of a report against the same trace counted here, another way: event by event out of
the text, with whole tables instead of the tool's tricks for peaks and times."""
import json
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("LARDER_BUILD", "build")
LARDER = os.path.join(BUILD, "larder")
HERE = os.path.dirname(os.path.abspath(__file__))
count = failed = 0


def check(is_good, name):
    global count, failed
    count += 1
    failed += not is_good
    print(f"{'ok' if is_good else 'not ok'} {count} - {name}")


def same(found, wanted, name):
    check(found == wanted, name)
    if found != wanted:
        print(f"# found {str(found)[:300]}\n# wanted {str(wanted)[:300]}")


def report_of(folder, text):
    """The document of a trace in text form."""
    paths = [os.path.join(folder, name) for name in ("trace.txt", "trace.ltr", "report.json")]
    with open(paths[0], "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run([LARDER, "import", paths[0], "-o", paths[1]], check=True, stderr=subprocess.DEVNULL)
    subprocess.run([LARDER, "report", "--json", paths[1], "-o", paths[2]], check=True)
    with open(paths[2], encoding="utf-8") as file:
        return json.load(file)


def magnitude(number):
    return number.bit_length()


class Counted:
    """What a trace in text form comes to."""

    def __init__(self, text):
        self.live, self.sites, self.lifetimes, self.temporary = {}, {}, {}, 0
        self.requested = self.peak = self.allocs = self.frees = self.reallocs = self.events = 0
        self.peak_sites, last = {}, {}
        for line in text.split("\n\n", 1)[1].splitlines():
            words = line.split()
            if not words or line.startswith("\t") or words[0] == "site":
                continue
            self.event(int(words[0]), words[1], words[2], words[3:], last)

    def event(self, now, thread, kind, words, last):
        self.events += 1
        block, numbers = words[0], [int(word) for word in words[1:] if word[0] != "@"]
        site = int(words[-1][1:]) if words[-1][0] == "@" else 0
        if kind == "malloc":
            self.allocs += 1
            self.live[block] = [numbers[0], now, site]
            self.ever(site, numbers[0])
        elif kind == "realloc":
            self.reallocs += 1
            self.requested -= self.live[block][0]
            self.live[block] = [numbers[0], self.live[block][1], site]
            self.ever(site, numbers[0])
        else:
            self.free(block, now, last.get(thread))
        last[thread] = block if kind == "malloc" else None
        if self.requested > self.peak:
            self.peak = self.requested
            self.peak_sites = self.by_site()

    def ever(self, site, size):
        self.requested += size
        many, sum_bytes = self.sites.get(site, (0, 0))
        self.sites[site] = (many + 1, sum_bytes + size)

    def free(self, block, now, made_last):
        size, born, _ = self.live.pop(block)
        self.frees += 1
        self.requested -= size
        self.temporary += made_last == block
        cell = (magnitude(now - born), magnitude(size))
        self.lifetimes[cell] = self.lifetimes.get(cell, 0) + 1

    def by_site(self):
        sums = {}
        for size, _, site in self.live.values():
            sums[site] = sums.get(site, 0) + size
        return sums


def check_totals(report, counted):
    totals = report["totals"]
    same(totals["allocs"], counted.allocs, "allocations")
    same(totals["frees"], counted.frees, "frees")
    same(totals["reallocs"], counted.reallocs, "reallocs")
    same(report["trace"]["events"], counted.events, "events")
    same(totals["peak"]["requested"], counted.peak, "bytes at the peak")
    same(report["timeline"]["requested"][-1], counted.requested, "bytes at the end")
    same(report["timeline"]["blocks"][-1], len(counted.live), "blocks at the end")
    same(max(report["timeline"]["requested_max"]), counted.peak, "the time line has the peak")


def check_sites(report, counted):
    sites = {site["site"]: site for site in report["sites"]}
    ever = {n: (s["allocs"], s["allocated_bytes"]) for n, s in sites.items() if s["allocs"]}
    same(ever, counted.sites, "call sites: allocations and bytes ever")
    peak = {n: s["peak_bytes"] for n, s in sites.items() if s["peak_bytes"]}
    same(peak, {n: size for n, size in counted.peak_sites.items() if size}, "call sites at the peak")
    end = {n: s["end_bytes"] for n, s in sites.items() if s["end_bytes"]}
    same(end, counted.by_site(), "call sites at the end")
    same(sum(s["temporary"] for s in report["sites"]), counted.temporary, "temporary, by call site")


def check_lifetimes(report, counted):
    cells = report["lifetimes"]["cells"]
    endless = report["lifetimes"]["endless_row"]
    same({(row, column): many for row, column, many, _ in cells if row != endless}, counted.lifetimes, "lifetimes and sizes")
    same(sum(many for row, _, many, _ in cells if row == endless), len(counted.live), "never freed")
    same(sum(many for _, _, many, _ in report["lifetimes"]["temporary"]), counted.temporary, "temporary")


def check_equations(report):
    line = report["timeline"]
    looks = len(line["time"])
    check(all(len(column) == looks for column in line.values()), "every column of the time line is as long")
    check(256 <= looks <= 1024, f"looked {looks} times")
    check(all(a <= b for a, b in zip(line["requested"], line["live"])), "requested is never more than live")
    check(line["time"] == sorted(line["time"]), "time goes on")
    check(report["unplaced"] == 0, "every block has a place")
    for moment in report["moments"]:
        caches = [cache for cache in moment["caches"] if not cache["is_internal"]]
        if sum(cache["requested"] for cache in caches) != moment["requested"]:
            check(False, f"the caches at {moment['time']} add up to what was requested")
            return
    check(True, "at every moment the caches add up to what was requested")


def check_cells(report):
    """The map that the changes make, moment by moment."""
    cells, good = {}, True
    size = report["cell_frames"] * report["frame_bytes"]
    for moment in report["moments"]:
        changed = moment["cells"]
        for i, index in enumerate(changed["index"]):
            cells[index] = {name: column[i] for name, column in changed.items()}
        objects = sum(cell["objects"] for cell in cells.values())
        bytes_here = sum(cell["fill"] * size / 100 for cell in cells.values())
        good &= objects >= moment["blocks"] and bytes_here >= moment["requested"]
        good &= bytes_here <= moment["requested"] + len(cells) * size / 100
        good &= all(cell["objects"] > 0 for cell in cells.values() if cell["fill"] > 0)
    check(good, "at every moment the cells hold all blocks and their bytes")


def check_pins(report):
    """What would come back is not more than what is resident and not in use."""
    good = some = True
    for moment in report["moments"]:
        waste = moment["live"] - moment["requested"] + moment["cached"] + moment["in_slabs"]
        for unit in ("frame", "slab"):
            pins = [pin for pin in moment["pins"] if pin["unit"] == unit]
            back = sum(pin["alone_bytes"] + pin["shared_bytes"] for pin in pins)
            good &= back - sum(pin["live_bytes"] for pin in pins) <= waste
            good &= all(pin["live_bytes"] * 2 <= pin["alone_bytes"] + pin["shared_bytes"] for pin in pins)
    some = any(pin["alone_bytes"] for pin in report["moments"][-1]["pins"])
    check(good, "what pins is at least half free, and no more than what is wasted")
    check(some, "something is pinned at the end of a service that keeps one session in 60")


def check_policies(report, folder):
    """The same as larder compare says; and the last picture of each film is as long as its footprint."""
    trace = os.path.join(folder, "trace.ltr")
    out = subprocess.run([LARDER, "compare", "--json", "--no-time", "--policies=first,next,best,worst,good,buddies,slab", trace],
                         check=True, capture_output=True, text=True).stdout
    names = ("name", "title", "footprint_peak_bytes", "live_peak_bytes", "failures", "internal_permille", "external_max_permille", "searched", "searched_max")
    compared = [dict(each, live_peak_bytes=each["live_bytes_peak"]) for each in json.loads(out)["policies"]]
    same([[each[name] for name in names] for each in report["policies"]],
         [[each[name] for name in names] for each in compared], "policies are as larder compare has them")
    if not report["films"]:
        return
    found = {film["name"]: sum(abs(size) for size in film["steps"][-1]) for film in report["films"]["policies"]}
    same(sorted(found), ["best", "first", "good", "next", "worst"], "a film of each region heap")
    peaks = {each["name"]: each["footprint_peak_bytes"] for each in report["policies"]}
    check(all(found[name] <= peaks[name] for name in found), "and its last chunks fit into the footprint")
    used = {film["name"]: sum(size > 0 for size in film["steps"][-1]) for film in report["films"]["policies"]}
    same(set(used.values()), {report["timeline"]["blocks"][-1]}, "a used chunk for each block that is live")


SHORT = ("larder trace text 1\nprogram: short\nhas: time\n\n" +
         "\n".join(f"{i} 0 free {i - 3}" if i % 4 == 3 else f"{i} 0 malloc {i} {24 + i * 37 % 500}" for i in range(200)) + "\n")


def known(folder):
    """Ten slabs of 256-byte objects in which one object each stays: exactly those pin them."""
    lines, now = [], 0
    for block in range(1, 641):
        lines.append(f"{now} 0 malloc {block} 256 @{1 + (block - 1) % 64 // 63}")
        now += 1000
    lines += [f"{now} 0 free {block}" for block in range(1, 641) if block % 64]
    text = ("larder trace text 1\nprogram: known\nhas: time threads sites\n\nsite 1\n\t0x1\tgone\tk.c\t1\tk\n"
            "site 2\n\t0x2\tstays\tk.c\t2\tk\n" + "\n".join(lines) + f"\n{now + 60_000_000_000} 0 malloc 641 16 @1\n")
    report = report_of(folder, text)
    pins = [pin for pin in report["moments"][-1]["pins"] if pin["unit"] == "slab" and pin["usable_bytes"] == 256]
    same({pin["site"] for pin in pins}, {2}, "only the call site that keeps objects pins slabs")
    same(sum(pin["blocks"] for pin in pins), 10, "all that it keeps is in the table")
    same(sum(pin["alone_bytes"] for pin in pins), 10 * 16384, "ten slabs of 16 KiB would come back")


def main():
    service = subprocess.run([os.path.join(HERE, "service.py"), "0.5"], check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        report = report_of(folder, service)
        counted = Counted(service)
        check_totals(report, counted)
        check_sites(report, counted)
        check_lifetimes(report, counted)
        check_equations(report)
        check_cells(report)
        check_pins(report)
        check_policies(report, folder)
        check_policies(report_of(folder, SHORT), folder)
        known(folder)
    print(f"1..{count}")
    sys.exit(failed > 0)


main()
