/* buddy.c: the transitions of a zone: take, give, split, merge. See buddy.h. */
#include "buddy.h"

#include "larder/port.h"

/* ---- lists ---- */

static uint64_t number_of(const struct buddies *buddies, const struct pageblock *block) {
    return (uint64_t)(block - buddies->pageblock);
}

static void link_whole(struct zone *zone, struct pageblock *block, unsigned order) {
    block->state = PAGEBLOCK_WHOLE;
    block->order = (uint8_t)order;
    list_push_front(&zone->whole[order - PAGEBLOCK_ORDER], &block->link);
    zone->whole_orders |= 1u << (order - PAGEBLOCK_ORDER);
}

static void unlink_whole(struct zone *zone, struct pageblock *block) {
    unsigned index = block->order - PAGEBLOCK_ORDER;
    list_unlink(&block->link);
    if (list_is_empty(&zone->whole[index])) {
        zone->whole_orders &= ~(1u << index);
    }
    block->state = PAGEBLOCK_NONE;
}

static unsigned bucket_for(unsigned count_free) {
    return (count_free - 1) * FULLNESS_BUCKETS / PAGEBLOCK_FRAMES;
}

static void link_open(struct zone *zone, struct pageblock *block) {
    unsigned largest = block->largest;
    block->bucket = (uint8_t)bucket_for(block->count_free);
    list_push_front(&zone->open[largest][block->bucket], &block->link);
    zone->open_buckets[largest] |= (uint8_t)(1u << block->bucket);
}

static void unlink_open(struct zone *zone, struct pageblock *block) {
    struct list *head = &zone->open[block->largest][block->bucket];
    list_unlink(&block->link);
    if (list_is_empty(head)) {
        zone->open_buckets[block->largest] &= (uint8_t) ~(1u << block->bucket);
    }
}

/* ---- whole page blocks: split and merge ---- */

/* Split a block that is on no list down to `order`; the lower half stays ours, the upper half goes
 * to its list:
 *
 *     |------------- order k -------------|
 *     |---- ours -----|---- k-1: free ----|
 *     |-ours-|- free -|
 */
static void split_down(struct zone *zone, struct pageblock *block, unsigned from, unsigned order) {
    while (from > order) {
        from--;
        link_whole(zone, block + (UINT64_C(1) << (from - PAGEBLOCK_ORDER)), from);
        larder_port_trace("split", block, from);
    }
}

/* A whole block of `order` ≥ 9, off its list; NULL iff there is none. */
static struct pageblock *take_whole(struct zone *zone, unsigned order) {
    uint32_t fitting = zone->whole_orders >> (order - PAGEBLOCK_ORDER);
    if (fitting == 0) {
        return NULL;
    }
    unsigned from = order + lowest_bit(fitting);
    struct list *link = zone->whole[from - PAGEBLOCK_ORDER].next;
    struct pageblock *block = LIST_ENTRY(link, struct pageblock, link);
    unlink_whole(zone, block);
    split_down(zone, block, from, order);
    return block;
}

/* The buddy of a whole block if it is free at the same order and in the same zone; else NULL. The
 * number is compared before the record is read (trap 5). */
static struct pageblock *mergeable_buddy(const struct buddies *buddies, const struct zone *zone,
                                         uint64_t number, unsigned order) {
    uint64_t buddy = number ^ (UINT64_C(1) << (order - PAGEBLOCK_ORDER));
    if (buddy < zone->first_pageblock || buddy >= zone->end_pageblock) {
        return NULL;
    }
    struct pageblock *block = &buddies->pageblock[buddy];
    return block->state == PAGEBLOCK_WHOLE && block->order == order ? block : NULL;
}

static void give_whole(struct buddies *buddies, struct zone *zone, uint64_t number,
                       unsigned order) {
    ASSERT(buddies->pageblock[number].state == PAGEBLOCK_NONE);
    while (order < LARDER_ORDER_MAX) {
        struct pageblock *buddy = mergeable_buddy(buddies, zone, number, order);
        if (buddy == NULL) {
            break;
        }
        unlink_whole(zone, buddy);
        number &= ~(UINT64_C(1) << (order - PAGEBLOCK_ORDER));
        order++;
        larder_port_trace("merge", &buddies->pageblock[number], order);
    }
    zone->fit_from = min_u64(zone->fit_from, number);
    link_whole(zone, &buddies->pageblock[number], order);
}

/* ---- open page blocks ---- */

/* A whole page block, off its list, becomes OPEN and wholly free; the caller takes from it and
 * places it. */
