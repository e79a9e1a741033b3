/* validate.c: every invariant and equation of the layers, executed.
 *
 * - page block: count_free = popcount(free_bits); largest and bucket are what the bits say; on the
 *   list they say
 * - area: free = Σ count_free of OPEN + 512 × whole page blocks; none is both
 * - zone: free = Σ (free − unsettled) of its areas; free_min ≤ free ≤ usable, of several areas
 *   less what is unsettled
 * - frames: usable = free + slabs + blocks and runs + in bins; a run lies in one zone; only frames
 *   of slabs name a cache
 * - slab: count_free = popcount(free_bits); its frames' owner bytes and records point to it; its
 *   list fits
 * - cache: slabs × usable slots = taken + free in slabs; taken ≥ in magazines + in depot
 * - debug: every red zone and every poisoned byte is intact
 *
 * The instance must be quiet: nothing is locked, and a wrong link is reported by the equation it
 * breaks.
 */
#include "frames.h"
#include "object_debug.h"

#include "larder/stats.h"

static bool broken(struct larder_fatal *fatal, const void *pointer, const char *owner,
                   const char *equation) {
    *fatal = (struct larder_fatal){
        .kind = LARDER_FATAL_CORRUPT, .pointer = pointer, .owner = owner, .detail = equation};
    return false;
}

/* ---- page blocks and zones ---- */

/* Is this link on that list? Bounded by the number of links there can be. */
static bool is_on(const struct list *link, const struct list *head, uint64_t limit) {
    const struct list *at = head->next;
    for (; at != head && limit > 0; at = at->next, limit--) {
        if (at == link) {
            return true;
        }
    }
    return false;
}

static uint64_t bits_set(const uint64_t *words, unsigned count) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < count; i++) {
        bits += count_bits(words[i]);
    }
    return bits;
}

static bool check_open(const struct zone *zone, const struct pageblock *block,
                       struct larder_fatal *fatal) {
    if (bits_set(block->free_bits, PAGEBLOCK_WORDS) != block->count_free) {
        return broken(fatal, block, zone->name, "page block: count_free = popcount(free_bits)");
    }
    if (block->count_free == 0) {
        return !list_is_linked(&block->link) ||
               broken(fatal, block, zone->name, "page block: a full one is on no list");
    }
    if (pageblock_largest(block) != block->largest || block->largest >= PAGEBLOCK_ORDER) {
        return broken(fatal, block, zone->name, "page block: largest is the largest free order");
    }
    if (block->bucket != (block->count_free - 1u) * FULLNESS_BUCKETS / PAGEBLOCK_FRAMES ||
        !list_is_linked(&block->link)) {
        return broken(fatal, block, zone->name, "page block: on the list of its fullness");
    }
    return true;
}

/* One that is not OPEN: its bit in the area says whether it is free. */
static bool check_closed(const struct area *area, uint64_t number, const struct pageblock *block,
                         struct larder_fatal *fatal) {
    bool is_whole = buddy_is_whole(area, number);
    if (is_whole && (number < area->low_pageblock || number >= area->end_pageblock)) {
        return broken(fatal, block, area->zone->name, "area: a free page block lies in its zone");
    }
    return (block->count_free == 0 && bits_set(block->free_bits, PAGEBLOCK_WORDS) == 0) ||
           broken(fatal, block, area->zone->name, "page block: no bits but of an open one");
}

static bool check_pageblock(const struct area *area, uint64_t number, const struct pageblock *block,
                            struct larder_fatal *fatal) {
    if (block->state != PAGEBLOCK_OPEN) {
        return check_closed(area, number, block, fatal);
    }
    return !buddy_is_whole(area, number)
               ? check_open(area->zone, block, fatal)
               : broken(fatal, block, area->zone->name, "area: an open page block is not whole");
}

static bool check_counts(const struct area *area, uint64_t in_open, struct larder_fatal *fatal) {
    const struct pageblock *whole = &area->whole;
    if (bits_set(whole->free_bits, PAGEBLOCK_WORDS) != whole->count_free) {
        return broken(fatal, area, area->zone->name,
                      "area: whole.count_free = popcount of its bits");
    }
    if (whole->count_free > 0 && pageblock_largest(whole) > whole->largest) {
        return broken(fatal, area, area->zone->name, "area: no larger order is free than it says");
    }
    return area->free == in_open + (uint64_t)whole->count_free * PAGEBLOCK_FRAMES ||
           broken(fatal, area, area->zone->name, "area: free = sum of its free blocks");
}

