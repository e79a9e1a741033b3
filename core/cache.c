/* cache.c: objects in and out of magazines.
 *
 * Fast: pop from or push to the loaded magazine of this slot's bin. Slower: swap the two magazines
 * of the bin, or exchange one with the depot, under the cache's lock. Slowest: fill a magazine from
 * the slabs, or empty one into them; that is done with the slot left, because it may allocate,
 * construct and reclaim, and what was found in the bin before is looked at anew afterwards.
 */
#include "cache.h"

#include "instance.h"
#include "larder/stats.h"

#define CACHE_LINE_BYTES 64u
#define DEPOT_LOOKED_AT 4u /* full magazines */

/* ---- the fast path ---- */

static inline struct magazine *loaded_here(const struct larder_cache *cache) {
    return slot_here(cache->larder)->magazine[cache->place];
}

void *larder_cache_alloc(struct larder_cache *cache, larder_flags flags) {
    if (LIKELY(flags == 0)) {
        void *object;
        uintptr_t state = larder_port_slot_enter();
        bool is_popped = magazine_pop(loaded_here(cache), &object);
        larder_port_slot_leave(state);
        if (LIKELY(is_popped)) {
            return object;
        }
    }
    return cache_alloc_slow(cache, flags, CALL_SITE());
}

/* Back to a cache that has no owner byte: the record knows it. Not inlined: the fast path of all
 * others shall not save registers for it. */
static __attribute__((noinline)) void free_late(struct larder_cache *cache, void *object,
                                                uint64_t index, uintptr_t site) {
    if (LIKELY(index < cache->late_frames && cache->records[index].cache_id == cache->id)) {
        uintptr_t state = larder_port_slot_enter();
        bool is_pushed = magazine_push(loaded_here(cache), object);
        larder_port_slot_leave(state);
        if (LIKELY(is_pushed)) {
            return;
        }
    }
    cache_free_slow(cache, object, site);
}

void larder_cache_free(struct larder_cache *cache, void *object) {
    uint64_t index = cache->number_bias + ((uintptr_t)object >> FRAME_SHIFT);
    if (LIKELY(index < cache->count_frames)) {
        uint64_t place = cache->place;
        if (LIKELY(cache->owner_bytes[index] == (uint8_t)place)) {
            uintptr_t state = larder_port_slot_enter();
            bool is_pushed = magazine_push(slot_here(cache->larder)->magazine[place], object);
            larder_port_slot_leave(state);
            if (LIKELY(is_pushed)) {
                return;
            }
        }
    }
    free_late(cache, object, index, CALL_SITE());
}

/* ---- bins and the depot ---- */

/* The caller's slot, entered and guarded against whoever withdraws its magazines, and its bin of
 * the cache: NULL iff it has no slot. */
struct guarded_bin {
    struct bin bin;
    struct larder_slot *slot;
    uintptr_t state;
};

static struct guarded_bin bin_guard(struct larder_cache *cache) {
    struct guarded_bin here = {{NULL, NULL}, NULL, larder_port_slot_enter()};
    here.slot = slot_here(cache->larder);
    if (slot_is_attached(here.slot)) {
        lock_acquire(&here.slot->guard);
        here.bin = slot_bin(here.slot, cache->id);
    }
    return here;
}

static bool has_bin(const struct guarded_bin *here) {
    return here->bin.loaded != NULL;
}

static void bin_unguard(const struct guarded_bin *here) {
    if (has_bin(here)) {
        lock_release(&here->slot->guard);
    }
    larder_port_slot_leave(here->state);
}

/* The slot whose slab a magazine's next object comes from. */
static uint16_t taker_of(const struct larder_cache *cache, struct magazine *magazine) {
    const struct frame_map *map = &cache->larder->map;
    return map->record[frame_of(map, *magazine_objects(magazine))].slab->taker;
}

/* Is one of the first few in the depot this slot's own? It is the next one then. */
static bool find_own(struct larder_cache *cache) {
    uint16_t taker = slabs_taker(cache);
    struct magazine **at = &cache->depot.full;
    for (unsigned i = 0; *at != NULL && i < DEPOT_LOOKED_AT; at = &magazine_block(*at)->next, i++) {
        if (taker_of(cache, *at) == taker) {
            depot_bring_forward(&cache->depot, at);
            return true;
        }
    }
    return false;
}

