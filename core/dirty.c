/* dirty.c: free memory that the system below still backs, and giving it back.
 *
 * Whoever frees memory has mostly written it. The page block it lies in is then dirty: it goes to
 * the end of its area's list, once, and stays there whatever happens to it. When two intervals have
 * begun since, what is free of it is purged: so memory that is free goes back within one to two
 * intervals, and what is freed and allocated again all the time costs one purge an interval.
 *
 * Only where RAM came from the port (buddies.is_purgeable). Everything here runs with the area
 * entered, but for what asks whether memory is clean.
 */
#include "buddy.h"

void buddy_mark_dirty(struct buddies *buddies, struct area *area, uint64_t first, uint64_t count) {
    lock_assert_held(&area->lock);
    if (!buddies->is_purgeable) {
        return;
    }
    for (uint64_t number = first / PAGEBLOCK_FRAMES;
         number <= (first + count - 1) / PAGEBLOCK_FRAMES; number++) {
        struct pageblock *block = &buddies->pageblock[number];
        __atomic_store_n(&block->was_written, true, __ATOMIC_RELAXED);
        if (!block->is_dirty) {
            block->is_dirty = true;
            list_push_back(&area->dirty[0], &block->dirty_link);
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

void buddy_mark_clean(struct buddies *buddies, uint64_t first, uint64_t count) {
    uint64_t end = (first + count) / PAGEBLOCK_FRAMES;
    for (uint64_t number = align_up(first, PAGEBLOCK_FRAMES) / PAGEBLOCK_FRAMES; number < end;
         number++) {
        __atomic_store_n(&buddies->pageblock[number].was_written, false, __ATOMIC_RELAXED);
    }
}

uint64_t buddy_count_clean(const struct buddies *buddies, uint64_t first, uint64_t count) {
    uint64_t clean = 0, here;
    for (; count > 0; first += here, count -= here) {
        here = min_u64(count, align_down(first, PAGEBLOCK_FRAMES) + PAGEBLOCK_FRAMES - first);
        clean += buddy_is_clean(buddies, first, here) ? here : 0;
    }
    return clean;
}

/* Nobody is given any of it, so it counts as free all the while. */
static void take_free(struct buddies *buddies, struct area *area, uint64_t number,
                      const uint64_t bits[PAGEBLOCK_WORDS]) {
    for (unsigned first = 0, count; pageblock_next_run(bits, &first, &count); first += count) {
        buddy_take_range(buddies, area, number * PAGEBLOCK_FRAMES + first, count);
        area_change_free(area, count);
    }
}

/* What is free of a page block. */
static void read_free(const struct area *area, const struct pageblock *block, uint64_t number,
                      uint64_t free_bits[PAGEBLOCK_WORDS]) {
    uint64_t all = buddy_is_whole(area, number) ? ~UINT64_C(0) : 0;
    for (unsigned i = 0; i < PAGEBLOCK_WORDS; i++) {
        free_bits[i] = block->state == PAGEBLOCK_OPEN ? block->free_bits[i] : all;
    }
}

bool buddy_take_dirty(struct buddies *buddies, struct area *area, unsigned age, uint64_t *number,
                      uint64_t free_bits[PAGEBLOCK_WORDS]) {
    lock_assert_held(&area->lock);
    struct list *link = list_pop_front(&area->dirty[age]);
    if (link == NULL) {
        return false;
    }
    struct pageblock *block = LIST_ENTRY(link, struct pageblock, dirty_link);
    block->is_dirty = false;
    *number = (uint64_t)(block - buddies->pageblock);
    read_free(area, block, *number, free_bits);
    take_free(buddies, area, *number, free_bits);
    return true;
}

void buddy_give_purged(struct buddies *buddies, struct area *area, uint64_t number,
                       const uint64_t free_bits[PAGEBLOCK_WORDS], bool is_clean) {
    lock_assert_held(&area->lock);
    if (is_clean) {
        __atomic_store_n(&buddies->pageblock[number].was_written, false, __ATOMIC_RELAXED);
    }
    for (unsigned first = 0, count; pageblock_next_run(free_bits, &first, &count); first += count) {
        buddy_give(buddies, area, number * PAGEBLOCK_FRAMES + first, count);
        area_change_free(area, -(int64_t)count);
    }
}

void buddy_age_dirty(struct area *area) {
    lock_assert_held(&area->lock);
    for (struct list *link; (link = list_pop_front(&area->dirty[0])) != NULL;) {
        list_push_back(&area->dirty[1], link);
    }
}

uint64_t buddy_count_dirty(const struct buddies *buddies, struct area *area) {
    uint64_t frames = 0;
    lock_assert_held(&area->lock);
    for (unsigned age = 0; age < DIRTY_AGES; age++) {
        LIST_EACH(link, &area->dirty[age]) {
            const struct pageblock *block = LIST_ENTRY(link, struct pageblock, dirty_link);
            uint64_t number = (uint64_t)(block - buddies->pageblock);
            frames += block->state == PAGEBLOCK_OPEN ? block->count_free
                      : buddy_is_whole(area, number) ? PAGEBLOCK_FRAMES
                                                     : 0;
        }
    }
    return frames;
}
