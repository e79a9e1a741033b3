/* buddy.h: binary buddies over areas of page blocks.
 *
 * An area is 1 GiB of one zone: 512 page blocks of 512 frames. It is to its page blocks what a page
 * block is to its frames: one bitmap, so that at either level giving back *is* the merge (Knowlton
 * 1965 without lists: the buddy of a block is the run of bits beside it).
 *
 *   order 9 to 18   an aligned run of bits of the area: page blocks that are wholly free
 *   order 0 to 8    an aligned run of bits of an OPEN page block: one that is partly free
 *
 * OPEN page blocks are keyed by their largest free order and by fullness, so a small request is met
 * by the fullest page block that still fits, and a page block that empties becomes whole again.
 *
 * Each area has a lock of its own, and a slot takes from one area at a time (buddy_area.c): CPUs
 * that work at once work in different memory, on different lines.
 *
 * Works on frame numbers only; knows neither owners nor pointers. What takes an area runs between
 * area_enter() and area_leave(): finding, taking, splitting and marking are one critical section
 * (traps 1, 2 and 14).
 *
 * Conservation: area.free = sum of count_free of OPEN blocks + 512 × whole.count_free + what is out
 * to be purged; zone.free = sum of (area.free − area.unsettled).
 */
#ifndef CORE_BUDDY_H
#define CORE_BUDDY_H

#include "frame.h"
#include "lock.h"
#include "pageblock.h"

#define AREA_ORDER (2 * PAGEBLOCK_ORDER)
#define AREA_PAGEBLOCKS PAGEBLOCK_FRAMES
#define AREA_FRAMES (1u << AREA_ORDER)
#define BUDDY_ORDERS ((unsigned)LARDER_ORDER_MAX + 1u)
_Static_assert(LARDER_ORDER_MAX >= PAGEBLOCK_ORDER && LARDER_ORDER_MAX <= AREA_ORDER,
               "a block lies in one area");

#define FULLNESS_BUCKETS 8u
#define BUDDY_BATCH 64u /* frames given back under one lock */
#define DIRTY_AGES 2u
#define SETTLE_FRAMES (AREA_FRAMES / 8) /* an area tells its zone when it changed by so many */
#define TAKER_NOBODY 0u
#define SEATED (UINT32_C(1) << 31) /* in a hint: beside the taker */

struct zone {
    const char *name;         /* constant, as are the next five */
    uint64_t first_pageblock; /* in the map; zones meet at page blocks */
    uint64_t end_pageblock;
    uint64_t first_area; /* in buddies.area: an area of each GiB of the map that the zone touches */
    uint64_t reserve;    /* frames kept for LARDER_USE_RESERVE */
    uint32_t count_areas;
    uint32_t end_area; /* no area from this number of the zone on was made. Atomic: only raised */
    /* Counts, atomic, on lines that nobody reads for the above. */
    _Alignas(64) uint64_t free; /* frames its areas have settled */
    uint64_t free_min;          /* lowest sum of its areas when one settled: only ever lowered */
    uint64_t usable;            /* frames ever given to it, less those reserved again */
};

struct area {
    struct lock lock;         /* guards all of it, and its page blocks */
    struct zone *zone;        /* constant, as are the next three; NULL: no RAM here yet */
    uint64_t first_pageblock; /* the one of bit 0 */
    uint64_t low_pageblock;   /* those of the zone */
    uint64_t end_pageblock;
    uint64_t free;          /* frames; read without the lock, so atomic */
    int64_t unsettled;      /* what `free` has changed by since the zone was told */
    struct pageblock whole; /* one level up: a bit per page block that is wholly free; `largest` is
                               an upper bound */
    uint8_t open_buckets[PAGEBLOCK_ORDER]; /* bit b: open[largest][b] is not empty */
    struct list open[PAGEBLOCK_ORDER][FULLNESS_BUCKETS];
    uint64_t published;            /* what its hint says that it has */
    uint64_t fit_from;             /* no page block with free frames lies below it */
    struct list dirty[DIRTY_AGES]; /* page blocks that got frames back: in this interval, before */
};

