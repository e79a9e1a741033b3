/* slab.c: geometry, and taking objects a bitmap word at a time. */
#include "slab.h"

#define SLAB_TARGET_BYTES ((size_t)16 << 10) /* a 128-byte descriptor is then 0.8 % */
#define SLAB_MANY_SLOTS 256u /* half the bitmap is enough, whatever the slab's size */
#define WASTE_SHARE_MAX 8u   /* an eighth of the slab may stay unused behind the last slot */
#define LARGE_STRIDE_BYTES 2048u
#define LARGE_WASTE_SHARE_MAX 16u
#define RECIPROCAL_SHIFT 32u

static bool is_large(size_t stride) {
    return stride >= LARGE_STRIDE_BYTES;
}

static bool is_good_size(size_t bytes, size_t stride) {
    size_t slots = bytes / stride;
    if (slots == 0 || (slots < SLAB_MANY_SLOTS && bytes < SLAB_TARGET_BYTES)) {
        return false;
    }
    /* More slots than bits would be a slab too large, whatever is left behind the last. */
    size_t share = is_large(stride) ? LARGE_WASTE_SHARE_MAX : WASTE_SHARE_MAX;
    return slots >= SLAB_SLOTS_MAX || bytes % stride <= bytes / share;
}

/* A slab of large objects holds few, so that one that lives pins little; and for few a power of two
 * fits badly. One of small objects is a block that the buddies have no tail of to give back. */
static size_t good_frames(size_t stride) {
    size_t frames = 1;
    while (!is_good_size(frames << FRAME_SHIFT, stride)) {
        frames += is_large(stride) ? 1 : frames;
    }
    return frames;
}

void slab_geometry_init(struct slab_geometry *geometry, size_t object_bytes, size_t stride_bytes,
                        size_t offset_bytes) {
    size_t frames = good_frames(stride_bytes);
    size_t slots = (frames << FRAME_SHIFT) / stride_bytes;
    *geometry = (struct slab_geometry){
        .stride_bytes = (uint32_t)stride_bytes,
        .offset_bytes = (uint32_t)offset_bytes,
        .object_bytes = (uint32_t)object_bytes,
        .slots = (uint32_t)min_u64(slots, SLAB_SLOTS_MAX),
        .frames = (uint32_t)frames,
        .align_frames = 1,
        .reciprocal = ((UINT64_C(1) << RECIPROCAL_SHIFT) + stride_bytes - 1) / stride_bytes,
    };
}

void slab_init(struct slab *slab, const struct slab_geometry *geometry, void *base) {
    slab->base = base;
    slab->count_free = slab_usable_slots(geometry);
    for (uint32_t i = 0; i < SLAB_WORDS; i++) {
        uint32_t before = i * WORD_BITS;
        uint32_t here = geometry->slots > before ? geometry->slots - before : 0;
        slab->free_bits[i] = here == 0 ? 0 : bit_run(0, (unsigned)min_u64(here, WORD_BITS));
    }
    slab->free_bits[0] &= ~(uint64_t)geometry->first_slot;
}

uint32_t slab_take(struct slab *slab, const struct slab_geometry *geometry, uint32_t count,
                   void **out) {
    uint32_t taken = 0;
    for (uint32_t word = 0; word < SLAB_WORDS && taken < count; word++) {
        uint64_t bits = slab->free_bits[word];
        for (; bits != 0 && taken < count; bits &= bits - 1) {
            out[taken++] = slab_object(slab, geometry, word * WORD_BITS + lowest_bit(bits));
        }
        __atomic_store_n(&slab->free_bits[word], bits, __ATOMIC_RELAXED);
    }
    slab->count_free -= taken;
    return taken;
}

uint32_t slab_slot_of(const struct slab *slab, const struct slab_geometry *geometry,
                      const void *object) {
    size_t offset = (size_t)((const unsigned char *)object - slab->base);
    /* The reciprocal is less than 1 too large and the offset below 2^23, so the error of the
     * product stays below 2^-9: exact for multiples of the stride, and everything else is refused
     * by multiplying back. */
    size_t slot =
        (size_t)(((offset - geometry->offset_bytes) * geometry->reciprocal) >> RECIPROCAL_SHIFT);
    bool is_start = offset >= geometry->offset_bytes && slot >= geometry->first_slot &&
                    slot < geometry->slots &&
                    slot * geometry->stride_bytes + geometry->offset_bytes == offset;
    return is_start ? (uint32_t)slot : SLAB_SLOTS_MAX;
}
