/* objects.c: see objects.h. */
#include "objects.h"

#include "inject.h"
#include "kernel.h"
#include "layout.h"
#include "process.h"
#include "region.h"
#include "space.h"

#include "larder/cache.h"

static const struct larder_cache_config config[OBJECT_KINDS] = {
    [OBJECT_PROCESS] = {.name = "process", .size_bytes = sizeof(struct process)},
    [OBJECT_SPACE] = {.name = "address-space", .size_bytes = sizeof(struct space)},
    [OBJECT_REGION] = {.name = "region", .size_bytes = sizeof(struct region)},
    [OBJECT_TABLE] = {.name = "page-table",
                      .size_bytes = PAGE_BYTES,
                      .align_bytes = PAGE_BYTES,
                      .flags = LARDER_CACHE_ZERO | LARDER_CACHE_NO_DEBUG},
    [OBJECT_STACK] = {.name = "kernel-stack", .size_bytes = KERNEL_STACK_BYTES, .align_bytes = 16},
};
static struct larder_cache *cache[OBJECT_KINDS]; /* constant after objects_setup() */

void objects_setup(void) {
    for (unsigned kind = 0; kind < OBJECT_KINDS; kind++) {
        enum larder_status status;

        cache[kind] = larder_cache_create(kernel_larder, &config[kind], &status);
        if (cache[kind] == NULL)
            panic("no cache for processes: %s", larder_status_text(status));
    }
}

void *object_take(enum object_kind kind) {
    return inject_fails() ? NULL : larder_cache_alloc(cache[kind], 0);
}

void object_give(enum object_kind kind, void *object) {
    larder_cache_free(cache[kind], object);
}

size_t object_bytes(enum object_kind kind) {
    return config[kind].size_bytes;
}

uint64_t objects_frames(void) {
    uint64_t frames = 0;

    for (unsigned kind = 0; kind < OBJECT_KINDS; kind++) {
        struct larder_cache_stats stats;

        larder_cache_stats(cache[kind], &stats);
        frames += stats.slabs * (stats.slab_bytes / PAGE_BYTES);
    }
    return frames;
}

uint64_t objects_live(enum object_kind kind) {
    struct larder_cache_stats stats;

    larder_cache_stats(cache[kind], &stats);
    return stats.live;
}