static void open_whole(struct pageblock *block) {
    block->state = PAGEBLOCK_OPEN;
    block->taker = 0;
    block->count_free = PAGEBLOCK_FRAMES;
    for (unsigned i = 0; i < PAGEBLOCK_WORDS; i++) {
        block->free_bits[i] = ~UINT64_C(0);
    }
    list_link_init(&block->link);
}

/* Put an OPEN block where its bits say it belongs, after they changed. `largest` is the new largest
 * order. */
static void place_open(struct buddies *buddies, struct zone *zone, struct pageblock *block,
                       unsigned largest) {
    bool is_linked = list_is_linked(&block->link);
    bool is_open = block->count_free > 0 && block->count_free < PAGEBLOCK_FRAMES;
    if (is_linked && is_open && block->largest == largest &&
        block->bucket == bucket_for(block->count_free)) {
        return;
    }
    if (is_linked) {
        unlink_open(zone, block);
    }
    if (block->count_free == PAGEBLOCK_FRAMES) {
        pageblock_take_range(block, 0, PAGEBLOCK_FRAMES);
        block->state = PAGEBLOCK_NONE;
        give_whole(buddies, zone, number_of(buddies, block), PAGEBLOCK_ORDER);
    } else if (block->count_free > 0) {
        block->largest = (uint8_t)largest;
        link_open(zone, block);
    } else {
        /* Wholly allocated: one run may hold all of it, or it may lie inside a larger one. */
        block->state = PAGEBLOCK_NONE;
    }
}

static void place_after_take(struct buddies *buddies, struct zone *zone, struct pageblock *block) {
    place_open(buddies, zone, block, block->count_free > 0 ? pageblock_largest(block) : 0);
}

/* NULL iff the zone has none. */
static struct pageblock *open_fresh(struct zone *zone) {
    struct pageblock *block = take_whole(zone, PAGEBLOCK_ORDER);
    if (block != NULL) {
        open_whole(block);
    }
    return block;
}

/* The fullest OPEN block with a free run of `order` < 9, or a fresh one; NULL iff the zone has
 * neither. Blocks whose largest run is just large enough come first: what could serve a larger
 * request is kept. */
static struct pageblock *fullest_open(struct zone *zone, unsigned order) {
    for (unsigned largest = order; largest < PAGEBLOCK_ORDER; largest++) {
        if (zone->open_buckets[largest] != 0) {
            unsigned bucket = lowest_bit(zone->open_buckets[largest]);
            return LIST_ENTRY(zone->open[largest][bucket].next, struct pageblock, link);
        }
    }
    return open_fresh(zone);
}

/* The fullest OPEN block with free frames that is nobody's; NULL iff there is none. No more than
 * TAKERS are somebody's. */
static struct pageblock *nobodys_open(struct zone *zone) {
    for (unsigned largest = 0; largest < PAGEBLOCK_ORDER; largest++) {
        for (unsigned buckets = zone->open_buckets[largest]; buckets != 0; buckets &= buckets - 1) {
            LIST_EACH(link, &zone->open[largest][lowest_bit(buckets)]) {
                struct pageblock *block = LIST_ENTRY(link, struct pageblock, link);
                if (block->taker == 0) {
                    return block;
                }
            }
        }
    }
    return NULL;
}

/* The block that the taker is at while it has free frames; then one that is nobody's. A fresh one
 * where all are others', and theirs in the end. */
static struct pageblock *open_for(struct zone *zone, unsigned taker) {
    if (taker == 0) {
        return fullest_open(zone, 0);
    }
    struct pageblock *block = zone->taker_at[taker - 1];
    if (block != NULL && block->state == PAGEBLOCK_OPEN && block->taker == taker) {
        return block;
    }
    block = nobodys_open(zone);
    if (block == NULL) {
        block = open_fresh(zone);
    }
    if (block == NULL) {
        block = fullest_open(zone, 0);
    }
    if (block != NULL) {
        block->taker = (uint8_t)taker;
        zone->taker_at[taker - 1] = block;
    }
    return block;
}

/* ---- taking ---- */

static void count_taken(struct zone *zone, uint64_t count) {
    zone->free -= count;
    zone->free_min = min_u64(zone->free_min, zone->free);
}

