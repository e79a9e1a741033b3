/* frames.c: the public page frame service: buddies behind per-slot bins.
 *
 * A slot keeps two bins for each order up to 3: blocks to hand out, filled in one go out of the
 * fullest page block, and blocks that came back, given to the buddies in one go. They are two on
 * purpose: a single stack would hand the most recently freed frame out again, wherever it lies, and
 * pin half-empty page blocks for ever; through two, every frame goes where it is best used.
 * (Measured: see DESIGN.md, "Two bins".)
 *
 * States of a block's first owner byte: NONE → (bin) BIN → FRAMES + order → BIN → NONE, or without
 * a bin NONE → FRAMES + order or RUN → NONE.
 */
#include "frames.h"

#include "larder/heap.h"

/* ---- zones
 * ------------------------------------------------------------------------------------------ */

/* Zones are asked from the highest allowed one down. */
static unsigned highest_zone(const struct larder *larder, larder_flags flags) {
    unsigned limit = flags >> LARDER_ZONE_SHIFT;
    return (limit == 0 || limit > larder->buddies.zone_count ? larder->buddies.zone_count : limit) -
           1;
}

static bool is_above_watermark(const struct zone *zone, uint64_t count, larder_flags flags) {
    uint64_t keep = (flags & LARDER_USE_RESERVE) != 0 ? 0 : zone->reserve;
    return zone->free >= count + keep;
}

static bool flags_are_known(larder_flags flags) {
    return (flags & ~LARDER_FLAGS_ALL) == 0;
}

/* ---- blocks
 * ------------------------------------------------------------------------------------------ */

static frame_index take_once(struct larder *larder, unsigned order, uint64_t count,
                             larder_flags flags) {
    for (unsigned i = highest_zone(larder, flags) + 1; i-- > 0;) {
        struct zone *zone = &larder->buddies.zone[i];
        frame_index index = FRAME_NONE;
        lock_acquire(&zone->lock);
        if (is_above_watermark(zone, count, flags)) {
            index = buddy_take(&larder->buddies, zone, order);
        }
        if (index != FRAME_NONE && count < UINT64_C(1) << order) {
            buddy_give(&larder->buddies, zone, index + count, (UINT64_C(1) << order) - count);
        }
        lock_release(&zone->lock);
        if (index != FRAME_NONE) {
            return index;
        }
    }
    return FRAME_NONE;
}

frame_index frames_take_count(struct larder *larder, unsigned order, uint64_t count,
                              larder_flags flags) {
    if (larder_port_should_fail("frames")) {
        return FRAME_NONE;
    }
    frame_index index = take_once(larder, order, count, flags);
    if (index == FRAME_NONE && (flags & LARDER_NO_RECLAIM) == 0) {
        larder->pressure(larder);
        index = take_once(larder, order, count, flags);
    }
    return index;
}

frame_index frames_take(struct larder *larder, unsigned order, larder_flags flags) {
    return frames_take_count(larder, order, UINT64_C(1) << order, flags);
}

void frames_give(struct larder *larder, uint64_t first, uint64_t count) {
    while (count > 0) {
        struct zone *zone = buddies_zone_of(&larder->buddies, first);
        uint64_t here = min_u64(count, zone->end_pageblock * PAGEBLOCK_FRAMES - first);
        lock_acquire(&zone->lock);
        buddy_give(&larder->buddies, zone, first, here);
        lock_release(&zone->lock);
        first += here;
        count -= here;
    }
}

void frames_mark(struct larder *larder, frame_index index, uint64_t count, uintptr_t site) {
    struct frame_map *map = &larder->map;
    bool has_bin = is_power_of_two(count) && order_for(count) < FRAME_BIN_ORDERS;
    bool is_tracked = __atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED);
    if (!has_bin) {
        map->record[index].count_frames = count;
    }
    if (!has_bin || is_tracked) {
        map->record[index].site = is_tracked ? site : 0;
    }
    map->owner[index] = (uint8_t)(has_bin ? OWNER_FRAMES + order_for(count) : OWNER_RUN);
}

void *frames_finish(void *frames, uint64_t count, larder_flags flags) {
    if (frames == NULL && (flags & LARDER_PANIC) != 0) {
        fatal_raise(LARDER_FATAL_NO_MEMORY, NULL, "frames", "LARDER_PANIC was asked for");
    }
    if (frames != NULL && (flags & LARDER_ZERO) != 0) {
        __builtin_memset(frames, 0, count << FRAME_SHIFT);
    }
    return frames;
}

static void *alloc_count(struct larder *larder, unsigned order, uint64_t count, larder_flags flags,
                         uintptr_t site) {
    frame_index index = frames_take_count(larder, order, count, flags);
    if (index == FRAME_NONE) {
        return NULL;
    }
    frames_mark(larder, index, count, site);
    return frame_pointer(&larder->map, index);
}

