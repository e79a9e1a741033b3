/* larder/stats.h: look inside: text in the forms people know, numbers for programs, the validator,
 * and debugging.
 */
#ifndef LARDER_STATS_H
#define LARDER_STATS_H

#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/larder.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* Where text goes: a UART, a file, a buffer. Called with no lock of the core held. */
struct larder_sink {
    void (*write)(void *context, const char *text, size_t length);
    void *context;
};

/* ---- Zones and orders ------------------------------------------------------------------------ */

struct larder_zone_stats {
    const char *name;
    uint64_t first_address, end_address;      /* of its RAM */
    uint64_t usable, free, free_min, reserve; /* frames. free_min: in a zone that reaches over
                                                 several GiB, to within 128 MiB for each */
    uint64_t free_blocks[LARDER_ORDER_MAX +
                         1]; /* free blocks of exactly this order, as a buddy sees them */
};

unsigned larder_zone_count(const struct larder *larder);

/* False iff there is no such zone. Cost: O(2 MiB page blocks of the zone), with a lock taken for
 * each that is not wholly free. */
bool larder_zone_stats(struct larder *larder, unsigned zone, struct larder_zone_stats *stats);

/* External fragmentation index of Linux (Gorman 2008), in thousandths: -1000 a block of this order
 * is free; towards 0 a request fails for lack of memory; towards 1000 because of fragmentation. */
int larder_fragmentation_index(const struct larder_zone_stats *stats, unsigned order);

/* Share of the zone's free memory that cannot serve this order, in thousandths (Linux:
 * unusable_index). */
int larder_unusable_index(const struct larder_zone_stats *stats, unsigned order);

/* Text: "zone normal: order 0 1 2 …" (buddyinfo), a line per cache (slabinfo), a line per call site
 * and size (page_owner). */
void larder_buddyinfo(struct larder *larder, const struct larder_sink *sink);
void larder_slabinfo(struct larder *larder, const struct larder_sink *sink);
void larder_page_owner(struct larder *larder, const struct larder_sink *sink);
void larder_fragmentation(struct larder *larder, const struct larder_sink *sink);

/* ---- The map ------------------------------------------------------------------------------------
 */

/* What a stretch of RAM is used for, in frames; for pictures. */
struct larder_map_cell {
    uint64_t absent, reserved, free, in_bins, slab, run;
    unsigned top_cache; /* id of the cache that owns most slab frames here; 0 if none */
};

/* Count the frames of [address, address + size_bytes). Cost: O(frames). Racy by design: for
 * looking. */
void larder_map_read(struct larder *larder, uint64_t address, uint64_t size_bytes,
                     struct larder_map_cell *cell);

/* First and end address of the map's span. */
void larder_map_span(const struct larder *larder, uint64_t *first_address, uint64_t *end_address);

/* What one address is: for "whatis" and reports. */
enum larder_what_kind {
    LARDER_WHAT_FOREIGN,  /* outside the span */
    LARDER_WHAT_HOLE,     /* no RAM there */
    LARDER_WHAT_RESERVED, /* RAM that is not given out */
    LARDER_WHAT_FREE,     /* in the buddies */
    LARDER_WHAT_BIN,      /* a block in some slot's bin */
    LARDER_WHAT_RUN,      /* an allocated block or run */
    LARDER_WHAT_OBJECT,   /* a slot of a slab */
};
struct larder_what {
    enum larder_what_kind kind;
    const void *start; /* of the block, run or object */
    size_t size_bytes;
    struct larder_cache *cache; /* objects only */
    bool taken;                 /* objects: out of the slab (live or in a magazine); runs: true */
    uintptr_t alloc_site;       /* if known */
};
void larder_whatis(struct larder *larder, const void *pointer, struct larder_what *what);

/* ---- Blocks and objects, while the instance works -------------------------------------------- */

/* What one address belongs to, as a block of frames and, in a slab, as an object. */
struct larder_block {
    enum larder_what_kind kind; /* OBJECT: a slab */
    const void *start;
    uint64_t frames;      /* of free memory: a part of a free stretch, one or 512 */
    uintptr_t alloc_site; /* of a run or object, if that is tracked; else 0 */
    /* Slabs only: */
    unsigned cache_id;
    char cache_name[LARDER_CACHE_NAME_BYTES];
    uint32_t slots, taken,
        in_quarantine;  /* objects: all, not free (so live or in magazines), held */
    const void *object; /* that the address is in; NULL: in none */
    size_t object_bytes;
    bool is_taken;
    uint64_t alloc_ms, free_ms; /* debug U: when; 0: unknown */
    uintptr_t free_site;
};

/* Nothing need stand still: a slab is read under its cache's lock, the rest as it looks. Cost:
 * O(1), for an address inside a long run O(its frames). */
void larder_block_at(struct larder *larder, const void *pointer, struct larder_block *block);

/* Call `visit` for each live object of the caches under debug U (which have no magazines), and for
 * each run while runs are tracked, whose alloc_ms is 0. For objects the cache's lock is held: visit
 * must not call the core. Cost: O(slots of those caches + frames). */
struct larder_live {
    const void *start;
    size_t size_bytes;
    uintptr_t alloc_site;
    uint64_t alloc_ms;
};
void larder_live_each(struct larder *larder,
                      void (*visit)(const struct larder_live *live, void *context), void *context);

/* ---- Evidence
 * ------------------------------------------------------------------------------------- */

/* Walk every layer and check every invariant and equation listed in DESIGN.md. True iff all hold;
 * otherwise the first that does not is described in *fatal (kind CORRUPT; `detail` says which). The
 * instance must be quiet. O(RAM). */
bool larder_validate(struct larder *larder, struct larder_fatal *fatal);

/* ---- Debugging per cache
 * --------------------------------------------------------------------------- */

#define LARDER_DEBUG_SANITY                                                                        \
    0x01u /* F: every free checked at once; slabs checked on the slow path */
#define LARDER_DEBUG_RED_ZONE 0x02u /* Z: guard bytes before and after each object */
#define LARDER_DEBUG_POISON                                                                        \
    0x04u                        /* P: fill on free, check on alloc (not for constructed objects) */
#define LARDER_DEBUG_OWNER 0x08u /* U: call site, slot and time of the last alloc and free */
#define LARDER_DEBUG_FAULT                                                                         \
    0x10u /* A: allocations fail now and then: larder_debug_fault_interval() */

/* Parse "FZPU", "FZ,dentry*", "P,cache-a,cache-b;A,heap-64;-": flags, then the names they are for
 * (a trailing * matches any rest; no name: all caches; no flag letters: all of FZPU; "-": none).
 * Blocks are separated by ';', the last that matches holds. Applies to caches made later, and to
 * size classes made by larder_init() through larder_config.debug. LARDER_OK; BAD_OPTION iff a
 * letter is unknown or the text has more than 8 blocks or 256 bytes. NULL or "": off. */
enum larder_status larder_debug_parse(struct larder *larder, const char *options);

/* The flags a cache called `name` would get. */
uint32_t larder_debug_flags(const struct larder *larder, const char *name);

/* A: every `interval`-th allocation of a cache under A fails; 0: none. Default 10. */
void larder_debug_fault_interval(struct larder *larder, uint32_t interval);

/* Owner tracking of frame blocks and runs (page_owner) on or off; off costs nothing. */
void larder_debug_track_frames(struct larder *larder, bool on);

/* The report of a fatal, in the form known from Linux's slub: what, object, bytes around it, last
 * alloc and free. */
void larder_fatal_write(const struct larder_fatal *fatal, const struct larder_sink *sink);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
