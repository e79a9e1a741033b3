/* cache_slabs.c: the slabs of a cache: taking objects out of them, giving objects back, making and
 * unmaking them.
 *
 * The recursion: a slab needs frames, a descriptor, and under debug U a track. Frames come straight
 * from the buddies. Descriptors come from the slab cache, whose own slabs carry their descriptor in
 * slot 0 and therefore need nothing but frames. Tracks are exact runs of frames. So the deepest
 * chain is cache → slab cache → frames: a reserve of one slab of the cache plus one frame (a slab
 * of 31 descriptors) lets any single allocation succeed (trap 24). In a hardened instance a second
 * cache of descriptors stands between the two: one frame more, and the two of a cache's first ring.
 */
#include "frames.h"
#include "object_debug.h"

#include "larder/stats.h"

/* ---- debugging ---- */

static struct object_debug debug_of(const struct larder_cache *cache, const struct slab *slab) {
    return (struct object_debug){slab, &cache->geometry, cache->debug, cache->name};
}

static struct slab_track event_of(struct larder_cache *cache, enum track_event which,
                                  uintptr_t site) {
    struct slab_track event = {0};
    event.site[which] = site;
    event.ms[which] = larder_port_clock_ms();
    event.slot[which] = larder_slot_index(slot_here(cache->larder));
    return event;
}

static void debug_take(struct larder_cache *cache, struct slab *slab, uint32_t count,
                       void *const *objects, uintptr_t site) {
    struct object_debug debug = debug_of(cache, slab);
    struct slab_track event = event_of(cache, TRACK_ALLOC, site);
    for (uint32_t i = 0; i < count; i++) {
        object_debug_take(&debug, slab_slot_of(slab, &cache->geometry, objects[i]), &event);
    }
}

static void debug_give(struct larder_cache *cache, struct slab *slab, uint32_t slot,
                       uintptr_t site) {
    struct object_debug debug = debug_of(cache, slab);
    struct slab_track event = event_of(cache, TRACK_FREE, site);
    object_debug_give(&debug, slot, &event);
}

/* A: is this allocation one of those that fail? */
static bool fault_is_due(struct larder_cache *cache) {
    uint32_t interval = __atomic_load_n(&cache->larder->fault_interval, __ATOMIC_RELAXED);
    if ((cache->debug & LARDER_DEBUG_FAULT) == 0 || interval == 0) {
        return false;
    }
    lock_acquire(&cache->lock);
    bool is_due = ++cache->fault_countdown >= interval;
    if (is_due) {
        cache->fault_countdown = 0;
    }
    lock_release(&cache->lock);
    return is_due;
}

/* ---- making and unmaking ---- */

static uint64_t slab_frames(const struct larder_cache *cache) {
    return cache->geometry.frames;
}

static uint64_t track_frames(const struct larder_cache *cache) {
    return (cache->geometry.slots * sizeof(struct slab_track) + FRAME_BYTES - 1) >> FRAME_SHIFT;
}

/* The map names the slabs that are on a list of their cache: both change under its lock. */
static void own_frames(struct larder_cache *cache, struct slab *slab) {
    struct frame_map *map = &cache->larder->map;
    uint64_t first = frame_of(map, slab->base);
    for (uint64_t i = 0; i < slab_frames(cache); i++) {
        map->record[first + i].slab = slab;
        map->record[first + i].cache_id = cache->id;
    }
    unsigned owner = cache->id < OWNERS ? cache->id : OWNER_LATE;
    __builtin_memset(map->owner + first, (int)owner, slab_frames(cache));
}

static void disown_frames(struct larder_cache *cache, const struct slab *slab) {
    struct frame_map *map = &cache->larder->map;
    uint64_t first = frame_of(map, slab->base);
    for (uint64_t i = 0; i < slab_frames(cache); i++) {
        map->record[first + i].cache_id = 0;
    }
    __builtin_memset(map->owner + first, OWNER_NONE, slab_frames(cache));
}

static void give_frames(struct larder_cache *cache, uint64_t first) {
    frames_give_guarded(cache->larder, first, slab_frames(cache));
    if (cache->is_internal) {
        __atomic_sub_fetch(&cache->larder->metadata_frames, slab_frames(cache), __ATOMIC_RELAXED);
    }
}

static uint64_t give_keeping(struct larder_cache *cache, size_t count, void *const *objects,
                             uintptr_t site);

/* The slab cache describes its slabs in their own first slot; all others ask it for a descriptor,
 * or the one for slabs with a quarantine. */