void *frames_alloc_metadata(struct larder *larder, uint64_t count) {
    void *frames = alloc_count(larder, order_for(count), count, LARDER_USE_RESERVE, 0);
    if (frames != NULL) {
        __atomic_add_fetch(&larder->metadata_frames, count, __ATOMIC_RELAXED);
    }
    return frames;
}

void frames_free_metadata(struct larder *larder, void *frames) {
    uint64_t index = frame_of(&larder->map, frames);
    uint64_t count = frame_run_length(&larder->map, index);
    larder->map.owner[index] = OWNER_NONE;
    frames_give(larder, index, count);
    __atomic_sub_fetch(&larder->metadata_frames, count, __ATOMIC_RELAXED);
}

/* ---- bins
 * -------------------------------------------------------------------------------------------- */

/* Objects of a frame magazine by order: bounded in bytes to 248 KiB. */
static const uint8_t bin_capacity[FRAME_BIN_ORDERS] = {62, 30, 14, 7};

static struct bin *take_bin(struct larder_slot *slot, unsigned order) {
    return &slot->bin[BIN_TAKE + order];
}

static struct bin *give_bin(struct larder_slot *slot, unsigned order) {
    return &slot->bin[OWNER_FRAMES + order];
}

static unsigned take_many(struct larder *larder, unsigned order, unsigned count,
                          frame_index *frames, larder_flags flags) {
    for (unsigned i = highest_zone(larder, flags) + 1; i-- > 0;) {
        struct zone *zone = &larder->buddies.zone[i];
        unsigned taken = 0;
        lock_acquire(&zone->lock);
        while (order == 0 && taken < count && is_above_watermark(zone, count - taken, flags)) {
            unsigned here =
                buddy_take_frames(&larder->buddies, zone, count - taken, frames + taken);
            taken += here;
            if (here == 0) {
                break;
            }
        }
        while (taken < count && is_above_watermark(zone, UINT64_C(1) << order, flags)) {
            frames[taken] = buddy_take(&larder->buddies, zone, order);
            if (frames[taken] == FRAME_NONE) {
                break;
            }
            taken++;
        }
        lock_release(&zone->lock);
        if (taken > 0) {
            return taken;
        }
    }
    return 0;
}

/* Fill the slot's bin of an order; the slot is entered. Blocks lie in it so that the lowest comes
 * out first. */
static void refill(struct larder *larder, struct magazine *magazine, unsigned order) {
    frame_index frames[MAGAZINE_CAPACITY_MAX];
    unsigned taken = take_many(larder, order, magazine->capacity, frames, 0);
    for (unsigned i = taken; i-- > 0;) {
        larder->map.owner[frames[i]] = OWNER_BIN;
        magazine_push(magazine, frame_pointer(&larder->map, frames[i]));
    }
}

/* Give single frames to their zones; neighbours in the array that share a zone go under one lock.
 */
static void give_frames(struct larder *larder, unsigned count, const frame_index *frames) {
    for (unsigned i = 0; i < count;) {
        struct zone *zone = buddies_zone_of(&larder->buddies, frames[i]);
        unsigned end = i + 1;
        while (end < count && buddies_zone_of(&larder->buddies, frames[end]) == zone) {
            end++;
        }
        lock_acquire(&zone->lock);
        buddy_give_frames(&larder->buddies, zone, end - i, frames + i);
        lock_release(&zone->lock);
        i = end;
    }
}

/* Give all blocks of a magazine back to the buddies. The slot is entered, or the magazine is
 * nobody's. */
static void drain(struct larder *larder, struct magazine *magazine, unsigned order) {
    frame_index frames[MAGAZINE_CAPACITY_MAX];
    unsigned count = magazine->count;
    for (unsigned i = 0; i < count; i++) {
        frames[i] = (frame_index)frame_of(&larder->map, magazine->object[i]);
        larder->map.owner[frames[i]] = OWNER_NONE;
        if (order > 0) {
            frames_give(larder, frames[i], UINT64_C(1) << order);
        }
    }
    if (order == 0 && count > 0) {
        give_frames(larder, count, frames);
    }
    if (count > 0) {
        magazine->count = 0;
    }
}

void frames_flush_bins(struct larder *larder, struct larder_slot *slot, bool and_magazines) {
    for (unsigned order = 0; order < FRAME_BIN_ORDERS; order++) {
        struct bin *bins[] = {take_bin(slot, order), give_bin(slot, order)};
        for (unsigned i = 0; i < ARRAY_LENGTH(bins); i++) {
            struct magazine *magazine = bins[i]->loaded;
            drain(larder, magazine, order);
            if (and_magazines) {
                bin_init(bins[i]);
                magazine_delete(larder, magazine);
            }
        }
    }
}