/* What can be had in an area, for who looks for one: read without its lock, true a moment ago. */
struct area_hint {
    uint64_t has;   /* area_has(), as the last one to leave it saw it. Atomic */
    uint32_t taker; /* the slot that took from it last, its index plus one; SEATED: it still does.
                       Or TAKER_NOBODY. Atomic */
};

struct buddies {
    struct pageblock *pageblock; /* one per 2 MiB of the map; zero (NONE) in holes. Constant */
    struct area *area;           /* zero (no zone) in holes. Constant */
    struct area_hint *hint;      /* of each area. Constant */
    uint64_t count_pageblocks;
    uint64_t count_areas;
    uint64_t committed_bytes; /* atomic, a statistic */
    struct lock_book *book;
    bool is_purgeable; /* RAM reads as zero at first, and after larder_port_purge(). Constant */
    unsigned zone_count;
    struct zone zone[LARDER_ZONES_MAX];
};

/* ---- set-up (buddy_area.c) ---- */

/* Reserve the page blocks and areas of a map; zones from ascending limits (the configuration has
 * been checked). */
enum larder_status buddies_init(struct buddies *buddies, const struct frame_map *map,
                                const struct larder_config *config, struct lock_book *book);
void buddies_fini(struct buddies *buddies);

/* Make the page blocks and areas of frames [first, first + count) writable. No lock held. */
bool buddies_commit(struct buddies *buddies, uint64_t first, uint64_t count);

/* Make the areas of committed frames that have none yet. One caller at a time. */
void buddies_make_areas(struct buddies *buddies, uint64_t first, uint64_t count);

/* ---- places ---- */

/* The zone that holds a frame. */
static inline struct zone *buddies_zone_of(struct buddies *buddies, uint64_t frame) {
    struct zone *zone = buddies->zone;
    while (frame / PAGEBLOCK_FRAMES >= zone->end_pageblock) {
        zone++;
    }
    return zone;
}

/* The area that holds a frame. */
static inline struct area *buddies_area_of(struct buddies *buddies, uint64_t frame) {
    const struct zone *zone = buddies_zone_of(buddies, frame);
    uint64_t in_zone = frame / AREA_FRAMES - zone->first_pageblock / AREA_PAGEBLOCKS;
    return &buddies->area[zone->first_area + in_zone];
}

/* How many of the `count` frames from `first` on lie in the zone / the area, which was made, of the
 * first. */
static inline uint64_t zone_part(const struct zone *zone, uint64_t first, uint64_t count) {
    return min_u64(count, zone->end_pageblock * PAGEBLOCK_FRAMES - first);
}

static inline uint64_t area_part(const struct area *area, uint64_t first, uint64_t count) {
    return min_u64(count, area->end_pageblock * PAGEBLOCK_FRAMES - first);
}

static inline bool area_holds(const struct area *area, uint64_t pageblock) {
    return pageblock - area->low_pageblock < area->end_pageblock - area->low_pageblock;
}

static inline bool area_is_made(const struct area *area) {
    return __atomic_load_n(&area->zone, __ATOMIC_ACQUIRE) != NULL;
}

/* No area of the zone / of any zone from here on was made. What is not even asked for costs no page
 * of memory that reads as zero. */
static inline uint64_t zone_end_area(const struct zone *zone) {
    return zone->first_area + __atomic_load_n(&zone->end_area, __ATOMIC_ACQUIRE);
}

static inline uint64_t buddies_end_area(const struct buddies *buddies) {
    uint64_t end = 0;
    for (unsigned i = buddies->zone_count; end == 0 && i-- > 0;) {
        bool has_any = __atomic_load_n(&buddies->zone[i].end_area, __ATOMIC_RELAXED) > 0;
        end = has_any ? zone_end_area(&buddies->zone[i]) : 0;
    }
    return end;
}

