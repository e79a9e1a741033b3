/* caches.c: the object caches of a moment, and how much of their objects was asked for. What is
 * larger than the largest class is one more line, of runs. */
#include "moment.h"

#include "trace/memory.h"

#include "larder/cache.h"

#include <stdio.h>
#include <string.h>

struct list {
    struct moment *moment;
    size_t room;
};

static void add_cache(struct larder_cache *cache, void *context) {
    struct list *list = context;
    struct moment *moment = list->moment;
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    if (stats.slabs == 0)
        return;
    moment->cache =
        memory_reserve(moment->cache, &list->room, moment->cache_count + 1u, sizeof *moment->cache);
    struct moment_cache *line = &moment->cache[moment->cache_count++];
    *line = (struct moment_cache){
        .id = stats.id,
        .is_internal = stats.is_internal,
        .object_bytes = stats.object_bytes,
        .slab_bytes = stats.slab_bytes,
        .slabs = stats.slabs,
        .live = stats.live,
        .cached = stats.in_magazines + stats.in_depot,
    };
    (void)snprintf(line->name, sizeof line->name, "%s", stats.name);
}

/* Index of the cache of a size class plus one, by its size in units of 16 bytes. */
#define CLASS_UNIT 16u
#define CLASS_ENTRIES (LARDER_CLASS_MAX_BYTES / CLASS_UNIT + 1)

static void index_classes(const struct moment *moment, uint32_t index[CLASS_ENTRIES]) {
    memset(index, 0, CLASS_ENTRIES * sizeof *index);
    for (uint32_t i = 0; i < moment->cache_count; i++) {
        const struct moment_cache *cache = &moment->cache[i];
        if (!cache->is_internal && cache->object_bytes <= LARDER_CLASS_MAX_BYTES)
            index[cache->object_bytes / CLASS_UNIT] = i + 1;
    }
}

void moment_take_caches(struct moment *moment, struct heap *heap) {
    struct list list = {.moment = moment};
    struct moment_cache runs = {.name = "runs"};
    uint32_t index[CLASS_ENTRIES];
    larder_caches_each(heap->larder, add_cache, &list);
    index_classes(moment, index);
    for (size_t id = 0; id < heap->block_end; id++) {
        const struct heap_block *block = heap_find(heap, (uint32_t)id);
        if (!block || !block->pointer)
            continue;
        const uint32_t found = block->usable_bytes <= LARDER_CLASS_MAX_BYTES
                                   ? index[block->usable_bytes / CLASS_UNIT]
                                   : 0;
        struct moment_cache *line = found ? &moment->cache[found - 1] : &runs;
        line->requested += block->size_bytes;
        if (line == &runs) {
            runs.live++;
            runs.slab_bytes += block->usable_bytes;
        }
    }
    moment->cache =
        memory_reserve(moment->cache, &list.room, moment->cache_count + 1u, sizeof *moment->cache);
    runs.slabs = runs.live > 0;
    moment->cache[moment->cache_count++] = runs;
}
