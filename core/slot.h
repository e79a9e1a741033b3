/* slot.h: what one CPU or thread owns: its bins.
 *
 * A slot is one frame of metadata: bins for the first 128 ids stand in it, so the fast path is one
 * index away; bins for later ids are made when they are first needed. Bin 0 belongs to nobody and
 * never holds anything: a cache that must not be served from magazines points there.
 */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include "larder/config.h"
#include "magazine.h"

#define BINS_PER_PAGE 128u
#define BIN_PAGES ((unsigned)LARDER_CACHES_MAX / BINS_PER_PAGE)
#define BIN_NOBODY 0u

struct bin_page {
    struct bin bin[BINS_PER_PAGE];
};

struct larder_slot {
    struct bin bin[BINS_PER_PAGE]; /* by id; this slot only */
    struct bin_page
        *more[BIN_PAGES];  /* [id / 128] for ids from 128 on; NULL until needed; this slot only */
    struct larder *larder; /* constant */
    uint32_t index;        /* constant */
    uint32_t reclaim_seen; /* the instance's reclaim_epoch this slot has acted on */
};
_Static_assert(sizeof(struct larder_slot) <= (size_t)1 << LARDER_FRAME_SHIFT,
               "a slot is one frame: raise nothing without looking here");

void slot_init(struct larder_slot *slot, struct larder *larder, uint32_t index);
void bin_page_init(struct bin_page *page);

/* The bin of an id; NULL iff its page has not been made. */
static inline struct bin *slot_bin(struct larder_slot *slot, unsigned id) {
    if (LIKELY(id < BINS_PER_PAGE)) {
        return &slot->bin[id];
    }
    struct bin_page *page = slot->more[id / BINS_PER_PAGE];
    return page == NULL ? NULL : &page->bin[id % BINS_PER_PAGE];
}

static inline bool slot_is_attached(const struct larder_slot *slot) {
    return slot != larder_slot_none;
}

#endif
