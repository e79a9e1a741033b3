/* stats.c: numbers out of every layer. Each zone or cache is read under its own lock, one after the
 * other: the whole is exact when nothing else runs.
 */
#include "frames.h"

#include "larder/stats.h"

/* ---- zones ---- */

unsigned larder_zone_count(const struct larder *larder) {
    return larder->buddies.zone_count;
}

/* The free blocks of a bitmap as a buddy sees them: each maximal aligned free run once. */
static void count_runs(const struct pageblock *block, unsigned order_of_unit,
                       uint64_t *free_blocks) {
    for (unsigned unit = 0; unit < PAGEBLOCK_FRAMES;) {
        if (!pageblock_is_free(block, unit, 1)) {
            unit++;
            continue;
        }
        unsigned order = pageblock_run_order(block, unit);
        unsigned most = (unsigned)LARDER_ORDER_MAX - order_of_unit;
        order = order < most ? order : most;
        free_blocks[order_of_unit + order]++;
        unit = (unit & ~((1u << order) - 1)) + (1u << order);
    }
}

/* The first page block from `number` on that is not wholly free. The area is entered. */
static uint64_t beyond_whole(const struct area *area, uint64_t number) {
    while (number < area->end_pageblock && buddy_is_whole(area, number)) {
        number++;
    }
    return number;
}

/* The lock is let go after each page block. */
static void count_area(struct buddies *buddies, struct area *area, uint64_t *free_blocks) {
    area_enter(area);
    count_runs(&area->whole, PAGEBLOCK_ORDER, free_blocks);
    area_leave(buddies, area);
    for (uint64_t number = area->low_pageblock; number < area->end_pageblock; number++) {
        area_enter(area);
        number = beyond_whole(area, number);
        const struct pageblock *block = &buddies->pageblock[number];
        if (number < area->end_pageblock && block->state == PAGEBLOCK_OPEN &&
            block->count_free > 0) {
            count_runs(block, 0, free_blocks);
        }
        area_leave(buddies, area);
    }
}

static void zone_span(struct larder *larder, const struct zone *zone,
                      struct larder_zone_stats *stats) {
    const struct frame_map *map = &larder->map;
    uint64_t low = frame_address(map, zone->first_pageblock * PAGEBLOCK_FRAMES);
    uint64_t high = frame_address(map, zone->end_pageblock * PAGEBLOCK_FRAMES);
    uint64_t first, end;
    lock_acquire(&larder->registry);
    for (uint64_t at = low; range_next(&map->ranges, RAM_KINDS, at, &first, &end) && first < high;
         at = end) {
        stats->first_address = stats->end_address == 0 ? first : stats->first_address;
        stats->end_address = min_u64(end, high);
    }
    lock_release(&larder->registry);
}

bool larder_zone_stats(struct larder *larder, unsigned index, struct larder_zone_stats *stats) {
    struct buddies *buddies = &larder->buddies;
    if (index >= buddies->zone_count) {
        return false;
    }
    struct zone *zone = &buddies->zone[index];
    *stats = (struct larder_zone_stats){.name = zone->name, .reserve = zone->reserve};
    zone_span(larder, zone, stats);
    EACH_AREA_OF(area, buddies, zone) {
        count_area(buddies, area, stats->free_blocks);
    }
    stats->usable = __atomic_load_n(&zone->usable, __ATOMIC_RELAXED);
    stats->free = zone_free(buddies, zone);
    stats->free_min = min_u64(__atomic_load_n(&zone->free_min, __ATOMIC_RELAXED), stats->free);
    return true;
}

static uint64_t count_free_blocks(const struct larder_zone_stats *stats) {
    uint64_t blocks = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        blocks += stats->free_blocks[order];
    }
    return blocks;
}

/* Frames in free blocks that can serve a request of `order`. */
static uint64_t frames_for_order(const struct larder_zone_stats *stats, unsigned order) {
    uint64_t frames = 0;
    for (; order < BUDDY_ORDERS; order++) {
        frames += stats->free_blocks[order] << order;
    }
    return frames;
}

int larder_fragmentation_index(const struct larder_zone_stats *stats, unsigned order) {
    uint64_t blocks = count_free_blocks(stats);
    if (order >= BUDDY_ORDERS || blocks == 0) {
        return 0;
    }
    if (frames_for_order(stats, order) > 0) {
        return -1000;
    }
    /* 1 − (1 + free / requested) / blocks, in thousandths. */
    return (int)(1000 - (1000 + stats->free * 1000 / (UINT64_C(1) << order)) / blocks);
}

int larder_unusable_index(const struct larder_zone_stats *stats, unsigned order) {
    uint64_t free = frames_for_order(stats, 0);
    if (free == 0) {
        return 1000;
    }
    return (int)((free - (order < BUDDY_ORDERS ? frames_for_order(stats, order) : 0)) * 1000 /
                 free);
}

