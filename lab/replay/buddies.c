/* buddies.c: binary buddies alone, as textbooks have them: a request is rounded up to a power of
 * two, one frame at least. The core can hand out exact runs; this is what it looks like when one
 * does not. Without a slot, so that no frame waits in a bin. */
#include "instance.h"

#include "larder/frames.h"
#include "larder/heap.h"

#include <string.h>

/* The least order that holds so many bytes; above LARDER_ORDER_MAX if none does. */
static unsigned order_for(size_t size_bytes) {
    unsigned order = 0;
    while (order <= LARDER_ORDER_MAX && LARDER_FRAME_BYTES << order < size_bytes)
        order++;
    return order;
}

static void *take(struct instance *instance, unsigned order) {
    return larder_frames_alloc(instance->larder, order, LARDER_NO_RECLAIM);
}

/* A block begins at a multiple of its size: complete the one at the end, then add a whole one. */
static void *block_take(struct instance *instance, unsigned order) {
    if (order > LARDER_ORDER_MAX)
        return NULL;
    const size_t bytes = LARDER_FRAME_BYTES << order;
    void *block = take(instance, order);
    if (!block && instance_grow(instance, bytes, 0))
        block = take(instance, order);
    if (!block && instance_grow(instance, bytes, bytes))
        block = take(instance, order);
    return block;
}

static void *buddies_alloc(struct policy *policy, size_t size_bytes) {
    return block_take(instance_of(policy), order_for(size_bytes));
}

/* A block is aligned to its size. */
static void *buddies_aligned(struct policy *policy, size_t align_bytes, size_t size_bytes) {
    return buddies_alloc(policy, align_bytes > size_bytes ? align_bytes : size_bytes);
}

static void buddies_free(struct policy *policy, void *pointer) {
    larder_frames_free(instance_of(policy)->larder, pointer);
}

static uint64_t buddies_block_bytes(struct policy *policy, const void *pointer) {
    return larder_size_of(instance_of(policy)->larder, pointer);
}

static void *buddies_resize(struct policy *policy, void *pointer, size_t size_bytes) {
    const size_t old_bytes = buddies_block_bytes(policy, pointer);
    const unsigned order = order_for(size_bytes);
    if (order <= LARDER_ORDER_MAX && LARDER_FRAME_BYTES << order == old_bytes)
        return pointer;
    void *moved = block_take(instance_of(policy), order);
    if (moved) {
        memcpy(moved, pointer, old_bytes < size_bytes ? old_bytes : size_bytes);
        buddies_free(policy, pointer);
    }
    return moved;
}

const struct policy_kind policy_buddies = {
    .name = "buddies",
    .title = "buddies",
    .variant = 0,
    .open = instance_open,
    .close = instance_close,
    .enter = instance_enter,
    .alloc = buddies_alloc,
    .aligned = buddies_aligned,
    .resize = buddies_resize,
    .free = buddies_free,
    .block_bytes = buddies_block_bytes,
    .footprint = instance_footprint,
    .figures = instance_figures,
    .core = instance_core,
};
