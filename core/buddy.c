/* buddy.c: the transitions of an area: take, give, split, merge. See buddy.h for the idea and the
 * lock. */
#include "buddy.h"

#include "larder/port.h"

static uint64_t number_of(const struct buddies *buddies, const struct pageblock *block) {
    return (uint64_t)(block - buddies->pageblock);
}

/* The bit of a page block in its area. */
static unsigned bit_of(const struct area *area, uint64_t number) {
    return (unsigned)(number - area->first_pageblock);
}

/* ---- lists of OPEN page blocks ---- */

static unsigned bucket_for(unsigned count_free) {
    return (count_free - 1) * FULLNESS_BUCKETS / PAGEBLOCK_FRAMES;
}

static void link_open(struct area *area, struct pageblock *block) {
    unsigned largest = block->largest;
    block->bucket = (uint8_t)bucket_for(block->count_free);
    list_push_front(&area->open[largest][block->bucket], &block->link);
    area->open_buckets[largest] |= (uint8_t)(1u << block->bucket);
}

static void unlink_open(struct area *area, struct pageblock *block) {
    struct list *head = &area->open[block->largest][block->bucket];
    list_unlink(&block->link);
    if (list_is_empty(head)) {
        area->open_buckets[block->largest] &= (uint8_t) ~(1u << block->bucket);
    }
}

/* ---- whole page blocks: split and merge ---- */

/* Page blocks are wholly free from now on. The bits beside them are the buddies:
 *
 *     |-- k: free --|-- k: given --|
 *     |------- k + 1: free --------|
 */
static void give_whole(struct area *area, uint64_t number) {
    struct pageblock *whole = &area->whole;
    unsigned bit = bit_of(area, number), known = whole->count_free > 0 ? whole->largest : 0;
    pageblock_give_frame(whole, bit);
    area->fit_from = min_u64(area->fit_from, number);
    whole->largest = (uint8_t)pageblock_widened(whole, bit, known);
    larder_port_trace("merge", area, number);
}

static void give_wholes(struct area *area, uint64_t number, uint64_t count) {
    if (count == 1) {
        give_whole(area, number);
        return;
    }
    pageblock_give_range(&area->whole, bit_of(area, number), (unsigned)count);
    area->fit_from = min_u64(area->fit_from, number);
    area->whole.largest = (uint8_t)pageblock_largest(&area->whole);
    larder_port_trace("merge", area, number);
}

/* The lowest aligned run of 2^order whole page blocks, taken: its first page block. UINT64_MAX iff
 * there is none. */
static uint64_t take_wholes(struct area *area, unsigned order) {
    struct pageblock *whole = &area->whole;
    if (whole->count_free == 0 || order > whole->largest) {
        return UINT64_MAX;
    }
    if (order > 0) {
        whole->largest = (uint8_t)pageblock_largest(whole);
        if (order > whole->largest) {
            return UINT64_MAX;
        }
    }
    unsigned bit = pageblock_take(whole, order);
    larder_port_trace("split", area, area->first_pageblock + bit);
    return area->first_pageblock + bit;
}

/* Exactly these. */
static void take_wholes_at(struct area *area, uint64_t number, uint64_t count) {
    pageblock_take_range(&area->whole, bit_of(area, number), (unsigned)count);
    if (area->whole.count_free > 0) {
        area->whole.largest = (uint8_t)pageblock_largest(&area->whole);
    }
}

/* ---- open page blocks ---- */

/* A whole page block becomes OPEN and wholly free; the caller takes from it and places it. */
static struct pageblock *open_whole(struct buddies *buddies, uint64_t number) {
    struct pageblock *block = &buddies->pageblock[number];
    ASSERT(block->state == PAGEBLOCK_NONE);
    block->state = PAGEBLOCK_OPEN;
    block->taker = TAKER_NOBODY;
    block->count_free = PAGEBLOCK_FRAMES;
    for (unsigned i = 0; i < PAGEBLOCK_WORDS; i++) {
        block->free_bits[i] = ~UINT64_C(0);
    }
    list_link_init(&block->link);
    return block;
}

/* Put an OPEN block where its bits say it belongs, after they changed. `largest` is the new largest
 * order. */