/* Every list holds exactly the blocks that say they are on it: links against states. */
static bool check_lists(const struct area *area, struct larder_fatal *fatal) {
    const char *name = area->zone->name;
    for (unsigned i = 0; i < PAGEBLOCK_ORDER * FULLNESS_BUCKETS; i++) {
        unsigned largest = i / FULLNESS_BUCKETS, bucket = i % FULLNESS_BUCKETS;
        const struct list *head = &area->open[largest][bucket];
        if (list_is_empty(head) == ((area->open_buckets[largest] >> bucket & 1) != 0)) {
            return broken(fatal, area, name, "area: a bit per non-empty bucket");
        }
        for (const struct list *at = head->next; at != head; at = at->next) {
            const struct pageblock *block = LIST_ENTRY(at, struct pageblock, link);
            if (block->state != PAGEBLOCK_OPEN || block->largest != largest ||
                block->bucket != bucket || at->next->prev != at) {
                return broken(fatal, block, name, "area: a list holds blocks of its bucket");
            }
        }
    }
    return true;
}

static bool check_area(struct buddies *buddies, struct area *area, struct larder_fatal *fatal) {
    uint64_t in_open = 0;
    for (unsigned bit = 0; bit < AREA_PAGEBLOCKS; bit++) {
        uint64_t number = area->first_pageblock + bit;
        bool is_inside = number >= area->low_pageblock && number < area->end_pageblock;
        if (!is_inside && !pageblock_is_free(&area->whole, bit, 1)) {
            continue;
        }
        const struct pageblock *block = &buddies->pageblock[number];
        if (!check_pageblock(area, number, block, fatal)) {
            return false;
        }
        in_open += block->state == PAGEBLOCK_OPEN ? block->count_free : 0;
    }
    return check_counts(area, in_open, fatal) && check_lists(area, fatal);
}

static bool check_zone(struct buddies *buddies, struct zone *zone, struct larder_fatal *fatal) {
    uint64_t free = zone_free(buddies, zone), settled = zone->free;
    EACH_AREA_OF(area, buddies, zone) {
        if (!check_area(buddies, area, fatal)) {
            return false;
        }
        settled += (uint64_t)area->unsettled;
    }
    if (settled != free) {
        return broken(fatal, zone, zone->name, "zone: free = sum of what its areas settled");
    }
    /* Of several areas, each may have changed a little since the minimum was looked at. */
    uint64_t unsure = zone->count_areas > 1 ? (uint64_t)zone->end_area * SETTLE_FRAMES : 0;
    return (free <= zone->usable && zone->free_min <= free + unsure) ||
           broken(fatal, zone, zone->name, "zone: free_min <= free <= usable");
}

/* ---- frames ---- */

/* Frames [index, end) of one range of RAM; adds what somebody owns. */
static bool check_range(struct larder *larder, uint64_t index, uint64_t end, uint64_t *owned,
                        struct larder_fatal *fatal) {
    while (index < end) {
        uint64_t step = 1;
        bool is_slabs = frame_cache_id(&larder->map, index) != 0;
        if (index % PAGEBLOCK_FRAMES == 0 && buddies_is_whole(&larder->buddies, index)) {
            step = PAGEBLOCK_FRAMES;
        } else if (is_slabs) {
            ++*owned;
        } else {
            uint64_t length = frame_run_length(&larder->map, index);
            step = max_u64(length, 1);
            if (zone_part(buddies_zone_of(&larder->buddies, index), index, step) < step) {
                return broken(fatal, frame_pointer(&larder->map, index), "frames",
                              "frames: a run lies in one zone");
            }
            *owned += length;
        }
        if (!is_slabs && larder->map.record[index].cache_id != 0) {
            return broken(fatal, frame_pointer(&larder->map, index), "frames",
                          "frames: only a slab's frame names a cache");
        }
        if (larder->map.owner[index] != OWNER_NONE && buddies_is_free(&larder->buddies, index)) {
            return broken(fatal, frame_pointer(&larder->map, index), "frames",
                          "frames: a free frame has no owner");
        }
        index += step;
    }
    return true;
}

/* Holes have no owners and may be terabytes: only RAM is walked. */
static bool check_frames(struct larder *larder, struct larder_fatal *fatal) {
    const struct frame_map *map = &larder->map;
    struct larder_frames_stats stats;
    uint64_t first, end, owned = 0;
    for (uint64_t at = 0; range_next(&map->ranges, RAM_KINDS, at, &first, &end); at = end) {
        if (!check_range(larder, (first - map->base_address) >> FRAME_SHIFT,
                         (end - map->base_address) >> FRAME_SHIFT, &owned, fatal)) {
            return false;
        }
    }
    larder_frames_stats(larder, &stats);
    if (stats.usable != stats.free + owned + stats.in_bins) {
        return broken(fatal, NULL, "frames", "frames: usable = free + allocated + in bins");
    }
    return true;
}

/* ---- caches ---- */

