/* frames_misuse.c: what a wrong pointer is, worked out from the map after the fact. Cold by nature.
 */
#include "frames.h"
#include "object_debug.h"

#include "larder/stats.h"

/* The start of the allocated block or run that contains a frame; `index` itself iff none does.
 * Blocks start at their own alignment and runs at that of the order they were cut from, so only
 * aligned frames before it can be the head. */
static uint64_t head_of(const struct larder *larder, uint64_t index) {
    for (unsigned order = 1; order <= LARDER_ORDER_MAX; order++) {
        uint64_t head = index & ~((UINT64_C(1) << order) - 1);
        if (head != index && head + frame_run_length(&larder->map, head) > index) {
            return head;
        }
    }
    return index;
}

static bool is_usable(struct larder *larder, uint64_t index) {
    uint64_t address = frame_address(&larder->map, index);
    return range_gives_frame(larder_ranges_find(&larder->map.ranges, address), address);
}

/* A run from larder_frames_alloc_contiguous() may start anywhere: look back for it, to the first
 * frame that cannot be part of it. */
static uint64_t head_of_long_run(struct larder *larder, uint64_t index) {
    for (uint64_t head = index; head-- > 0;) {
        uint64_t length = frame_run_length(&larder->map, head);
        if (length > 0) {
            return head + length > index ? head : index;
        }
        bool is_in_next_block = head % PAGEBLOCK_FRAMES == PAGEBLOCK_FRAMES - 1;
        if (buddies_is_free(&larder->buddies, head) ||
            (is_in_next_block && !is_usable(larder, head))) {
            break;
        }
    }
    return index;
}

void frames_what(struct larder *larder, uint64_t index, struct larder_what *what) {
    uint64_t head = index;
    if (frame_run_length(&larder->map, index) == 0) {
        head = head_of(larder, index);
        head = head == index ? head_of_long_run(larder, index) : head;
    }
    what->start = frame_pointer(&larder->map, head);
    what->size_bytes = (size_t)max_u64(frame_run_length(&larder->map, head), 1) << FRAME_SHIFT;
    if (larder->map.owner[head] == OWNER_METADATA) {
        what->kind = LARDER_WHAT_RESERVED;
    } else if (frame_run_length(&larder->map, head) > 0) {
        what->kind = LARDER_WHAT_RUN;
        what->taken = true;
        what->alloc_site = larder_frames_owner(larder, what->start);
    } else if (larder->map.owner[index] == OWNER_BIN) {
        what->kind = LARDER_WHAT_BIN;
    } else if (buddies_is_free(&larder->buddies, index)) {
        what->kind = LARDER_WHAT_FREE;
    } else if (is_usable(larder, index)) {
        what->kind =
            LARDER_WHAT_BIN; /* inside a block that lies in a bin: only its start is marked */
    } else if (larder_ranges_find(&larder->map.ranges, frame_address(&larder->map, index)) !=
               NULL) {
        what->kind = LARDER_WHAT_RESERVED;
    } else {
        what->kind = LARDER_WHAT_HOLE;
    }
}

static void what_object(struct larder *larder, uint64_t index, const void *pointer,
                        struct larder_what *what) {
    const struct slab *slab = larder->map.record[index].slab;
    const struct slab_geometry *geometry = &slab->cache->geometry;
    size_t slot = (size_t)((const unsigned char *)pointer - slab->base) / geometry->stride_bytes;
    what->kind = LARDER_WHAT_OBJECT;
    what->cache = slab->cache;
    if (slot < geometry->slots) {
        what->start = slab_object(slab, geometry, (uint32_t)slot);
        what->size_bytes = geometry->object_bytes;
        what->taken = slot >= geometry->first_slot && !slab_is_free(slab, (uint32_t)slot);
        what->alloc_site =
            what->taken && slab->track != NULL ? slab->track[slot].site[TRACK_ALLOC] : 0;
    }
}

void larder_whatis(struct larder *larder, const void *pointer, struct larder_what *what) {
    uint64_t index = frame_of(&larder->map, pointer);
    *what = (struct larder_what){.kind = LARDER_WHAT_FOREIGN};
    if (index >= larder->map.count_frames) {
        return;
    }
    if (frame_cache_id(&larder->map, index) != 0) {
        what_object(larder, index, pointer, what);
    } else {
        frames_what(larder, index, what);
    }
}

uintptr_t larder_frames_owner(const struct larder *larder, const void *frames) {
    uint64_t index = frame_of(&larder->map, frames);
    if (index >= larder->map.count_frames || frame_run_length(&larder->map, index) == 0) {
        return 0;
    }
    return larder->map.record[index].site;
}

const char *frames_owner_name(struct larder *larder, const void *pointer) {
    static const char *const names[] = {
        [LARDER_WHAT_FOREIGN] = "nobody",    [LARDER_WHAT_HOLE] = "hole",
        [LARDER_WHAT_RESERVED] = "reserved", [LARDER_WHAT_FREE] = "free frames",
        [LARDER_WHAT_BIN] = "free frames",   [LARDER_WHAT_RUN] = "frames",
    };
    struct larder_what what;
    larder_whatis(larder, pointer, &what);
    return what.kind == LARDER_WHAT_OBJECT ? larder_cache_name(what.cache) : names[what.kind];
}

_Noreturn void frames_bad_free(struct larder *larder, const void *pointer) {
    static const struct {
        enum larder_fatal_kind kind;
        const char *detail;
    } mistake[] = {
        [LARDER_WHAT_FOREIGN] = {LARDER_FATAL_FOREIGN_FREE, "outside the memory of this instance"},
        [LARDER_WHAT_HOLE] = {LARDER_FATAL_RESERVED_FREE, "no RAM at this address"},
        [LARDER_WHAT_RESERVED] = {LARDER_FATAL_RESERVED_FREE, "never given out"},
        [LARDER_WHAT_FREE] = {LARDER_FATAL_DOUBLE_FREE, "the frames are free already"},
        [LARDER_WHAT_BIN] = {LARDER_FATAL_DOUBLE_FREE, "the frames are free already"},
        [LARDER_WHAT_RUN] = {LARDER_FATAL_INTERIOR_FREE, "not the start of the block"},
        [LARDER_WHAT_OBJECT] = {LARDER_FATAL_WRONG_CACHE, "an object of a cache, not frames"},
    };
    struct larder_what what;
    larder_whatis(larder, pointer, &what);
    fatal_raise(mistake[what.kind].kind, pointer, frames_owner_name(larder, pointer),
                mistake[what.kind].detail);
}

void frames_check_zone(struct larder *larder, uint64_t index, uint64_t count) {
    if (zone_part(buddies_zone_of(&larder->buddies, index), index, count) < count) {
        fatal_raise(LARDER_FATAL_WRONG_ZONE, frame_pointer(&larder->map, index), "frames",
                    "the run reaches beyond the zone it starts in");
    }
}