frame_index buddy_take(struct buddies *buddies, struct zone *zone, unsigned order) {
    unsigned frame = 0;
    lock_assert_held(&zone->lock);
    struct pageblock *block =
        order < PAGEBLOCK_ORDER ? fullest_open(zone, order) : take_whole(zone, order);
    if (block == NULL) {
        return FRAME_NONE;
    }
    if (order < PAGEBLOCK_ORDER) {
        frame = pageblock_take(block, order);
        place_after_take(buddies, zone, block);
    }
    count_taken(zone, UINT64_C(1) << order);
    return (frame_index)(number_of(buddies, block) * PAGEBLOCK_FRAMES + frame);
}

static unsigned take_frames(struct buddies *buddies, struct zone *zone, unsigned count,
                            unsigned taker, frame_index *out) {
    uint16_t frame[WORD_BITS];
    unsigned taken = 0;
    while (taken < count) {
        struct pageblock *block = open_for(zone, taker);
        if (block == NULL) {
            break;
        }
        unsigned wanted = (unsigned)min_u64(count - taken, ARRAY_LENGTH(frame));
        unsigned here = pageblock_take_frames(block, wanted, frame);
        frame_index first = (frame_index)(number_of(buddies, block) * PAGEBLOCK_FRAMES);
        for (unsigned i = 0; i < here; i++) {
            out[taken++] = first + frame[i];
        }
        place_after_take(buddies, zone, block);
    }
    count_taken(zone, taken);
    return taken;
}

/* Whole blocks out of the smallest free one that is large enough for one of them: where it must be
 * split, as many pieces of it as are wanted cost one split. A power of two ≤ count, or 0. */
static unsigned take_wholes(struct buddies *buddies, struct zone *zone, unsigned order,
                            unsigned count, frame_index *out) {
    uint32_t fitting = zone->whole_orders >> (order - PAGEBLOCK_ORDER);
    if (fitting == 0) {
        return 0;
    }
    unsigned more = (unsigned)min_u64(lowest_bit(fitting), highest_bit(count));
    uint64_t first = number_of(buddies, take_whole(zone, order + more)) * PAGEBLOCK_FRAMES;
    for (uint64_t i = 0; i < UINT64_C(1) << more; i++) {
        out[i] = (frame_index)(first + (i << order));
    }
    count_taken(zone, UINT64_C(1) << (order + more));
    return 1u << more;
}

unsigned buddy_take_many(struct buddies *buddies, struct zone *zone, unsigned order, unsigned count,
                         unsigned taker, frame_index *out) {
    unsigned taken = 0;
    lock_assert_held(&zone->lock);
    if (order == 0) {
        return take_frames(buddies, zone, count, taker, out);
    }
    while (taken < count) {
        unsigned here = 1;
        if (order >= PAGEBLOCK_ORDER) {
            here = take_wholes(buddies, zone, order, count - taken, out + taken);
        } else if ((out[taken] = buddy_take(buddies, zone, order)) == FRAME_NONE) {
            here = 0;
        }
        if (here == 0) {
            break;
        }
        taken += here;
    }
    return taken;
}

/* ---- giving ---- */

/* What was wholly allocated is about to get frames back. */
static inline void open_taken(struct zone *zone, struct pageblock *block, uint64_t number) {
    if (block->state == PAGEBLOCK_NONE) {
        zone->fit_from = min_u64(zone->fit_from, number);
        block->state = PAGEBLOCK_OPEN;
        block->taker = 0;
        block->count_free = 0;
        list_link_init(&block->link);
    }
}

static void give_part(struct buddies *buddies, struct zone *zone, uint64_t number, unsigned first,
                      unsigned count) {
    struct pageblock *block = &buddies->pageblock[number];
    ASSERT(block->state != PAGEBLOCK_WHOLE);
    open_taken(zone, block, number);
    pageblock_give_range(block, first, count);
    place_open(buddies, zone, block, pageblock_largest(block));
}

void buddy_give(struct buddies *buddies, struct zone *zone, uint64_t first, uint64_t count) {
    lock_assert_held(&zone->lock);
    zone->free += count;
    while (count > 0) {
        uint64_t number = first / PAGEBLOCK_FRAMES;
        unsigned frame = (unsigned)(first % PAGEBLOCK_FRAMES);
        uint64_t here = PAGEBLOCK_FRAMES - frame;
        if (frame == 0 && count >= PAGEBLOCK_FRAMES) {
            /* The largest block that starts here by its alignment and fits: carve by natural
             * alignment (trap 6). */
            unsigned order = (unsigned)min_u64(highest_bit(count), LARDER_ORDER_MAX);
            if (first != 0) {
                order = (unsigned)min_u64(order, lowest_bit(first));
            }
            here = UINT64_C(1) << order;
            give_whole(buddies, zone, number, order);
        } else {
            here = min_u64(here, count);
            give_part(buddies, zone, number, frame, (unsigned)here);
        }
        first += here;
        count -= here;
    }
}

