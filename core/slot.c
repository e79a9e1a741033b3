/* slot.c: making slots, and the slot of those that have none. */
#include "slot.h"

#include <limits.h>

static void bins_init(struct bin *bins) {
    for (unsigned i = 0; i < BINS_PER_PAGE; i++) {
        bin_init(&bins[i]);
    }
}

void slot_init(struct larder_slot *slot, struct larder *larder, uint32_t index,
               struct lock_book *book) {
    bins_init(slot->bin);
    for (unsigned i = 0; i < FRAME_BINS; i++) {
        slot->frame_take[i] = magazine_nothing();
        slot->frame_give[i] = magazine_nothing();
    }
    for (unsigned i = 0; i < BIN_PAGES; i++) {
        slot->more[i] = NULL;
    }
    slot->larder = larder;
    slot->index = index;
    slot->reclaim_seen = 0;
    lock_init(&slot->guard, LOCK_RANK_SLOT, book);
    slot->withdrawn = NULL;
}

void bin_page_init(struct bin_page *page) {
    bins_init(page->bin);
}

/* Its magazines are always empty and always full, so no fast path ever writes through it. What is
 * `previous` only the slow paths of an attached slot look at: NULL here, because each pointer of a
 * shared library costs 24 bytes more where it is relocated. */
#define NOTHING ((struct magazine *)&magazine_none)
const struct larder_slot larder_slot_nobody = {
    .bin = {[0 ... BINS_PER_PAGE - 1] = {NOTHING, NULL}},
    .frame_take = {[0 ... FRAME_BINS - 1] = NOTHING},
    .frame_give = {[0 ... FRAME_BINS - 1] = NOTHING},
    .index = UINT_MAX,
};

unsigned larder_slot_index(const struct larder_slot *slot) {
    return slot->index;
}
