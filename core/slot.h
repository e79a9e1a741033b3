/* slot.h: what one CPU or thread owns: its bins.
 *
 * The magazines of a slot are one array of pointers. An owner byte finds in it, by an offset and
 * nothing else, where a block of frames that comes back goes, and where an object of a cache comes
 * from and goes; what no block or cache can have never holds a magazine, which sends whoever lands
 * there to the slow path without a test of its own. There are places for all caches, however few
 * there are: so none is looked for.
 */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include "buddy.h"
#include "larder/config.h"
#include "magazine.h"

#define BIN_NOBODY 0u /* a bin that never holds anything */

/* First index in slot->magazine of … */
enum {
    SLOT_GIVE = 0,                         /* + owner byte: blocks that came back */
    SLOT_TAKE = OWNER_FRAMES + FRAME_BINS, /* + frame bin: blocks to hand out; no frame's owner */
    SLOT_LOADED = OWNERS,                  /* + id */
    SLOT_PREVIOUS = SLOT_LOADED + LARDER_CACHES_MAX, /* + id */
    SLOT_MAGAZINES = SLOT_PREVIOUS + LARDER_CACHES_MAX,
};

struct larder_slot {
    struct magazine *magazine[SLOT_MAGAZINES]; /* never NULL; this slot only, as all here */
    struct area_seat seat[LARDER_ZONES_MAX];   /* where it takes frames from, in each zone */
    struct larder *larder;                     /* constant */
    uint32_t index;                            /* constant */
    uint32_t reclaim_seen;                     /* the reclaim_epoch this slot has acted on */
    struct lock guard;          /* held by slow paths that move magazines in or out of a bin */
    struct magazine *withdrawn; /* taken out of the bins by another slot; guarded by `guard`;
                                   atomic, because the slot looks at it without */
};
_Static_assert((int)SLOT_TAKE + (int)FRAME_BINS <= (int)OWNER_LATE, "no owner is in between");
#define SLOT_FRAMES ((sizeof(struct larder_slot) + FRAME_BYTES - 1) / FRAME_BYTES)

void slot_init(struct larder_slot *slot, struct larder *larder, uint32_t index,
               struct lock_book *book);

/* The bin of a cache. */
static inline struct bin slot_bin(struct larder_slot *slot, unsigned id) {
    return (struct bin){&slot->magazine[SLOT_LOADED + id], &slot->magazine[SLOT_PREVIOUS + id]};
}

/* Where blocks of a frame bin come from. */
static inline struct magazine **slot_frame_take(struct larder_slot *slot, unsigned bin) {
    return &slot->magazine[SLOT_TAKE + bin];
}

/* Where they go that come back. */
static inline struct magazine **slot_frame_give(struct larder_slot *slot, unsigned bin) {
    return &slot->magazine[SLOT_GIVE + OWNER_FRAMES + bin];
}

static inline bool slot_is_attached(const struct larder_slot *slot) {
    return slot != larder_slot_none;
}

#endif
