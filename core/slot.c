/* slot.c: making slots, and the slot of those that have none. */
#include "slot.h"

#include <limits.h>

static void bins_init(struct bin *bins) {
    for (unsigned i = 0; i < BINS_PER_PAGE; i++) {
        bin_init(&bins[i]);
    }
}

void slot_init(struct larder_slot *slot, struct larder *larder, uint32_t index) {
    bins_init(slot->bin);
    for (unsigned i = 0; i < BIN_PAGES; i++) {
        slot->more[i] = NULL;
    }
    slot->larder = larder;
    slot->index = index;
    slot->reclaim_seen = 0;
}

void bin_page_init(struct bin_page *page) {
    bins_init(page->bin);
}

/* Constant: its magazines are always empty and always full, so no fast path ever writes through it.
 */
#define NOTHING ((struct magazine *)(uintptr_t)&magazine_none)
static const struct larder_slot none = {
    .bin = {[0 ... BINS_PER_PAGE - 1] = {NOTHING, NOTHING}},
    .index = UINT_MAX,
};

struct larder_slot *const larder_slot_none = (struct larder_slot *)(uintptr_t)&none;

unsigned larder_slot_index(const struct larder_slot *slot) {
    return slot->index;
}
