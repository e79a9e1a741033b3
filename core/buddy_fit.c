/* buddy_fit.c: page blocks side by side, first fit.
 *
 * A run that is taken out of the next larger block wastes no memory, its tail goes back. But a free
 * stretch that is long enough and does not hold such a block, by its place, would never be found
 * again: blocks of many lengths, freed and taken, would each time take fresh memory while old lies
 * free beside it. So long runs go to the lowest stretch that holds them, whatever its alignment.
 *
 * The walk begins at the lowest page block that may be free, goes over free blocks in one step, and
 * gives up after STEPS_MAX others; the next larger block is left then.
 */
#include "buddy.h"

#define STEPS_MAX 2048u /* 4 GiB of memory in use: some microseconds */

/* Page blocks of the free block that begins here; 0 iff none does. */
static uint64_t free_here(const struct buddies *buddies, uint64_t number) {
    const struct pageblock *block = &buddies->pageblock[number];
    return block->state == PAGEBLOCK_WHOLE ? UINT64_C(1) << (block->order - PAGEBLOCK_ORDER) : 0;
}

frame_index buddy_take_fit(struct buddies *buddies, struct zone *zone, uint64_t count) {
    uint64_t wanted = align_up(count, PAGEBLOCK_FRAMES) / PAGEBLOCK_FRAMES;
    uint64_t number = max_u64(zone->fit_from, zone->first_pageblock);
    uint64_t length = 0, lowest = UINT64_MAX;
    lock_assert_held(&zone->lock);
    for (unsigned steps = 0; number < zone->end_pageblock && steps < STEPS_MAX; steps++) {
        uint64_t here = free_here(buddies, number);
        length = here == 0 ? 0 : length + here;
        lowest = here == 0 ? lowest : min_u64(lowest, number);
        number += here == 0 ? 1 : here;
        if (length >= wanted) {
            uint64_t first = (number - length) * PAGEBLOCK_FRAMES;
            zone->fit_from = lowest;
            buddy_take_range(buddies, zone, first, count);
            return (frame_index)first;
        }
    }
    zone->fit_from = min_u64(lowest, number);
    return FRAME_NONE;
}