bool frames_attach_bins(struct larder *larder, struct larder_slot *slot) {
    for (unsigned order = 0; order < FRAME_BIN_ORDERS; order++) {
        struct bin *bins[] = {take_bin(slot, order), give_bin(slot, order)};
        for (unsigned i = 0; i < ARRAY_LENGTH(bins); i++) {
            struct magazine *magazine = magazine_new(larder, bin_capacity[order]);
            if (magazine == NULL) {
                frames_flush_bins(larder, slot, true);
                return false;
            }
            bins[i]->loaded = magazine;
        }
    }
    return true;
}

uint64_t frames_in_bins(struct larder *larder) {
    uint64_t count = 0;
    for (unsigned i = 0; i < larder->slot_limit; i++) {
        struct larder_slot *slot = __atomic_load_n(&larder->slot[i], __ATOMIC_ACQUIRE);
        for (unsigned order = 0; slot != NULL && order < FRAME_BIN_ORDERS; order++) {
            uint64_t blocks =
                bin_objects(take_bin(slot, order)) + bin_objects(give_bin(slot, order));
            count += blocks << order;
        }
    }
    return count;
}

/* ---- allocation
 * --------------------------------------------------------------------------------------- */

static void *pop_frames(struct larder *larder, struct magazine *magazine, unsigned order) {
    void *frames = magazine->object[--magazine->count];
    larder->map.owner[frame_of(&larder->map, frames)] = (uint8_t)(OWNER_FRAMES + order);
    return frames;
}

/* From the slot's bin after filling it; NULL iff the slot has none or the buddies have none to
 * spare. */
static void *alloc_refilling(struct larder *larder, unsigned order) {
    uintptr_t state = larder_port_slot_enter();
    struct larder_slot *slot = slot_here(larder);
    struct magazine *magazine = take_bin(slot, order)->loaded;
    void *frames = NULL;
    if (magazine_is_real(magazine) && magazine->count == 0 && !larder_port_should_fail("bin")) {
        refill(larder, magazine, order);
    }
    if (magazine->count > 0) {
        frames = pop_frames(larder, magazine, order);
    }
    larder_port_slot_leave(state);
    return frames;
}

static NOINLINE void *frames_alloc_slow(struct larder *larder, unsigned order, larder_flags flags,
                                        uintptr_t site) {
    void *frames = NULL;
    uint64_t count = order > LARDER_ORDER_MAX ? 0 : UINT64_C(1) << order;
    bool is_plain = (flags & ~(LARDER_ZERO | LARDER_PANIC | LARDER_NO_RECLAIM)) == 0;
    if (order > LARDER_ORDER_MAX || !flags_are_known(flags)) {
        return frames_finish(NULL, 0, flags);
    }
    if (order < FRAME_BIN_ORDERS && is_plain &&
        !__atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED)) {
        frames = alloc_refilling(larder, order);
    }
    if (frames == NULL) {
        frames = alloc_count(larder, order, count, flags, site);
    }
    return frames_finish(frames, count, flags);
}

void *larder_frames_alloc(struct larder *larder, unsigned order, larder_flags flags) {
    if (LIKELY(order < FRAME_BIN_ORDERS && flags == 0)) {
        uintptr_t state = larder_port_slot_enter();
        struct magazine *magazine = take_bin(slot_here(larder), order)->loaded;
        if (LIKELY(magazine->count > 0)) {
            void *frames = pop_frames(larder, magazine, order);
            larder_port_slot_leave(state);
            return frames;
        }
        larder_port_slot_leave(state);
    }
    return frames_alloc_slow(larder, order, flags, CALL_SITE());
}

void *larder_frames_alloc_exact(struct larder *larder, uint64_t count, larder_flags flags) {
    void *frames = NULL;
    if (count > 0 && count <= UINT64_C(1) << LARDER_ORDER_MAX && flags_are_known(flags)) {
        frames = alloc_count(larder, order_for(count), count, flags, CALL_SITE());
    }
    return frames_finish(frames, count, flags);
}

static size_t alloc_bulk_once(struct larder *larder, unsigned order, size_t count, void **out,
                              larder_flags flags, uintptr_t site) {
    frame_index frames[MAGAZINE_CAPACITY_MAX];
    unsigned wanted = (unsigned)min_u64(count, ARRAY_LENGTH(frames));
    unsigned taken = take_many(larder, order, wanted, frames, flags);
    for (unsigned i = 0; i < taken; i++) {
        frames_mark(larder, frames[i], UINT64_C(1) << order, site);
        out[i] = frames_finish(frame_pointer(&larder->map, frames[i]), UINT64_C(1) << order, flags);
    }
    return taken;
}

