/* snapshot.h: what `larder snapshot` wrote of a running process, as a moment of a report
 * (docs/control.md has the form of it). */
#ifndef REPORT_SNAPSHOT_H
#define REPORT_SNAPSHOT_H

#include "moment.h"

#include "larder/stats.h"
#include "trace/key_map.h"

#include <jansson.h>

struct snapshot {
    json_t *json;
    const char *path;
    uint64_t unix_ms; /* when it was taken */
    uint64_t process;
};

/* One element of "blocks": frames side by side of which the same is to be said. */
enum snapshot_kind { SNAPSHOT_FREE, SNAPSHOT_BIN, SNAPSHOT_SLAB, SNAPSHOT_RUN, SNAPSHOT_RESERVED };
struct snapshot_block {
    enum snapshot_kind kind;
    uint64_t first, frames; /* from the base on */
    uint64_t resident;      /* frames of them */
    uint32_t cache;         /* slabs: its id */
    uint64_t slots, taken;  /* objects there is room for; live ones, and those in magazines */
    const char *site;       /* runs: the address of who allocated it; NULL: unknown */
};

/* Call sites of all snapshots together; their number is their place plus one. */
struct snapshot_site {
    uint64_t address;
    const json_t *place; /* its element of "leaks": function, file, line, module; NULL: none */
    uint64_t peak_bytes, peak_blocks, end_bytes, end_blocks;
};
struct snapshot_sites {
    struct key_map numbers; /* by address */
    struct snapshot_site *site;
    size_t count, room;
};

/* Does the file begin as JSON does? False also iff it cannot be read. */
bool snapshot_is(const char *path);

/* False iff it is not what `larder snapshot` writes; says so. All the functions below may rely on
 * what was looked at here. */
bool snapshot_open(struct snapshot *snapshot, const char *path);
void snapshot_close(struct snapshot *snapshot);

/* The i-th block of frames. False iff there is none, or what stands there is none. */
bool snapshot_block(const struct snapshot *snapshot, size_t i, struct snapshot_block *block);

/* Bytes of all that is free, in use and lost; `requested` and `blocks` are unknown, so 0. */
struct heap_amounts snapshot_amounts(const struct snapshot *snapshot);
uint64_t snapshot_resident(const struct snapshot *snapshot);

/* Free blocks of each order, as the buddies have them. */
void snapshot_orders(const struct snapshot *snapshot, struct larder_zone_stats *stats);

/* Everything of the moment but its time. */
void snapshot_take(const struct snapshot *snapshot, struct moment *moment,
                   struct snapshot_sites *sites);

/* The parts of snapshot_take(), which need its caches. */
void snapshot_take_cells(const struct snapshot *snapshot, struct moment *moment,
                         struct snapshot_sites *sites);
void snapshot_take_pins(const struct snapshot *snapshot, struct moment *moment);

/* The cache of an id in a moment; NULL iff it is not there. */
const struct moment_cache *snapshot_cache(const struct moment *moment, uint32_t id);

/* The number of a call site, which is entered if it is new. "0x…" */
uint32_t snapshot_site(struct snapshot_sites *sites, const char *address);

/* What "leaks" says lives, as what lived at the peak, or at the end, or both. */
void snapshot_count_sites(const struct snapshot *snapshot, struct snapshot_sites *sites,
                          bool is_peak, bool is_end);
void snapshot_sites_close(struct snapshot_sites *sites);

#endif
