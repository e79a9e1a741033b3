/* heap.c: memory of any size over size-class caches and runs of frames, and one free for
 * everything.
 *
 * A size up to LARDER_CLASS_MAX_BYTES is an object of its class's cache; above, an exact run of
 * frames. On the way back the owner byte alone decides what a pointer is: a cache's id pops
 * straight into this slot's bin of that cache.
 */
#include "larder/heap.h"

#include "frames.h"
#include "larder/cache.h"

#define HEAP_ALIGN 16u
#define LONG_RUN_FRAMES 64u /* from here on a run is worth a walk over the page blocks */
#define LONG_RUN_ALIGNS 16u /* of its alignment: what room to align it takes is little then */

/* ---- allocation ---- */

static uint64_t frames_for(size_t size_bytes) {
    return ((uint64_t)size_bytes + FRAME_BYTES - 1) >> FRAME_SHIFT;
}

static bool size_is_possible(size_t size_bytes) {
    return size_bytes - 1 < (size_t)PTRDIFF_MAX;
}

/* Such a run is found by looking everywhere only. */
static bool may_lie_across_areas(const struct larder *larder, unsigned order, uint64_t count) {
    return order > LARDER_ORDER_MAX ||
           (count > PAGEBLOCK_FRAMES && buddies_end_area(&larder->buddies) > 1);
}

static frame_index take_run(struct larder *larder, uint64_t count, uint64_t align_frames,
                            larder_flags flags) {
    unsigned order = order_for(max_u64(count, align_frames));
    frame_index index = FRAME_NONE;
    if (count >= LONG_RUN_FRAMES && count / LONG_RUN_ALIGNS >= align_frames) {
        index = frames_take_fit(larder, count, align_frames, flags);
    }
    if (index == FRAME_NONE && order <= LARDER_ORDER_MAX) {
        index = align_frames == 1 ? frames_take_run(larder, count, flags)
                                  : frames_take_count(larder, order, count, flags);
    }
    if (index == FRAME_NONE && may_lie_across_areas(larder, order, count)) {
        index = frames_take_long(larder, count, align_frames, flags);
    }
    return index;
}

/* A run aligned to `align_frames` at least. Always marked as a run, also where a block of that
 * length would have a bin: what the heap takes from the buddies goes back to the buddies. */
static void *alloc_run(struct larder *larder, size_t size_bytes, uint64_t align_frames,
                       larder_flags flags, uintptr_t site) {
    uint64_t count = frames_for(size_bytes);
    struct frame_guards guards = {0, 0};
    if (UNLIKELY(larder->hardening.is_on)) {
        guards = frames_guards_for(larder, count, align_frames);
    }
    frame_index index = take_run(larder, guards.before + count + guards.behind,
                                 max_u64(align_frames, guards.before), flags);
    if (index == FRAME_NONE) {
        return frames_finish(NULL, 0, flags);
    }
    if (UNLIKELY(guards.before != 0)) {
        index += (frame_index)guards.before;
        frames_guard(larder, index, count, &guards);
    }
    frames_mark_run(larder, index, count, site);
    if ((flags & LARDER_ZERO) != 0 && buddy_is_clean(&larder->buddies, index, count)) {
        flags &= ~LARDER_ZERO;
    }
    return frames_finish(frame_pointer(&larder->map, index), count, flags);
}

static NOINLINE void *alloc_slow(struct larder *larder, size_t size_bytes, larder_flags flags,
                                 uintptr_t site) {
    bool has_zone = flags >> LARDER_ZONE_SHIFT != 0;
    if (!size_is_possible(size_bytes) || !flags_are_known(flags)) {
        return frames_finish(NULL, 0, flags);
    }
    if (size_bytes > LARDER_CLASS_MAX_BYTES || has_zone) {
        return alloc_run(larder, size_bytes, 1, flags, site);
    }
    return cache_alloc_slow(class_cache(larder, sizeclass_of(size_bytes)), flags, site);
}

/* Bin of a size: by table for small ones. 0 (nobody's) for sizes that no class serves, 0 among
 * them. */
static inline unsigned bin_for(const struct larder *larder, size_t size_bytes) {
    size_t step = (size_bytes + CLASS_STEP - 1) / CLASS_STEP; /* wraps to 0 for SIZE_MAX */
    if (LIKELY(step < SMALL_IDS)) {
        return larder->small_id[step];
    }
    return size_bytes <= LARDER_CLASS_MAX_BYTES ? ID_CLASSES + sizeclass_of(size_bytes)
                                                : BIN_NOBODY;
}

