/* frames_take.c: which zone and which area serves a request, and where frames go back to.
 *
 * Zones are asked from the highest allowed one down. In a zone a slot asks, in this order,
 *
 *   1. the area where an open page block serves it best, of those that nobody else takes from
 *   2. the area that it takes from, where a page block may be opened
 *   3. the area with the smallest run of whole page blocks, of those that nobody else takes from
 *   4. every area, whoever's it is
 *
 * and one that has brought half of what was wanted ends the search. The slot is entered all the
 * while, so nothing else uses its seat; locks are taken for one area at a time.
 */
#include "frames.h"

#define FIT_AREAS_MAX 4u /* areas that one request for a long run walks over: some microseconds */

/* What is wanted of a zone, and what was got. */
struct want {
    unsigned order;
    uint64_t frames_each; /* of each block; of one alone, the rest goes back at once */
    unsigned count;       /* blocks */
    larder_flags flags;
    bool is_run; /* one alone, aligned to nothing: first where it fits between others */
    unsigned taken;
    frame_index *out; /* room for `count` */
};

static bool has_enough(const struct want *want) {
    return want->taken > 0 && want->taken >= want->count / 2;
}

static void give_tail(struct larder *larder, struct area *area, const struct want *want,
                      frame_index block) {
    uint64_t tail = (UINT64_C(1) << want->order) - want->frames_each;
    if (tail > 0) {
        buddy_give(&larder->buddies, area, block + want->frames_each, tail);
    }
}

/* One block comes out of the fullest page block, whoever takes frames from there: that keeps slabs
 * together, and what describes their frames. Only many, for a bin, come from the slot's own. */
static unsigned take_one_block(struct larder *larder, struct area *area, bool may_open,
                               const struct want *want) {
    frame_index block = FRAME_NONE;
    if (want->is_run) {
        block = buddy_take_run(&larder->buddies, area, want->frames_each);
    }
    if (block == FRAME_NONE) {
        block = buddy_take(&larder->buddies, area, want->order, may_open);
        if (block != FRAME_NONE) {
            give_tail(larder, area, want, block);
        }
    }
    *want->out = block;
    return block != FRAME_NONE;
}

static unsigned take_blocks(struct larder *larder, struct area *area, bool may_open, unsigned count,
                            struct area_seat *seat, const struct want *want) {
    if (count == 0) {
        return 0;
    }
    return want->count == 1 ? take_one_block(larder, area, may_open, want)
                            : buddy_take_many(&larder->buddies, area, want->order, may_open, count,
                                              seat, want->out + want->taken);
}

/* From where the seat is, if there is something. The watermark is looked at with the area entered:
 * in a zone of one area it is exact. */
static void take_here(struct larder *larder, const struct zone *zone, struct area_seat *seat,
                      bool may_open, struct want *want) {
    struct buddies *buddies = &larder->buddies;
    if (seat->area == AREA_NONE) {
        return;
    }
    struct area *area = &buddies->area[zone->first_area + seat->area];
    if (__atomic_load_n(&area->free, __ATOMIC_RELAXED) < want->frames_each) {
        return;
    }
    uint64_t wanted = (want->count - want->taken) * want->frames_each;
    area_enter(area);
    uint64_t spare = zone_spare(buddies, zone, wanted, want->flags);
    uint64_t blocks = want->count == 1 ? spare == wanted : spare >> want->order;
    want->taken += take_blocks(larder, area, may_open, (unsigned)blocks, seat, want);
    area_leave(buddies, area);
}

static void move_and_take(struct larder *larder, const struct zone *zone, struct area_seat *seat,
                          uint32_t to, bool may_open, struct want *want) {
    if (to != AREA_NONE) {
        seat_move(&larder->buddies, zone, seat, to);
        take_here(larder, zone, seat, may_open, want);
    }
}

/* From area to area, the best first, as long as they have something. */
static void take_open(struct larder *larder, const struct zone *zone, struct area_seat *seat,
                      struct want *want) {
    unsigned before;
    do {
        uint32_t fullest = zone_fullest_area(&larder->buddies, zone, seat, want->order);
        before = want->taken;
        move_and_take(larder, zone, seat, fullest, false, want);
    } while (!has_enough(want) && want->taken > before);
}

