"""Asks programs at their control sockets and prints TAP. Started by control.sh: LIBRARY FOLDER."""
import json
import os
import socket
import stat
import subprocess
import sys

LIBRARY, WORK = sys.argv[1:3]
PROGRAM = [os.path.join(WORK, "program")]
OBJECTS, RUNS = 1000, 100  # that the program keeps: 112 bytes and 64 KiB each
failed = number = 0


def say(good, text):
    global failed, number
    number += 1
    failed |= not good
    print(("ok" if good else "not ok"), number, "-", text, flush=True)


class Process:
    """A program that says "ready" and ends when its stdin does."""

    def __init__(self, name, command=None, **options):
        self.path = os.path.join(WORK, name)
        environment = dict(os.environ, LD_PRELOAD=LIBRARY, LARDER_CONTROL=self.path, **options)
        self.child = subprocess.Popen(command or PROGRAM, env=environment, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE)
        self.ready = self.child.stdout.readline()

    def ask(self, request, path=None):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path or self.path)
            client.sendall(request.encode() + b"\n")
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def json(self, request):
        return json.loads(self.ask(request))

    def end(self):
        self.child.stdin.close()
        self.child.stdout.close()
        return self.child.wait()


def check_frames(process):
    frames = process.json("frames")
    blocks = frames["blocks"]
    say(all(a[0] + a[1] == b[0] for a, b in zip(blocks, blocks[1:])) and blocks[0][0] == 0 and
        blocks[-1][0] + blocks[-1][1] == frames["frames"], "frames: every frame once, in order")
    say(all(0 <= one[3] <= one[1] for one in blocks), "frames: no more resident than there are")
    names = frames["caches"]
    slabs = [one for one in blocks if one[2] == "slab"]
    taken = sum(one[6] for one in slabs if names[str(one[4])] == "heap-112")
    say(OBJECTS <= taken <= OBJECTS + 200 and all(one[6] + one[7] <= one[5] for one in slabs),
        "frames: the slabs hold the program's objects (%d)" % taken)
    say(sum(one[1] == 16 for one in blocks if one[2] == "run") >= RUNS, "frames: its runs are there")
    return frames


def check_whatis(process, frames):
    base = int(frames["base"], 16)
    slab = next(one for one in frames["blocks"]
                if one[2] == "slab" and frames["caches"][str(one[4])] == "heap-112")
    answer = process.json("whatis %x" % (base + slab[0] * 4096 + 112 * 3 + 5))
    say(answer["kind"] == "slab" and answer["cache"] == "heap-112" and answer["offset"] == 5 and
        answer["object_bytes"] == 112 and answer["state"] == "taken", "whatis: an object, and where in it")
    run = next(one for one in frames["blocks"] if one[2] == "run" and one[1] == 16)
    answer = process.json("whatis 0x%x" % (base + run[0] * 4096 + 40000))
    say(answer["kind"] == "run" and int(answer["start"], 16) == base + run[0] * 4096 and
        answer["size_bytes"] == 65536, "whatis: the run around an address")
    say(process.json("whatis 10")["kind"] == "foreign", "whatis: nothing of larder's")
    say("error" in process.json("whatis x") and "error" in process.json("whatis"), "whatis: no address")
    free = next(one for one in frames["blocks"] if one[2] == "free")
    say(process.json("whatis %x" % (base + free[0] * 4096))["kind"] == "free", "whatis: free memory")


