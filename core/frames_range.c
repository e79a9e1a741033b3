/* frames_range.c: frames by place rather than by size: resize where they stand, contiguous ranges,
 * and RAM that comes and goes: donation and reservation.
 *
 * What is RAM of the buddies is what the range table calls USABLE. It changes under the registry
 * lock (rank below the areas'), so two callers can neither donate nor reserve the same frame twice.
 */
#include "frames.h"

#define SCAN_FRAMES                                                                                \
    (64u * PAGEBLOCK_FRAMES) /* looked at with an area's lock held: 64 page blocks */

/* ---- resize ---- */

static bool grow_run(struct larder *larder, uint64_t index, uint64_t old, uint64_t count) {
    struct zone *zone = buddies_zone_of(&larder->buddies, index);
    return zone_part(zone, index, count) == count &&
           frames_take_range(larder, index + old, count - old, 0);
}

enum larder_status larder_frames_resize(struct larder *larder, void *frames, uint64_t count) {
    uint64_t old = larder_frames_count(larder, frames);
    uint64_t index = frame_of(&larder->map, frames);
    if (old == 0) {
        return LARDER_BAD_RANGE;
    }
    if (count == 0) {
        return LARDER_BAD_SIZE;
    }
    frames_check_zone(larder, index, old);
    if (count != old && larder->map.record[index].guard_frames != 0) {
        return LARDER_BUSY; /* guards stand where they stand */
    }
    if (count > old && !grow_run(larder, index, old, count)) {
        return LARDER_BUSY;
    }
    larder->map.record[index].count_frames = count;
    larder->map.owner[index] = OWNER_RUN;
    if (count < old) {
        frames_give(larder, index + count, old - count);
    }
    return LARDER_OK;
}

/* ---- used or not ---- */

uint64_t larder_frames_count_unused(struct larder *larder, const void *frames) {
    uint64_t count = larder_frames_count(larder, frames);
    return buddy_count_clean(&larder->buddies, frame_of(&larder->map, frames), count);
}

void larder_frames_free_unused(struct larder *larder, void *frames) {
    uint64_t count = larder_frames_count(larder, frames);
    uint64_t index = frame_of(&larder->map, frames);
    if (count == 0 || larder->map.owner[index] != OWNER_RUN) {
        larder_frames_free(larder, frames);
        return;
    }
    frames_check_zone(larder, index, count);
    larder->map.owner[index] = OWNER_NONE;
    buddy_mark_clean(&larder->buddies, index, count);
    frames_give_unused(larder, index, count);
}

/* ---- contiguous ---- */

/* Where a run may begin, if [first, end), all in one area, is not free: behind its first frame that
 * is taken, or, where none of the page block is free, behind that. `first` iff all are free. */
static uint64_t next_start_in(struct buddies *buddies, const struct area *area, uint64_t first,
                              uint64_t end) {
    for (uint64_t at = first, step; at < end; at += step) {
        uint64_t number = at / PAGEBLOCK_FRAMES, end_block = (number + 1) * PAGEBLOCK_FRAMES;
        step = min_u64(end, end_block) - at;
        if (buddies->pageblock[number].state != PAGEBLOCK_OPEN && !buddy_is_whole(area, number)) {
            return end_block;
        }
        while (step > 1 && !buddy_range_is_free(buddies, area, at, step)) {
            step /= 2;
        }
        if (!buddy_range_is_free(buddies, area, at, step)) {
            return at + 1;
        }
    }
    return first;
}

/* The same wherever they lie, an area at a time and not all of it at once; an area that was never
 * made is passed at once. */
static uint64_t next_start(struct larder *larder, uint64_t first, uint64_t end) {
    for (uint64_t at = first, stop; at < end; at = stop) {
        struct area *area = buddies_area_of(&larder->buddies, at);
        if (!area_is_made(area)) {
            return (at / AREA_FRAMES + 1) * AREA_FRAMES;
        }
        stop = at + area_part(area, at, min_u64(end - at, SCAN_FRAMES));
        area_enter(area);
        uint64_t next = next_start_in(&larder->buddies, area, at, stop);
        area_leave(&larder->buddies, area);
        if (next > at) {
            return next;
        }
    }
    return first;
}

struct contiguous {
    uint64_t count, align_frames, limit_frame; /* limit: first frame beyond */
    larder_flags flags;
};