/* All of them, from the seat on. The slot stays where it found something: beside others, then. */
static void take_anywhere(struct larder *larder, const struct zone *zone, struct area_seat *seat,
                          struct want *want) {
    uint32_t count = __atomic_load_n(&zone->end_area, __ATOMIC_RELAXED);
    uint32_t first = seat->area < count ? seat->area : seat->taker;
    for (uint32_t i = 0; i < count && want->taken == 0; i++) {
        uint32_t number = (first + i) % count;
        if (area_is_made(&larder->buddies.area[zone->first_area + number])) {
            move_and_take(larder, zone, seat, number, true, want);
        }
    }
}

static void take_in_zone(struct larder *larder, const struct zone *zone, struct area_seat *seat,
                         struct want *want) {
    const struct buddies *buddies = &larder->buddies;
    bool is_one_of_many = __atomic_load_n(&zone->end_area, __ATOMIC_RELAXED) > 1;
    if (is_one_of_many && want->order < PAGEBLOCK_ORDER) {
        take_open(larder, zone, seat, want);
    }
    if (!has_enough(want)) {
        take_here(larder, zone, seat, true, want);
    }
    if (is_one_of_many && !has_enough(want)) {
        uint32_t whole = zone_whole_area(buddies, zone, seat, want->order);
        move_and_take(larder, zone, seat, whole, true, want);
    }
    if (want->taken == 0) {
        take_anywhere(larder, zone, seat, want);
    }
}

/* Blocks of one zone, the highest that has any. */
static unsigned take(struct larder *larder, struct want *want) {
    uintptr_t state = larder_port_slot_enter();
    struct larder_slot *slot = slot_here(larder);
    for (unsigned i = highest_zone(larder, want->flags) + 1; want->taken == 0 && i-- > 0;) {
        struct area_seat nowhere = {AREA_NONE, TAKER_NOBODY, NULL};
        struct area_seat *seat = slot_is_attached(slot) ? &slot->seat[i] : &nowhere;
        take_in_zone(larder, &larder->buddies.zone[i], seat, want);
    }
    larder_port_slot_leave(state);
    return want->taken;
}

unsigned frames_take_many(struct larder *larder, unsigned order, unsigned count,
                          frame_index *frames, larder_flags flags) {
    return take(larder,
                &(struct want){order, UINT64_C(1) << order, count, flags, false, 0, frames});
}

static frame_index take_one(struct larder *larder, struct want want) {
    frame_index index = FRAME_NONE;
    want.out = &index;
    if (larder_port_should_fail("frames")) {
        return FRAME_NONE;
    }
    if (take(larder, &want) == 0 && (want.flags & LARDER_NO_RECLAIM) == 0) {
        larder->pressure(larder);
        take(larder, &want);
    }
    return index;
}

frame_index frames_take_count(struct larder *larder, unsigned order, uint64_t count,
                              larder_flags flags) {
    return take_one(larder, (struct want){order, count, 1, flags, false, 0, NULL});
}

frame_index frames_take_run(struct larder *larder, uint64_t count, larder_flags flags) {
    bool is_run = !is_power_of_two(count) && count < PAGEBLOCK_FRAMES;
    return take_one(larder, (struct want){order_for(count), count, 1, flags, is_run, 0, NULL});
}

frame_index frames_take(struct larder *larder, unsigned order, larder_flags flags) {
    return frames_take_count(larder, order, UINT64_C(1) << order, flags);
}

/* From a stretch that is long enough wherever it begins; its two ends go back. The area is entered.
 */
static frame_index take_fit(struct larder *larder, struct area *area, uint64_t count,
                            uint64_t align_frames) {
    uint64_t roomy = count + align_frames - 1;
    frame_index found = buddy_take_fit(&larder->buddies, area, roomy);
    if (found == FRAME_NONE || roomy == count) {
        return found;
    }
    uint64_t first = frame_align_up(&larder->map, found, align_frames);
    buddy_give(&larder->buddies, area, found, first - found);
    buddy_give(&larder->buddies, area, first + count, found + roomy - (first + count));
    return (frame_index)first;
}