/* Give one frame back; how large the largest run is then. */
static inline unsigned give_frame(struct pageblock *block, unsigned frame, unsigned largest) {
    pageblock_give_frame(block, frame);
    /* As large as it gets while a frame is missing; and if none is, place_open() sees that. */
    return largest == PAGEBLOCK_ORDER - 1 ? largest : pageblock_widened(block, frame, largest);
}

/* The frames that come back are spread, and each needs both cache lines of its page block: fetch
 * them all at once. */
static void prefetch_pageblocks(const struct buddies *buddies, unsigned count,
                                const frame_index *frames) {
    for (unsigned i = 0; i < count; i++) {
        const struct pageblock *block = &buddies->pageblock[frames[i] / PAGEBLOCK_FRAMES];
        __builtin_prefetch(block, 1);
        __builtin_prefetch(&block->link, 1);
    }
}

/* Neighbours in a batch that share a page block go into it together; it is placed once. */
static void give_frames(struct buddies *buddies, struct zone *zone, unsigned count,
                        const frame_index *frames) {
    prefetch_pageblocks(buddies, count, frames);
    for (unsigned i = 0; i < count;) {
        uint64_t number = frames[i] / PAGEBLOCK_FRAMES;
        struct pageblock *block = &buddies->pageblock[number];
        open_taken(zone, block, number);
        unsigned largest = block->count_free > 0 ? block->largest : 0;
        do {
            largest = give_frame(block, frames[i] % PAGEBLOCK_FRAMES, largest);
            i++;
        } while (i < count && frames[i] / PAGEBLOCK_FRAMES == number);
        place_open(buddies, zone, block, largest);
    }
}

void buddy_give_many(struct buddies *buddies, struct zone *zone, unsigned order, unsigned count,
                     const frame_index *frames) {
    ASSERT(count <= BUDDY_BATCH);
    lock_assert_held(&zone->lock);
    zone->free += (uint64_t)count << order;
    if (order == 0) {
        give_frames(buddies, zone, count, frames);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        uint64_t number = frames[i] / PAGEBLOCK_FRAMES;
        if (order >= PAGEBLOCK_ORDER) {
            give_whole(buddies, zone, number, order);
        } else {
            give_part(buddies, zone, number, frames[i] % PAGEBLOCK_FRAMES, 1u << order);
        }
    }
}

/* ---- exact ranges ---- */

/* The head of the whole free block that contains a page block; NULL iff it is in none. */
static struct pageblock *whole_head(const struct buddies *buddies, uint64_t number) {
    for (unsigned order = PAGEBLOCK_ORDER; order <= LARDER_ORDER_MAX; order++) {
        uint64_t head = number & ~((UINT64_C(1) << (order - PAGEBLOCK_ORDER)) - 1);
        struct pageblock *block = &buddies->pageblock[head];
        if (block->state == PAGEBLOCK_WHOLE && block->order >= order) {
            return block;
        }
    }
    return NULL;
}

unsigned buddy_whole_order(const struct buddies *buddies, uint64_t pageblock) {
    const struct pageblock *head = whole_head(buddies, pageblock);
    return head == NULL ? 0 : head->order;
}

/* Split the free block around a page block until that page block stands alone, off all lists. */
static struct pageblock *carve_whole(struct buddies *buddies, struct zone *zone, uint64_t number) {
    struct pageblock *head = whole_head(buddies, number);
    unsigned order = head->order;
    unlink_whole(zone, head);
    while (order > PAGEBLOCK_ORDER) {
        order--;
        uint64_t half = UINT64_C(1) << (order - PAGEBLOCK_ORDER);
        bool in_upper = (number & half) != 0;
        link_whole(zone, in_upper ? head : head + half, order);
        head = in_upper ? head + half : head;
    }
    return head;
}

bool buddy_range_is_free(const struct buddies *buddies, uint64_t first, uint64_t count) {
    while (count > 0) {
        uint64_t number = first / PAGEBLOCK_FRAMES;
        unsigned frame = (unsigned)(first % PAGEBLOCK_FRAMES);
        uint64_t here = min_u64(count, PAGEBLOCK_FRAMES - frame);
        if (number >= buddies->count_pageblocks) {
            return false;
        }
        const struct pageblock *block = &buddies->pageblock[number];
        bool is_free = block->state == PAGEBLOCK_OPEN
                           ? pageblock_is_free(block, frame, (unsigned)here)
                           : whole_head(buddies, number) != NULL;
        if (!is_free) {
            return false;
        }
        first += here;
        count -= here;
    }
    return true;
}

