/* reclaim.c: giving back what is not in use.
 *
 * Two occasions. Pressure: an allocation found nothing; everything cached is given back once, with
 * no lock held, and the allocation tries once more. Time: larder_tick() ends a working-set interval
 * and gives back only what stayed unused for all of it (Bonwick 2001).
 *
 * Caches are emptied from the highest id down, so that descriptors and magazines come back before
 * the caches they came from are trimmed themselves.
 */
#include "frames.h"

static uint64_t each_cache_down(struct larder *larder,
                                uint64_t (*give_back)(struct larder_cache *cache)) {
    uint64_t frames = 0;
    for (unsigned id = __atomic_load_n(&larder->id_end, __ATOMIC_ACQUIRE);
         id-- > OWNER_CACHE_FIRST;) {
        struct larder_cache *cache = registry_hold(larder, id);
        if (cache != NULL) {
            frames += give_back(cache);
            registry_let_go(cache);
        }
    }
    return frames;
}

static uint64_t give_back_all(struct larder_cache *cache) {
    cache_flush_depot(cache, UINT32_MAX);
    return cache_trim(cache, UINT64_MAX);
}

static uint64_t frames_free(struct larder *larder) {
    uint64_t free = 0;
    for (unsigned i = 0; i < larder->buddies.zone_count; i++) {
        free += zone_free(&larder->buddies, &larder->buddies.zone[i]);
    }
    return free;
}

uint64_t larder_reclaim(struct larder *larder) {
    uint64_t before = frames_free(larder);
    larder_port_trace("reclaim", larder, before);
    __atomic_add_fetch(&larder->reclaim_epoch, 1, __ATOMIC_RELAXED);
    slots_catch_up(larder);
    larder_port_empty_slots(larder);
    each_cache_down(larder, give_back_all);
    uint64_t after = frames_free(larder);
    return after > before ? after - before : 0;
}

static bool interval_is_over(struct larder *larder) {
    uint64_t now = larder_port_clock_ms();
    lock_acquire(&larder->registry);
    bool is_over = now - larder->tick_ms >= larder->interval_ms;
    if (is_over) {
        larder->tick_ms = now;
    }
    lock_release(&larder->registry);
    return is_over;
}

uint64_t larder_tick(struct larder *larder) {
    if (!interval_is_over(larder)) {
        return 0;
    }
    uint64_t frames = each_cache_down(larder, cache_tick);
    purge_old(larder);
    return frames;
}