/* First fit in one zone, lowest address first. FRAME_NONE iff nothing fits. */
static frame_index contiguous_in_zone(struct larder *larder, struct zone *zone,
                                      const struct contiguous *want) {
    uint64_t end = min_u64(zone->end_pageblock * PAGEBLOCK_FRAMES, want->limit_frame);
    uint64_t first = zone->first_pageblock * PAGEBLOCK_FRAMES;
    while (zone_spare(&larder->buddies, zone, want->count, want->flags) == want->count) {
        first = frame_align_up(&larder->map, first, want->align_frames);
        if (first >= end || end - first < want->count) {
            return FRAME_NONE;
        }
        uint64_t next = next_start(larder, first, first + want->count);
        if (next > first) {
            first = next;
        } else if (frames_take_range(larder, first, want->count, want->flags)) {
            return (frame_index)first;
        }
    }
    return FRAME_NONE;
}

static frame_index find_contiguous(struct larder *larder, const struct contiguous *want) {
    for (unsigned i = highest_zone(larder, want->flags) + 1; i-- > 0;) {
        frame_index index = contiguous_in_zone(larder, &larder->buddies.zone[i], want);
        if (index != FRAME_NONE) {
            return index;
        }
    }
    return FRAME_NONE;
}

/* Clip an address limit to the map, in frames. */
static uint64_t limit_frame(const struct frame_map *map, uint64_t limit_address) {
    return limit_address <= map->base_address
               ? 0
               : min_u64((limit_address - map->base_address) >> FRAME_SHIFT, map->count_frames);
}

static frame_index take_contiguous(struct larder *larder, const struct contiguous *want) {
    if (larder_port_should_fail("contiguous")) {
        return FRAME_NONE;
    }
    frame_index index = find_contiguous(larder, want);
    if (index == FRAME_NONE && (want->flags & LARDER_NO_RECLAIM) == 0) {
        larder->pressure(larder);
        index = find_contiguous(larder, want);
    }
    return index;
}

void *larder_frames_alloc_contiguous(struct larder *larder, uint64_t count, uint64_t align_bytes,
                                     uint64_t limit_address, larder_flags flags) {
    struct contiguous want = {
        .count = count,
        .align_frames = max_u64(align_bytes, FRAME_BYTES) >> FRAME_SHIFT,
        .limit_frame = limit_frame(&larder->map, limit_address),
        .flags = flags,
    };
    frame_index index = FRAME_NONE;
    if (count > 0 && count <= larder->map.count_frames && is_power_of_two(align_bytes) &&
        flags_are_known(flags)) {
        index = take_contiguous(larder, &want);
    }
    if (index == FRAME_NONE) {
        return frames_finish(NULL, 0, flags);
    }
    frames_mark(larder, index, count, CALL_SITE());
    return frames_finish(frame_pointer(&larder->map, index), count, flags);
}

frame_index frames_take_long(struct larder *larder, uint64_t count, uint64_t align_frames,
                             larder_flags flags) {
    struct contiguous want = {count, align_frames, larder->map.count_frames, flags};
    return count <= larder->map.count_frames ? take_contiguous(larder, &want) : FRAME_NONE;
}

/* ---- donation and reservation ---- */

/* Address range → frame numbers, rounded; false iff it wraps, is empty or outside the map. */
static bool to_frames(const struct frame_map *map, const struct larder_range *range, bool inward,
                      uint64_t *first, uint64_t *end) {
    uint64_t range_first = range->address, range_last_end;
    if (range->size_bytes == 0 ||
        !checked_add(range->address, range->size_bytes, &range_last_end)) {
        return false;
    }
    if (inward) {
        range_round_inward(range, &range_first, &range_last_end);
    } else if (!checked_align_up(range_last_end, FRAME_BYTES, &range_last_end)) {
        return false;
    }
    range_first = align_down(range_first, FRAME_BYTES);
    if (range_first >= range_last_end || range_first < map->base_address ||
        (range_last_end - map->base_address) >> FRAME_SHIFT > map->count_frames) {
        return false;
    }
    *first = (range_first - map->base_address) >> FRAME_SHIFT;
    *end = (range_last_end - map->base_address) >> FRAME_SHIFT;
    return true;
}