void buddy_take_range(struct buddies *buddies, struct zone *zone, uint64_t first, uint64_t count) {
    lock_assert_held(&zone->lock);
    count_taken(zone, count);
    while (count > 0) {
        uint64_t number = first / PAGEBLOCK_FRAMES;
        unsigned frame = (unsigned)(first % PAGEBLOCK_FRAMES);
        unsigned here = (unsigned)min_u64(count, PAGEBLOCK_FRAMES - frame);
        struct pageblock *block = &buddies->pageblock[number];
        if (block->state != PAGEBLOCK_OPEN) {
            block = carve_whole(buddies, zone, number);
            if (here < PAGEBLOCK_FRAMES) {
                open_whole(block);
            }
        }
        if (block->state == PAGEBLOCK_OPEN) {
            pageblock_take_range(block, frame, here);
            place_after_take(buddies, zone, block);
        }
        first += here;
        count -= here;
    }
}

/* ---- set-up ---- */

bool buddies_commit(struct buddies *buddies, uint64_t first, uint64_t count) {
    uint64_t first_block = first / PAGEBLOCK_FRAMES;
    uint64_t end_block = align_up(first + count, PAGEBLOCK_FRAMES) / PAGEBLOCK_FRAMES;
    size_t bytes = (end_block - first_block) * sizeof(struct pageblock);
    if (!larder_port_commit(&buddies->pageblock[first_block], bytes)) {
        return false;
    }
    __atomic_add_fetch(&buddies->committed_bytes, bytes, __ATOMIC_RELAXED);
    return true;
}

static size_t pageblock_bytes(const struct buddies *buddies) {
    return align_up(buddies->count_pageblocks * sizeof(struct pageblock), FRAME_BYTES);
}

static void zone_init(struct zone *zone, const char *name, struct lock_book *book) {
    *zone = (struct zone){.name = name};
    lock_init(&zone->lock, LOCK_RANK_ZONE, book);
    for (unsigned i = 0; i < WHOLE_LISTS; i++) {
        list_init(&zone->whole[i]);
    }
    for (unsigned age = 0; age < DIRTY_AGES; age++) {
        list_init(&zone->dirty[age]);
    }
    for (unsigned i = 0; i < PAGEBLOCK_ORDER * FULLNESS_BUCKETS; i++) {
        list_init(&zone->open[i / FULLNESS_BUCKETS][i % FULLNESS_BUCKETS]);
    }
}

/* Page block number of an address limit, clipped to the map. */
static uint64_t limit_pageblock(const struct buddies *buddies, const struct frame_map *map,
                                uint64_t limit_address) {
    if (limit_address <= map->base_address) {
        return 0;
    }
    return min_u64((limit_address - map->base_address) / PAGEBLOCK_BYTES,
                   buddies->count_pageblocks);
}

static void zones_init(struct buddies *buddies, const struct frame_map *map,
                       const struct larder_config *config, struct lock_book *book) {
    uint64_t at = 0;
    buddies->zone_count = config->zone_count > 0 ? config->zone_count : 1;
    for (unsigned i = 0; i < buddies->zone_count; i++) {
        struct zone *zone = &buddies->zone[i];
        bool is_last = i + 1 == buddies->zone_count;
        zone_init(zone, config->zone_count > 0 ? config->zone[i].name : "normal", book);
        zone->first_pageblock = at;
        at = is_last ? buddies->count_pageblocks
                     : limit_pageblock(buddies, map, config->zone[i].limit_address);
        zone->end_pageblock = at;
    }
}

enum larder_status buddies_init(struct buddies *buddies, const struct frame_map *map,
                                const struct larder_config *config, struct lock_book *book) {
    buddies->count_pageblocks = align_up(map->count_frames, PAGEBLOCK_FRAMES) / PAGEBLOCK_FRAMES;
    buddies->committed_bytes = 0;
    buddies->is_purgeable = config->is_reserved;
    buddies->pageblock = larder_port_reserve(pageblock_bytes(buddies), FRAME_BYTES);
    if (buddies->pageblock == NULL) {
        return LARDER_NO_MEMORY;
    }
    zones_init(buddies, map, config, book);
    return LARDER_OK;
}

void buddies_fini(struct buddies *buddies) {
    larder_port_release(buddies->pageblock, pageblock_bytes(buddies));
}