size_t larder_frames_alloc_bulk(struct larder *larder, unsigned order, size_t count, void **out,
                                larder_flags flags) {
    size_t taken = 0;
    bool may_reclaim = (flags & LARDER_NO_RECLAIM) == 0;
    if (order > LARDER_ORDER_MAX || !flags_are_known(flags)) {
        return 0;
    }
    while (taken < count) {
        size_t here =
            alloc_bulk_once(larder, order, count - taken, out + taken, flags, CALL_SITE());
        taken += here;
        if (here == 0) {
            if (!may_reclaim) {
                break;
            }
            larder->pressure(larder);
            may_reclaim = false;
        }
    }
    if (taken < count) {
        frames_finish(NULL, 0, flags);
    }
    return taken;
}

/* ---- free
 * ---------------------------------------------------------------------------------------------- */

/* Blocks with a bin whose bin is full, or that has none. */
static void free_draining(struct larder *larder, void *frames, uint64_t index, unsigned order) {
    uintptr_t state = larder_port_slot_enter();
    struct magazine *magazine = give_bin(slot_here(larder), order)->loaded;
    bool has_bin =
        magazine_is_real(magazine) && !__atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED);
    larder->map.owner[index] = has_bin ? OWNER_BIN : OWNER_NONE;
    if (has_bin) {
        if (magazine->count == magazine->capacity) {
            drain(larder, magazine, order);
        }
        magazine_push(magazine, frames);
    }
    larder_port_slot_leave(state);
    if (!has_bin) {
        frames_give(larder, index, UINT64_C(1) << order);
    }
}

static NOINLINE void frames_free_slow(struct larder *larder, void *frames) {
    if (frames == NULL) {
        return;
    }
    uint64_t index = frame_of(&larder->map, frames);
    uint64_t count = index < larder->map.count_frames && is_aligned((uintptr_t)frames, FRAME_BYTES)
                         ? frame_run_length(&larder->map, index)
                         : 0;
    if (count == 0) {
        frames_bad_free(larder, frames);
    }
    if (larder->map.owner[index] != OWNER_RUN) {
        free_draining(larder, frames, index, order_for(count));
        return;
    }
    larder->map.owner[index] = OWNER_NONE;
    frames_give(larder, index, count);
}

void larder_frames_free(struct larder *larder, void *frames) {
    struct frame_map *map = &larder->map;
    uint64_t index = frame_of(map, frames);
    if (LIKELY(index < map->count_frames && is_aligned((uintptr_t)frames, FRAME_BYTES))) {
        unsigned owner = map->owner[index];
        if (LIKELY(owner - OWNER_FRAMES < FRAME_BIN_ORDERS)) {
            uintptr_t state = larder_port_slot_enter();
            struct magazine *magazine = slot_here(larder)->bin[owner].loaded;
            if (LIKELY(magazine->count < magazine->capacity)) {
                map->owner[index] = OWNER_BIN;
                magazine->object[magazine->count++] = frames;
                larder_port_slot_leave(state);
                return;
            }
            larder_port_slot_leave(state);
        }
    }
    frames_free_slow(larder, frames);
}

void larder_frames_free_order(struct larder *larder, void *frames, unsigned order) {
    uint64_t count = larder_frames_count(larder, frames);
    if (frames != NULL && count != 0 &&
        (order > LARDER_ORDER_MAX || count != UINT64_C(1) << order)) {
        fatal_raise(LARDER_FATAL_WRONG_ORDER, frames, "frames",
                    "the block was allocated with another order");
    }
    larder_frames_free(larder, frames);
}

void larder_frames_free_bulk(struct larder *larder, size_t count, void *const *frames) {
    for (size_t i = 0; i < count; i++) {
        larder_frames_free(larder, frames[i]);
    }
}

uint64_t larder_frames_count(struct larder *larder, const void *frames) {
    uint64_t index = frame_of(&larder->map, frames);
    if (index >= larder->map.count_frames || !is_aligned((uintptr_t)frames, FRAME_BYTES)) {
        return 0;
    }
    return frame_run_length(&larder->map, index);
}

uint64_t larder_frames_address(const struct larder *larder, const void *pointer) {
    return larder->map.base_address + ((uintptr_t)pointer - larder->map.base);
}

void *larder_frames_pointer(const struct larder *larder, uint64_t address) {
    return (void *)(larder->map.base + (uintptr_t)(address - larder->map.base_address));
}

uintptr_t larder_frames_owner(const struct larder *larder, const void *frames) {
    uint64_t index = frame_of(&larder->map, frames);
    if (index >= larder->map.count_frames || frame_run_length(&larder->map, index) == 0) {
        return 0;
    }
    return larder->map.record[index].site;
}