static struct larder_cache *descriptor_cache(struct larder_cache *cache) {
    return cache->is_hardened ? &cache->larder->hardened_slab_cache : &cache->larder->slab_cache;
}

static struct slab *descriptor_new(struct larder_cache *cache, void *base, larder_flags flags) {
    void *descriptor = base;
    if (cache->geometry.first_slot == 0 &&
        cache_take(descriptor_cache(cache), 1, &descriptor, flags, 0) == 0) {
        return NULL;
    }
    if (cache->is_hardened) {
        __builtin_memset(descriptor, 0, sizeof(struct hardened_slab));
    }
    return descriptor;
}

static void descriptor_delete(struct larder_cache *cache, struct slab *slab) {
    void *descriptor = slab;
    if (cache->geometry.first_slot == 0) {
        give_keeping(descriptor_cache(cache), 1, &descriptor, 0);
    }
}

/* Construct the objects of a fresh slab; false, all undone, iff one refuses. */
static bool construct_slab(struct larder_cache *cache, struct slab *slab) {
    uint32_t slot = 0;
    if (cache->construct == NULL) {
        return true;
    }
    while (slot < cache->geometry.slots &&
           cache->construct(slab_object(slab, &cache->geometry, slot), cache->context)) {
        slot++;
    }
    if (slot == cache->geometry.slots) {
        return true;
    }
    while (cache->destruct != NULL && slot-- > 0) {
        cache->destruct(slab_object(slab, &cache->geometry, slot), cache->context);
    }
    return false;
}

static void destruct_slab(struct larder_cache *cache, struct slab *slab) {
    for (uint32_t slot = 0; cache->destruct != NULL && slot < cache->geometry.slots; slot++) {
        cache->destruct(slab_object(slab, &cache->geometry, slot), cache->context);
    }
}

/* Between guards, and wiped, as its objects will be. */
static frame_index take_hardened_frames(struct larder_cache *cache, larder_flags flags) {
    struct larder *larder = cache->larder;
    uint64_t count = slab_frames(cache);
    struct frame_guards guards = frames_guards_for(larder, count, cache->geometry.align_frames);
    uint64_t all = guards.before + count + guards.behind;
    frame_index first = frames_take_count(larder, order_for(all), all, flags);
    if (first == FRAME_NONE) {
        return FRAME_NONE;
    }
    first += (frame_index)guards.before;
    if (!buddy_is_clean(&larder->buddies, first, count)) {
        __builtin_memset(frame_pointer(&larder->map, first), 0, count << FRAME_SHIFT);
    }
    frames_guard(larder, first, count, &guards);
    return first;
}

static frame_index take_frames(struct larder_cache *cache, larder_flags flags) {
    larder_flags zone = (cache->flags & LARDER_CACHE_DMA) != 0 ? LARDER_ZONE(0) : 0;
    larder_flags wanted = (flags & (LARDER_USE_RESERVE | LARDER_NO_RECLAIM)) | zone;
    wanted |= cache->is_internal ? LARDER_USE_RESERVE : 0;
    uint64_t count = slab_frames(cache);
    if (UNLIKELY(cache->is_hardened)) {
        return take_hardened_frames(cache, wanted);
    }
    return cache->geometry.align_frames == 1
               ? frames_take_run(cache->larder, count, wanted)
               : frames_take_count(cache->larder, order_for(count), count, wanted);
}

static struct slab *slab_make(struct larder_cache *cache, larder_flags flags) {
    struct larder *larder = cache->larder;
    frame_index first = take_frames(cache, flags);
    if (first == FRAME_NONE) {
        return NULL;
    }
    void *base = frame_pointer(&larder->map, first);
    if (cache->is_internal) {
        __atomic_add_fetch(&larder->metadata_frames, slab_frames(cache), __ATOMIC_RELAXED);
    }
    struct slab *slab = descriptor_new(cache, base, flags);
    if (slab == NULL) {
        goto give_frames;
    }
    slab->cache = cache;
    slab->track = NULL;
    slab_init(slab, &cache->geometry, base);
    list_link_init(&slab->link);
    if ((cache->debug & LARDER_DEBUG_OWNER) != 0) {
        slab->track = frames_alloc_metadata(larder, track_frames(cache));
        if (slab->track == NULL) {
            goto delete_descriptor;
        }
        __builtin_memset(slab->track, 0, track_frames(cache) << FRAME_SHIFT);
    }
    if (!construct_slab(cache, slab)) {
        goto free_track;
    }
    if (cache->debug != 0) {
        struct object_debug debug = debug_of(cache, slab);
        object_debug_paint(&debug);
    }
    larder_port_trace("slab+", base, cache->geometry.slots);
    return slab;

free_track:
    if (slab->track != NULL) {
        frames_free_metadata(larder, slab->track);
    }
delete_descriptor:
    descriptor_delete(cache, slab);
give_frames:
    give_frames(cache, first);
    return NULL;
}

