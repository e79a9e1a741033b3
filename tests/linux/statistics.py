"""Reads what the programs of tests/linux/statistics.sh left: prints TAP lines without numbers."""
import json
import re
import sys
import xml.etree.ElementTree as tree

AMOUNTS = ("live in_magazines in_slabs free_backed purged metadata usable mapped resident").split()
LIVE = 1000 * 112 + 100 * 65536
ASKED = 1000 * 100 + 100 * 62000


def say(good, text):
    print(("ok" if good else "not ok") + " - " + text)


def check_json(path, label):
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    now = {name: data[name]["now"] for name in AMOUNTS}
    say(all(isinstance(data[name][key], int) and data[name][key] >= 0
            for name in AMOUNTS for key in ("now", "peak")), label + ": every amount, none negative")
    say(all(data[name]["now"] <= data[name]["peak"] for name in AMOUNTS), label + ": no peak is passed")
    say(now["usable"] == sum(now[name] for name in AMOUNTS[:6]), label + ": usable is the sum")
    say(LIVE <= now["live"] <= LIVE + 200000, label + ": what lives is known (%d)" % now["live"])
    say(now["live"] <= now["usable"] <= now["mapped"], label + ": live, usable, mapped")
    at_peak = {name: data[name]["at_peak"] for name in AMOUNTS[:8]}
    say(at_peak["usable"] == sum(at_peak[name] for name in AMOUNTS[:6]),
        label + ": at its peak usable is the sum too")
    say((at_peak["usable"] - at_peak["purged"]) * 65 // 64 + 4096 >= now["usable"] - now["purged"],
        label + ": never more is backed than at the peak")
    say(data["slow_calls"] > 0 and data["slow_ns"] >= data["slow_calls"],
        label + ": slow paths are counted and timed")
    classes = {one["name"]: one for one in data["caches"]}
    say(1000 <= classes["heap-112"]["live"] <= 1100, label + ": the objects of a class")
    asked = {key: data["requested"][key] for key in ("now", "peak", "at_peak")}
    say(all(0 < asked[key] <= data["live"][key] for key in asked), label + ": asked for at most what lives")
    say(abs(asked["now"] - ASKED) <= 200000, label + ": what was asked for is near (%d)" % asked["now"])
    say(data["mappings"] > 10, label + ": mappings")
    return data


def main():
    work = sys.argv[1]
    end = check_json(work + "/end.json", "exit")
    say(end["live"]["peak"] >= LIVE + 150 * 65536 or end["free_backed"]["peak"] > 0,
        "exit: the peak saw what has gone")
    check_json(work + "/signal.json", "snapshot")
    check_json(work + "/slow.json", "snapshot without a thread")
    with open(work + "/text", encoding="utf-8") as file:
        text = file.read()
    say(bool(re.search(r"live, as size classes +\d{4,} +\d{4,}\n", text)), "text: live in KiB")
    say("-" not in re.sub(r"[a-z]-", "", text), "text: nothing is negative")
    root = tree.parse(work + "/info").getroot()
    say(root.tag == "malloc" and root.get("version", "").startswith("larder "), "malloc_info: version")
    heap = root.find("heap")
    sizes = [{key: int(value) for key, value in one.items()} for one in heap.find("sizes")]
    say(bool(sizes) and all(one["total"] == one["count"] * one["to"] for one in sizes),
        "malloc_info: sizes add up")
    say({one.get("type") for one in heap.findall("total")} == {"fast", "rest"} and
        {one.get("type") for one in root.findall("system")} == {"current", "max"},
        "malloc_info: the elements of glibc's")
    with open(work + "/numbers", encoding="utf-8") as file:
        arena, used, free = [int(word) for word in file.read().split()]
    say(arena == used + free and LIVE <= used <= LIVE + 200000, "mallinfo2: in use and free add up")


main()