static inline bool pop_ready(struct larder *larder, size_t size_bytes, void **object) {
    unsigned bin = bin_for(larder, size_bytes);
    uintptr_t state = larder_port_slot_enter();
    bool is_popped = magazine_pop(slot_here(larder)->magazine[SLOT_LOADED + bin], object);
    larder_port_slot_leave(state);
    return is_popped;
}

void *larder_alloc(struct larder *larder, size_t size_bytes) {
    void *object;
    return LIKELY(pop_ready(larder, size_bytes, &object))
               ? object
               : alloc_slow(larder, size_bytes, 0, CALL_SITE());
}

void *larder_alloc_ready(struct larder *larder, size_t size_bytes) {
    void *object;
    return LIKELY(pop_ready(larder, size_bytes, &object)) ? object : NULL;
}

void *larder_alloc_flags(struct larder *larder, size_t size_bytes, larder_flags flags) {
    return alloc_slow(larder, size_bytes, flags, CALL_SITE());
}

void *larder_zalloc(struct larder *larder, size_t size_bytes) {
    return alloc_slow(larder, size_bytes, LARDER_ZERO, CALL_SITE());
}

void *larder_calloc(struct larder *larder, size_t count, size_t size_bytes) {
    size_t total;
    if (!checked_mul_size(count, size_bytes, &total)) {
        return NULL;
    }
    return alloc_slow(larder, total, LARDER_ZERO, CALL_SITE());
}

/* The first class at or above `size_bytes` whose objects are all aligned; 0 iff none is. A slab is
 * aligned to a frame at least, so a stride that is a multiple of the alignment is enough. */
static size_t aligned_class(size_t align_bytes, size_t size_bytes) {
    if (align_bytes > FRAME_BYTES) {
        return 0;
    }
    while (size_bytes <= LARDER_CLASS_MAX_BYTES) {
        size_bytes = sizeclass_bytes(sizeclass_of(size_bytes));
        if (is_aligned(size_bytes, align_bytes)) {
            return size_bytes;
        }
        size_bytes++;
    }
    return 0;
}

void *larder_aligned(struct larder *larder, size_t align_bytes, size_t size_bytes) {
    return larder_aligned_flags(larder, align_bytes, size_bytes, 0);
}

void *larder_aligned_flags(struct larder *larder, size_t align_bytes, size_t size_bytes,
                           larder_flags flags) {
    return larder_aligned_from(larder, align_bytes, size_bytes, flags, CALL_SITE());
}

void *larder_aligned_from(struct larder *larder, size_t align_bytes, size_t size_bytes,
                          larder_flags flags, uintptr_t site) {
    if (!flags_are_known(flags) || !is_power_of_two(align_bytes) || !size_is_possible(size_bytes)) {
        return NULL;
    }
    if (align_bytes <= HEAP_ALIGN) {
        return alloc_slow(larder, size_bytes, flags, site);
    }
    size_t class_bytes = aligned_class(align_bytes, size_bytes);
    if (class_bytes != 0) {
        return alloc_slow(larder, class_bytes, flags, site);
    }
    return alloc_run(larder, size_bytes, frames_for(align_bytes), flags, site);
}

/* ---- free ---- */

static NOINLINE void free_slow(struct larder *larder, void *pointer, uintptr_t site) {
    struct larder_cache *cache = larder_cache_of(larder, pointer);
    if (cache != NULL && cache->is_internal) {
        fatal_raise(LARDER_FATAL_RESERVED_FREE, pointer, cache->name, "memory of the core itself");
    }
    if (cache != NULL) {
        cache_free_slow(cache, pointer, site);
    } else {
        larder_frames_free(larder, pointer);
    }
}

static inline bool push_ready(struct larder *larder, void *pointer) {
    const struct frame_map *map = &larder->map;
    uint64_t index = frame_of(map, pointer);
    if (UNLIKELY(index >= map->count_frames)) {
        return false;
    }
    /* No test of the owner: what is not an object's has a bin that is always full. */
    unsigned owner = map->owner[index];
    uintptr_t state = larder_port_slot_enter();
    bool is_pushed = magazine_push(slot_here(larder)->magazine[SLOT_LOADED + owner], pointer);
    larder_port_slot_leave(state);
    return is_pushed;
}

void larder_free(struct larder *larder, void *pointer) {
    if (UNLIKELY(!push_ready(larder, pointer))) {
        free_slow(larder, pointer, CALL_SITE());
    }
}

void larder_free_from(struct larder *larder, void *pointer, uintptr_t site) {
    if (UNLIKELY(!push_ready(larder, pointer))) {
        free_slow(larder, pointer, site);
    }
}

bool larder_free_ready(struct larder *larder, void *pointer) {
    return push_ready(larder, pointer);
}

/* What larder_size_of() calls nothing given out: name the mistake now. The fast path would only
 * notice when the magazine is emptied. */
