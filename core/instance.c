/* instance.c: the start and the end of a memory service.
 *
 * Order: map, buddies, the caches that describe memory. Each step needs only those before it. They
 * stand in the instance itself, as do the size classes, each of which begins with its first
 * request.
 */
#include "frames.h"

#include "larder/ranges.h"
#include "larder/stats.h"

#define MAP_ALIGN_BYTES (UINT64_C(1) << (LARDER_ORDER_MAX + LARDER_FRAME_SHIFT))
#define INTERVAL_MS_DEFAULT 1000u
#define FAULT_INTERVAL_DEFAULT 10u

static enum larder_status check_zones(const struct larder_config *config) {
    uint64_t below = 0;
    if (config->zone_count > LARDER_ZONES_MAX) {
        return LARDER_TOO_MANY;
    }
    for (unsigned i = 0; i < config->zone_count; i++) {
        uint64_t limit = config->zone[i].limit_address;
        bool is_last = i + 1 == config->zone_count;
        if (limit <= below || config->zone[i].name == NULL ||
            (!is_last && !is_aligned(limit, PAGEBLOCK_BYTES))) {
            return LARDER_BAD_OPTION;
        }
        below = limit;
    }
    return LARDER_OK;
}

static enum larder_status check_config(const struct larder_config *config) {
    if (config->ranges == NULL || config->ranges->closed) {
        return LARDER_BAD_RANGE;
    }
    if (config->slot_count == 0 || config->slot_count > LARDER_SLOTS_MAX) {
        return LARDER_TOO_MANY;
    }
    if (!is_aligned(config->linear_offset, FRAME_BYTES)) {
        return LARDER_BAD_OPTION;
    }
    return check_zones(config);
}

static bool commit_pageblocks(struct larder *larder, const struct larder_ranges *ranges) {
    uint64_t first, end, base = larder->map.base_address;
    for (uint64_t at = 0; range_next(ranges, RAM_KINDS, at, &first, &end); at = end) {
        if (!buddies_commit(&larder->buddies, (first - base) >> FRAME_SHIFT,
                            (end - first) >> FRAME_SHIFT)) {
            return false;
        }
    }
    return true;
}

/* Everything that is still usable goes to the buddies; the table is a record from here on. */
static void hand_over(struct larder *larder, struct larder_ranges *ranges) {
    uint64_t first, end, base = larder->map.base_address;
    ranges->closed = true;
    larder->map.ranges = *ranges;
    for (uint64_t at = 0; range_next(ranges, RAM_KINDS, at, &first, &end); at = end) {
        buddies_make_areas(&larder->buddies, (first - base) >> FRAME_SHIFT,
                           (end - first) >> FRAME_SHIFT);
    }
    for (uint64_t at = 0; range_next(ranges, 1u << LARDER_RANGE_USABLE, at, &first, &end);
         at = end) {
        frames_add_usable(larder, (first - base) >> FRAME_SHIFT, (end - base) >> FRAME_SHIFT);
    }
}

/* Each zone keeps its share of the reserve. Rounded down: a zone without memory keeps nothing. */
static void share_reserve(struct larder *larder, uint64_t reserve_frames) {
    struct buddies *buddies = &larder->buddies;
    uint64_t usable = buddies_usable(buddies);
    for (unsigned i = 0; i < buddies->zone_count; i++) {
        struct zone *zone = &buddies->zone[i];
        uint64_t share = usable == 0 ? 0 : zone->usable * min_u64(reserve_frames, usable) / usable;
        zone->reserve = share;
        zone_begin(buddies, zone);
    }
}

static void init_internal(struct larder *larder, struct larder_cache *cache, unsigned id,
                          const char *name, size_t size_bytes) {
    struct larder_cache_config config = {.name = name, .size_bytes = size_bytes, .align_bytes = 64};
    cache_init(cache, larder, id, &config, 0, true);
    registry_publish(larder, cache);
}

static void init_internal_caches(struct larder *larder) {
    static const char *const magazine_names[MAGAZINE_SIZES] = {"magazine-12", "magazine-28",
                                                               "magazine-60"};
    struct larder_cache *slabs = &larder->slab_cache;
    init_internal(larder, slabs, ID_SLABS, "slab", sizeof(struct slab));
    /* One frame per slab, and its descriptor in the first slot: here the recursion ends. */
    slabs->geometry.frames = 1;
    slabs->geometry.slots = (uint32_t)(FRAME_BYTES / slabs->geometry.stride_bytes);
    slabs->geometry.first_slot = 1;
    init_internal(larder, &larder->cache_cache, ID_CACHES, "cache", sizeof(struct larder_cache));
    for (unsigned i = 0; i < MAGAZINE_SIZES; i++) {
        init_internal(larder, &larder->magazine_cache[i], ID_MAGAZINES + i, magazine_names[i],
                      (size_t)128 << i);
    }
    if (larder->hardening.is_on) {
        init_internal(larder, &larder->hardened_slab_cache, ID_HARDENED_SLABS, "hardened-slab",
                      sizeof(struct hardened_slab));
    }
}

