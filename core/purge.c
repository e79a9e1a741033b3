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

static bool purge_one(struct larder *larder, struct area *area, unsigned age, uint64_t *frames) {
    uint64_t number, bits[PAGEBLOCK_WORDS], here = 0;
    area_enter(area);
    bool is_one = buddy_take_dirty(&larder->buddies, area, age, &number, bits);
    area_leave(&larder->buddies, area);
    if (!is_one) {
        return false;
    }
    bool is_clean = purge_runs(larder, number, bits, &here);
    area_enter(area);
    buddy_give_purged(&larder->buddies, area, number, bits, is_clean);
    area_leave(&larder->buddies, area);
    *frames += here;
    return true;
}

/* What gets dirty meanwhile may be purged too, but not for ever: at most as many page blocks as
 * there are. */
static uint64_t purge_area(struct larder *larder, struct area *area, unsigned age) {
    uint64_t frames = 0, left = AREA_PAGEBLOCKS;
    while (left-- > 0 && purge_one(larder, area, age, &frames)) {
    }
    return frames;
}

void purge_old(struct larder *larder) {
    EACH_AREA(area, &larder->buddies) {
        purge_area(larder, area, DIRTY_AGES - 1);
        area_enter(area);
        buddy_age_dirty(area);
        area_leave(&larder->buddies, area);
    }
}

/* The young first: what grows old meanwhile, in another thread's interval, is met a second time. */
uint64_t larder_purge(struct larder *larder) {
    uint64_t frames = 0;
    EACH_AREA(area, &larder->buddies) {
        for (unsigned age = 0; age < DIRTY_AGES; age++) {
            frames += purge_area(larder, area, age);
        }
    }
    return frames;
}

bool larder_is_dirty(struct larder *larder) {
    bool is_dirty = false;
    EACH_AREA(area, &larder->buddies) {
        area_enter(area);
        for (unsigned age = 0; age < DIRTY_AGES; age++) {
            is_dirty = is_dirty || !list_is_empty(&area->dirty[age]);
        }
        area_leave(&larder->buddies, area);
    }
    return is_dirty;
}
