/* slot.h: what one CPU or thread owns: its bins.
 *
 * A slot has a bin for every value of the owner byte, so the fast path indexes it with the byte and
 * nothing else; bins that no cache can have never hold a magazine, which sends whoever lands there
 * to the slow path without a test of its own. Bins of later ids are in pages made when first
 * needed. Frames have bins of their own: see frames.c.
 */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include "frame.h"
#include "larder/config.h"
#include "lock.h"
#include "magazine.h"

#define BINS_PER_PAGE 256u
#define BIN_PAGES ((unsigned)LARDER_CACHES_MAX / BINS_PER_PAGE)
#define BIN_NOBODY 0u   /* a bin that never holds anything */
#define BINS_OWNED 254u /* ids below it have their bin in the slot */
#define SLOT_ORDER 1u   /* a slot is a block of this order */

struct bin_page {
    struct bin bin[BINS_PER_PAGE];
};

struct larder_slot {
    struct bin bin[BINS_PER_PAGE];           /* by owner byte; this slot only, as all here */
    struct magazine *frame_take[FRAME_BINS]; /* blocks to hand out; never NULL */
    struct magazine *frame_give[FRAME_BINS]; /* blocks that came back; never NULL */
    struct bin_page *more[BIN_PAGES];        /* [id / 256] from BINS_OWNED on; NULL until needed */
    struct larder *larder;                   /* constant */
    uint32_t index;                          /* constant */
    uint32_t reclaim_seen;                   /* the reclaim_epoch this slot has acted on */
    struct lock guard;          /* held by slow paths that move magazines in or out of a bin */
    struct magazine *withdrawn; /* taken out of the bins by another slot; guarded by `guard`;
                                   atomic, because the slot looks at it without */
};
_Static_assert(sizeof(struct larder_slot) <= (size_t)1 << (LARDER_FRAME_SHIFT + SLOT_ORDER),
               "raise SLOT_ORDER");

void slot_init(struct larder_slot *slot, struct larder *larder, uint32_t index,
               struct lock_book *book);
void bin_page_init(struct bin_page *page);

/* The bin of an id; NULL iff its page has not been made. */
static inline struct bin *slot_bin(struct larder_slot *slot, unsigned id) {
    if (LIKELY(id < BINS_OWNED)) {
        return &slot->bin[id];
    }
    struct bin_page *page = __atomic_load_n(&slot->more[id / BINS_PER_PAGE], __ATOMIC_ACQUIRE);
    return page == NULL ? NULL : &page->bin[id % BINS_PER_PAGE];
}

/* The same by the byte offset that a cache keeps for its bin in the slot. */
static inline struct bin *slot_bin_at(struct larder_slot *slot, size_t offset) {
    return (struct bin *)(void *)((unsigned char *)slot->bin + offset);
}

static inline bool slot_is_attached(const struct larder_slot *slot) {
    return slot != larder_slot_none;
}

#endif