/* "heap-" and the bytes of the class. */
static void class_name(char *name, size_t bytes) {
    char digits[8];
    unsigned count = 0;
    const char *prefix = "heap-";
    while (*prefix != '\0') {
        *name++ = *prefix++;
    }
    for (; bytes > 0; bytes /= 10) {
        digits[count++] = (char)('0' + bytes % 10);
    }
    while (count > 0) {
        *name++ = digits[--count];
    }
    *name = '\0';
}

static void init_small_ids(struct larder *larder) {
    for (unsigned i = 1; i < SMALL_IDS; i++) {
        larder->small_id[i] = (uint8_t)(ID_CLASSES + sizeclass_of((size_t)i * CLASS_STEP));
    }
}

struct larder_cache *class_make(struct larder *larder, unsigned class) {
    lock_acquire(&larder->registry);
    struct larder_cache *cache = larder->cache_by_id[ID_CLASSES + class];
    if (cache == NULL) {
        char name[LARDER_CACHE_NAME_BYTES];
        size_t bytes = sizeclass_bytes(class);
        struct larder_cache_config config = {
            .name = name,
            .size_bytes = bytes,
            .align_bytes = (size_t)min_u64(bytes & (~bytes + 1), FRAME_BYTES),
        };
        class_name(name, bytes);
        cache = &larder->class_place[larder->class_count++];
        cache_init(cache, larder, ID_CLASSES + class, &config, debug_flags_for(larder, name),
                   false);
        registry_publish(larder, cache);
    }
    lock_release(&larder->registry);
    return cache;
}

static enum larder_status init_map(struct larder *larder, const struct larder_config *config) {
    enum larder_status status =
        frame_map_init(&larder->map, config->ranges, config->linear_offset, MAP_ALIGN_BYTES);
    if (status != LARDER_OK) {
        return status;
    }
    status = buddies_init(&larder->buddies, &larder->map, config, &larder->lock_book);
    if (status != LARDER_OK) {
        goto fini_map;
    }
    if (!commit_pageblocks(larder, config->ranges)) {
        status = LARDER_NO_MEMORY;
        goto fini_buddies;
    }
    return LARDER_OK;

fini_buddies:
    buddies_fini(&larder->buddies);
fini_map:
    frame_map_fini(&larder->map);
    return status;
}

static enum larder_status init(struct larder *larder, const struct larder_config *config) {
    enum larder_status status = check_config(config);
    if (status == LARDER_OK) {
        status = larder_debug_parse(larder, config->debug);
    }
    if (status == LARDER_OK) {
        status = init_map(larder, config);
    }
    if (status != LARDER_OK) {
        return status;
    }
    hand_over(larder, config->ranges);
    init_internal_caches(larder);
    init_small_ids(larder);
    share_reserve(larder, config->reserve_frames);
    return LARDER_OK;
}

struct larder *larder_init(struct larder_storage *storage, const struct larder_config *config,
                           enum larder_status *status) {
    struct larder *larder = (struct larder *)(void *)storage->bytes;
    if (!config->storage_is_zero) {
        __builtin_memset(larder, 0, sizeof(*larder));
    }
    lock_book_init(&larder->lock_book, larder);
    lock_init(&larder->registry, LOCK_RANK_REGISTRY, &larder->lock_book);
    list_init(&larder->caches);
    larder->pressure = larder_reclaim;
    larder->slot_limit = config->slot_count;
    larder->interval_ms = config->interval_ms != 0 ? config->interval_ms : INTERVAL_MS_DEFAULT;
    larder->fault_interval = FAULT_INTERVAL_DEFAULT;
    larder->has_no_frame_bins = config->has_no_frame_bins;
    hardening_init(&larder->hardening, config->hardening);
    larder_reseed(larder);
    larder->id_hint = ID_TYPED;
    larder->tick_ms = larder_port_clock_ms();
    enum larder_status result = init(larder, config);
    if (status != NULL) {
        *status = result;
    }
    return result == LARDER_OK ? larder : NULL;
}

/* Past the rules of lock.h, which forbid two locks of one rank. */
void larder_lock_all(struct larder *larder) {
    lock_acquire(&larder->registry);
    for (unsigned i = 0; i < larder->slot_end; i++) {
        if (larder->slot[i] != NULL) {
            larder_port_lock_acquire(&larder->slot[i]->guard.port);
        }
    }
    LIST_EACH(link, &larder->caches) {
        larder_port_lock_acquire(&LIST_ENTRY(link, struct larder_cache, link)->lock.port);
    }
    EACH_AREA(area, &larder->buddies) {
        larder_port_lock_acquire(&area->lock.port);
    }
}

void larder_unlock_all(struct larder *larder) {
    EACH_AREA(area, &larder->buddies) {
        larder_port_lock_release(&area->lock.port);
    }
    LIST_EACH(link, &larder->caches) {
        larder_port_lock_release(&LIST_ENTRY(link, struct larder_cache, link)->lock.port);
    }
    for (unsigned i = 0; i < larder->slot_end; i++) {
        if (larder->slot[i] != NULL) {
            larder_port_lock_release(&larder->slot[i]->guard.port);
        }
    }
    lock_release(&larder->registry);
}

void larder_fini(struct larder *larder) {
    buddies_fini(&larder->buddies);
    frame_map_fini(&larder->map);
}