static void place_open(struct buddies *buddies, struct area *area, struct pageblock *block,
                       unsigned largest) {
    bool is_linked = list_is_linked(&block->link);
    bool is_open = block->count_free > 0 && block->count_free < PAGEBLOCK_FRAMES;
    if (is_linked && is_open && block->largest == largest &&
        block->bucket == bucket_for(block->count_free)) {
        return;
    }
    if (is_linked) {
        unlink_open(area, block);
    }
    if (block->count_free == PAGEBLOCK_FRAMES) {
        pageblock_take_range(block, 0, PAGEBLOCK_FRAMES);
        block->state = PAGEBLOCK_NONE;
        give_whole(area, number_of(buddies, block));
    } else if (block->count_free > 0) {
        block->largest = (uint8_t)largest;
        link_open(area, block);
    } else {
        /* Wholly allocated: one run may hold all of it, or it may lie inside a larger one. */
        block->state = PAGEBLOCK_NONE;
    }
}

static void place_after_take(struct buddies *buddies, struct area *area, struct pageblock *block) {
    place_open(buddies, area, block, block->count_free > 0 ? pageblock_largest(block) : 0);
}

/* NULL iff the area has none. */
static struct pageblock *open_fresh(struct buddies *buddies, struct area *area) {
    uint64_t number = take_wholes(area, 0);
    return number == UINT64_MAX ? NULL : open_whole(buddies, number);
}

/* The fullest OPEN block with a free run of `order` < 9, or a fresh one; NULL iff there is neither.
 * Blocks whose largest run is just large enough come first: what could serve a larger request is
 * kept. */
static struct pageblock *fullest_open(struct buddies *buddies, struct area *area, unsigned order,
                                      bool may_open) {
    for (unsigned largest = order; largest < PAGEBLOCK_ORDER; largest++) {
        if (area->open_buckets[largest] != 0) {
            unsigned bucket = lowest_bit(area->open_buckets[largest]);
            return LIST_ENTRY(area->open[largest][bucket].next, struct pageblock, link);
        }
    }
    return may_open ? open_fresh(buddies, area) : NULL;
}

/* The fullest OPEN block with free frames that is nobody's; NULL iff there is none. No more are
 * somebody's than there are slots. */
static struct pageblock *nobodys_open(struct area *area) {
    for (unsigned largest = 0; largest < PAGEBLOCK_ORDER; largest++) {
        for (unsigned buckets = area->open_buckets[largest]; buckets != 0; buckets &= buckets - 1) {
            LIST_EACH(link, &area->open[largest][lowest_bit(buckets)]) {
                struct pageblock *block = LIST_ENTRY(link, struct pageblock, link);
                if (block->taker == TAKER_NOBODY) {
                    return block;
                }
            }
        }
    }
    return NULL;
}

/* Is the block that the seat is at one of this area with free frames, and nobody else's by now? */
static bool is_seated_at(const struct buddies *buddies, const struct area *area,
                         const struct area_seat *seat) {
    const struct pageblock *block = seat->block;
    return block != NULL && area_holds(area, number_of(buddies, block)) &&
           block->state == PAGEBLOCK_OPEN && block->taker == seat->taker;
}

/* The block that the seat is at while it has free frames; then one that is nobody's. If one may be
 * opened, a fresh one where all are others', and theirs in the end. */
static struct pageblock *open_for(struct buddies *buddies, struct area *area, bool may_open,
                                  struct area_seat *seat) {
    if (seat->taker == TAKER_NOBODY) {
        return fullest_open(buddies, area, 0, may_open);
    }
    if (is_seated_at(buddies, area, seat)) {
        return seat->block;
    }
    struct pageblock *block = nobodys_open(area);
    if (block == NULL && may_open) {
        block = open_fresh(buddies, area);
    }
    if (block == NULL && may_open) {
        block = fullest_open(buddies, area, 0, false);
    }
    if (block != NULL) {
        block->taker = (uint16_t)seat->taker;
        seat->block = block;
    }
    return block;
}

/* ---- taking ---- */

frame_index buddy_take(struct buddies *buddies, struct area *area, unsigned order, bool may_open) {
    frame_index frame = FRAME_NONE;
    lock_assert_held(&area->lock);
    if (order >= PAGEBLOCK_ORDER) {
        uint64_t number = take_wholes(area, order - PAGEBLOCK_ORDER);
        frame = number == UINT64_MAX ? FRAME_NONE : (frame_index)(number * PAGEBLOCK_FRAMES);
    } else {
        struct pageblock *block = fullest_open(buddies, area, order, may_open);
        if (block != NULL) {
            frame = (frame_index)(number_of(buddies, block) * PAGEBLOCK_FRAMES);
            frame += pageblock_take(block, order);
            place_after_take(buddies, area, block);
        }
    }
    if (frame != FRAME_NONE) {
        area_change_free(area, -((int64_t)1 << order));
    }
    return frame;
}