/* Change the table's word for [first, end) from one of `from` to `to`; the registry is held. */
static enum larder_status change_kind(struct frame_map *map, uint64_t first, uint64_t end,
                                      unsigned from, enum larder_range_kind to) {
    uint64_t first_address = frame_address(map, first), end_address = frame_address(map, end);
    if (!range_is_all(&map->ranges, first_address, end_address, from)) {
        return LARDER_BAD_RANGE;
    }
    return range_assign(&map->ranges, first_address, end_address, to);
}

static void count_usable(struct larder *larder, uint64_t first, uint64_t end, bool is_more) {
    while (first < end) {
        struct zone *zone = buddies_zone_of(&larder->buddies, first);
        uint64_t here = zone_part(zone, first, end - first);
        __atomic_add_fetch(&zone->usable, is_more ? here : -here, __ATOMIC_RELAXED);
        first += here;
    }
}

void frames_add_usable(struct larder *larder, uint64_t first, uint64_t end) {
    count_usable(larder, first, end, true);
    frames_give_unused(larder, first, end - first);
}

enum larder_status larder_frames_donate(struct larder *larder, uint64_t address,
                                        uint64_t size_bytes) {
    struct larder_range range = {address, size_bytes, LARDER_RANGE_DONATED};
    unsigned donatable =
        1u << LARDER_RANGE_DONATED | 1u << LARDER_RANGE_RESERVED | 1u << LARDER_RANGE_ABSENT;
    uint64_t first, end;
    if (!to_frames(&larder->map, &range, true, &first, &end)) {
        return LARDER_BAD_RANGE;
    }
    lock_acquire(&larder->registry);
    bool may_donate = range_is_all(&larder->map.ranges, frame_address(&larder->map, first),
                                   frame_address(&larder->map, end), donatable);
    lock_release(&larder->registry);
    if (!may_donate) {
        return LARDER_BAD_RANGE;
    }
    /* The port may allocate frames for this: no lock held, and the table is asked again afterwards.
     */
    if (!frame_map_commit(&larder->map, first, end - first) ||
        !buddies_commit(&larder->buddies, first, end - first)) {
        return LARDER_NO_MEMORY;
    }
    lock_acquire(&larder->registry);
    enum larder_status status =
        change_kind(&larder->map, first, end, donatable, LARDER_RANGE_USABLE);
    if (status == LARDER_OK) {
        buddies_make_areas(&larder->buddies, first, end - first);
    }
    lock_release(&larder->registry);
    if (status == LARDER_OK) {
        frames_add_usable(larder, first, end);
    }
    return status;
}

/* Take exactly [first, end) out of the buddies; false, with nothing taken, iff part of it is in
 * use. */
static bool take_exactly(struct larder *larder, uint64_t first, uint64_t end) {
    for (uint64_t at = first; at < end;) {
        uint64_t here = zone_part(buddies_zone_of(&larder->buddies, at), at, end - at);
        if (!frames_take_range(larder, at, here, LARDER_USE_RESERVE)) {
            frames_give_unused(larder, first, at - first);
            return false;
        }
        at += here;
    }
    return true;
}

enum larder_status larder_frames_reserve(struct larder *larder, uint64_t address,
                                         uint64_t size_bytes) {
    struct larder_range range = {address, size_bytes, LARDER_RANGE_RESERVED};
    uint64_t first, end;
    if (!to_frames(&larder->map, &range, false, &first, &end)) {
        return LARDER_BAD_RANGE;
    }
    larder->pressure(larder); /* free frames in bins and empty slabs are in use to the buddies */
    lock_acquire(&larder->registry);
    enum larder_status status = LARDER_BUSY;
    if (!range_is_all(&larder->map.ranges, frame_address(&larder->map, first),
                      frame_address(&larder->map, end), 1u << LARDER_RANGE_USABLE)) {
        status = LARDER_BAD_RANGE;
    } else if (take_exactly(larder, first, end)) {
        status =
            change_kind(&larder->map, first, end, 1u << LARDER_RANGE_USABLE, LARDER_RANGE_RESERVED);
        if (status != LARDER_OK) {
            frames_give(larder, first, end - first);
        }
    }
    lock_release(&larder->registry);
    if (status == LARDER_OK) {
        count_usable(larder, first, end, false);
    }
    return status;
}
