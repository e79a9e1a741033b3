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

/* ---- blocks ---- */

void frames_mark_run(struct larder *larder, frame_index index, uint64_t count, uintptr_t site) {
    struct frame *record = &larder->map.record[index];
    record->count_frames = count;
    record->site = __atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED) ? site : 0;
    larder->map.owner[index] = OWNER_RUN;
}

void frames_mark(struct larder *larder, frame_index index, uint64_t count, uintptr_t site) {
    struct frame_map *map = &larder->map;
    /* A contiguous range may have the length of a block and not be one. */
    bool is_block = is_power_of_two(count) && is_aligned(index, count);
    unsigned bin = is_block ? frame_bin_of(order_for(count)) : FRAME_BINS;
    bool has_bin = bin < FRAME_BINS;
    bool is_tracked = __atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED);
    if (!has_bin) {
        map->record[index].count_frames = count;
    }
    if (!has_bin || is_tracked) {
        map->record[index].site = is_tracked ? site : 0;
    }
    map->owner[index] = (uint8_t)(has_bin ? OWNER_FRAMES + bin : OWNER_RUN);
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
        uint64_t index = frame_of(&larder->map, frames);
        larder->map.record[index].count_frames = count;
        larder->map.owner[index] = OWNER_METADATA;
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

/* ---- bins ---- */

#define WHOLE_BIN (FRAME_BINS - 1u) /* page blocks: one magazine both ways, nothing to scatter */
#define OWNER_WHOLE (OWNER_FRAMES + WHOLE_BIN)
#define WHOLE_BIN_SHARE 128u /* it holds at most this part of the memory */

/* Blocks of a frame magazine: bounded in bytes to 240 KiB, and to 56 MiB of page blocks. */
static const uint8_t bin_capacity[FRAME_BINS] = {60, 28, 12, 7, 28};

/* How many blocks a magazine gets when it is empty, and gives when it is full: all, or half where
 * it goes both ways. */
static unsigned batch_of(const struct magazine *magazine, unsigned bin) {
    size_t capacity = magazine_capacity(magazine);
    return (unsigned)(bin == WHOLE_BIN ? (capacity + 1) / 2 : capacity);
}

/* Fill a slot's empty magazine with blocks; it is entered. The lowest comes out first. */
static void refill(struct larder *larder, struct larder_slot *slot, unsigned bin) {
    struct magazine *magazine = *slot_frame_take(slot, bin);
    frame_index frames[MAGAZINE_CAPACITY_MAX];
    unsigned count = batch_of(magazine, bin);
    unsigned taken = frames_take_many(larder, frame_bin_order(bin), count, frames, 0);
    for (unsigned i = taken; i-- > 0;) {
        larder->map.owner[frames[i]] = OWNER_BIN;
        magazine_push(magazine, frame_pointer(&larder->map, frames[i]));
    }
}

/* Give the newest `count` blocks of a magazine back to the buddies. The slot is entered, or the
 * magazine is nobody's. */
static void drain(struct larder *larder, struct magazine *magazine, unsigned bin,
                  size_t count_blocks) {
    frame_index frames[MAGAZINE_CAPACITY_MAX];
    unsigned count = (unsigned)count_blocks;
    for (unsigned i = 0; i < count; i++) {
        void *block;
        magazine_pop(magazine, &block);
        frames[i] = (frame_index)frame_of(&larder->map, block);
        larder->map.owner[frames[i]] = OWNER_NONE;
    }
    frames_give_many(larder, frame_bin_order(bin), count, frames);
}

/* ---- the frame bins of a slot ---- */

void frames_flush_bins(struct larder *larder, struct larder_slot *slot, bool and_magazines) {
    for (unsigned bin = 0; bin < FRAME_BINS; bin++) {
        struct magazine *take = *slot_frame_take(slot, bin), *give = *slot_frame_give(slot, bin);
        drain(larder, take, bin, magazine_count(take));
        drain(larder, give, bin, magazine_count(give));
        if (and_magazines) {
            *slot_frame_take(slot, bin) = magazine_nothing();
            *slot_frame_give(slot, bin) = magazine_nothing();
            magazine_delete(larder, take);
            magazine_delete(larder, give == take ? magazine_nothing() : give);
        }
    }
}