static void slab_unmake(struct larder_cache *cache, struct slab *slab) {
    uint64_t first = frame_of(&cache->larder->map, slab->base);
    larder_port_trace("slab-", slab->base, cache->geometry.slots);
    destruct_slab(cache, slab);
    if (slab->track != NULL) {
        frames_free_metadata(cache->larder, slab->track);
    }
    descriptor_delete(cache, slab);
    give_frames(cache, first);
}

bool cache_grow(struct larder_cache *cache, larder_flags flags) {
    if (larder_port_should_fail("slab") || (cache->is_hardened && !quarantine_make(cache))) {
        return false;
    }
    struct slab *slab = slab_make(cache, flags);
    if (slab == NULL) {
        return false;
    }
    lock_acquire(&cache->lock);
    own_frames(cache, slab);
    slabs_link(cache, slab);
    cache->slab_count++;
    cache->slabs_made++;
    lock_release(&cache->lock);
    return true;
}

uint64_t cache_trim(struct larder_cache *cache, uint64_t count) {
    struct list unmade;
    uint64_t frames = 0;
    list_init(&unmade);
    lock_acquire(&cache->lock);
    for (; count > 0 && cache->empty_count > 0; count--) {
        struct slab *slab = LIST_ENTRY(cache->slabs[SLAB_BUCKET_EMPTY].prev, struct slab, link);
        slabs_unlink(cache, slab);
        disown_frames(cache, slab);
        list_push_back(&unmade, &slab->link);
        cache->slab_count--;
        cache->slabs_returned++;
    }
    lock_release(&cache->lock);
    for (struct list *link; (link = list_pop_front(&unmade)) != NULL;) {
        slab_unmake(cache, LIST_ENTRY(link, struct slab, link));
        frames += slab_frames(cache);
    }
    return frames;
}

/* ---- taking ---- */

static size_t below_limit(const struct larder_cache *cache, size_t count) {
    if (cache->limit_objects == 0) {
        return count;
    }
    uint64_t left = cache->limit_objects > cache->taken ? cache->limit_objects - cache->taken : 0;
    return (size_t)min_u64(count, left);
}

/* From the slabs there are; the cache's lock is held. */
static size_t take_available(struct larder_cache *cache, size_t count, void **out, bool is_last,
                             uintptr_t site) {
    size_t taken = 0;
    uint16_t taker = slabs_taker(cache);
    for (struct slab *slab; taken < count && (slab = slabs_choose(cache, is_last)) != NULL;) {
        slab->taker = taker;
        uint32_t wanted = (uint32_t)min_u64(count - taken, SLAB_SLOTS_MAX);
        uint32_t here = UNLIKELY(cache->is_hardened)
                            ? harden_take(cache, slab, wanted, out + taken)
                            : slab_take(slab, &cache->geometry, wanted, out + taken);
        if (cache->debug != 0) {
            debug_take(cache, slab, here, out + taken, site);
        }
        taken += here;
        slabs_place(cache, slab);
    }
    cache->taken += taken;
    cache->taken_max = max_u64(cache->taken_max, cache->taken);
    return taken;
}

size_t cache_take_ready(struct larder_cache *cache, size_t count, void **out) {
    lock_acquire(&cache->lock);
    size_t taken = take_available(cache, below_limit(cache, count), out, true, 0);
    lock_release(&cache->lock);
    return taken;
}

size_t cache_take(struct larder_cache *cache, size_t count, void **out, larder_flags flags,
                  uintptr_t site) {
    size_t taken = 0;
    bool at_limit = fault_is_due(cache), is_last = false;
    while (taken == 0 && !at_limit) {
        lock_acquire(&cache->lock);
        size_t allowed = below_limit(cache, count);
        at_limit = allowed == 0;
        taken = take_available(cache, allowed, out, is_last, site);
        lock_release(&cache->lock);
        if (taken == 0 && !at_limit && !cache_grow(cache, flags)) {
            if (is_last) {
                break;
            }
            is_last = true; /* out of another's slab rather than not at all */
        }
    }
    if (taken == 0) {
        lock_acquire(&cache->lock);
        cache->failures++;
        lock_release(&cache->lock);
    }
    return taken;
}

/* ---- giving ---- */

