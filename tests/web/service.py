#!/usr/bin/env python3
"""The trace of a service that holds on to memory, as text for `larder import`. Deterministic.

  service.py [SCALE]    SCALE 1 is about 60,000 events and a peak of 20 MB; 40 is 800 MB

A minute in five parts. It starts and loads its configuration. Clients come, in a burst: each gets a
session (kept), and while it is served requests, replies and parsed trees (all freed). A report is
made from large tables. Then it is quiet: nearly everything has been freed, but one session in 60 is
kept, and each of them sits in a slab or a page that can therefore not go back. At the end a few more.
"""
import random
import sys

SITES = [
    [("alloc_session", "session.c", 41), ("accept_client", "server.c", 118), ("serve", "server.c", 73), ("main", "main.c", 22)],
    [("read_request", "request.c", 57), ("handle", "server.c", 140), ("serve", "server.c", 77), ("main", "main.c", 22)],
    [("parse_node", "tree.c", 30), ("parse", "tree.c", 66), ("handle", "server.c", 144), ("serve", "server.c", 77), ("main", "main.c", 22)],
    [("buffer_grow", "buffer.c", 19), ("format_reply", "reply.c", 88), ("handle", "server.c", 151), ("serve", "server.c", 77), ("main", "main.c", 22)],
    [("load_config", "config.c", 12), ("start", "main.c", 14), ("main", "main.c", 20)],
    [("table_make", "report.c", 33), ("make_report", "report.c", 90), ("serve", "server.c", 81), ("main", "main.c", 22)],
    [("cache_insert", "cache.c", 71), ("handle", "server.c", 149), ("serve", "server.c", 77), ("main", "main.c", 22)],
    [("log_line", "log.c", 9), ("handle", "server.c", 139), ("serve", "server.c", 77), ("main", "main.c", 22)],
]
SESSION, REQUEST, NODE, REPLY, CONFIG, TABLE, CACHE, LOG = range(1, 9)


class Trace:
    def __init__(self):
        self.now, self.next_id, self.lines, self.count = 0, 0, [], 0

    def say(self, line):
        self.lines.append(f"{self.now} {line}")
        self.count += 1

    def alloc(self, size, site, thread=0):
        self.next_id += 1
        self.say(f"{thread} malloc {self.next_id} {size} @{site}")
        return self.next_id

    def free(self, block, thread=0):
        self.say(f"{thread} free {block}")


def serve(trace, rng, sessions, cache, thread):
    """One client: a session that stays, work that does not."""
    sessions.append((trace.alloc(200 + rng.randrange(60), SESSION, thread), trace.now))
    request = trace.alloc(rng.choice((512, 700, 1500, 4096)), REQUEST, thread)
    nodes = [trace.alloc(48 + 16 * rng.randrange(4), NODE, thread) for _ in range(rng.randrange(3, 9))]
    trace.free(trace.alloc(120, LOG, thread), thread)
    reply = trace.alloc(256, REPLY, thread)
    size = 256
    for _ in range(rng.randrange(4)):
        size *= 2
        trace.say(f"{thread} realloc {reply} {size} @{REPLY}")
    if rng.random() < 0.2:
        cache.append(trace.alloc(rng.randrange(800, 6000), CACHE, thread))
    trace.now += rng.randrange(1000, 4000)
    for block in nodes + [reply, request]:
        trace.free(block, thread)


def main():
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    rng, trace, sessions, cache = random.Random(7), Trace(), [], []
    clients = int(2600 * scale)
    config = [trace.alloc(rng.randrange(16, 400), CONFIG) for _ in range(int(400 * scale))]
    trace.now = 2_000_000_000
    for i in range(clients):
        trace.now = 2_000_000_000 + 13_000_000_000 * i // clients
        serve(trace, rng, sessions, cache, i % 4)
    tables = []
    for i in range(int(12 * scale)):
        trace.now += 5_000_000_000 // max(1, int(12 * scale))
        tables.append(trace.alloc(rng.randrange(200_000, 900_000), TABLE))
    trace.now = 25_000_000_000
    for table in tables:
        trace.free(table)
    rng.shuffle(cache)
    for i, block in enumerate(cache):
        trace.now = 26_000_000_000 + 2_000_000_000 * i // len(cache)
        if i % 25:
            trace.free(block)
    for i, (session, _) in enumerate(sessions):
        trace.now = 28_000_000_000 + 4_000_000_000 * i // len(sessions)
        if i % 60:
            trace.free(session)
    for i in range(clients // 20):
        trace.now = 50_000_000_000 + 8_000_000_000 * i // (clients // 20)
        serve(trace, rng, sessions, cache, i % 4)
    trace.now = 60_000_000_000
    for block in config[::2]:
        trace.free(block)
    out = sys.stdout
    out.write("larder trace text 1\nprogram: service --port 8080\nrecorded-by: tests/web/service.py\n"
              "page-bytes: 4096\nhas: time threads sites\n\n")
    for number, stack in enumerate(SITES, 1):
        out.write(f"site {number}\n")
        for depth, (function, file, line) in enumerate(stack):
            out.write(f"\t0x{number * 4096 + depth:x}\t{function}\t{file}\t{line}\tservice\n")
    out.write("\n".join(trace.lines) + "\n")


main()
