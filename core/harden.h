/* harden.h: what makes memory errors hard to exploit, in instances that ask for it.
 *
 * Nothing here costs anything while it is off: a hardened cache has no magazines, as one under
 * debugging, so its objects never come to the fast path, and whatever comes to a slow path asks one
 * field. On it means, for every cache but those that describe memory:
 *
 *   random order     which free slot of its slab a request gets is drawn
 *   quarantine       a freed object is free to see (a second free of it is named), but not to take,
 *                    until as many others were freed as the cache's ring holds
 *   wiping           freed objects read as zero, and must still do so when they are taken again
 *   guards           the pages before and behind a slab or a run cannot be accessed
 * (frames_guard.c)
 *
 * A freed run cannot be accessed at all for as long as it is in a ring of the instance.
 *
 * Conservation: popcount(free_bits) = count_free + popcount(held_bits); Σ held = objects in the
 * ring.
 */
#ifndef CORE_HARDEN_H
#define CORE_HARDEN_H

#include "chacha.h"
#include "slab.h"

#define QUARANTINE_OBJECT_BYTES                                                                    \
    ((size_t)64 << 10)       /* of one cache, at most; two objects at least                        \
                              */
#define QUARANTINE_RUNS 128u /* of the instance, at most */
#define QUARANTINE_FRAMES 2u /* that a cache's ring takes */

/* The descriptor of a slab of a hardened cache. */
struct hardened_slab {
    struct slab slab;               /* first: all but this file know no more of it */
    uint64_t held_bits[SLAB_WORDS]; /* in quarantine; guarded by the cache's lock, as all of it */
};

/* The ring of one cache; guarded by its lock. */
struct quarantine {
    struct chacha chacha;
    uint32_t capacity; /* constant */
    uint32_t count;    /* objects in it */
    uint32_t next;     /* where the next one goes: the oldest lies there once it is full */
    void *object[];
};

/* In the instance. */
struct hardening {
    bool is_on; /* constant, as the next */
    struct larder_hardening config;
    struct chacha_key key;         /* written while nobody else is there */
    uint64_t guarded_blocks;       /* atomic */
    uint64_t quarantined_frames;   /* atomic: of the runs in the ring */
    uint32_t next_run;             /* atomic: counts up */
    uint32_t run[QUARANTINE_RUNS]; /* atomic: frame number + 1; 0: none */
};

void hardening_init(struct hardening *hardening, const struct larder_hardening *config);

/* ---- objects (harden.c) ---- */

/* The ring of a hardened cache, made with its first slab. False iff there is no memory. No lock
 * held. */
bool quarantine_make(struct larder_cache *cache);

/* The youngest object leaves the ring, for harden_release(); NULL iff none is in it. The cache's
 * lock is held. */
void *quarantine_pop(struct quarantine *quarantine);

/* As slab_take(), but in random order, and not what is in quarantine. An object that was written
 * after it was freed is fatal. The cache's lock is held. */
uint32_t harden_take(struct larder_cache *cache, struct slab *slab, uint32_t count, void **out);

/* Wipe a taken slot and put it into the ring. Result: the object that had to leave it, for
 * harden_release(); NULL while the ring has room. The cache's lock is held. */
void *harden_give(struct larder_cache *cache, struct slab *slab, uint32_t slot);

/* An object that left the ring is free to take from its slab, which is the result. The cache's lock
 * is held. */
struct slab *harden_release(struct larder_cache *cache, void *object);

/* Slots of a slab in quarantine; 0 iff there are none, or its cache is not hardened. */
uint64_t harden_count_held(const struct larder_cache *cache, const struct slab *slab);

#endif
