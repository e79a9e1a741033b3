/* frames_take.c: frames straight from the buddies, and back.
 *
 * From the highest zone that is allowed down, above the watermark, each under its own lock; once
 * more after pressure, with no lock held. Who takes sets the owner bytes, who gives has cleared
 * them.
 */
#include "frames.h"

/* A block of the order, less its tail. */
static frame_index take_front(struct buddies *buddies, struct zone *zone, unsigned order,
                              uint64_t count) {
    uint64_t free_min = zone->free_min;
    frame_index index = buddy_take(buddies, zone, order);
    if (index != FRAME_NONE && count < UINT64_C(1) << order) {
        buddy_give(buddies, zone, index + count, (UINT64_C(1) << order) - count);
        zone->free_min = min_u64(free_min, zone->free); /* the tail was never gone */
    }
    return index;
}

static frame_index take_once(struct larder *larder, unsigned order, uint64_t count, bool is_run,
                             larder_flags flags) {
    struct buddies *buddies = &larder->buddies;
    for (unsigned i = highest_zone(larder, flags) + 1; i-- > 0;) {
        struct zone *zone = &buddies->zone[i];
        frame_index index = FRAME_NONE;
        lock_acquire(&zone->lock);
        bool has_enough = is_above_watermark(zone, count, flags);
        if (has_enough && is_run) {
            index = buddy_take_run(buddies, zone, count);
        }
        if (has_enough && index == FRAME_NONE) {
            index = take_front(buddies, zone, order, count);
        }
        lock_release(&zone->lock);
        if (index != FRAME_NONE) {
            return index;
        }
    }
    return FRAME_NONE;
}

static frame_index take(struct larder *larder, unsigned order, uint64_t count, bool is_run,
                        larder_flags flags) {
    if (larder_port_should_fail("frames")) {
        return FRAME_NONE;
    }
    frame_index index = take_once(larder, order, count, is_run, flags);
    if (index == FRAME_NONE && (flags & LARDER_NO_RECLAIM) == 0) {
        larder->pressure(larder);
        index = take_once(larder, order, count, is_run, flags);
    }
    return index;
}

frame_index frames_take_count(struct larder *larder, unsigned order, uint64_t count,
                              larder_flags flags) {
    return take(larder, order, count, false, flags);
}

frame_index frames_take_run(struct larder *larder, uint64_t count, larder_flags flags) {
    bool is_run = !is_power_of_two(count) && count < PAGEBLOCK_FRAMES;
    return take(larder, order_for(count), count, is_run, flags);
}

/* From a stretch that is long enough wherever it begins; its two ends go back. */
static frame_index take_fit(struct larder *larder, struct zone *zone, uint64_t count,
                            uint64_t align_frames) {
    uint64_t roomy = count + align_frames - 1, free_min = zone->free_min;
    frame_index found = buddy_take_fit(&larder->buddies, zone, roomy);
    if (found == FRAME_NONE || roomy == count) {
        return found;
    }
    uint64_t first = frame_align_up(&larder->map, found, align_frames);
    buddy_give(&larder->buddies, zone, found, first - found);
    buddy_give(&larder->buddies, zone, first + count, found + roomy - (first + count));
    zone->free_min = min_u64(free_min, zone->free); /* the ends were never gone */
    return (frame_index)first;
}

frame_index frames_take_fit(struct larder *larder, uint64_t count, uint64_t align_frames,
                            larder_flags flags) {
    frame_index index = FRAME_NONE;
    for (unsigned i = highest_zone(larder, flags) + 1; index == FRAME_NONE && i-- > 0;) {
        struct zone *zone = &larder->buddies.zone[i];
        lock_acquire(&zone->lock);
        if (is_above_watermark(zone, count, flags)) {
            index = take_fit(larder, zone, count, align_frames);
        }
        lock_release(&zone->lock);
    }
    return index;
}

frame_index frames_take(struct larder *larder, unsigned order, larder_flags flags) {
    return frames_take_count(larder, order, UINT64_C(1) << order, flags);
}

void frames_give(struct larder *larder, uint64_t first, uint64_t count) {
    while (count > 0) {
        struct zone *zone = buddies_zone_of(&larder->buddies, first);
        uint64_t here = zone_part(zone, first, count);
        lock_acquire(&zone->lock);
        buddy_give(&larder->buddies, zone, first, here);
        buddy_mark_dirty(&larder->buddies, zone, first, here);
        lock_release(&zone->lock);
        first += here;
        count -= here;
    }
}