/* Small machines keep no page blocks in bins: the share is rounded down, to none. */
static uint32_t capacity_of(const struct larder *larder, unsigned bin) {
    if (larder->has_no_frame_bins) {
        return 0;
    }
    uint64_t usable = buddies_usable(&larder->buddies);
    uint64_t share =
        bin < WHOLE_BIN ? bin_capacity[bin] : usable / (WHOLE_BIN_SHARE * PAGEBLOCK_FRAMES);
    return (uint32_t)min_u64(share, bin_capacity[bin]);
}

static bool attach_bin(struct larder *larder, struct magazine **place, uint32_t capacity) {
    struct magazine *magazine = capacity == 0 ? magazine_nothing() : magazine_new(larder, capacity);
    if (magazine != NULL) {
        *place = magazine;
    }
    return magazine != NULL;
}

bool frames_attach_bins(struct larder *larder, struct larder_slot *slot) {
    for (unsigned bin = 0; bin < FRAME_BINS; bin++) {
        uint32_t capacity = capacity_of(larder, bin);
        bool is_attached = attach_bin(larder, slot_frame_take(slot, bin), capacity);
        if (is_attached && bin == WHOLE_BIN) {
            *slot_frame_give(slot, bin) = *slot_frame_take(slot, bin);
        } else if (is_attached) {
            is_attached = attach_bin(larder, slot_frame_give(slot, bin), capacity);
        }
        if (!is_attached) {
            frames_flush_bins(larder, slot, true);
            return false;
        }
    }
    return true;
}

static uint64_t in_bins_of(struct larder_slot *slot) {
    uint64_t count = 0;
    for (unsigned bin = 0; bin < FRAME_BINS; bin++) {
        uint64_t blocks = magazine_glimpse_count(slot_frame_take(slot, bin));
        blocks += bin == WHOLE_BIN ? 0 : magazine_glimpse_count(slot_frame_give(slot, bin));
        count += blocks << frame_bin_order(bin);
    }
    return count;
}

uint64_t frames_in_bins(struct larder *larder) {
    uint64_t count = 0;
    lock_acquire(&larder->registry); /* no slot goes away meanwhile */
    for (unsigned i = 0; i < larder->slot_end; i++) {
        count += larder->slot[i] == NULL ? 0 : in_bins_of(larder->slot[i]);
    }
    lock_release(&larder->registry);
    return count + __atomic_load_n(&larder->hardening.quarantined_frames, __ATOMIC_RELAXED);
}

/* ---- allocation ---- */

/* Out of a bin; false iff it is empty. */
static inline bool pop_frames(struct larder *larder, struct magazine *magazine, size_t owner,
                              void **frames) {
    bool is_popped = magazine_pop(magazine, frames);
    if (LIKELY(is_popped)) {
        *frame_owner_inside(&larder->map, *frames) = (uint8_t)owner;
    }
    return is_popped;
}

/* From the slot's bin, filled if need be; NULL iff it has none or the buddies have none to spare.
 */
static void *alloc_refilling(struct larder *larder, unsigned bin) {
    uintptr_t state = larder_port_slot_enter();
    struct larder_slot *slot = slot_here(larder);
    struct magazine **take = slot_frame_take(slot, bin);
    if (magazine_is_real(*take) && magazine_is_empty(*take) && !larder_port_should_fail("bin")) {
        refill(larder, slot, bin);
    }
    void *frames;
    bool is_popped = pop_frames(larder, *take, OWNER_FRAMES + bin, &frames);
    larder_port_slot_leave(state);
    return is_popped ? frames : NULL;
}

/* Bins hold blocks of any zone, above the watermark, and no call sites. */
static bool bins_may_serve(const struct larder *larder, unsigned bin, larder_flags flags) {
    return bin < FRAME_BINS && (flags & ~(LARDER_ZERO | LARDER_PANIC | LARDER_NO_RECLAIM)) == 0 &&
           !__atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED);
}

static NOINLINE void *frames_alloc_slow(struct larder *larder, unsigned order, larder_flags flags,
                                        uintptr_t site) {
    void *frames = NULL;
    if (order > LARDER_ORDER_MAX || !flags_are_known(flags)) {
        return frames_finish(NULL, 0, flags);
    }
    unsigned bin = frame_bin_of(order);
    if (LIKELY(bins_may_serve(larder, bin, flags))) {
        frames = alloc_refilling(larder, bin);
    }
    if (frames == NULL) {
        frames = alloc_count(larder, order, UINT64_C(1) << order, flags, site);
    }
    return frames_finish(frames, UINT64_C(1) << order, flags);
}

