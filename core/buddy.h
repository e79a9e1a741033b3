/* buddy.h: binary buddies over page blocks.
 *
 * A zone's free memory is a set of page blocks. Wholly free ones form blocks of order 9 and more,
 * on one list per order with a bitmap of the orders that have any, split and merged by the classic
 * rule (Knowlton 1965): the buddy of block i at order k is i xor 2^k. Partly free ones are OPEN and
 * keyed by their largest free order and by fullness, so a small request is met by the fullest page
 * block that still fits, and a page block that empties becomes whole again.
 *
 * Works on frame numbers only; knows neither owners nor pointers. Everything here runs with the
 * zone's lock held: finding, unlinking, splitting and marking are one critical section (traps 1, 2
 * and 14).
 *
 * Conservation: zone.free = sum of count_free of OPEN blocks + sum of 2^order of WHOLE blocks.
 */
#ifndef CORE_BUDDY_H
#define CORE_BUDDY_H

#include "frame.h"
#include "lock.h"
#include "pageblock.h"

#define BUDDY_ORDERS ((unsigned)LARDER_ORDER_MAX + 1u)
#define WHOLE_LISTS (BUDDY_ORDERS - PAGEBLOCK_ORDER)
#define FULLNESS_BUCKETS 8u
#define TAKERS 64u      /* of single frames; two slots are one where there are more */
#define BUDDY_BATCH 64u /* frames given back under one lock */
#define DIRTY_AGES 2u

struct zone {
    struct lock lock;
    const char *name;         /* constant, as are the next three */
    uint64_t first_pageblock; /* in the map; zones meet at page blocks */
    uint64_t end_pageblock;
    uint64_t reserve;      /* frames kept for LARDER_USE_RESERVE */
    uint64_t usable;       /* frames ever given to the zone, less those reserved again */
    uint64_t free;         /* frames on the lists below */
    uint64_t free_min;     /* lowest ever */
    uint32_t whole_orders; /* bit k - 9: whole[k - 9] is not empty */
    uint8_t open_buckets[PAGEBLOCK_ORDER]; /* bit b: open[largest][b] is not empty */
    struct list whole[WHOLE_LISTS];
    struct list open[PAGEBLOCK_ORDER][FULLNESS_BUCKETS];
    struct pageblock *taker_at[TAKERS]; /* [taker - 1]: the page block it was at last, or NULL */
    uint64_t fit_from;                  /* no page block with free frames lies below it */
    struct list dirty[DIRTY_AGES]; /* page blocks that got frames back: in this interval, before */
};

struct buddies {
    struct pageblock *pageblock; /* one per 2 MiB of the map; zero (NONE) in holes. Constant */
    uint64_t count_pageblocks;
    uint64_t committed_bytes; /* atomic, a statistic */
    bool is_purgeable; /* RAM reads as zero at first, and after larder_port_purge(). Constant */
    unsigned zone_count;
    struct zone zone[LARDER_ZONES_MAX];
};

/* Reserve the page blocks of a map; zones from ascending limits (the configuration has been
 * checked). */
enum larder_status buddies_init(struct buddies *buddies, const struct frame_map *map,
                                const struct larder_config *config, struct lock_book *book);
void buddies_fini(struct buddies *buddies);

/* Make the page blocks of frames [first, first + count) writable. */
bool buddies_commit(struct buddies *buddies, uint64_t first, uint64_t count);

/* The zone that holds a frame. */
static inline struct zone *buddies_zone_of(struct buddies *buddies, uint64_t frame) {
    struct zone *zone = buddies->zone;
    while (frame / PAGEBLOCK_FRAMES >= zone->end_pageblock) {
        zone++;
    }
    return zone;
}

/* Frames ever given to any zone, less those reserved again. */
static inline uint64_t buddies_usable(const struct buddies *buddies) {
    uint64_t usable = 0;
    for (unsigned i = 0; i < buddies->zone_count; i++) {
        usable += buddies->zone[i].usable;
    }
    return usable;
}