static bool load_from_depot(struct larder_cache *cache, const struct bin *bin) {
    lock_acquire(&cache->lock);
    bool is_loaded = cache->depot.full != NULL && (find_own(cache) || !slabs_serve_apart(cache)) &&
                     depot_load(&cache->depot, bin);
    cache->refills++;
    lock_release(&cache->lock);
    return is_loaded;
}

static void put_in_depot(struct larder_cache *cache, struct magazine *magazine) {
    lock_acquire(&cache->lock);
    depot_put(&cache->depot, magazine);
    lock_release(&cache->lock);
}

static struct magazine *empty_magazine(struct larder_cache *cache) {
    lock_acquire(&cache->lock);
    struct magazine *magazine = depot_get_empty(&cache->depot);
    lock_release(&cache->lock);
    return magazine != NULL ? magazine : magazine_new(cache->larder, cache->magazine_capacity);
}

/* Out of the bin and the depot; if both are empty NULL, and the bin's empty magazine (or none), to
 * be filled. */
static void *alloc_from_bin(struct larder_cache *cache, struct magazine **empty) {
    void *object = NULL;
    struct guarded_bin here = bin_guard(cache);
    const struct bin *bin = &here.bin;
    if (has_bin(&here)) {
        object = bin_take(bin);
        if (object == NULL && load_from_depot(cache, bin)) {
            object = bin_take(bin);
        }
        if (object == NULL) {
            *empty = *bin->loaded;
            *bin->loaded = magazine_nothing();
        }
    }
    bin_unguard(&here);
    return object;
}

/* ---- filling from the slabs ---- */

/* A magazine with at least one object becomes the bin's loaded one if that is empty; else it goes
 * to the depot. */
static void install(struct larder_cache *cache, struct magazine *magazine) {
    struct guarded_bin here = bin_guard(cache);
    struct magazine *unused = magazine;
    if (has_bin(&here) && magazine_is_empty(*here.bin.loaded)) {
        unused = *here.bin.loaded;
        *here.bin.loaded = magazine;
    }
    bin_unguard(&here);
    if (magazine_is_real(unused)) {
        put_in_depot(cache, unused);
    }
}

/* One object by way of a magazine filled from the slabs: this one, or another if it is none. NULL
 * iff there is no memory for either. */
static void *alloc_filling(struct larder_cache *cache, struct magazine *magazine,
                           larder_flags flags, uintptr_t site) {
    if (!magazine_is_real(magazine)) {
        magazine = empty_magazine(cache);
    }
    if (magazine == NULL) {
        return NULL;
    }
    void *object;
    size_t wanted = magazine_room(magazine);
    magazine_fill(magazine, wanted,
                  cache_take(cache, wanted, magazine_gap(magazine, wanted), flags, site));
    if (!magazine_pop(magazine, &object)) {
        put_in_depot(cache, magazine);
        return NULL;
    }
    install(cache, magazine);
    return object;
}

static void *alloc_anywhere(struct larder_cache *cache, larder_flags flags, uintptr_t site) {
    void *object = NULL;
    if (cache->magazine_capacity > 0 && slot_is_attached(callers_slot(cache->larder))) {
        struct magazine *empty = magazine_nothing();
        object = alloc_from_bin(cache, &empty);
        if (object == NULL) {
            object = alloc_filling(cache, empty, flags, site);
        }
    }
    if (object == NULL) {
        cache_take(cache, 1, &object, flags, site);
    }
    return object;
}

static bool flags_fit(const struct larder_cache *cache, larder_flags flags) {
    larder_flags known = LARDER_ZERO | LARDER_USE_RESERVE | LARDER_NO_RECLAIM | LARDER_PANIC;
    return (flags & ~known) == 0 && ((flags & LARDER_ZERO) == 0 || cache->construct == NULL);
}

static bool has_spare(struct larder_cache *cache) {
    return cache->limit_objects != 0 && cache->magazine_capacity > 0;
}