/* The next area from `index` on that was made; NULL iff there is none below `end`. */
static inline struct area *buddies_next_area(struct buddies *buddies, uint64_t index,
                                             uint64_t end) {
    while (index < end && !area_is_made(&buddies->area[index])) {
        index++;
    }
    return index < end ? &buddies->area[index] : NULL;
}

/* Every area of a zone / of all zones. */
#define EACH_AREA_FROM(area, buddies, first, end)                                                  \
    for (struct area *area = buddies_next_area(buddies, first, end); area != NULL;                 \
         area = buddies_next_area(buddies, (uint64_t)(area - (buddies)->area) + 1, end))
#define EACH_AREA_OF(area, buddies, zone)                                                          \
    EACH_AREA_FROM(area, buddies, (zone)->first_area, zone_end_area(zone))
#define EACH_AREA(area, buddies) EACH_AREA_FROM(area, buddies, 0, buddies_end_area(buddies))

/* ---- counts (buddy_area.c) ---- */

/* Frames ever given to any zone, less those reserved again. */
uint64_t buddies_usable(const struct buddies *buddies);

/* Free frames of a zone: exact while nobody takes or gives. O(areas). */
uint64_t zone_free(struct buddies *buddies, const struct zone *zone);

/* The start is over: free_min counts from here on. Nobody else is there yet. */
void zone_begin(struct buddies *buddies, struct zone *zone);

/* How many frames the zone can spare a caller with these flags, but no more than `wanted`. Callers
 * that ask at the same moment in different areas may be told the same frames. */
uint64_t zone_spare(struct buddies *buddies, const struct zone *zone, uint64_t wanted,
                    larder_flags flags);

/* ---- which area (buddy_area.c) ---- */

#define AREA_NONE UINT32_MAX

/* Where a slot takes from in one zone. */
struct area_seat {
    uint32_t area;           /* the number of an area in the zone; AREA_NONE: not chosen yet */
    uint32_t taker;          /* what hints and page blocks call the slot: its index plus one */
    struct pageblock *block; /* the page block it takes single frames from; NULL: none yet */
};

/* The area of a zone that is nobody else's and serves a block of `order` < 9 best without opening a
 * page block: as fullest_open() chooses among page blocks, and rather the seat's than another as
 * good. AREA_NONE iff no hint promises one. O(1): no more than 64 hints are read. */
uint32_t zone_fullest_area(const struct buddies *buddies, const struct zone *zone,
                           const struct area_seat *seat, unsigned order);

/* The same where page blocks are wholly free: the one with the smallest run of them that holds a
 * block of `order`, at least one page block. */
uint32_t zone_whole_area(const struct buddies *buddies, const struct zone *zone,
                         const struct area_seat *seat, unsigned order);

/* Take from another area from now on, or, AREA_NONE, from none. Nobody else does if it was nobody's
 * until now. No lock held. */
void seat_move(struct buddies *buddies, const struct zone *zone, struct area_seat *seat,
               uint32_t to);

/* ---- transitions (buddy.c); the area is entered ---- */

void area_enter(struct area *area);

/* So many more frames are free. Written under the lock, read without it by who adds up a zone. */
static inline void area_change_free(struct area *area, int64_t change) {
    __atomic_store_n(&area->free, area->free + (uint64_t)change, __ATOMIC_RELAXED);
    area->unsettled += change;
}

/* Tell the zone and the hints what changed. */
void area_leave(struct buddies *buddies, struct area *area);

/* An aligned block of 2^order frames; FRAME_NONE iff the area has none, or only in a page block
 * that would have to be opened and may not. */
frame_index buddy_take(struct buddies *buddies, struct area *area, unsigned order, bool may_open);

/* Up to `count` blocks of one order; returns how many. Single frames come out of the page block
 * that the seat is at, and when it has none left out of the fullest that is no other's: so two CPUs
 * in one area seldom write to one cache line of owner bytes, and no more page blocks are open for
 * that than there are slots. Others' come last, and only if one may be opened. */