def check_one_process():
    process = Process("one.sock", LARDER_PURGE_MS="1000000")
    say(process.ready == b"ready\n", "the program runs")
    status = os.lstat(process.path)
    say(stat.S_ISSOCK(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600,
        "the socket is its owner's alone")
    stats = process.json("stats")
    live = OBJECTS * 112 + RUNS * 65536
    say(stats["process"] == process.child.pid and live <= stats["live"]["now"] <= live + 400000,
        "stats: what lives")
    caches = {one["name"]: one for one in process.json("caches")["caches"]}
    say(OBJECTS <= caches["heap-112"]["live"] <= OBJECTS + 100, "caches: what lives of a class")
    check_whatis(process, check_frames(process))
    trim = process.json("trim")
    say(trim["resident_after"] <= trim["resident_before"] - 200 * 65536,
        "trim: what came and went is given back")
    leaks = process.json("leaks")
    say(leaks["tracked_caches"] == 0 and leaks["sites"] == [], "leaks: without debug U nothing is known")
    say("error" in process.json("nonsense") and "error" in process.json(""), "an unknown request is said so")
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as long:
        silent.connect(process.path)
        silent.close()
        long.connect(process.path)
        long.sendall(b"x" * 256)
        say(long.recv(10) == b"", "a request without an end is not answered")
    say(process.json("stats")["process"] == process.child.pid, "and the next client is")
    say(process.end() == 0 and not os.path.exists(process.path), "the socket goes with the process")


def in_program(process, program, site):
    """Is the address in the code of the program itself?"""
    with open("/proc/%d/maps" % process.child.pid, encoding="utf-8") as maps:
        code = next(line.split()[0] for line in maps if line.rstrip().endswith(program) and "r-xp" in line)
    low, high = (int(word, 16) for word in code.split("-"))
    return low <= int(site, 16) < high


def check_leaks():
    process = Process("leaks.sock", LARDER_DEBUG="U")
    sites = process.json("leaks")["sites"]
    objects = [one for one in sites if one["count"] == OBJECTS and one["bytes"] == OBJECTS * 112]
    runs = [one for one in sites if one["count"] == RUNS and one["bytes"] == RUNS * 65536]
    say(len(objects) == 1 and objects[0]["oldest_ms"] >= objects[0]["youngest_ms"] >= 0,
        "leaks: a thousand objects of one call site, with their ages")
    say(len(runs) == 1, "leaks: a hundred runs of another")
    say(objects and in_program(process, PROGRAM[0], objects[0]["site"]),
        "leaks: the call site is in the program")
    process.end()
    process = Process("new.sock", [PROGRAM[0] + "++"], LARDER_DEBUG="U")
    news = [one for one in process.json("leaks")["sites"] if one["count"] == 500]
    say(len(news) == 1 and in_program(process, PROGRAM[0] + "++", news[0]["site"]),
        "leaks: so is that of operator new")
    process.end()


def check_real_program():
    script = 'import json,sys; a=[json.loads("[1,2,{}]") for _ in range(20000)]; print("ready",flush=True); ' \
             'sys.stdin.read()'
    process = Process("python.sock", ["python3", "-c", script], PYTHONMALLOC="malloc", LARDER_HARDENED="1")
    stats, frames = process.json("stats"), process.json("frames")
    say(stats["live"]["now"] > 4 << 20, "python, hardened: its heap is seen from outside")
    say(any(one[7] for one in frames["blocks"] if one[2] == "slab"), "and its quarantine")
    say(process.end() == 0, "and it ends well")


def check_fork_and_stale():
    script = 'import os,sys\nb=[bytearray(i) for i in range(3000)]\nif os.fork()==0:\n' \
             ' c=[bytearray(70000+i) for i in range(3000)]; print("ready",flush=True); sys.stdin.read(); os._exit(0)\n' \
             'os.wait()\n'
    process = Process("%p.sock", ["python3", "-c", script], PYTHONMALLOC="malloc")
    paths = [os.path.join(WORK, name) for name in os.listdir(WORK) if name.endswith(".sock")]
    pids = {json.loads(process.ask("stats", path))["process"] for path in paths}
    say(len(pids) == 2 and process.child.pid in pids, "parent and child have a socket each")
    process.end()
    process = Process("stale.sock")
    process.child.kill()
    process.end()
    say(os.path.exists(process.path), "a killed program leaves its socket")
    process = Process("stale.sock")
    say(process.json("stats")["process"] == process.child.pid, "which the next one replaces")
    other = Process("stale.sock")
    say(process.json("stats")["process"] == process.child.pid and other.end() == 0,
        "one that is alive stays")
    process.end()


def check_off():
    environment = dict(os.environ, LD_PRELOAD=LIBRARY)
    with subprocess.Popen(PROGRAM, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        threads = os.listdir("/proc/%d/task" % child.pid)
        files = [os.readlink("/proc/%d/fd/%s" % (child.pid, one)) for one in os.listdir("/proc/%d/fd" % child.pid)]
        say(len(threads) == 1 and not any("socket" in one for one in files), "off: no thread and no socket")


check_one_process()
check_leaks()
check_real_program()
check_fork_and_stale()
check_off()
print("1..%d" % number)
sys.exit(failed)
