/* larder/cache.h: object caches (Bonwick 1994, 2001).
 *
 * A cache gives out objects of one size. Slabs are buddy blocks cut into equal slots; which slots
 * are taken is a bitmap kept elsewhere, so nothing of ours lies in or beside an object. Each slot
 * of the machine (CPU or thread) has two magazines of objects; full and empty magazines are
 * exchanged whole with the cache's depot.
 */
#ifndef LARDER_CACHE_H
#define LARDER_CACHE_H

#include "larder/larder.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define LARDER_CACHE_NAME_BYTES 32u /* with the final NUL */

/* Cache flags. */
#define LARDER_CACHE_ZERO 0x01u        /* every object reads as zero when allocated */
#define LARDER_CACHE_NO_MAGAZINE 0x02u /* straight to the slabs, for rare or huge objects */
#define LARDER_CACHE_PANIC 0x04u       /* running out is fatal */
#define LARDER_CACHE_DMA 0x08u         /* slabs from zone 0 only */
#define LARDER_CACHE_NO_DEBUG 0x10u    /* the instance's debug options do not touch it */

struct larder_cache_config {
    const char *name;   /* copied; 1..31 bytes, anything printable but ',' and '*' */
    size_t size_bytes;  /* 1 .. 1 MiB */
    size_t align_bytes; /* power of two up to 1 MiB; 0: 8, or 16 from 16 bytes on. An object's
                           stride is its size rounded up to it */
    /* Called for each object when its slab is made and when the slab goes; objects stay constructed
     * while they are free. `construct` returns false to refuse: the slab is undone, destructing
     * what was done. May be NULL. Called with no lock held, on the allocating slot; may allocate
     * from other caches. */
    bool (*construct)(void *object, void *context);
    void (*destruct)(void *object, void *context);
    void *context;
    uint32_t flags;         /* LARDER_CACHE_… */
    uint64_t limit_objects; /* at most so many taken from the slabs at once; 0: no limit */
};

/* NULL with *status set iff: BAD_NAME; BAD_SIZE (0 or above 1 MiB); BAD_ALIGNMENT; BAD_OPTION
 * (unknown flag, or ZERO together with a constructor); TOO_MANY (LARDER_CACHES_MAX); NO_MEMORY.
 * `status` may be NULL. Any slot; takes the registry's lock. Cost: O(1). */
struct larder_cache *larder_cache_create(struct larder *larder,
                                         const struct larder_cache_config *config,
                                         enum larder_status *status);

/* End a cache. The caller guarantees that nobody uses it any more; objects in magazines of all
 * slots are collected. Returns the objects still allocated: 0 and the cache is gone, or their
 * number, each reported through `leak` (may be NULL), and the cache stays as it is. Waits for
 * whoever walks over all caches (reclaim, larder_caches_each()) to leave this one: not to be called
 * from an interrupt handler, nor from a callback about the same cache. Fatal for caches that
 * larder_cache_create() did not make: those of the heap, and of the core itself. */
uint64_t larder_cache_destroy(struct larder_cache *cache,
                              void (*leak)(const void *object, uintptr_t alloc_site, void *context),
                              void *context);

/* One object. NULL iff the limit is reached, a flag is unknown (LARDER_ZONE is; the cache knows its
 * zone), the constructor refuses, or there is no memory after reclaim. Cost: about 15 instructions
 * from the magazine. */
void *larder_cache_alloc(struct larder_cache *cache, larder_flags flags);

/* Give an object back. NULL does nothing; what is no object of this cache is fatal: WRONG_CACHE if
 * it is allocated otherwise, else DOUBLE_FREE, INTERIOR_FREE, RESERVED_FREE, FOREIGN_FREE as for
 * larder_frames_free(). A double free of an object that is in a magazine is recognised when the
 * magazine is emptied into its slab, or at once under debug F. Cost: about 15 instructions. */
void larder_cache_free(struct larder_cache *cache, void *object);

/* Up to `count` objects into out[]; returns how many (see larder_cache_alloc for why fewer). */
size_t larder_cache_alloc_bulk(struct larder_cache *cache, size_t count, void **out,
                               larder_flags flags);
void larder_cache_free_bulk(struct larder_cache *cache, size_t count, void *const *objects);

/* Have slabs ready for `count` objects to be allocated without touching the buddies. LARDER_OK,
 * NO_MEMORY, or TOO_MANY iff the limit is lower. */
enum larder_status larder_cache_prefill(struct larder_cache *cache, size_t count);

/* New limit; objects beyond it stay valid, and those that lie in magazines, taken before, are still
 * given out. 0: none. */
void larder_cache_set_limit(struct larder_cache *cache, uint64_t limit_objects);

/* Empty the depot, the caller's magazines and all empty slabs. Returns frames given back. */
uint64_t larder_cache_shrink(struct larder_cache *cache);

const char *larder_cache_name(const struct larder_cache *cache);
size_t larder_cache_object_bytes(const struct larder_cache *cache);

/* Equations: taken = live + in_magazines + in_depot; capacity = taken + in_quarantine + free in
 * slabs. Exact when nothing else runs. */
struct larder_cache_stats {
    const char *name;
    unsigned id;
    size_t object_bytes; /* as asked for */
    size_t stride_bytes; /* from slot to slot, with padding and red zones */
    size_t slab_bytes;
    unsigned slab_objects;
    unsigned magazine_objects; /* capacity of one magazine; 0: none */
    uint64_t live;             /* with the callers */
    uint64_t in_magazines;
    uint64_t in_depot;
    uint64_t in_quarantine; /* freed, but not to be taken yet: hardened instances only */
    uint64_t taken;
    uint64_t taken_max;
    uint64_t capacity;
    uint64_t slabs, slabs_partial, slabs_full, slabs_empty;
    uint64_t limit_objects;
    uint64_t slabs_made, slabs_returned; /* ever */
    uint64_t refills, drains;            /* trips from a slot to the depot or the slabs, ever */
    uint64_t failures;
    uint32_t debug;   /* LARDER_DEBUG_… in larder/stats.h */
    bool is_internal; /* the core's own: what it holds is metadata */
};
void larder_cache_stats(struct larder_cache *cache, struct larder_cache_stats *stats);

/* Call `visit` for every slot of the cache that is taken from its slabs (live, or in a magazine or
 * the depot: the caller's own slot and the depot are emptied first). For debugging: the cache must
 * be quiet; visit must not call it. */
void larder_cache_walk(struct larder_cache *cache, void (*visit)(void *object, void *context),
                       void *context);

/* Call `visit` for each cache of the instance in order of id, with the registry's lock not held. */
void larder_caches_each(struct larder *larder,
                        void (*visit)(struct larder_cache *cache, void *context), void *context);

/* The cache an object belongs to, whether it is allocated or not; NULL iff the pointer is not in a
 * slab. */
struct larder_cache *larder_cache_of(struct larder *larder, const void *object);

/* A cache by name, the first made; NULL iff there is none. O(caches). */
struct larder_cache *larder_cache_find(struct larder *larder, const char *name);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