unsigned buddy_take_many(struct buddies *buddies, struct area *area, unsigned order, bool may_open,
                         unsigned count, struct area_seat *seat, frame_index *out);

/* `count` < PAGEBLOCK_FRAMES frames inside a page block that is in use already, aligned to nothing;
 * FRAME_NONE iff a bounded search found no room for them (buddy_fit.c). */
frame_index buddy_take_run(struct buddies *buddies, struct area *area, uint64_t count);

/* `count` frames where they fit first, from the lowest on, also across page blocks; FRAME_NONE iff
 * there is no room for them in the area (buddy_fit.c). */
frame_index buddy_take_fit(struct buddies *buddies, struct area *area, uint64_t count);

/* Give back any range of taken frames of one area, merging as far as it goes. */
void buddy_give(struct buddies *buddies, struct area *area, uint64_t first, uint64_t count);

/* Frames that come back are spread over memory, and each needs both cache lines of its page block:
 * fetch them all at once instead of waiting for one after the other. No lock held. */
void buddies_prefetch(const struct buddies *buddies, unsigned count, const frame_index *frames);

/* Up to BUDDY_BATCH blocks of one order, each as it was taken; cheaper than one by one where single
 * frames share a page block. */
void buddy_give_many(struct buddies *buddies, struct area *area, unsigned order, unsigned count,
                     const frame_index *frames);

/* Is every frame of this range of one area free? */
bool buddy_range_is_free(const struct buddies *buddies, const struct area *area, uint64_t first,
                         uint64_t count);

/* Is this frame free, wherever it is; is all of its page block? Also without the lock, for reports.
 */
bool buddies_is_free(struct buddies *buddies, uint64_t frame);
bool buddies_is_whole(struct buddies *buddies, uint64_t frame);

/* Take exactly this free range of one area. */
void buddy_take_range(struct buddies *buddies, struct area *area, uint64_t first, uint64_t count);

/* Is a page block of the area wholly free? */
static inline bool buddy_is_whole(const struct area *area, uint64_t pageblock) {
    return pageblock_is_free(&area->whole, (unsigned)(pageblock - area->first_pageblock), 1);
}

/* The largest order that is free in an area; BUDDY_ORDERS iff none is. */
unsigned buddy_largest(const struct area *area);

/* ---- dirt (dirty.c); the area is entered but where it says otherwise ---- */

/* Frames of the range were used and are free now: the system below still backs them. */
void buddy_mark_dirty(struct buddies *buddies, struct area *area, uint64_t first, uint64_t count);

/* Do all of these taken frames read as zero, because nobody used them before? Without the lock: a
 * page block that is partly the caller's may become written meanwhile, never clean. */
bool buddy_is_clean(const struct buddies *buddies, uint64_t first, uint64_t count);

/* The frames of this range, all taken, read as zero again: so do the page blocks wholly inside. */
void buddy_mark_clean(struct buddies *buddies, uint64_t first, uint64_t count);

/* Frames of the range in page blocks of which nobody used any. As buddy_is_clean(). */
uint64_t buddy_count_clean(const struct buddies *buddies, uint64_t first, uint64_t count);

/* Take all free frames of the oldest dirty page block of an age, which is clean from then on if all
 * of it was free: its number, and in free_bits[] what was taken. False iff there is none. */
bool buddy_take_dirty(struct buddies *buddies, struct area *area, unsigned age, uint64_t *number,
                      uint64_t free_bits[PAGEBLOCK_WORDS]);

/* Give them back. `is_clean`: the page block reads as zero where it is free. */
void buddy_give_purged(struct buddies *buddies, struct area *area, uint64_t number,
                       const uint64_t free_bits[PAGEBLOCK_WORDS], bool is_clean);

/* Free frames in dirty page blocks. O(dirty page blocks). */
uint64_t buddy_count_dirty(const struct buddies *buddies, struct area *area);

/* The interval is over: what became dirty in it is old now. */
void buddy_age_dirty(struct area *area);

#endif
