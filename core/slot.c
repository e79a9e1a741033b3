/* slot.c: making slots, and the slot of those that have none. */
#include "slot.h"

#include <limits.h>

void slot_init(struct larder_slot *slot, struct larder *larder, uint32_t index,
               struct lock_book *book) {
    for (unsigned i = 0; i < SLOT_MAGAZINES; i++) {
        slot->magazine[i] = magazine_nothing();
    }
    for (unsigned i = 0; i < LARDER_ZONES_MAX; i++) {
        slot->seat[i] = (struct area_seat){AREA_NONE, index + 1, NULL};
    }
    slot->larder = larder;
    slot->index = index;
    slot->reclaim_seen = 0;
    lock_init(&slot->guard, LOCK_RANK_SLOT, book);
    slot->withdrawn = NULL;
}

/* Its magazines are always empty and always full, so no fast path ever writes through it. What is
 * `previous` only the slow paths of an attached slot look at: NULL here, because each pointer of a
 * shared library costs 24 bytes more where it is relocated. */
#define NOTHING ((struct magazine *)&magazine_none.first)
const struct larder_slot larder_slot_nobody = {
    .magazine = {[0 ... SLOT_PREVIOUS - 1] = NOTHING},
    .index = UINT_MAX,
};

unsigned larder_slot_index(const struct larder_slot *slot) {
    return slot->index;
}
