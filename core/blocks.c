/* blocks.c: looking at blocks and objects of an instance that goes on working meanwhile.
 *
 * A frame belongs to a slab iff its owner byte says so while the cache's lock is held: the byte is
 * set when the slab comes on a list of the cache and cleared when it leaves them. Everything else
 * is read as it looks: a word at a time, out of memory that is always there.
 */
#include "frames.h"

#include "larder/stats.h"

/* ---- one address ---- */

static void describe_object(const struct larder_cache *cache, const struct slab *slab,
                            const void *pointer, struct larder_block *block) {
    const struct slab_geometry *geometry = &cache->geometry;
    size_t offset = (size_t)((const unsigned char *)pointer - slab->base);
    size_t slot = offset / geometry->stride_bytes;
    if (slot < geometry->first_slot || slot >= geometry->slots) {
        return;
    }
    block->object = slab_object(slab, geometry, (uint32_t)slot);
    block->object_bytes = geometry->object_bytes;
    block->is_taken = !slab_is_free(slab, (uint32_t)slot);
    if (slab->track != NULL) {
        const struct slab_track *track = &slab->track[slot];
        block->alloc_site = track->site[TRACK_ALLOC];
        block->alloc_ms = track->ms[TRACK_ALLOC];
        block->free_site = track->site[TRACK_FREE];
        block->free_ms = track->ms[TRACK_FREE];
    }
}

static void describe_slab(struct larder_cache *cache, const struct slab *slab, const void *pointer,
                          struct larder_block *block) {
    uint32_t usable = slab_usable_slots(&cache->geometry);
    block->kind = LARDER_WHAT_OBJECT;
    block->start = slab->base;
    block->frames = cache->geometry.frames;
    block->cache_id = cache->id;
    __builtin_memcpy(block->cache_name, cache->name, sizeof block->cache_name);
    block->slots = usable;
    block->in_quarantine = (uint32_t)harden_count_held(cache, slab);
    block->taken = usable - slab->count_free - block->in_quarantine;
    describe_object(cache, slab, pointer, block);
}

/* False iff the frame is no slab's of this cache any more. */
static bool look_at_slab(struct larder *larder, unsigned id, const void *pointer,
                         struct larder_block *block) {
    uint64_t index = frame_of(&larder->map, pointer);
    struct larder_cache *cache = registry_hold(larder, id);
    if (cache == NULL) {
        return false;
    }
    lock_acquire(&cache->lock);
    bool is_slab = frame_cache_id(&larder->map, index) == id;
    if (is_slab) {
        describe_slab(cache, larder->map.record[index].slab, pointer, block);
    }
    lock_release(&cache->lock);
    registry_let_go(cache);
    return is_slab;
}

static uint64_t free_frames(struct larder *larder, uint64_t index) {
    if (is_aligned(index, PAGEBLOCK_FRAMES) && buddies_is_whole(&larder->buddies, index)) {
        return PAGEBLOCK_FRAMES;
    }
    return buddies_is_free(&larder->buddies, index);
}

void larder_block_at(struct larder *larder, const void *pointer, struct larder_block *block) {
    uint64_t index = frame_of(&larder->map, pointer);
    *block = (struct larder_block){.kind = LARDER_WHAT_FOREIGN, .start = pointer, .frames = 1};
    if (index >= larder->map.count_frames) {
        return;
    }
    unsigned id = frame_cache_id(&larder->map, index);
    if (id != 0 && look_at_slab(larder, id, pointer, block)) {
        return;
    }
    block->start = frame_pointer(&larder->map, index);
    uint64_t free = free_frames(larder, index);
    if (free > 0) {
        block->kind = LARDER_WHAT_FREE;
        block->frames = free;
    } else if (frame_cache_id(&larder->map, index) == 0) {
        struct larder_what what = {.kind = LARDER_WHAT_BIN};
        frames_what(larder, index, &what); /* even if it is a slab's by now: that has no lock */
        block->kind = what.kind;
        block->start = what.start;
        block->frames = what.size_bytes >> FRAME_SHIFT;
        block->alloc_site = what.alloc_site;
    } else {
        block->kind = LARDER_WHAT_BIN; /* on its way between a slab and the buddies */
    }
}

/* ---- what lives ---- */

struct live_visit {
    struct larder *larder;
    void (*visit)(const struct larder_live *live, void *context);
    void *context;
};

static void visit_slab(const struct larder_cache *cache, const struct slab *slab,
                       const struct live_visit *to) {
    for (uint32_t slot = cache->geometry.first_slot; slot < cache->geometry.slots; slot++) {
        if (!slab_is_free(slab, slot)) {
            const struct larder_live live = {
                .start = slab_object(slab, &cache->geometry, slot),
                .size_bytes = cache->geometry.object_bytes,
                .alloc_site = slab->track[slot].site[TRACK_ALLOC],
                .alloc_ms = slab->track[slot].ms[TRACK_ALLOC],
            };
            to->visit(&live, to->context);
        }
    }
}

static void visit_cache(struct larder_cache *cache, void *context) {
    if ((cache->debug & LARDER_DEBUG_OWNER) == 0) {
        return;
    }
    lock_acquire(&cache->lock);
    for (unsigned i = 0; i < SLAB_BUCKET_EMPTY; i++) {
        LIST_EACH(link, &cache->slabs[i]) {
            visit_slab(cache, LIST_ENTRY(link, struct slab, link), context);
        }
    }
    lock_release(&cache->lock);
}

static void visit_runs(const struct live_visit *to, uint64_t index, uint64_t end) {
    const struct frame_map *map = &to->larder->map;
    while (index < end) {
        uint64_t length = frame_given_length(map, index), free = free_frames(to->larder, index);
        if (length > 0) {
            const struct larder_live live = {.start = frame_pointer(map, index),
                                             .size_bytes = (size_t)length << FRAME_SHIFT,
                                             .alloc_site = map->record[index].site};
            to->visit(&live, to->context);
        }
        index += max_u64(max_u64(length, free), 1);
    }
}

void larder_live_each(struct larder *larder,
                      void (*visit)(const struct larder_live *live, void *context), void *context) {
    struct live_visit to = {larder, visit, context};
    uint64_t first, end, base = larder->map.base_address;
    larder_caches_each(larder, visit_cache, &to);
    if (!__atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED)) {
        return;
    }
    lock_acquire(&larder->registry);
    struct larder_ranges ranges = larder->map.ranges;
    lock_release(&larder->registry);
    for (uint64_t at = 0; range_next(&ranges, RAM_KINDS, at, &first, &end); at = end) {
        visit_runs(&to, (first - base) >> FRAME_SHIFT, (end - base) >> FRAME_SHIFT);
    }
}