/* From the bin of blocks that an owner byte marks, without filling it. */
static inline bool pop_here(struct larder *larder, size_t owner, void **frames) {
    uintptr_t state = larder_port_slot_enter();
    struct magazine *magazine = slot_here(larder)->magazine[SLOT_TAKE + (owner - OWNER_FRAMES)];
    bool is_popped = pop_frames(larder, magazine, owner, frames);
    larder_port_slot_leave(state);
    return is_popped;
}

void *larder_frames_alloc(struct larder *larder, unsigned order, larder_flags flags) {
    void *frames;
    /* Flags start above the small orders, so one compare finds a small order without any flag. */
    size_t owner = (size_t)(order | flags) + OWNER_FRAMES;
    if (LIKELY(owner < OWNER_WHOLE)) {
        if (LIKELY(pop_here(larder, owner, &frames))) {
            return frames;
        }
    } else if (order == PAGEBLOCK_ORDER && flags == 0 && pop_here(larder, OWNER_WHOLE, &frames)) {
        return frames;
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
    unsigned taken = frames_take_many(larder, order, wanted, frames, flags);
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

/* ---- free ---- */

/* A block whose bin is full, or that has none. A full bin of page blocks keeps half of them: they
 * go both ways. */
static void free_draining(struct larder *larder, void *frames, uint64_t index, unsigned bin) {
    uintptr_t state = larder_port_slot_enter();
    struct magazine *magazine = *slot_frame_give(slot_here(larder), bin);
    bool has_bin =
        magazine_is_real(magazine) && !__atomic_load_n(&larder->track_frames, __ATOMIC_RELAXED);
    larder->map.owner[index] = has_bin ? OWNER_BIN : OWNER_NONE;
    if (has_bin) {
        if (magazine_is_full(magazine)) {
            drain(larder, magazine, bin, batch_of(magazine, bin));
        }
        magazine_push(magazine, frames);
    }
    larder_port_slot_leave(state);
    if (!has_bin) {
        frames_give(larder, index, UINT64_C(1) << frame_bin_order(bin));
    }
}

/* The frame number of a pointer to the start of a frame; for any other pointer a number beyond
 * every map: rotating puts what should be zero at the top. */
static inline uint64_t frame_if_aligned(const struct frame_map *map, const void *pointer) {
    uint64_t offset = (uintptr_t)pointer - map->base;
    return offset >> FRAME_SHIFT | offset << (WORD_BITS - FRAME_SHIFT);
}

static NOINLINE void frames_free_slow(struct larder *larder, void *frames) {
    uint64_t index = frame_if_aligned(&larder->map, frames);
    uint64_t count = index < larder->map.count_frames ? frame_given_length(&larder->map, index) : 0;
    if (frames == NULL) {
        return;
    }
    if (count == 0) {
        frames_bad_free(larder, frames);
    }
    if (larder->map.owner[index] != OWNER_RUN) {
        free_draining(larder, frames, index, larder->map.owner[index] - (unsigned)OWNER_FRAMES);
        return;
    }
    frames_check_zone(larder, index, count);
    larder->map.owner[index] = OWNER_NONE;
    if (UNLIKELY(larder->hardening.is_on)) {
        frames_quarantine(larder, index, count);
    } else {
        frames_give(larder, index, count);
    }
}

void larder_frames_free(struct larder *larder, void *frames) {
    struct frame_map *map = &larder->map;
    uint64_t index = frame_if_aligned(map, frames);
    if (LIKELY(index < map->count_frames)) {
        /* No test of the owner: what is no block's has a bin that is always full. */
        uint8_t *owner = &map->owner[index];
        uintptr_t state = larder_port_slot_enter();
        bool is_pushed = magazine_push(slot_here(larder)->magazine[SLOT_GIVE + *owner], frames);
        if (LIKELY(is_pushed)) {
            *owner = OWNER_BIN;
        }
        larder_port_slot_leave(state);
        if (LIKELY(is_pushed)) {
            return;
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
    return frame_given_length(&larder->map, index);
}

uint64_t larder_frames_address(const struct larder *larder, const void *pointer) {
    return larder->map.base_address + ((uintptr_t)pointer - larder->map.base);
}

void *larder_frames_pointer(const struct larder *larder, uint64_t address) {
    return (void *)(larder->map.base + (uintptr_t)(address - larder->map.base_address));
}
