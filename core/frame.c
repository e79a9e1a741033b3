/* frame.c: making the global memory map from the range table.
 *
 * The span runs from the lowest to the highest frame of RAM, 4 KiB to 16 TiB. Address space for
 * both arrays is reserved for all of it; memory is committed only where RAM is described. In a
 * kernel the commits take their memory out of the same range table, which may move its entries: so
 * commit by address, look the next range up again, and close the table only when all is done.
 */
#include "frame.h"

#include "larder/port.h"

#define BASE_ORDER_LEAST 9u /* page blocks, and the limits of zones */

/* The base is aligned to the largest block there can be, so that blocks are aligned as addresses
 * are: to `align_bytes`, or less where all RAM is smaller. A little RAM at any address has a little
 * map. */
static uint64_t base_for(uint64_t first, uint64_t end, uint64_t align_bytes) {
    uint64_t order = order_for((end - first) >> FRAME_SHIFT);
    uint64_t least = FRAME_BYTES << max_u64(order, BASE_ORDER_LEAST);
    return align_down(first, min_u64(align_bytes, least));
}

static enum larder_status find_span(const struct larder_ranges *ranges, uint64_t align_bytes,
                                    uint64_t *base, uint64_t *count_frames) {
    uint64_t first, end, next;
    if (!range_next(ranges, SPAN_KINDS, 0, &first, &end)) {
        return LARDER_BAD_RANGE;
    }
    while (range_next(ranges, SPAN_KINDS, end, &next, &end)) {
    }
    *base = base_for(first, end, align_bytes);
    *count_frames = (end - *base) >> FRAME_SHIFT;
    return *count_frames <= SPAN_FRAMES_MAX - 1 ? LARDER_OK : LARDER_BAD_RANGE;
}

static size_t owner_bytes(const struct frame_map *map) {
    return align_up(map->count_frames, FRAME_BYTES);
}

static size_t record_bytes(const struct frame_map *map) {
    return align_up(map->count_frames * sizeof(struct frame), FRAME_BYTES);
}

bool frame_map_commit(struct frame_map *map, uint64_t first, uint64_t count) {
    if (!larder_port_commit(map->owner + first, count) ||
        !larder_port_commit(map->record + first, count * sizeof(struct frame))) {
        return false;
    }
    __atomic_add_fetch(&map->committed_bytes, count * (1 + sizeof(struct frame)), __ATOMIC_RELAXED);
    return true;
}

static bool commit_ram(struct frame_map *map, const struct larder_ranges *ranges) {
    uint64_t first, end;
    for (uint64_t at = 0; range_next(ranges, RAM_KINDS, at, &first, &end); at = end) {
        if (!frame_map_commit(map, (first - map->base_address) >> FRAME_SHIFT,
                              (end - first) >> FRAME_SHIFT)) {
            return false;
        }
    }
    return true;
}

enum larder_status frame_map_init(struct frame_map *map, struct larder_ranges *ranges,
                                  uintptr_t linear_offset, uint64_t align_bytes) {
    enum larder_status status =
        find_span(ranges, align_bytes, &map->base_address, &map->count_frames);
    if (status != LARDER_OK) {
        return status;
    }
    map->base = (uintptr_t)map->base_address + linear_offset;
    map->number_bias = 0 - (uint64_t)(map->base >> FRAME_SHIFT);
    map->committed_bytes = 0;
    map->owner = larder_port_reserve(owner_bytes(map), FRAME_BYTES);
    if (map->owner == NULL) {
        return LARDER_NO_MEMORY;
    }
    map->owner_bias = (uintptr_t)map->owner - (map->base >> FRAME_SHIFT);
    map->record = larder_port_reserve(record_bytes(map), FRAME_BYTES);
    if (map->record == NULL) {
        goto release_owner;
    }
    if (!commit_ram(map, ranges)) {
        goto release_record;
    }
    return LARDER_OK;

release_record:
    larder_port_release(map->record, record_bytes(map));
release_owner:
    larder_port_release(map->owner, owner_bytes(map));
    return LARDER_NO_MEMORY;
}

void frame_map_fini(struct frame_map *map) {
    larder_port_release(map->record, record_bytes(map));
    larder_port_release(map->owner, owner_bytes(map));
}
