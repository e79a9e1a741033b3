/* slot.h: what one CPU or thread owns: its bins.
 *
 * The magazines of a slot are one array of pointers. An owner byte finds in it, by an offset and
 * nothing else, where a block of frames that comes back goes, and where an object of a cache comes
 * from and goes; what no block or cache can have never holds a magazine, which sends whoever lands
 * there to the slow path without a test of its own. Frames to hand out have bins beside it (see
 * frames.c), caches with later ids have theirs in pages made when first needed.
 */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include "buddy.h"
#include "larder/config.h"
#include "magazine.h"

#define BINS_PER_PAGE 256u
#define BIN_PAGES ((unsigned)LARDER_CACHES_MAX / BINS_PER_PAGE)
#define BIN_NOBODY 0u   /* a bin that never holds anything */
#define BINS_OWNED 254u /* ids below it have their bin in the slot */
#define SLOT_ORDER 1u   /* a slot is a block of this order */

/* The loaded magazines of 256 caches, then the previous ones. */
struct bin_page {
    struct magazine *magazine[2 * BINS_PER_PAGE];
};

/* First index in slot->magazine of … */
enum {
    SLOT_GIVE = 0,                               /* + owner byte: blocks that came back */
    SLOT_LOADED = BINS_PER_PAGE,                 /* + id */
    SLOT_PREVIOUS = SLOT_LOADED + BINS_PER_PAGE, /* + id */
    SLOT_MAGAZINES = SLOT_PREVIOUS + BINS_PER_PAGE,
};

struct larder_slot {
    struct magazine *magazine[SLOT_MAGAZINES]; /* never NULL; this slot only, as all here */
    struct magazine *frame_take[FRAME_BINS];   /* blocks to hand out; never NULL */
    struct bin_page *more[BIN_PAGES];        /* [id / 256] from BINS_OWNED on; NULL until needed */
    struct area_seat seat[LARDER_ZONES_MAX]; /* where it takes frames from, in each zone */
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

static inline struct bin bin_of(struct magazine **loaded) {
    return (struct bin){loaded, loaded + BINS_PER_PAGE};
}

/* The bin of an id; nowhere, NULL, iff its page has not been made. */
static inline struct bin slot_bin(struct larder_slot *slot, unsigned id) {
    if (LIKELY(id < BINS_OWNED)) {
        return bin_of(&slot->magazine[SLOT_LOADED + id]);
    }
    struct bin_page *page = __atomic_load_n(&slot->more[id / BINS_PER_PAGE], __ATOMIC_ACQUIRE);
    return page == NULL ? (struct bin){NULL, NULL} : bin_of(&page->magazine[id % BINS_PER_PAGE]);
}

static inline bool bin_exists(const struct bin *bin) {
    return bin->loaded != NULL;
}

/* Where blocks of a frame bin go that come back. */
static inline struct magazine **slot_frame_give(struct larder_slot *slot, unsigned bin) {
    return &slot->magazine[SLOT_GIVE + OWNER_FRAMES + bin];
}

static inline bool slot_is_attached(const struct larder_slot *slot) {
    return slot != larder_slot_none;
}

#endif
