/* cache.h: an object cache: slabs, and in front of them a depot and a bin per slot.
 *
 * States of an object: free in its slab → taken (in a magazine, in the depot, or with the caller) →
 * free. States of a slab: empty → partial → full and back; an empty slab may be unmade.
 *
 * Conservation: taken = live + in magazines + in depot; slabs × usable slots = taken + free in
 * slabs. The cache's lock is held neither while memory is taken from or given to the buddies, nor
 * while a constructor runs, nor together with another cache's lock.
 */
#ifndef CORE_CACHE_H
#define CORE_CACHE_H

#include "larder/cache.h"
#include "lock.h"
#include "slab.h"
#include "slot.h"

#define SLAB_BUCKETS 4u /* partial slabs by fullness; bucket 0 is the fullest */

enum slab_bucket { SLAB_BUCKET_FULL = SLAB_BUCKETS, SLAB_BUCKET_EMPTY, SLAB_BUCKET_COUNT };

struct larder_cache {
    /* Constant after creation; the first line is all that the fast path reads. Its first four words
     * come in the pairs in which they are read. */
    uint64_t count_frames; /* of the map; 0: the fast path takes nothing back */
    uint64_t number_bias;  /* of the map, as are owner_bytes and records */
    const uint8_t *owner_bytes;
    uint64_t place; /* of its loaded magazine in slot->magazine; that of BIN_NOBODY: not on the fast
                       path. Its low byte is the owner byte of what that takes back. */
    uint64_t late_frames; /* of the map, for a cache without an owner byte; 0 as above */
    const struct frame *records;
    struct larder *larder;
    uint32_t id;
    bool is_internal;           /* memory that describes memory: no magazines, no debugging */
    bool is_hardened;           /* no magazines; see harden.h */
    uint32_t flags;             /* LARDER_CACHE_… */
    uint32_t debug;             /* LARDER_DEBUG_… */
    uint32_t magazine_capacity; /* objects; 0: no magazines */
    uint32_t depot_full_max;    /* full magazines the depot keeps */
    struct slab_geometry geometry;
    bool (*construct)(void *object, void *context);
    void (*destruct)(void *object, void *context);
    void *context;
    char name[LARDER_CACHE_NAME_BYTES];

    struct list link;  /* in the instance's list; guarded by the registry lock */
    uint32_t holds;    /* walkers that work on it; guarded by the registry lock */
    bool is_ending;    /* no walker may begin; guarded by the registry lock */
    bool is_destroyed; /* guarded by the registry lock */

    struct lock lock; /* guards everything below */
    struct list slabs[SLAB_BUCKET_COUNT];
    struct depot depot;
    uint64_t limit_objects; /* 0: none */
    uint64_t taken, taken_max;
    uint64_t slab_count, empty_count;
    uint64_t least_empty; /* lowest empty_count since the last tick */
    uint64_t slabs_made, slabs_returned;
    uint64_t refills, drains, failures;
    uint32_t fault_countdown;      /* debug A */
    struct quarantine *quarantine; /* of a hardened cache that has slabs; the pointer is atomic */
};

/* Fill in a cache from a checked configuration; it owns nothing yet. `id` decides its owner byte
 * and its bin. */
void cache_init(struct larder_cache *cache, struct larder *larder, unsigned id,
                const struct larder_cache_config *config, uint32_t debug, bool is_internal);

/* ---- slabs by fullness (cache_lists.c); the cache's lock is held ---- */

void slabs_link(struct larder_cache *cache, struct slab *slab);
void slabs_unlink(struct larder_cache *cache, struct slab *slab);

/* Put a slab where it belongs after its fullness changed. */
void slabs_place(struct larder_cache *cache, struct slab *slab);

/* The caller, as slab->taker names it. */
uint16_t slabs_taker(const struct larder_cache *cache);

/* The slab to take from next; NULL iff all are full, or a new one is better. Never that with
 * `is_last`. */
struct slab *slabs_choose(struct larder_cache *cache, bool is_last);

/* Shall the caller rather take from slabs than objects that another slot took from its own? */
bool slabs_serve_apart(struct larder_cache *cache);

/* ---- slabs (cache_slabs.c) ---- */

/* Take up to `count` objects from the slabs, making a slab only when there is none at all; returns
 * how many, 0 iff there is no memory, a constructor refuses or the limit is reached. No lock held.
 */
size_t cache_take(struct larder_cache *cache, size_t count, void **out, larder_flags flags,
                  uintptr_t site);

/* The same from the slabs there are. */
size_t cache_take_ready(struct larder_cache *cache, size_t count, void **out);

/* Give taken objects back to their slabs; mistakes are fatal by name. No lock held. */
void cache_give(struct larder_cache *cache, size_t count, void *const *objects, uintptr_t site);

/* One more slab, empty. False iff there is no memory or a constructor refuses. No lock held. */
bool cache_grow(struct larder_cache *cache, larder_flags flags);

/* Unmake up to `count` empty slabs; returns the frames given back. No lock held. */
uint64_t cache_trim(struct larder_cache *cache, uint64_t count);

/* A cache that ends has no quarantine any more. No lock held, no user left. */
void cache_end_quarantine(struct larder_cache *cache);

/* ---- magazines (cache.c) ---- */

/* One object by the slow path / back by the slow path. */
void *cache_alloc_slow(struct larder_cache *cache, larder_flags flags, uintptr_t site);
void cache_free_slow(struct larder_cache *cache, void *object, uintptr_t site);

/* A destroyed cache has no magazines, so whatever is done with it comes to a slow path and is seen
 * there, as long as its memory has not been used again. */
static inline void cache_check_alive(const struct larder_cache *cache) {
    if (UNLIKELY(cache->is_destroyed)) {
        fatal_raise(LARDER_FATAL_CACHE_DESTROYED, cache, cache->name, "used after its destruction");
    }
}

/* Stop, and say which mistake freeing `object` into this cache is, unless it lies in a slab of its.
 */
void cache_check_owner(struct larder_cache *cache, const void *object);

/* Take what magazines a slot's bin holds out of it: `held`, the return value says how many. The
 * slot is the caller's or quiet. */
unsigned cache_unload(struct larder_cache *cache, struct larder_slot *slot,
                      struct magazine *held[2]);

/* Give back everything a slot's bin holds, and the bin's magazines. The slot is the caller's or
 * quiet. */
void cache_flush_bin(struct larder_cache *cache, struct larder_slot *slot);

/* Give back the objects of up to `count` full magazines of the depot, and all its empty ones. */
void cache_flush_depot(struct larder_cache *cache, uint32_t count);

/* The end of the working-set interval: give back what was not needed during it. Returns frames. */
uint64_t cache_tick(struct larder_cache *cache);

#endif
