/* dirty.c: free memory that the system below still backs, and giving it back.
 *
 * Whoever frees memory has mostly written it. The page block it lies in is then dirty: it goes to
 * the end of its zone's list, once, and stays there whatever happens to it. When two intervals have
 * begun since, what is free of it is purged: so memory that is free goes back within one to two
 * intervals, and what is freed and allocated again all the time costs one purge an interval.
 *
 * The port is called with no lock held: the free frames of the page block are taken out of the
 * buddies for as long as the call lasts. Only where RAM came from the port (buddies.is_purgeable).
 */
#include "frames.h"

#include "larder/stats.h"

/* ---- the transitions of a page block; the zone's lock is held ---- */

void buddy_mark_dirty(struct buddies *buddies, struct zone *zone, uint64_t first, uint64_t count) {
    lock_assert_held(&zone->lock);
    if (!buddies->is_purgeable) {
        return;
    }
    for (uint64_t number = first / PAGEBLOCK_FRAMES;
         number <= (first + count - 1) / PAGEBLOCK_FRAMES; number++) {
        struct pageblock *block = &buddies->pageblock[number];
        __atomic_store_n(&block->was_written, true, __ATOMIC_RELAXED);
        if (!block->is_dirty) {
            block->is_dirty = true;
            list_push_back(&zone->dirty[0], &block->dirty_link);
        }
    }
}

bool buddy_is_clean(const struct buddies *buddies, uint64_t first, uint64_t count) {
    for (uint64_t number = first / PAGEBLOCK_FRAMES;
         number <= (first + count - 1) / PAGEBLOCK_FRAMES; number++) {
        if (__atomic_load_n(&buddies->pageblock[number].was_written, __ATOMIC_RELAXED)) {
            return false;
        }
    }
    return buddies->is_purgeable;
}

/* The next stretch of set bits at or after *first; false iff there is none. */
static bool next_run(const uint64_t bits[PAGEBLOCK_WORDS], unsigned *first, unsigned *count) {
    unsigned at = *first;
    while (at < PAGEBLOCK_FRAMES && bits[at / WORD_BITS] >> at % WORD_BITS == 0) {
        at = (at / WORD_BITS + 1) * WORD_BITS;
    }
    if (at >= PAGEBLOCK_FRAMES) {
        return false;
    }
    at += lowest_bit(bits[at / WORD_BITS] >> at % WORD_BITS);
    unsigned end = at;
    while (end < PAGEBLOCK_FRAMES && (bits[end / WORD_BITS] >> end % WORD_BITS & 1) != 0) {
        end++;
    }
    *first = at;
    *count = end - at;
    return true;
}

static void take_free(struct buddies *buddies, struct zone *zone, uint64_t number,
                      const uint64_t bits[PAGEBLOCK_WORDS]) {
    uint64_t free_min = zone->free_min;
    for (unsigned first = 0, count; next_run(bits, &first, &count); first += count) {
        buddy_take_range(buddies, zone, number * PAGEBLOCK_FRAMES + first, count);
    }
    zone->free_min = free_min; /* nobody was given any of it */
}

bool buddy_take_dirty(struct buddies *buddies, struct zone *zone, unsigned age, uint64_t *number,
                      uint64_t free_bits[PAGEBLOCK_WORDS]) {
    lock_assert_held(&zone->lock);
    struct list *link = list_pop_front(&zone->dirty[age]);
    if (link == NULL) {
        return false;
    }
    struct pageblock *block = LIST_ENTRY(link, struct pageblock, dirty_link);
    block->is_dirty = false;
    *number = (uint64_t)(block - buddies->pageblock);
    bool is_whole = buddy_whole_order(buddies, *number) != 0;
    for (unsigned i = 0; i < PAGEBLOCK_WORDS; i++) {
        free_bits[i] = is_whole                         ? ~UINT64_C(0)
                       : block->state == PAGEBLOCK_OPEN ? block->free_bits[i]
                                                        : 0;
    }
    take_free(buddies, zone, *number, free_bits);
    return true;
}