/* How many of the `count` frames from `first` on lie in the zone of the first. */
static inline uint64_t zone_part(const struct zone *zone, uint64_t first, uint64_t count) {
    return min_u64(count, zone->end_pageblock * PAGEBLOCK_FRAMES - first);
}

/* An aligned block of 2^order frames; FRAME_NONE iff the zone has none. */
frame_index buddy_take(struct buddies *buddies, struct zone *zone, unsigned order);

/* Up to `count` blocks of one order; returns how many. Whole blocks come out of as few splits as
 * possible; single frames out of the page block that this taker, 1..TAKERS, is at, and when it has
 * none left out of the fullest that is no other's: so two CPUs seldom write to one cache line of
 * owner bytes, and no more page blocks are open for that than there are takers. Taker 0 has none.
 */
unsigned buddy_take_many(struct buddies *buddies, struct zone *zone, unsigned order, unsigned count,
                         unsigned taker, frame_index *out);

/* `count` < PAGEBLOCK_FRAMES frames inside a page block that is in use already, aligned to nothing;
 * FRAME_NONE iff a bounded search found no room for them (buddy_fit.c). */
frame_index buddy_take_run(struct buddies *buddies, struct zone *zone, uint64_t count);

/* `count` frames where they fit first, from the lowest on, also across page blocks; FRAME_NONE iff
 * there is no room for them, as far as a bounded walk went (buddy_fit.c). */
frame_index buddy_take_fit(struct buddies *buddies, struct zone *zone, uint64_t count);

/* Give back any range of taken frames of one zone, merging as far as it goes. */
void buddy_give(struct buddies *buddies, struct zone *zone, uint64_t first, uint64_t count);

/* Up to BUDDY_BATCH blocks of one order, each as it was taken; cheaper than one by one where single
 * frames share a page block. */
void buddy_give_many(struct buddies *buddies, struct zone *zone, unsigned order, unsigned count,
                     const frame_index *frames);

/* Frames of the range were used and are free now: the system below still backs them. */
void buddy_mark_dirty(struct buddies *buddies, struct zone *zone, uint64_t first, uint64_t count);

/* Do all of these taken frames read as zero, because nobody used them before? Without the lock: a
 * page block that is partly the caller's may become written meanwhile, never clean. */
bool buddy_is_clean(const struct buddies *buddies, uint64_t first, uint64_t count);

/* The frames of this range, all taken, read as zero again: so do the page blocks wholly inside. */
void buddy_mark_clean(struct buddies *buddies, uint64_t first, uint64_t count);

/* Frames of the range in page blocks of which nobody used any. As buddy_is_clean(). */
uint64_t buddy_count_clean(const struct buddies *buddies, uint64_t first, uint64_t count);

/* Take all free frames of the oldest dirty page block of an age, which is clean from then on if all
 * of it was free: its number, and in free_bits[] what was taken. False iff there is none. */
bool buddy_take_dirty(struct buddies *buddies, struct zone *zone, unsigned age, uint64_t *number,
                      uint64_t free_bits[PAGEBLOCK_WORDS]);

/* Give them back. `is_clean`: the page block reads as zero where it is free. */
void buddy_give_purged(struct buddies *buddies, struct zone *zone, uint64_t number,
                       const uint64_t free_bits[PAGEBLOCK_WORDS], bool is_clean);

/* Free frames in dirty page blocks. O(dirty page blocks). */
uint64_t buddy_count_dirty(const struct buddies *buddies, struct zone *zone);

/* The interval is over: what became dirty in it is old now. */
void buddy_age_dirty(struct zone *zone);

/* Is every frame of the range free? Does not care for zones: the caller holds the lock of all it
 * spans. */
bool buddy_range_is_free(const struct buddies *buddies, uint64_t first, uint64_t count);

/* Take exactly this free range of one zone. */
void buddy_take_range(struct buddies *buddies, struct zone *zone, uint64_t first, uint64_t count);

/* The order of the free block that contains a page block; 0 iff it is not wholly free. */
unsigned buddy_whole_order(const struct buddies *buddies, uint64_t pageblock);

#endif
