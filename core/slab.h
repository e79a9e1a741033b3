/* slab.h: a run of frames cut into equal slots (Bonwick 1994), with its free slots in a bitmap kept
 * elsewhere.
 *
 * Pure: no locks, no memory of its own, no knowledge of caches or magazines. The geometry is worked
 * out once per cache; a slab is a descriptor of 128 bytes out of band, so that nothing a program
 * writes can reach it.
 *
 * Conservation: count_free = popcount(free_bits); free + taken = slots.
 */
#ifndef CORE_SLAB_H
#define CORE_SLAB_H

#include "list.h"

#define SLAB_SLOTS_MAX 512u
#define SLAB_WORDS (SLAB_SLOTS_MAX / WORD_BITS)
#define SLAB_OBJECT_MAX ((size_t)1 << 20)

struct slab_geometry {
    uint32_t stride_bytes; /* from slot to slot */
    uint32_t offset_bytes; /* of the object in its slot (red zone before it) */
    uint32_t object_bytes; /* what the caller asked for */
    uint32_t slots;        /* 1..512 */
    uint32_t frames;       /* of the slab */
    uint32_t align_frames; /* of its first */
    uint32_t first_slot;   /* 1 iff slot 0 holds the slab's own descriptor */
    uint64_t reciprocal;   /* ceil(2^32 / stride): division by multiplication */
};

struct slab {
    struct list link; /* in its cache, by fullness. Guarded, as all here, by the cache's lock */
    struct larder_cache *cache; /* constant */
    unsigned char *base;        /* constant; slot 0 starts here */
    struct slab_track *track;   /* debug U: one per slot; else NULL. Constant */
    uint32_t count_free;
    uint16_t bucket; /* which of the cache's lists */
    uint16_t taker;  /* slot that took objects out of it last */
    uint64_t free_bits[SLAB_WORDS];
};
_Static_assert(sizeof(struct slab) <= 128, "a slab descriptor is two cache lines");

/* Geometry for objects of `object_bytes` every `stride_bytes` (a multiple of `align_bytes`, ≤ 1 MiB
 * + padding). The slab is the smallest with 256 slots, or of 16 KiB and more, that wastes no more
 * than an eighth; than a sixteenth from 2 KiB on, where it need not be a power of two. */
void slab_geometry_init(struct slab_geometry *geometry, size_t object_bytes, size_t stride_bytes,
                        size_t offset_bytes);

/* All usable slots free. */
void slab_init(struct slab *slab, const struct slab_geometry *geometry, void *base);

/* Take up to `count` objects in address order into out[]; returns how many. */
uint32_t slab_take(struct slab *slab, const struct slab_geometry *geometry, uint32_t count,
                   void **out);

/* Number of the slot whose object starts at `object`; SLAB_SLOTS_MAX iff none does. `object` is in
 * the block. */
uint32_t slab_slot_of(const struct slab *slab, const struct slab_geometry *geometry,
                      const void *object);

static inline void *slab_object(const struct slab *slab, const struct slab_geometry *geometry,
                                uint32_t slot) {
    return slab->base + (size_t)slot * geometry->stride_bytes + geometry->offset_bytes;
}

/* Also without the lock, for a slot that is the caller's: its bit stays, its neighbours' may not.
 */
static inline bool slab_is_free(const struct slab *slab, uint32_t slot) {
    uint64_t bits = __atomic_load_n(&slab->free_bits[slot / WORD_BITS], __ATOMIC_RELAXED);
    return (bits >> slot % WORD_BITS & 1) != 0;
}

/* Give back a taken slot. */
static inline void slab_give(struct slab *slab, uint32_t slot) {
    ASSERT(!slab_is_free(slab, slot));
    uint64_t *word = &slab->free_bits[slot / WORD_BITS];
    __atomic_store_n(word, *word | UINT64_C(1) << slot % WORD_BITS, __ATOMIC_RELAXED);
    slab->count_free++;
}

static inline uint32_t slab_usable_slots(const struct slab_geometry *geometry) {
    return geometry->slots - geometry->first_slot;
}

static inline bool slab_is_empty(const struct slab *slab, const struct slab_geometry *geometry) {
    return slab->count_free == slab_usable_slots(geometry);
}

#endif
