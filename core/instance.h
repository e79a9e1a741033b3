/* instance.h: struct larder, everything that one memory service owns.
 *
 * Ids: up to 15 are no caches (core/frame.h), 16 to 23 the caches that describe memory, from 24 on
 * the size classes, then the typed caches.
 */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

#include "buddy.h"
#include "cache.h"
#include "harden.h"
#include "object_debug.h"
#include "sizeclass.h"

#define MAGAZINE_SIZES 3u
#define SMALL_BYTES 1024u /* sizes up to here find their class in a table */
#define SMALL_IDS (SMALL_BYTES / CLASS_STEP + 1)

enum {
    ID_SLABS = OWNER_CACHE_FIRST,
    ID_CACHES,
    ID_MAGAZINES, /* … + MAGAZINE_SIZES - 1 */
    ID_HARDENED_SLABS = ID_MAGAZINES + (int)MAGAZINE_SIZES,
    ID_CLASSES = OWNER_CACHE_FIRST + 8,
    ID_TYPED = ID_CLASSES + (int)CLASS_COUNT,
};
_Static_assert((int)ID_HARDENED_SLABS < (int)ID_CLASSES, "the internal caches have eight ids");
_Static_assert(ID_TYPED < LARDER_CACHES_MAX, "raise LARDER_CACHES_MAX");

#define DEBUG_LETTERS "FZPUA" /* letter i stands for bit i of the debug flags */
#define DEBUG_BLOCKS_MAX 8u
#define DEBUG_TEXT_BYTES 257u

/* Parsed debug options: names stay in `text`, blocks point into it. */
struct debug_options {
    char text[DEBUG_TEXT_BYTES];
    unsigned count;
    struct {
        uint32_t flags;
        uint16_t first, end; /* of the comma-separated names in text; empty: all caches */
    } block[DEBUG_BLOCKS_MAX];
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): counts of zones have lines apart */
struct larder {
    struct frame_map map; /* first: the fast path reads it */
    uint8_t
        small_id[SMALL_IDS]; /* id by (bytes + 15) / 16 up to 1 KiB; [0]: BIN_NOBODY. Constant */
    struct buddies buddies;
    uint64_t (*pressure)(
        struct larder *larder); /* larder_reclaim: the row above, known by pointer only */
    uint64_t metadata_frames;   /* atomic, a statistic */
    uint32_t
        reclaim_epoch; /* atomic: slots that have not seen it empty themselves on their slow path */
    bool track_frames; /* atomic: owner tracking of frame blocks */
    bool has_no_frame_bins;  /* constant */
    uint32_t fault_interval; /* debug A */
    uint32_t interval_ms;    /* constant */
    uint64_t tick_ms;        /* when the last interval ended; guarded by the registry lock */

    struct lock registry; /* guards the rest, and map.ranges */
    struct lock_book lock_book;
    struct debug_options debug;
    struct list caches;    /* in order of creation */
    uint32_t id_hint;      /* no typed id below it is free */
    uint32_t id_end;       /* atomic: no id from here on was ever used */
    uint32_t slot_limit;   /* constant */
    uint32_t slot_end;     /* no slot from here on was ever attached */
    uint32_t count_ending; /* caches that are being destroyed */
    uint32_t class_count;  /* size classes in use: the first of class_place */
    struct larder_cache slab_cache, cache_cache;
    struct larder_cache magazine_cache[MAGAZINE_SIZES];
    struct larder_cache hardened_slab_cache; /* made in hardened instances only */
    struct hardening hardening;

    struct larder_cache class_place[CLASS_COUNT];
    /* Long and seldom full: behind what is always touched. Atomic pointers. */
    struct larder_cache *cache_by_id[LARDER_CACHES_MAX];
    struct larder_slot *slot[LARDER_SLOTS_MAX];
};
_Static_assert(sizeof(struct larder) <= sizeof(struct larder_storage),
               "raise LARDER_STORAGE_BYTES in larder/larder.h");

/* The first request makes the cache of a size class known. Its place is in the instance, so that
 * needs no memory; and who uses few classes has few caches to walk over. No lock held. */
struct larder_cache *class_make(struct larder *larder, unsigned class);

static inline struct larder_cache *class_cache(struct larder *larder, unsigned class) {
    struct larder_cache *cache =
        __atomic_load_n(&larder->cache_by_id[ID_CLASSES + class], __ATOMIC_ACQUIRE);
    return LIKELY(cache != NULL) ? cache : class_make(larder, class);
}

/* An empty magazine for `capacity` objects; NULL iff there is no memory. No lock held. */
struct magazine *magazine_new(struct larder *larder, uint32_t capacity);
void magazine_delete(struct larder *larder, struct magazine *magazine);

/* ---- caches (registry.c, debug_options.c) ---- */

/* For whoever walks over the caches of others: the cache of an id, which is not destroyed until it
 * is let go. NULL iff there is none or it is ending. No lock held. */
struct larder_cache *registry_hold(struct larder *larder, unsigned id);
void registry_let_go(struct larder_cache *cache);

/* Make a cache with a given id known. The registry is held, or nobody else is there yet. */
void registry_publish(struct larder *larder, struct larder_cache *cache);

/* The debug flags the options give a cache of this name. The registry is held. */
uint32_t debug_flags_for(const struct larder *larder, const char *name);

/* ---- slots (slots.c) ---- */

/* Give back everything a slot's bins hold: the caller's own slot, or a quiet one. */
void slot_empty(struct larder *larder, struct larder_slot *slot);

/* On every slow path: act on a reclaim that another slot asked for. */
void slots_catch_up(struct larder *larder);

/* The slot where the caller runs, larder_slot_none iff there is none; it may run elsewhere by now.
 */
struct larder_slot *callers_slot(struct larder *larder);

/* ---- purge.c ---- */

/* The end of an interval: purge what was dirty and free all through the last one. */
void purge_old(struct larder *larder);

/* Slot of the caller; between slot_enter and slot_leave. */
static inline struct larder_slot *slot_here(struct larder *larder) {
    return larder_port_slot(larder);
}

#endif