/* Up to WORD_BITS single units of a bitmap, as frames of 2^order. */
static unsigned take_units(struct pageblock *bits, uint64_t first, unsigned order, unsigned wanted,
                           frame_index *out) {
    uint16_t unit[WORD_BITS];
    unsigned taken = pageblock_take_frames(bits, wanted < WORD_BITS ? wanted : WORD_BITS, unit);
    for (unsigned i = 0; i < taken; i++) {
        out[i] = (frame_index)(first + ((uint64_t)unit[i] << order));
    }
    return taken;
}

static unsigned take_frames(struct buddies *buddies, struct area *area, bool may_open,
                            unsigned wanted, struct area_seat *seat, frame_index *out) {
    struct pageblock *block = open_for(buddies, area, may_open, seat);
    if (block == NULL) {
        return 0;
    }
    uint64_t first = number_of(buddies, block) * PAGEBLOCK_FRAMES;
    unsigned taken = take_units(block, first, 0, wanted, out);
    place_after_take(buddies, area, block);
    area_change_free(area, -(int64_t)taken);
    return taken;
}

static unsigned take_pageblocks(struct area *area, unsigned wanted, frame_index *out) {
    uint64_t first = area->first_pageblock * PAGEBLOCK_FRAMES;
    unsigned taken = take_units(&area->whole, first, PAGEBLOCK_ORDER, wanted, out);
    area_change_free(area, -(int64_t)taken * PAGEBLOCK_FRAMES);
    return taken;
}

/* At least one of up to `wanted`; 0 iff there is none. */
static unsigned take_some(struct buddies *buddies, struct area *area, unsigned order, bool may_open,
                          unsigned wanted, struct area_seat *seat, frame_index *out) {
    if (order == 0) {
        return take_frames(buddies, area, may_open, wanted, seat, out);
    }
    if (order == PAGEBLOCK_ORDER) {
        return take_pageblocks(area, wanted, out);
    }
    *out = buddy_take(buddies, area, order, may_open);
    return *out != FRAME_NONE;
}

unsigned buddy_take_many(struct buddies *buddies, struct area *area, unsigned order, bool may_open,
                         unsigned count, struct area_seat *seat, frame_index *out) {
    unsigned taken = 0, here = 1;
    lock_assert_held(&area->lock);
    while (taken < count && here > 0) {
        here = take_some(buddies, area, order, may_open, count - taken, seat, out + taken);
        taken += here;
    }
    return taken;
}

/* ---- giving ---- */

/* A page block that was wholly allocated is about to get frames back. */
static inline void open_taken(struct area *area, struct pageblock *block, uint64_t number) {
    if (block->state == PAGEBLOCK_NONE) {
        area->fit_from = min_u64(area->fit_from, number);
        block->state = PAGEBLOCK_OPEN;
        block->taker = TAKER_NOBODY;
        block->count_free = 0;
        list_link_init(&block->link);
    }
}

static void give_part(struct buddies *buddies, struct area *area, uint64_t number, unsigned first,
                      unsigned frames) {
    struct pageblock *block = &buddies->pageblock[number];
    open_taken(area, block, number);
    pageblock_give_range(block, first, frames);
    place_open(buddies, area, block, pageblock_largest(block));
}

/* How much of a range is one piece: what lies in its first page block, or, if it begins with one,
 * all whole page blocks. */
static uint64_t first_piece(uint64_t first, uint64_t count) {
    uint64_t here = min_u64(count, PAGEBLOCK_FRAMES - first % PAGEBLOCK_FRAMES);
    return here == PAGEBLOCK_FRAMES ? align_down(count, PAGEBLOCK_FRAMES) : here;
}

void buddy_give(struct buddies *buddies, struct area *area, uint64_t first, uint64_t count) {
    lock_assert_held(&area->lock);
    area_change_free(area, (int64_t)count);
    for (uint64_t here; count > 0; first += here, count -= here) {
        uint64_t number = first / PAGEBLOCK_FRAMES;
        here = first_piece(first, count);
        if (here >= PAGEBLOCK_FRAMES) {
            give_wholes(area, number, here / PAGEBLOCK_FRAMES);
        } else {
            give_part(buddies, area, number, first % PAGEBLOCK_FRAMES, (unsigned)here);
        }
    }
}

/* Give one frame back; how large the largest run is then. */
static inline unsigned give_frame(struct pageblock *block, unsigned frame, unsigned largest) {
    pageblock_give_frame(block, frame);
    /* As large as it gets while a frame is missing; and if none is, place_open() sees that. */
    return largest == PAGEBLOCK_ORDER - 1 ? largest : pageblock_widened(block, frame, largest);
}