void buddy_give_purged(struct buddies *buddies, struct zone *zone, uint64_t number,
                       const uint64_t free_bits[PAGEBLOCK_WORDS], bool is_clean) {
    lock_assert_held(&zone->lock);
    if (is_clean) {
        __atomic_store_n(&buddies->pageblock[number].was_written, false, __ATOMIC_RELAXED);
    }
    for (unsigned first = 0, count; next_run(free_bits, &first, &count); first += count) {
        buddy_give(buddies, zone, number * PAGEBLOCK_FRAMES + first, count);
    }
}

void buddy_age_dirty(struct zone *zone) {
    lock_assert_held(&zone->lock);
    for (struct list *link; (link = list_pop_front(&zone->dirty[0])) != NULL;) {
        list_push_back(&zone->dirty[1], link);
    }
}

uint64_t buddy_count_dirty(const struct buddies *buddies, struct zone *zone) {
    uint64_t frames = 0;
    lock_assert_held(&zone->lock);
    for (unsigned age = 0; age < DIRTY_AGES; age++) {
        LIST_EACH(link, &zone->dirty[age]) {
            const struct pageblock *block = LIST_ENTRY(link, struct pageblock, dirty_link);
            bool is_whole = buddy_whole_order(buddies, (uint64_t)(block - buddies->pageblock)) != 0;
            frames += is_whole                         ? PAGEBLOCK_FRAMES
                      : block->state == PAGEBLOCK_OPEN ? block->count_free
                                                       : 0;
        }
    }
    return frames;
}

/* ---- purging ---- */

/* Tell the port about each free run. True iff all of the page block reads as zero now. */
static bool purge_runs(struct larder *larder, uint64_t number, const uint64_t bits[PAGEBLOCK_WORDS],
                       uint64_t *frames) {
    bool is_clean = true;
    unsigned first = 0, count;
    for (; next_run(bits, &first, &count); first += count) {
        void *start = frame_pointer(&larder->map, number * PAGEBLOCK_FRAMES + first);
        is_clean = larder_port_purge(start, (size_t)count << FRAME_SHIFT) && is_clean &&
                   count == PAGEBLOCK_FRAMES;
        *frames += count;
    }
    return is_clean && *frames > 0;
}

static bool purge_one(struct larder *larder, struct zone *zone, unsigned age, uint64_t *frames) {
    uint64_t number, bits[PAGEBLOCK_WORDS], here = 0;
    lock_acquire(&zone->lock);
    bool is_one = buddy_take_dirty(&larder->buddies, zone, age, &number, bits);
    lock_release(&zone->lock);
    if (!is_one) {
        return false;
    }
    bool is_clean = purge_runs(larder, number, bits, &here);
    lock_acquire(&zone->lock);
    buddy_give_purged(&larder->buddies, zone, number, bits, is_clean);
    lock_release(&zone->lock);
    *frames += here;
    return true;
}

static bool has_dirty(struct zone *zone, unsigned age) {
    lock_acquire(&zone->lock);
    bool has = !list_is_empty(&zone->dirty[age]);
    lock_release(&zone->lock);
    return has;
}

/* What gets dirty meanwhile may be purged too, but not for ever: at most as many page blocks as
 * there are. */
static uint64_t purge_zone(struct larder *larder, struct zone *zone, unsigned age) {
    uint64_t frames = 0, left = zone->end_pageblock - zone->first_pageblock;
    while (left-- > 0 && purge_one(larder, zone, age, &frames)) {
    }
    return frames;
}

uint64_t purge_old(struct larder *larder) {
    uint64_t frames = 0;
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        struct zone *zone = &larder->buddies.zone[i];
        frames += purge_zone(larder, zone, DIRTY_AGES - 1);
        lock_acquire(&zone->lock);
        buddy_age_dirty(zone);
        lock_release(&zone->lock);
    }
    return frames;
}

uint64_t larder_purge(struct larder *larder) {
    uint64_t frames = 0;
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        for (unsigned age = DIRTY_AGES; age-- > 0;) {
            frames += purge_zone(larder, &larder->buddies.zone[i], age);
        }
    }
    return frames;
}

bool larder_is_dirty(struct larder *larder) {
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        for (unsigned age = 0; age < DIRTY_AGES; age++) {
            if (has_dirty(&larder->buddies.zone[i], age)) {
                return true;
            }
        }
    }
    return false;
}
