/* object_debug.h: red zones, poison and owner records of the slots of one slab.
 *
 * Nothing here costs anything while it is off: a cache under debugging has no magazines, so only
 * its slow path comes here. The byte values are the ones people know from Linux's slub. Pure but
 * for the fatal; the cache's lock is held.
 *
 *     slot:   | red zone (align) | object | red zone (16 … ) |
 *     free:     bb bb bb bb bb     6b 6b … a5   bb bb bb
 *     taken:    cc cc cc cc cc     5a 5a … 5a   cc cc cc
 */
#ifndef CORE_OBJECT_DEBUG_H
#define CORE_OBJECT_DEBUG_H

#include "slab.h"

#define RED_ZONE_BYTES 16u

enum track_event { TRACK_ALLOC, TRACK_FREE, TRACK_EVENTS };

struct slab_track {
    uintptr_t site[TRACK_EVENTS];
    uint64_t ms[TRACK_EVENTS];
    uint32_t slot[TRACK_EVENTS]; /* which CPU or thread */
};

/* What a debug hook needs to know. */
struct object_debug {
    const struct slab *slab;
    const struct slab_geometry *geometry;
    uint32_t flags; /* LARDER_DEBUG_… */
    const char *owner;
};

/* Make every slot of a fresh slab look free. */
void object_debug_paint(const struct object_debug *debug);

/* The slot goes from free to taken / back: check it, paint it, record who. A damaged object is
 * fatal. */
void object_debug_take(const struct object_debug *debug, uint32_t slot,
                       const struct slab_track *event);
void object_debug_give(const struct object_debug *debug, uint32_t slot,
                       const struct slab_track *event);

/* True iff the slot is undamaged; otherwise *fatal describes the first damaged byte. */
bool object_debug_check(const struct object_debug *debug, uint32_t slot, bool is_free,
                        struct larder_fatal *fatal);

#endif
