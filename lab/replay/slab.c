/* slab.c: slabs on top of the buddies: the core's heap, with the magazines of one slot. */
#include "instance.h"

#include "larder/heap.h"

#define STEP_BYTES ((size_t)64 << 10) /* what it grows by at least: the slabs of most classes */
#define SLAB_MOST_BYTES ((size_t)2 << 20)

/* For an object, the end moves to the next multiple of 64 KiB, of 128 KiB, of 256 KiB … until a
 * block of the order its slab has has come whole. A run begins at a multiple of the power of two
 * that holds it: complete what is free at the end, then add a whole run. False iff that was all. */
static bool grow(struct instance *instance, unsigned step, size_t align_bytes, size_t size_bytes) {
    const size_t bytes = align_bytes > size_bytes ? align_bytes : size_bytes;
    size_t unit = STEP_BYTES;
    if (bytes > PTRDIFF_MAX)
        return false;
    if (bytes <= LARDER_CLASS_MAX_BYTES) {
        unit <<= step;
        return unit <= SLAB_MOST_BYTES &&
               (instance_grow(instance, unit, 0) || instance_grow(instance, unit, unit));
    }
    while (unit < bytes)
        unit *= 2;
    return (step == 0 && instance_grow(instance, unit, 0)) ||
           (step <= 1 && instance_grow(instance, unit, unit));
}

/* Each failure has made the core give back what it could: growth is the last resort, as for a
 * machine that is bought no larger than it need be. */
static void *slab_aligned(struct policy *policy, size_t align_bytes, size_t size_bytes) {
    struct instance *instance = instance_of(policy);
    void *pointer = larder_aligned(instance->larder, align_bytes, size_bytes);
    for (unsigned step = 0; !pointer && grow(instance, step, align_bytes, size_bytes); step++)
        pointer = larder_aligned(instance->larder, align_bytes, size_bytes);
    return pointer;
}

static void *slab_alloc(struct policy *policy, size_t size_bytes) {
    void *pointer = larder_alloc(instance_of(policy)->larder, size_bytes);
    return pointer ? pointer : slab_aligned(policy, 1, size_bytes);
}

static void *slab_resize(struct policy *policy, void *pointer, size_t size_bytes) {
    struct instance *instance = instance_of(policy);
    void *moved = larder_realloc(instance->larder, pointer, size_bytes);
    for (unsigned step = 0; !moved && grow(instance, step, 1, size_bytes); step++)
        moved = larder_realloc(instance->larder, pointer, size_bytes);
    return moved;
}

static void slab_free(struct policy *policy, void *pointer) {
    larder_free(instance_of(policy)->larder, pointer);
}

static uint64_t slab_block_bytes(struct policy *policy, const void *pointer) {
    return larder_size_of(instance_of(policy)->larder, pointer);
}

const struct policy_kind policy_slab = {
    .name = "slab",
    .title = "slab on buddies",
    .variant = 1,
    .open = instance_open,
    .close = instance_close,
    .enter = instance_enter,
    .alloc = slab_alloc,
    .aligned = slab_aligned,
    .resize = slab_resize,
    .free = slab_free,
    .block_bytes = slab_block_bytes,
    .footprint = instance_footprint,
    .figures = instance_figures,
    .core = instance_core,
};