frame_index frames_take_fit(struct larder *larder, uint64_t count, uint64_t align_frames,
                            larder_flags flags) {
    struct buddies *buddies = &larder->buddies;
    frame_index index = FRAME_NONE;
    unsigned walks = FIT_AREAS_MAX;
    for (unsigned i = highest_zone(larder, flags) + 1; i-- > 0;) {
        EACH_AREA_OF(area, buddies, &buddies->zone[i]) {
            if (__atomic_load_n(&area->free, __ATOMIC_RELAXED) < count) {
                continue;
            }
            area_enter(area);
            if (zone_spare(buddies, area->zone, count, flags) == count) {
                index = take_fit(larder, area, count, align_frames);
            }
            area_leave(buddies, area);
            if (index != FRAME_NONE || --walks == 0) {
                return index;
            }
        }
    }
    return FRAME_NONE;
}

/* ---- back ---- */

static void give(struct larder *larder, uint64_t first, uint64_t count, bool was_used) {
    while (count > 0) {
        struct area *area = buddies_area_of(&larder->buddies, first);
        uint64_t here = area_part(area, first, count);
        area_enter(area);
        buddy_give(&larder->buddies, area, first, here);
        if (was_used) {
            buddy_mark_dirty(&larder->buddies, area, first, here);
        }
        area_leave(&larder->buddies, area);
        first += here;
        count -= here;
    }
}

void frames_give(struct larder *larder, uint64_t first, uint64_t count) {
    give(larder, first, count, true);
}

void frames_give_unused(struct larder *larder, uint64_t first, uint64_t count) {
    give(larder, first, count, false);
}

/* Move the frames of the area of the first one to the front: how many there are. Without branches:
 * which they are is not predictable. */
static unsigned gather_area(struct buddies *buddies, unsigned count, frame_index *frames) {
    const struct area *area = buddies_area_of(buddies, frames[0]);
    uint64_t low = area->low_pageblock * PAGEBLOCK_FRAMES;
    uint64_t length = area->end_pageblock * PAGEBLOCK_FRAMES - low;
    unsigned gathered = 0;
    for (unsigned i = 0; i < count; i++) {
        frame_index here = frames[i], there = frames[gathered];
        bool is_inside = here - low < length;
        frame_index exchange = (here ^ there) & (0 - (frame_index)is_inside);
        frames[gathered] = there ^ exchange;
        frames[i] = here ^ exchange;
        gathered += is_inside;
    }
    return gathered;
}

void frames_give_many(struct larder *larder, unsigned order, unsigned count, frame_index *frames) {
    struct buddies *buddies = &larder->buddies;
    if (order == 0) {
        buddies_prefetch(buddies, count, frames);
    }
    while (count > 0) {
        unsigned here = gather_area(buddies, count, frames);
        struct area *area = buddies_area_of(buddies, frames[0]);
        area_enter(area);
        buddy_give_many(buddies, area, order, here, frames);
        for (unsigned i = 0; i < here && buddies->is_purgeable; i++) {
            buddy_mark_dirty(buddies, area, frames[i], UINT64_C(1) << order);
        }
        area_leave(buddies, area);
        frames += here;
        count -= here;
    }
}

void frames_let_go_seats(struct larder *larder, struct larder_slot *slot) {
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        seat_move(&larder->buddies, &larder->buddies.zone[i], &slot->seat[i], AREA_NONE);
    }
}

/* ---- exactly these ---- */

static bool take_part(struct larder *larder, struct area *area, uint64_t first, uint64_t count,
                      larder_flags flags) {
    struct buddies *buddies = &larder->buddies;
    area_enter(area);
    bool is_free = zone_spare(buddies, area->zone, count, flags) == count &&
                   buddy_range_is_free(buddies, area, first, count);
    if (is_free) {
        buddy_take_range(buddies, area, first, count);
    }
    area_leave(buddies, area);
    return is_free;
}

bool frames_take_range(struct larder *larder, uint64_t first, uint64_t count, larder_flags flags) {
    for (uint64_t at = first, end = first + count; at < end;) {
        struct area *area = buddies_area_of(&larder->buddies, at);
        uint64_t here = area_part(area, at, end - at);
        if (!take_part(larder, area, at, here, flags)) {
            frames_give_unused(larder, first, at - first);
            return false;
        }
        at += here;
    }
    return true;
}