NOINLINE void *cache_alloc_slow(struct larder_cache *cache, larder_flags flags, uintptr_t site) {
    cache_check_alive(cache);
    void *object = NULL;
    if (flags_fit(cache, flags)) {
        slots_catch_up(cache->larder);
        object = alloc_anywhere(cache, flags, site);
        if (object == NULL && has_spare(cache)) {
            /* At its limit: objects that lie unused in the depot count too. */
            cache_flush_depot(cache, UINT32_MAX);
            object = alloc_anywhere(cache, flags, site);
        }
    }
    if (object == NULL &&
        ((flags & LARDER_PANIC) != 0 || (cache->flags & LARDER_CACHE_PANIC) != 0)) {
        fatal_raise(LARDER_FATAL_NO_MEMORY, NULL, cache->name, "the cache may not run out");
    }
    if (object != NULL && ((flags & LARDER_ZERO) != 0 || (cache->flags & LARDER_CACHE_ZERO) != 0)) {
        __builtin_memset(object, 0, cache->geometry.object_bytes);
    }
    return object;
}

/* ---- emptying into the slabs ---- */

static void empty_into_slabs(struct larder_cache *cache, struct magazine *magazine) {
    cache_give(cache, magazine_count(magazine), magazine_objects(magazine), 0);
    magazine_clear(magazine);
}

/* Exchange the bin's fullness with the depot. False iff that has no empty magazine, or enough full
 * ones: `is_enough`. */
static bool unload_to_depot(struct larder_cache *cache, const struct bin *bin, bool *is_enough) {
    lock_acquire(&cache->lock);
    *is_enough = cache->depot.count_full >= cache->depot_full_max;
    bool is_unloaded = !*is_enough && depot_unload(&cache->depot, bin);
    cache->drains++;
    lock_release(&cache->lock);
    return is_unloaded;
}

/* Into the bin, or the depot's exchange for its fullness. If neither has room false, and a full
 * magazine out of the bin, to be emptied, unless a new one should be made. */
static bool free_to_bin(struct larder_cache *cache, void *object, struct magazine **full) {
    struct guarded_bin here = bin_guard(cache);
    const struct bin *bin = &here.bin;
    bool is_done = has_bin(&here) && bin_give(bin, object), is_enough = false;
    if (has_bin(&here) && !is_done) {
        is_done = unload_to_depot(cache, bin, &is_enough) && bin_give(bin, object);
        if (is_enough && !magazine_is_empty(*bin->previous)) {
            *full = *bin->previous;
            *bin->previous = magazine_nothing();
        }
    }
    bin_unguard(&here);
    return is_done;
}

/* Half a magazine of fresh objects on top of the one it holds. */
static void cover(struct larder_cache *cache, struct magazine *magazine) {
    size_t wanted = magazine_room(magazine) / 2;
    magazine_fill(magazine, wanted,
                  cache_take_ready(cache, wanted, magazine_gap(magazine, wanted)));
}

/* The same with an empty magazine for the bin, or the depot, to keep. Without any magazine, the
 * slot never took an object of this cache: what it frees is another's. Where objects are smaller
 * than a cache line it shall not be the first to be given out here, because who freed its
 * neighbour may do the same, and then two CPUs would share a line for ever (Berger 2000). */
static bool free_with(struct larder_cache *cache, struct magazine *magazine, void *object) {
    struct guarded_bin here = bin_guard(cache);
    const struct bin *bin = &here.bin;
    bool is_done = false, is_kept = has_bin(&here) && !magazine_is_real(*bin->previous);
    if (is_kept) {
        bool is_first = !magazine_is_real(*bin->loaded);
        *bin->previous = magazine;
        is_done = bin_give(bin, object);
        if (is_done && is_first && cache->geometry.stride_bytes < CACHE_LINE_BYTES) {
            cover(cache, *bin->loaded);
        }
    }
    bin_unguard(&here);
    if (!is_kept) {
        put_in_depot(cache, magazine);
    }
    return is_done;
}

/* By way of the caller's bin. False iff it has none, or there is no memory for a magazine. */
static bool free_to_slot(struct larder_cache *cache, void *object) {
    if (cache->magazine_capacity == 0 || !slot_is_attached(callers_slot(cache->larder))) {
        return false;
    }
    for (;;) {
        struct magazine *magazine = NULL;
        if (free_to_bin(cache, object, &magazine)) {
            return true;
        }
        if (magazine != NULL) {
            empty_into_slabs(cache, magazine);
        } else {
            magazine = magazine_new(cache->larder, cache->magazine_capacity);
        }
        if (magazine == NULL) {
            return false;
        }
        if (free_with(cache, magazine, object)) {
            return true;
        }
    }
}