static void bad_pointer(struct larder *larder, void *pointer, uintptr_t site) {
    struct larder_cache *cache = larder_cache_of(larder, pointer);
    if (cache != NULL && !cache->is_internal) {
        cache_give(cache, 1, &pointer, site);
    } else {
        free_slow(larder, pointer, site);
    }
}

void larder_free_sized(struct larder *larder, void *pointer, size_t size_bytes) {
    size_t usable = larder_size_of(larder, pointer);
    if (usable == 0) {
        bad_pointer(larder, pointer, CALL_SITE());
        return;
    }
    if (larder_good_size(size_bytes) != larder_good_size(usable)) {
        fatal_raise(LARDER_FATAL_WRONG_ORDER, pointer, frames_owner_name(larder, pointer),
                    "the size given does not belong to this memory");
    }
    larder_free(larder, pointer);
}

/* ---- sizes ---- */

static size_t object_size_of(struct larder *larder, uint64_t index, const void *pointer) {
    const struct slab *slab = larder->map.record[index].slab;
    const struct slab_geometry *geometry = &slab->cache->geometry;
    uint32_t slot = slab_slot_of(slab, geometry, pointer);
    return slot == SLAB_SLOTS_MAX || slab_is_free(slab, slot) ? 0 : geometry->object_bytes;
}

size_t larder_size_of(struct larder *larder, const void *pointer) {
    uint64_t index = frame_of(&larder->map, pointer);
    if (index >= larder->map.count_frames) {
        return 0;
    }
    if (frame_cache_id(&larder->map, index) != 0) {
        return object_size_of(larder, index, pointer);
    }
    return (size_t)(larder_frames_count(larder, pointer) << FRAME_SHIFT);
}

bool larder_owns(const struct larder *larder, const void *pointer) {
    return frame_is_inside(&larder->map, pointer);
}

size_t larder_good_size(size_t size_bytes) {
    if (!size_is_possible(size_bytes)) {
        return 0;
    }
    if (size_bytes <= LARDER_CLASS_MAX_BYTES) {
        return sizeclass_bytes(sizeclass_of(size_bytes));
    }
    uint64_t count = frames_for(size_bytes);
    return count < SPAN_FRAMES_MAX ? (size_t)(count << FRAME_SHIFT) : 0;
}

/* ---- resize ---- */

static bool is_mostly_used(size_t size_bytes, size_t usable) {
    return size_bytes >= usable / 2;
}

bool larder_try_resize(struct larder *larder, void *pointer, size_t size_bytes) {
    size_t usable = larder_size_of(larder, pointer);
    if (usable == 0 || !size_is_possible(size_bytes)) {
        return false;
    }
    if (larder_cache_of(larder, pointer) != NULL) {
        return size_bytes <= usable && is_mostly_used(size_bytes, usable);
    }
    uint64_t count = frames_for(size_bytes);
    if (size_bytes <= usable && count == usable >> FRAME_SHIFT) {
        return is_mostly_used(size_bytes, usable);
    }
    if (larder->hardening.is_on) {
        return false; /* its guards stand where they stand */
    }
    return size_bytes > LARDER_CLASS_MAX_BYTES / 2 &&
           larder_frames_resize(larder, pointer, count) == LARDER_OK;
}

/* Room for a block that moves because it grew. Runs get an eighth more, as classes do, so that
 * growing by a few bytes at a time copies each byte a bounded number of times (trap 34). */
static void *alloc_to_grow(struct larder *larder, size_t usable, size_t size_bytes,
                           uintptr_t site) {
    size_t with_room = size_bytes;
    if (size_bytes > usable && size_bytes > LARDER_CLASS_MAX_BYTES) {
        with_room += size_bytes / 8;
    }
    void *moved = alloc_slow(larder, with_room, 0, site);
    return moved == NULL ? alloc_slow(larder, size_bytes, 0, site) : moved;
}

void *larder_realloc(struct larder *larder, void *pointer, size_t size_bytes) {
    if (pointer == NULL) {
        return alloc_slow(larder, size_bytes, 0, CALL_SITE());
    }
    if (larder_try_resize(larder, pointer, size_bytes)) {
        return pointer;
    }
    size_t usable = larder_size_of(larder, pointer);
    if (usable == 0) {
        bad_pointer(larder, pointer, CALL_SITE());
        return NULL;
    }
    void *moved = alloc_to_grow(larder, usable, size_bytes, CALL_SITE());
    if (moved == NULL) {
        /* A smaller request that cannot move may as well stay where it is. */
        return size_is_possible(size_bytes) && size_bytes <= usable ? pointer : NULL;
    }
    __builtin_memcpy(moved, pointer, min_u64(usable, size_bytes));
    larder_free(larder, pointer);
    return moved;
}
