/* buddy_fit.c: runs that are no powers of two, where they fit.
 *
 * A run that is taken out of the next larger block wastes no memory, its tail goes back. But a free
 * stretch that is long enough and does not hold such a block, by its place, would never be found
 * again: runs of many lengths, freed and taken, would each time take fresh memory while old lies
 * free beside it.
 *
 * So short runs go to the shortest stretch that holds them, whatever its alignment, of the page
 * blocks that fullest_open() asks, in that order. Long runs go to the lowest stretch of an area
 * that holds them, across page blocks. That walk begins at the lowest page block with a free frame.
 */
#include "buddy.h"

#define RUN_TRIES_MAX 16u /* page blocks that are looked at */

/* ---- inside a page block ---- */

/* Where the shortest stretch of at least `count` free frames begins; PAGEBLOCK_FRAMES iff there is
 * none. */
static unsigned shortest_run(const struct pageblock *block, unsigned count) {
    unsigned best = PAGEBLOCK_FRAMES, best_length = PAGEBLOCK_FRAMES + 1;
    for (unsigned at = 0, here; pageblock_next_run(block->free_bits, &at, &here); at += here) {
        if (here >= count && here < best_length) {
            best = at;
            best_length = here;
        }
    }
    return best;
}

static bool take_from(struct buddies *buddies, struct area *area, const struct pageblock *block,
                      unsigned count, frame_index *index) {
    unsigned frame = shortest_run(block, count);
    if (frame == PAGEBLOCK_FRAMES) {
        return false;
    }
    uint64_t number = (uint64_t)(block - buddies->pageblock);
    *index = (frame_index)(number * PAGEBLOCK_FRAMES + frame);
    buddy_take_range(buddies, area, *index, count);
    return true;
}

/* A stretch of count frames, wherever it begins, holds an aligned block of at least this order. */
static unsigned order_inside(uint64_t count) {
    return highest_bit(count + 1) - 1;
}

frame_index buddy_take_run(struct buddies *buddies, struct area *area, uint64_t count) {
    frame_index index = FRAME_NONE;
    unsigned tries = RUN_TRIES_MAX;
    lock_assert_held(&area->lock);
    for (unsigned largest = order_inside(count); largest < PAGEBLOCK_ORDER; largest++) {
        for (unsigned buckets = area->open_buckets[largest]; buckets != 0; buckets &= buckets - 1) {
            LIST_EACH(link, &area->open[largest][lowest_bit(buckets)]) {
                const struct pageblock *block = LIST_ENTRY(link, struct pageblock, link);
                if (take_from(buddies, area, block, (unsigned)count, &index) || --tries == 0) {
                    return index;
                }
            }
        }
    }
    return FRAME_NONE;
}

/* ---- from page block to page block ---- */

/* Free frames that end where the walk is. */
struct stretch {
    uint64_t first, count;
};

/* Go over the frames of an open page block; stops where the stretch is long enough. */
static void walk_open(const struct pageblock *block, uint64_t first, uint64_t wanted,
                      struct stretch *stretch) {
    unsigned end = 0;
    for (unsigned at = 0, here; pageblock_next_run(block->free_bits, &at, &here); at = end) {
        if (at != 0 || stretch->count == 0) {
            *stretch = (struct stretch){first + at, 0};
        }
        stretch->count += here;
        end = at + here;
        if (stretch->count >= wanted) {
            return;
        }
    }
    if (end != PAGEBLOCK_FRAMES) {
        stretch->count = 0;
    }
}

/* Go over the page block of this number; false iff none of it is free. */
static bool walk(const struct buddies *buddies, const struct area *area, uint64_t number,
                 uint64_t wanted, struct stretch *stretch) {
    const struct pageblock *block = &buddies->pageblock[number];
    uint64_t first = number * PAGEBLOCK_FRAMES;
    if (block->state == PAGEBLOCK_OPEN) {
        walk_open(block, first, wanted, stretch);
        return true;
    }
    if (!buddy_is_whole(area, number)) {
        stretch->count = 0;
        return false;
    }
    stretch->first = stretch->count == 0 ? first : stretch->first;
    stretch->count += PAGEBLOCK_FRAMES;
    return true;
}

frame_index buddy_take_fit(struct buddies *buddies, struct area *area, uint64_t count) {
    uint64_t lowest = UINT64_MAX;
    struct stretch stretch = {0, 0};
    lock_assert_held(&area->lock);
    for (uint64_t number = max_u64(area->fit_from, area->low_pageblock);
         number < area->end_pageblock; number++) {
        bool has_free = walk(buddies, area, number, count, &stretch);
        lowest = has_free ? min_u64(lowest, number) : lowest;
        if (stretch.count >= count) {
            area->fit_from = lowest;
            buddy_take_range(buddies, area, stretch.first, count);
            return (frame_index)stretch.first;
        }
    }
    area->fit_from = min_u64(lowest, area->end_pageblock);
    return FRAME_NONE;
}