NOINLINE void cache_free_slow(struct larder_cache *cache, void *object, uintptr_t site) {
    if (object == NULL) {
        return;
    }
    cache_check_alive(cache);
    cache_check_owner(cache, object);
    slots_catch_up(cache->larder);
    if (!free_to_slot(cache, object)) {
        cache_give(cache, 1, &object, site);
    }
}

/* ---- bulk ---- */

/* As many as the bin's two magazines and the depot hold. */
static size_t alloc_many_from_bin(struct larder_cache *cache, size_t count, void **out) {
    size_t taken = 0;
    struct guarded_bin here = bin_guard(cache);
    const struct bin *bin = &here.bin;
    while (has_bin(&here) && taken < count) {
        void *object = bin_take(bin);
        if (object == NULL && !load_from_depot(cache, bin)) {
            break;
        }
        if (object != NULL) {
            out[taken++] = object;
        }
    }
    bin_unguard(&here);
    return taken;
}

static bool is_plain(const struct larder_cache *cache, larder_flags flags) {
    return flags == 0 && (cache->flags & (LARDER_CACHE_ZERO | LARDER_CACHE_PANIC)) == 0 &&
           cache->magazine_capacity > 0;
}

size_t larder_cache_alloc_bulk(struct larder_cache *cache, size_t count, void **out,
                               larder_flags flags) {
    size_t taken = 0;
    cache_check_alive(cache);
    while (taken < count) {
        size_t here = 0;
        if (is_plain(cache, flags)) {
            here = alloc_many_from_bin(cache, count - taken, out + taken);
            if (here == 0 && count - taken >= cache->magazine_capacity) {
                here = cache_take(cache, cache->magazine_capacity, out + taken, flags, CALL_SITE());
            }
        }
        if (here == 0) {
            out[taken] = cache_alloc_slow(cache, flags, CALL_SITE());
            here = out[taken] != NULL;
        }
        if (here == 0) {
            break;
        }
        taken += here;
    }
    return taken;
}

void larder_cache_free_bulk(struct larder_cache *cache, size_t count, void *const *objects) {
    for (size_t i = 0; i < count; i++) {
        larder_cache_free(cache, objects[i]);
    }
}

/* ---- flushing ---- */

unsigned cache_unload(struct larder_cache *cache, struct larder_slot *slot,
                      struct magazine *held[2]) {
    struct bin bin = slot_bin(slot, cache->id);
    lock_acquire(&slot->guard);
    unsigned count = bin_unload(&bin, held);
    lock_release(&slot->guard);
    return count;
}

void cache_flush_bin(struct larder_cache *cache, struct larder_slot *slot) {
    struct magazine *held[2];
    for (unsigned count = cache_unload(cache, slot, held), i = 0; i < count; i++) {
        empty_into_slabs(cache, held[i]);
        magazine_delete(cache->larder, held[i]);
    }
}

static struct magazine *next_to_flush(struct larder_cache *cache, uint32_t *count) {
    lock_acquire(&cache->lock);
    struct magazine *magazine = *count > 0 ? depot_get_full(&cache->depot) : NULL;
    *count -= magazine != NULL;
    if (magazine == NULL) {
        magazine = depot_get_empty(&cache->depot);
    }
    lock_release(&cache->lock);
    return magazine;
}

void cache_flush_depot(struct larder_cache *cache, uint32_t count) {
    struct magazine *magazine;
    while ((magazine = next_to_flush(cache, &count)) != NULL) {
        if (!magazine_is_empty(magazine)) {
            empty_into_slabs(cache, magazine);
        }
        magazine_delete(cache->larder, magazine);
    }
}

uint64_t cache_tick(struct larder_cache *cache) {
    lock_acquire(&cache->lock);
    uint32_t unused_magazines = cache->depot.least_full;
    uint64_t unused_slabs = cache->least_empty;
    lock_release(&cache->lock);
    if (unused_magazines > 0) {
        cache_flush_depot(cache, unused_magazines);
    }
    uint64_t frames = unused_slabs > 0 ? cache_trim(cache, unused_slabs) : 0;
    lock_acquire(&cache->lock);
    cache->depot.least_full = cache->depot.count_full;
    cache->least_empty = cache->empty_count;
    lock_release(&cache->lock);
    return frames;
}