void buddies_prefetch(const struct buddies *buddies, unsigned count, const frame_index *frames) {
    for (unsigned i = 0; i < count; i++) {
        const struct pageblock *block = &buddies->pageblock[frames[i] / PAGEBLOCK_FRAMES];
        __builtin_prefetch(block, 1);
        __builtin_prefetch(&block->link, 1);
    }
}

/* Neighbours in a batch that share a page block go into it together; it is placed once. */
static void give_frames(struct buddies *buddies, struct area *area, unsigned many,
                        const frame_index *frames) {
    for (unsigned i = 0; i < many;) {
        uint64_t number = frames[i] / PAGEBLOCK_FRAMES;
        struct pageblock *block = &buddies->pageblock[number];
        open_taken(area, block, number);
        unsigned largest = block->count_free > 0 ? block->largest : 0;
        do {
            largest = give_frame(block, frames[i] % PAGEBLOCK_FRAMES, largest);
            i++;
        } while (i < many && frames[i] / PAGEBLOCK_FRAMES == number);
        place_open(buddies, area, block, largest);
    }
}

void buddy_give_many(struct buddies *buddies, struct area *area, unsigned order, unsigned count,
                     const frame_index *frames) {
    ASSERT(count <= BUDDY_BATCH);
    lock_assert_held(&area->lock);
    area_change_free(area, (int64_t)count << order);
    if (order == 0) {
        give_frames(buddies, area, count, frames);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t number = frames[i] / PAGEBLOCK_FRAMES;
        if (order >= PAGEBLOCK_ORDER) {
            give_wholes(area, number, UINT64_C(1) << (order - PAGEBLOCK_ORDER));
        } else {
            give_part(buddies, area, number, frames[i] % PAGEBLOCK_FRAMES, 1u << order);
        }
    }
}

/* ---- exact ranges ---- */

unsigned buddy_largest(const struct area *area) {
    if (area->whole.count_free > 0) {
        unsigned order = PAGEBLOCK_ORDER + pageblock_largest(&area->whole);
        return order < LARDER_ORDER_MAX ? order : LARDER_ORDER_MAX;
    }
    for (unsigned order = PAGEBLOCK_ORDER; order-- > 0;) {
        if (area->open_buckets[order] != 0) {
            return order;
        }
    }
    return BUDDY_ORDERS;
}

bool buddy_range_is_free(const struct buddies *buddies, const struct area *area, uint64_t first,
                         uint64_t frames) {
    while (frames > 0) {
        uint64_t number = first / PAGEBLOCK_FRAMES;
        unsigned frame = (unsigned)(first % PAGEBLOCK_FRAMES);
        uint64_t here = min_u64(frames, PAGEBLOCK_FRAMES - frame);
        const struct pageblock *block = &buddies->pageblock[number];
        bool is_free = block->state == PAGEBLOCK_OPEN
                           ? pageblock_is_free(block, frame, (unsigned)here)
                           : buddy_is_whole(area, number);
        if (!is_free) {
            return false;
        }
        first += here;
        frames -= here;
    }
    return true;
}

bool buddies_is_whole(struct buddies *buddies, uint64_t frame) {
    const struct area *area = buddies_area_of(buddies, frame);
    return area_is_made(area) && buddy_is_whole(area, frame / PAGEBLOCK_FRAMES);
}

bool buddies_is_free(struct buddies *buddies, uint64_t frame) {
    const struct area *area = buddies_area_of(buddies, frame);
    return area_is_made(area) && buddy_range_is_free(buddies, area, frame, 1);
}

static void take_part(struct buddies *buddies, struct area *area, uint64_t number, unsigned first,
                      unsigned frames) {
    struct pageblock *block = &buddies->pageblock[number];
    if (block->state != PAGEBLOCK_OPEN) {
        take_wholes_at(area, number, 1);
        open_whole(buddies, number);
    }
    pageblock_take_range(block, first, frames);
    place_after_take(buddies, area, block);
}

void buddy_take_range(struct buddies *buddies, struct area *area, uint64_t first, uint64_t count) {
    lock_assert_held(&area->lock);
    area_change_free(area, -(int64_t)count);
    for (uint64_t here; count > 0; first += here, count -= here) {
        uint64_t number = first / PAGEBLOCK_FRAMES;
        here = first_piece(first, count);
        if (here >= PAGEBLOCK_FRAMES) {
            take_wholes_at(area, number, here / PAGEBLOCK_FRAMES);
        } else {
            take_part(buddies, area, number, first % PAGEBLOCK_FRAMES, (unsigned)here);
        }
    }
}