static _Noreturn void bad_free(struct larder_cache *cache, const void *object) {
    struct larder_what what;
    larder_whatis(cache->larder, object, &what);
    if (what.kind != LARDER_WHAT_OBJECT && what.kind != LARDER_WHAT_RUN) {
        frames_bad_free(cache->larder, object);
    }
    fatal_raise(LARDER_FATAL_WRONG_CACHE, object, frames_owner_name(cache->larder, object),
                "freed to another cache");
}

void cache_check_owner(struct larder_cache *cache, const void *object) {
    const struct frame_map *map = &cache->larder->map;
    uint64_t index = frame_of(map, object);
    if (index >= map->count_frames || frame_cache_id(map, index) != cache->id) {
        bad_free(cache, object);
    }
}

static struct slab *slab_of(struct larder_cache *cache, const void *object) {
    cache_check_owner(cache, object);
    return cache->larder->map.record[frame_of(&cache->larder->map, object)].slab;
}

/* Into the ring, out of which another may have to go. */
static void give_hardened(struct larder_cache *cache, struct slab *slab, uint32_t slot) {
    void *oldest = harden_give(cache, slab, slot);
    if (oldest != NULL) {
        slabs_place(cache, harden_release(cache, oldest));
    }
}

void cache_end_quarantine(struct larder_cache *cache) {
    struct quarantine *quarantine = cache->quarantine;
    if (quarantine == NULL) {
        return;
    }
    lock_acquire(&cache->lock);
    for (void *object; (object = quarantine_pop(quarantine)) != NULL;) {
        slabs_place(cache, harden_release(cache, object));
    }
    cache->quarantine = NULL;
    lock_release(&cache->lock);
    frames_free_metadata(cache->larder, quarantine);
}

/* `object` is in one of the slab's frames. */
static void give_one(struct larder_cache *cache, struct slab *slab, void *object, uintptr_t site) {
    uint32_t slot = slab_slot_of(slab, &cache->geometry, object);
    if (UNLIKELY(slot == SLAB_SLOTS_MAX)) {
        fatal_raise(LARDER_FATAL_INTERIOR_FREE, object, cache->name, "not the start of an object");
    }
    if (UNLIKELY(slab_is_free(slab, slot))) {
        fatal_raise(LARDER_FATAL_DOUBLE_FREE, object, cache->name, "the object is free already");
    }
    if (cache->debug != 0) {
        debug_give(cache, slab, slot, site);
    }
    if (UNLIKELY(cache->is_hardened)) {
        give_hardened(cache, slab, slot);
    } else {
        slab_give(slab, slot);
    }
}

/* Neighbours in the array that share a slab go into it together; it is placed once. Returns how
 * many did. */
static size_t give_to_one_slab(struct larder_cache *cache, size_t count, void *const *objects,
                               uintptr_t site) {
    size_t given = 0;
    struct slab *slab = slab_of(cache, objects[0]);
    size_t slab_bytes = (size_t)cache->geometry.frames << FRAME_SHIFT;
    do {
        give_one(cache, slab, objects[given++], site);
    } while (given < count &&
             (size_t)((const unsigned char *)objects[given] - slab->base) < slab_bytes);
    slabs_place(cache, slab);
    return given;
}

/* Empty slabs are kept for as long as the working set may want them again, but no more than an
 * eighth of those in use, beside a few: what one phase of a program leaves is the next one's. */
static uint64_t empty_surplus(const struct larder_cache *cache) {
    uint64_t used = cache->slab_count - cache->empty_count;
    uint64_t kept = used / 8 + (LARDER_EMPTY_BYTES >> FRAME_SHIFT) / cache->geometry.frames;
    return cache->empty_count > kept ? cache->empty_count - kept : 0;
}

/* Returns how many empty slabs are too many now. Unmakes none: the slab cache's are left to the
 * next tick, because unmaking a slab gives a descriptor back. */
static uint64_t give_keeping(struct larder_cache *cache, size_t count, void *const *objects,
                             uintptr_t site) {
    lock_acquire(&cache->lock);
    for (size_t given = 0; given < count;) {
        given += give_to_one_slab(cache, count - given, objects + given, site);
    }
    cache->taken -= count;
    uint64_t surplus = empty_surplus(cache);
    lock_release(&cache->lock);
    return surplus;
}

void cache_give(struct larder_cache *cache, size_t count, void *const *objects, uintptr_t site) {
    uint64_t surplus = give_keeping(cache, count, objects, site);
    if (UNLIKELY(surplus > 0)) {
        cache_trim(cache, surplus);
    }
}