/* ---- frames ---- */

/* Adds an area: what is dirty in it, and the largest block. */
static void add_area(struct buddies *buddies, struct area *area,
                     struct larder_frames_stats *stats) {
    area_enter(area);
    unsigned largest = buddy_largest(area);
    stats->dirty += buddy_count_dirty(buddies, area);
    area_leave(buddies, area);
    if (largest < BUDDY_ORDERS &&
        (stats->largest_free_order == UINT64_MAX || largest > stats->largest_free_order)) {
        stats->largest_free_order = largest;
    }
}

void larder_frames_stats(struct larder *larder, struct larder_frames_stats *stats) {
    *stats = (struct larder_frames_stats){
        .in_bins = frames_in_bins(larder),
        .metadata = __atomic_load_n(&larder->metadata_frames, __ATOMIC_RELAXED),
        .map_bytes = __atomic_load_n(&larder->map.committed_bytes, __ATOMIC_RELAXED) +
                     __atomic_load_n(&larder->buddies.committed_bytes, __ATOMIC_RELAXED),
        .largest_free_order = UINT64_MAX,
    };
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        struct zone *zone = &larder->buddies.zone[i];
        uint64_t free = zone_free(&larder->buddies, zone);
        stats->usable += __atomic_load_n(&zone->usable, __ATOMIC_RELAXED);
        stats->free += free;
        stats->free_min += min_u64(__atomic_load_n(&zone->free_min, __ATOMIC_RELAXED), free);
    }
    EACH_AREA(area, &larder->buddies) {
        add_area(&larder->buddies, area, stats);
    }
    uint64_t elsewhere = stats->free + stats->in_bins;
    stats->allocated = stats->usable > elsewhere ? stats->usable - elsewhere : 0;
}

/* ---- the map ---- */

void larder_map_span(const struct larder *larder, uint64_t *first_address, uint64_t *end_address) {
    *first_address = larder->map.base_address;
    *end_address = frame_address(&larder->map, larder->map.count_frames);
}

/* Most frequent cache of a cell, by majority vote (Boyer and Moore): exact when one has more than
 * half. */
struct vote {
    unsigned id;
    uint64_t count;
};

static void vote_for(struct vote *vote, unsigned id) {
    if (vote->count == 0) {
        vote->id = id;
    }
    vote->count = vote->id == id ? vote->count + 1 : vote->count - 1;
}

/* What a frame is when it is neither a slab's nor the start of a block: by its range and the
 * buddies. */
static void count_plain(struct larder *larder, uint64_t index, struct larder_map_cell *cell) {
    uint64_t address = frame_address(&larder->map, index);
    const struct larder_range *range = larder_ranges_find(&larder->map.ranges, address);
    if (range == NULL || range->kind == LARDER_RANGE_DEVICE) {
        cell->absent++;
    } else if (!range_gives_frame(range, address)) {
        cell->reserved++;
    } else if (buddies_is_free(&larder->buddies, index)) {
        cell->free++;
    } else {
        cell->run++; /* inside a block or run; those in bins are told apart by their start */
    }
}

static uint64_t count_frame(struct larder *larder, uint64_t index, uint64_t end,
                            struct larder_map_cell *cell, struct vote *vote) {
    unsigned id = frame_cache_id(&larder->map, index);
    uint64_t length = frame_run_length(&larder->map, index);
    if (id != 0) {
        cell->slab++;
        vote_for(vote, id);
    } else if (length > 0) {
        length = min_u64(length, end - index);
        cell->run += length;
        return length;
    } else if (larder->map.owner[index] == OWNER_BIN) {
        cell->in_bins++;
    } else {
        count_plain(larder, index, cell);
    }
    return 1;
}

void larder_map_read(struct larder *larder, uint64_t address, uint64_t size_bytes,
                     struct larder_map_cell *cell) {
    const struct frame_map *map = &larder->map;
    struct vote vote = {0};
    uint64_t end_address = size_bytes > UINT64_MAX - address ? UINT64_MAX : address + size_bytes;
    uint64_t map_end = frame_address(map, map->count_frames);
    *cell = (struct larder_map_cell){0};
    if (end_address <= map->base_address || address >= map_end) {
        cell->absent = size_bytes >> FRAME_SHIFT;
        return;
    }
    uint64_t index = (max_u64(address, map->base_address) - map->base_address) >> FRAME_SHIFT;
    uint64_t end = (min_u64(end_address, map_end) - map->base_address) >> FRAME_SHIFT;
    cell->absent = (size_bytes >> FRAME_SHIFT) - (end - index);
    while (index < end) {
        index += count_frame(larder, index, end, cell, &vote);
    }
    cell->top_cache = vote.id;
}
