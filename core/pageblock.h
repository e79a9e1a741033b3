/* pageblock.h: 512 frames, 2 MiB, as one bitmap.
 *
 * Inside a page block the buddies need no lists and no merging loop: a free block of order k is an
 * aligned run of 2^k set bits, so giving frames back *is* the merge. Pure transitions on one small
 * struct; the lock of its area guards it. The area itself is one level up of the same: a bit for
 * each of its page blocks that is wholly free.
 *
 * Conservation: count_free = popcount(free_bits); while OPEN, largest is the order of the largest
 * aligned free run.
 *
 *   state     meaning                                                    bits
 *   NONE      no RAM; or wholly allocated; or wholly free: its area's     all clear
 *             bitmap says which
 *   OPEN      partly free or partly reserved; every frame has a bit       free frames are set
 */
#ifndef CORE_PAGEBLOCK_H
#define CORE_PAGEBLOCK_H

#include "list.h"

#define PAGEBLOCK_ORDER 9u
#define PAGEBLOCK_FRAMES (1u << PAGEBLOCK_ORDER)
#define PAGEBLOCK_WORDS (PAGEBLOCK_FRAMES / WORD_BITS)
#define PAGEBLOCK_BYTES ((uint64_t)PAGEBLOCK_FRAMES << LARDER_FRAME_SHIFT)

enum pageblock_state {
    PAGEBLOCK_NONE = 0,
    PAGEBLOCK_OPEN,
};

struct pageblock {
    _Alignas(64) uint64_t free_bits[PAGEBLOCK_WORDS]; /* a bit per frame */
    struct list link;    /* OPEN with free frames: in its area, by largest and fullness */
    uint16_t count_free; /* OPEN: frames free, 0..512 */
    uint8_t state;       /* enum pageblock_state */
    uint8_t largest;     /* OPEN, count_free > 0: largest free order, 0..9 */
    uint8_t bucket;      /* OPEN, on a list: which of its class */
    bool was_written;    /* frames of it came back since all of it read as zero */
    bool is_dirty;       /* on a list of its area's dirty page blocks, by the next link */
    struct list dirty_link;
    uint16_t taker; /* OPEN: who takes single frames from here (struct area_seat); 0: nobody */
};
_Static_assert(sizeof(struct pageblock) == 128, "two cache lines");

/* Largest aligned free run in the bits, as an order 0..9. count_free > 0. */
unsigned pageblock_largest(const struct pageblock *block);

/* Order of the largest aligned free run that contains this free frame, 0..9. */
unsigned pageblock_run_order(const struct pageblock *block, unsigned frame);

/* The same, if a run of order `known` around the frame is free, or does not matter: the larger of
 * `known` and what pageblock_run_order() says. Runs nest, so it is one test when there is none. */
unsigned pageblock_widened(const struct pageblock *block, unsigned frame, unsigned known);

/* Take an aligned run of 2^order frames, order ≤ largest; returns its first frame, the lowest there
 * is. */
unsigned pageblock_take(struct pageblock *block, unsigned order);

/* Take up to `count` single frames in address order into out[] (frame numbers within the block);
 * returns how many. */
unsigned pageblock_take_frames(struct pageblock *block, unsigned count, uint16_t *out);

/* True iff every one of `count` ≥ 1 frames from `first` on is free / none is. */
bool pageblock_is_free(const struct pageblock *block, unsigned first, unsigned count);
bool pageblock_is_taken(const struct pageblock *block, unsigned first, unsigned count);

/* The next stretch of set bits at or after *first in a bitmap of frames: where it begins, how long
 * it is. False iff there is none. */
bool pageblock_next_run(const uint64_t bits[PAGEBLOCK_WORDS], unsigned *first, unsigned *count);

/* Give back one taken frame. */
static inline void pageblock_give_frame(struct pageblock *block, unsigned frame) {
    uint64_t bit = UINT64_C(1) << frame % WORD_BITS;
    ASSERT((block->free_bits[frame / WORD_BITS] & bit) == 0);
    block->free_bits[frame / WORD_BITS] |= bit;
    block->count_free++;
}

/* Give back / take exactly these frames; the caller has checked that all are taken / free. */
void pageblock_give_range(struct pageblock *block, unsigned first, unsigned count);
void pageblock_take_range(struct pageblock *block, unsigned first, unsigned count);

#endif
