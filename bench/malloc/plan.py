"""Who takes part and in what: allocators, workloads, the two processors."""
import dataclasses
import glob
import os
import shutil
import subprocess
import sys

SUBJECT = "larder"
MACHINE = os.uname().machine
LIBRARIES = f"/usr/lib/{MACHINE}-linux-gnu/"


@dataclasses.dataclass
class Allocator:
    name: str
    library: str  # for LD_PRELOAD
    version: str = ""


@dataclasses.dataclass
class Workload:
    name: str
    what: str
    command: list  # {out} is a folder of this run alone
    environment: dict = dataclasses.field(default_factory=dict)
    input: str = "/dev/null"  # stdin
    server: bool = False  # measured by measure.run_server


def known(names, all_names, what):
    """A misspelt name must not pass for a choice."""
    for name in names:
        if name not in all_names:
            sys.exit(f"bench: there is no {what} {name}; there are: {' '.join(all_names)}")


# ---- Allocators -------------------------------------------------------------------------------------
# Name, library (the last match counts), package of Debian.
ALLOCATORS = [
    (SUBJECT, "{build}/linux/liblarder.so", ""),
    ("glibc", LIBRARIES + "libc.so.6", "libc6"),
    ("jemalloc", LIBRARIES + "libjemalloc.so.2", "libjemalloc2"),
    ("mimalloc", LIBRARIES + "libmimalloc.so.?", "libmimalloc2.0"),
    ("tcmalloc", LIBRARIES + "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
    ("tbbmalloc", LIBRARIES + "libtbbmalloc_proxy.so.2", "libtbbmalloc2"),
    ("scudo", f"/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-{MACHINE}.so",
     "libclang-rt-14-dev"),
]


def package_version(path):
    """Of the package a file belongs to. dpkg knows /usr/lib files as /lib where that is a link."""
    for name in (os.path.realpath(path), os.path.realpath(path).replace("/usr/lib/", "/lib/", 1)):
        owner = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if owner.returncode == 0:
            package = owner.stdout.split(": ")[0].split(",")[0]
            version = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package],
                                     capture_output=True, text=True)
            return version.stdout.strip()
    return ""


def find_allocators(build, names):
    """Those that exist, and a note for each that does not."""
    known(names, [row[0] for row in ALLOCATORS], "allocator")
    found, notes = [], []
    for name, pattern, package in ALLOCATORS:
        if names and name not in names:
            continue
        libraries = sorted(glob.glob(pattern.format(build=build)))
        if libraries:
            path = os.path.abspath(libraries[-1])
            found.append(Allocator(name, path, package_version(path) if package else "this tree"))
        elif package:
            notes.append(f"{name} takes no part: package {package} is not installed")
        else:
            notes.append(f"{name} takes no part: there is no {pattern.format(build=build)}")
    return found, notes


# ---- Workloads --------------------------------------------------------------------------------------
# Name, program and arguments, what it is. About half a second each.
OWN = [
    ("larson", "larson 120 2", "server: threads come and go and hand their blocks on"),
    ("pipe", "pipe 90 2", "producer and consumer"),
    ("short", "short 14", "short-lived small objects"),
    ("lifetimes", "lifetimes 120 2", "16 B to 1 KiB alive for random times, 2 threads"),
    ("matrices", "matrices 70", "blocks of 8 to 64 KiB"),
    ("large", "large 20", "blocks of 5 to 25 MiB"),
    ("threads", "threads 250 4", "a thread for each request"),
    ("pingpong-active", "pingpong 1500 2 active", "small objects of two threads, written to"),
    ("pingpong-passive", "pingpong 1500 2 passive", "the same, after a line was shared"),
    ("realloc", "realloc 14", "things that grow"),
    ("aligned", "aligned 30", "aligned blocks"),
]
# For the growth: the same work on more and more threads.
GROWTH = {"larson": "larson 40 {threads}", "threads": "threads 100 {threads}"}
GROWTH_THREADS = [1, 2, 4, 8, 16, 32, 64]
GROWTH_THREADS_QUICK = [1, 8, 64]

REDIS_LOAD = ("-q -P 16 -c 20 -r 100000 -n 60000 -d 200 "
              "-t set,get,lpush,lpop,sadd,hset,zadd").split()


def program(name):
    """Debian's, not one that happens to stand before it in PATH."""
    path = "/usr/bin/" + name
    return path if os.path.exists(path) else shutil.which(name)


def own_workload(folder, name, line, what):
    first, *rest = line.split()
    return Workload(name, what, [os.path.join(folder, first), *rest])


def compiler_cc1():
    if not program("gcc"):
        return None
    path = subprocess.run([program("gcc"), "-print-prog-name=cc1"], capture_output=True, text=True)
    return path.stdout.strip()


def real_workloads(folder, programs):
    here = lambda name: os.path.join(folder, name)
    there = lambda name: os.path.join(programs, name)
    redis = here("redis-server") if os.path.exists(here("redis-server")) else None
    return [
        Workload("redis", "redis-server under redis-benchmark, memory of the server",
                 [redis, program("redis-benchmark")], server=True),
        Workload("z3", "solver, an SMT file", [program("z3"), here("timetable.smt2")]),
        Workload("gs", "Ghostscript draws a PDF",
                 [program("gs"), "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=ppmraw", "-r72",
                  "-sOutputFile={out}/page%d.ppm", here("pages.pdf")]),
        Workload("python", "JSON, dictionaries, strings; PYTHONMALLOC=malloc",
                 [program("python3"), there("work.py")],
                 {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}),
        Workload("perl", "hashes, patterns, sorting", [program("perl"), there("work.pl")],
                 {"PERL_HASH_SEED": "0"}),
        Workload("sqlite", "tables in memory", [program("sqlite3"), ":memory:"],
                 input=there("work.sql")),
        Workload("cc1", "gcc's compiler on larder's core, preprocessed",
                 [compiler_cc1(), "-quiet", "-fpreprocessed", "-O1", here("core.i"),
                  "-o", "{out}/core.s"]),
        Workload("clang", "clang on C++ templates, preprocessed",
                 [program("clang"), "-std=c++17", "-O0", "-c", here("templates.ii"),
                  "-o", "{out}/templates.o"]),
    ]


def every_name():
    return [row[0] for row in OWN] + [workload.name for workload in real_workloads("", "")]


def find_workloads(folder, programs, names):
    """Those that can run, and a note for each that cannot."""
    everything = [own_workload(folder, *row) for row in OWN] + real_workloads(folder, programs)
    known(names, [workload.name for workload in everything], "workload")
    found, notes = [], []
    for workload in everything:
        if names and workload.name not in names:
            continue
        if all(workload.command):
            found.append(workload)
        else:
            notes.append(f"workload {workload.name} is left out: its program is not installed")
    return found, notes


# ---- Processors -------------------------------------------------------------------------------------
def siblings(cpu):
    """Processors that share a core with this one, as the kernel writes them: 0,4 or 0-1."""
    try:
        with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list",
                  encoding="utf-8") as file:
            text = file.read().strip()
    except OSError:
        return {cpu}
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def two_cpus():
    """Two of different cores if there are."""
    cpus = sorted(os.sched_getaffinity(0))
    for other in cpus[1:]:
        if other not in siblings(cpus[0]):
            return [cpus[0], other]
    return cpus[:2]