static bool check_slab_frames(const struct larder_cache *cache, const struct slab *slab,
                              struct larder_fatal *fatal) {
    const struct frame_map *map = &cache->larder->map;
    uint64_t first = frame_of(map, slab->base);
    for (uint64_t i = 0; i < cache->geometry.frames; i++) {
        if (frame_cache_id(map, first + i) != cache->id || map->record[first + i].slab != slab) {
            return broken(fatal, slab->base, cache->name, "slab: its frames point to it");
        }
    }
    return true;
}

static bool check_objects(const struct larder_cache *cache, const struct slab *slab,
                          struct larder_fatal *fatal) {
    struct object_debug debug = {slab, &cache->geometry, cache->debug, cache->name};
    for (uint32_t slot = cache->geometry.first_slot; slot < cache->geometry.slots; slot++) {
        if (!object_debug_check(&debug, slot, slab_is_free(slab, slot), fatal)) {
            return false;
        }
    }
    return true;
}

static bool bucket_fits(const struct larder_cache *cache, const struct slab *slab,
                        unsigned bucket) {
    bool is_full = slab->count_free == 0;
    bool is_empty = slab_is_empty(slab, &cache->geometry);
    return slab->bucket == bucket && is_full == (bucket == SLAB_BUCKET_FULL) &&
           is_empty == (bucket == SLAB_BUCKET_EMPTY);
}

static bool check_slab(const struct larder_cache *cache, const struct slab *slab, unsigned bucket,
                       struct larder_fatal *fatal) {
    uint64_t free = bits_set(slab->free_bits, SLAB_WORDS) - harden_count_held(cache, slab);
    if (slab->cache != cache || free != slab->count_free ||
        slab->count_free > slab_usable_slots(&cache->geometry)) {
        return broken(fatal, slab, cache->name, "slab: count_free = popcount(free_bits)");
    }
    if (!bucket_fits(cache, slab, bucket)) {
        return broken(fatal, slab, cache->name, "slab: on the list of its fullness");
    }
    return check_slab_frames(cache, slab, fatal) &&
           (cache->debug == 0 || check_objects(cache, slab, fatal));
}

static bool check_depot(const struct larder_cache *cache, struct larder_fatal *fatal) {
    uint64_t objects = 0, full = 0, empty = 0;
    for (const struct magazine *at = cache->depot.full; at != NULL; at = magazine_block(at)->next) {
        objects += magazine_count(at);
        full++;
    }
    for (const struct magazine *at = cache->depot.empty; at != NULL;
         at = magazine_block(at)->next) {
        empty += magazine_is_empty(at);
    }
    return (objects == cache->depot.objects && full == cache->depot.count_full &&
            empty == cache->depot.count_empty) ||
           broken(fatal, &cache->depot, cache->name, "depot: objects = sum of its magazines");
}

static bool check_cache(struct larder_cache *cache, struct larder_fatal *fatal) {
    struct larder_cache_stats stats;
    uint64_t slabs = 0, free = 0, held = 0;
    for (unsigned bucket = 0; bucket < SLAB_BUCKET_COUNT; bucket++) {
        LIST_EACH(link, &cache->slabs[bucket]) {
            const struct slab *slab = LIST_ENTRY(link, struct slab, link);
            if (!check_slab(cache, slab, bucket, fatal)) {
                return false;
            }
            slabs++;
            free += slab->count_free;
            held += harden_count_held(cache, slab);
        }
    }
    if (slabs != cache->slab_count ||
        slabs * slab_usable_slots(&cache->geometry) != cache->taken + held + free) {
        return broken(fatal, cache, cache->name, "cache: capacity = taken + free in slabs");
    }
    larder_cache_stats(cache, &stats);
    if (stats.in_quarantine != held) {
        return broken(fatal, cache, cache->name, "cache: what is held is in its quarantine");
    }
    if (stats.in_magazines + stats.in_depot > stats.taken) {
        return broken(fatal, cache, cache->name, "cache: taken = live + in magazines + in depot");
    }
    return check_depot(cache, fatal);
}

static bool check_caches(struct larder *larder, struct larder_fatal *fatal) {
    for (unsigned id = OWNER_CACHE_FIRST; id < larder->id_end; id++) {
        struct larder_cache *cache = larder->cache_by_id[id];
        if (cache != NULL &&
            (!is_on(&cache->link, &larder->caches, LARDER_CACHES_MAX) || cache->id != id)) {
            return broken(fatal, cache, "caches", "registry: an id names a cache on the list");
        }
        if (cache != NULL && !check_cache(cache, fatal)) {
            return false;
        }
    }
    return true;
}

bool larder_validate(struct larder *larder, struct larder_fatal *fatal) {
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        struct zone *zone = &larder->buddies.zone[i];
        if (!check_zone(&larder->buddies, zone, fatal)) {
            return false;
        }
    }
    return check_frames(larder, fatal) && check_caches(larder, fatal);
}
