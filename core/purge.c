/* purge.c: giving free memory back to the system below, through larder_port_purge().
 *
 * A page block at a time, oldest first. The port is called with no lock held: the free frames of
 * the page block are taken out of the buddies for as long as the call lasts.
 */
#include "frames.h"

/* Tell the port about each free run. True iff all of the page block reads as zero now. */
static bool purge_runs(struct larder *larder, uint64_t number, const uint64_t bits[PAGEBLOCK_WORDS],
                       uint64_t *frames) {
    bool is_clean = true;
    unsigned first = 0, count;
    for (; pageblock_next_run(bits, &first, &count); first += count) {
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

void purge_old(struct larder *larder) {
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        struct zone *zone = &larder->buddies.zone[i];
        purge_zone(larder, zone, DIRTY_AGES - 1);
        lock_acquire(&zone->lock);
        buddy_age_dirty(zone);
        lock_release(&zone->lock);
    }
}

/* The young first: what grows old meanwhile, in another thread's interval, is met a second time. */
uint64_t larder_purge(struct larder *larder) {
    uint64_t frames = 0;
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        for (unsigned age = 0; age < DIRTY_AGES; age++) {
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
