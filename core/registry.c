/* registry.c: the caches of an instance: creating, finding, looking at and destroying them.
 *
 * An id is taken under the registry lock; the cache itself comes from the cache of caches. A
 * destroyed cache keeps its memory marked, so that a late call is recognised as long as the memory
 * has not been reused.
 */
#include "instance.h"

#include "larder/stats.h"

#define CACHE_SIZE_MAX SLAB_OBJECT_MAX
#define CACHE_ALIGN_MAX SLAB_OBJECT_MAX

/* ---- making one ---- */

static size_t default_align(size_t size_bytes) {
    return size_bytes < 16 ? 8 : 16;
}

static enum larder_status check_name(const char *name) {
    size_t length = 0;
    if (name == NULL || name[0] == '\0') {
        return LARDER_BAD_NAME;
    }
    for (; name[length] != '\0'; length++) {
        bool is_printable = name[length] > ' ' && name[length] < 0x7f;
        if (length + 1 == LARDER_CACHE_NAME_BYTES || !is_printable || name[length] == ',' ||
            name[length] == '*') {
            return LARDER_BAD_NAME;
        }
    }
    return LARDER_OK;
}

static enum larder_status check_config(const struct larder_cache_config *config) {
    uint32_t known = LARDER_CACHE_ZERO | LARDER_CACHE_NO_MAGAZINE | LARDER_CACHE_PANIC |
                     LARDER_CACHE_DMA | LARDER_CACHE_NO_DEBUG;
    bool zeroes_constructed = (config->flags & LARDER_CACHE_ZERO) != 0 && config->construct != NULL;
    if (config->size_bytes == 0 || config->size_bytes > CACHE_SIZE_MAX) {
        return LARDER_BAD_SIZE;
    }
    if (config->align_bytes != 0 &&
        (!is_power_of_two(config->align_bytes) || config->align_bytes > CACHE_ALIGN_MAX)) {
        return LARDER_BAD_ALIGNMENT;
    }
    if ((config->flags & ~known) != 0 || zeroes_constructed) {
        return LARDER_BAD_OPTION;
    }
    return check_name(config->name);
}

/* The stride grows by red zones under debug Z: one of an alignment before the object, at least 16
 * bytes behind it. */
static void init_geometry(struct larder_cache *cache, const struct larder_cache_config *config) {
    size_t align =
        config->align_bytes != 0 ? config->align_bytes : default_align(config->size_bytes);
    bool has_red_zones = (cache->debug & LARDER_DEBUG_RED_ZONE) != 0;
    size_t before = has_red_zones ? (size_t)max_u64(align, 16) : 0;
    size_t behind = has_red_zones ? 16 : 0;
    size_t stride = align_up(before + config->size_bytes + behind, align);
    slab_geometry_init(&cache->geometry, config->size_bytes, stride, before);
    cache->geometry.align_frames = (uint32_t)max_u64(align >> FRAME_SHIFT, 1);
}

static uint32_t capacity_for(const struct larder_cache *cache) {
    uint32_t capacity = LARDER_MAGAZINE_BYTES / cache->geometry.stride_bytes;
    bool has_none = cache->is_internal || cache->debug != 0 || cache->is_hardened ||
                    (cache->flags & LARDER_CACHE_NO_MAGAZINE) != 0;
    return has_none ? 0 : (uint32_t)min_u64(capacity, MAGAZINE_CAPACITY_MAX);
}

static void copy_name(char *to, const char *from) {
    size_t i = 0;
    for (; i + 1 < LARDER_CACHE_NAME_BYTES && from[i] != '\0'; i++) {
        to[i] = from[i];
    }
    to[i] = '\0';
}

/* The owner byte of a cache on the fast path is its id, the low byte of its place. */
_Static_assert(SLOT_LOADED % OWNERS == 0, "the place of a cache ends in its id");

static void set_fast_path(struct larder_cache *cache, bool is_fast) {
    const struct frame_map *map = &cache->larder->map;
    cache->count_frames = is_fast && cache->id < OWNERS ? map->count_frames : 0;
    cache->late_frames = is_fast && cache->id >= OWNERS ? map->count_frames : 0;
    cache->number_bias = map->number_bias;
    cache->owner_bytes = map->owner;
    cache->records = map->record;
    cache->place = (uint64_t)SLOT_LOADED + (is_fast ? cache->id : BIN_NOBODY);
}

void cache_init(struct larder_cache *cache, struct larder *larder, unsigned id,
                const struct larder_cache_config *config, uint32_t debug, bool is_internal) {
    *cache = (struct larder_cache){
        .larder = larder,
        .id = id,
        .is_internal = is_internal,
        .is_hardened =
            larder->hardening.is_on && !is_internal && (config->flags & LARDER_CACHE_NO_DEBUG) == 0,
        .flags = config->flags,
        .debug = config->construct == NULL ? debug : debug & ~LARDER_DEBUG_POISON,
        .construct = config->construct,
        .destruct = config->destruct,
        .context = config->context,
        .limit_objects = config->limit_objects,
        .depot_full_max = LARDER_DEPOT_MAGAZINES,
    };
    copy_name(cache->name, config->name);
    init_geometry(cache, config);
    cache->magazine_capacity = capacity_for(cache);
    bool is_fast = cache->magazine_capacity > 0 && (config->flags & LARDER_CACHE_ZERO) == 0;
    set_fast_path(cache, is_fast);
    lock_init(&cache->lock, LOCK_RANK_CACHE, &larder->lock_book);
    list_link_init(&cache->link);
    for (unsigned i = 0; i < SLAB_BUCKET_COUNT; i++) {
        list_init(&cache->slabs[i]);
    }
}

static void cover_id(struct larder *larder, unsigned id) {
    if (larder->id_end <= id) {
        __atomic_store_n(&larder->id_end, id + 1, __ATOMIC_RELEASE);
    }
}

/* A free id for a typed cache; 0 iff there is none. The registry is held. */
static unsigned find_id(const struct larder *larder) {
    for (unsigned id = larder->id_hint; id < LARDER_CACHES_MAX; id++) {
        if (larder->cache_by_id[id] == NULL) {
            return id;
        }
    }
    return 0;
}

void registry_publish(struct larder *larder, struct larder_cache *cache) {
    __atomic_store_n(&larder->cache_by_id[cache->id], cache, __ATOMIC_RELEASE);
    list_push_back(&larder->caches, &cache->link);
    cover_id(larder, cache->id);
}

/* The id becomes known when the cache is complete. */
static enum larder_status register_cache(struct larder *larder, struct larder_cache *cache,
                                         const struct larder_cache_config *config) {
    bool has_debug = (config->flags & LARDER_CACHE_NO_DEBUG) == 0;
    lock_acquire(&larder->registry);
    unsigned id = find_id(larder);
    if (id != 0) {
        uint32_t debug = has_debug ? debug_flags_for(larder, config->name) : 0;
        cache_init(cache, larder, id, config, debug, false);
        registry_publish(larder, cache);
        larder->id_hint = id + 1;
    }
    lock_release(&larder->registry);
    return id != 0 ? LARDER_OK : LARDER_TOO_MANY;
}

static void set_status(enum larder_status *to, enum larder_status status) {
    if (to != NULL) {
        *to = status;
    }
}

struct larder_cache *larder_cache_create(struct larder *larder,
                                         const struct larder_cache_config *config,
                                         enum larder_status *status) {
    void *memory = NULL;
    enum larder_status result = check_config(config);
    if (result != LARDER_OK) {
        goto fail;
    }
    result = LARDER_NO_MEMORY;
    if (cache_take(&larder->cache_cache, 1, &memory, 0, 0) == 0) {
        goto fail;
    }
    result = register_cache(larder, memory, config);
    if (result != LARDER_OK) {
        goto give_memory;
    }
    set_status(status, LARDER_OK);
    return memory;

give_memory:
    cache_give(&larder->cache_cache, 1, &memory, 0);
fail:
    set_status(status, result);
    return NULL;
}

/* ---- walkers ---- */

struct larder_cache *registry_hold(struct larder *larder, unsigned id) {
    if (__atomic_load_n(&larder->cache_by_id[id], __ATOMIC_RELAXED) == NULL) {
        return NULL;
    }
    lock_acquire(&larder->registry);
    struct larder_cache *cache = larder->cache_by_id[id];
    if (cache != NULL && cache->is_ending) {
        cache = NULL;
    }
    if (cache != NULL) {
        cache->holds++;
    }
    lock_release(&larder->registry);
    return cache;
}

void registry_let_go(struct larder_cache *cache) {
    struct larder *larder = cache->larder;
    lock_acquire(&larder->registry);
    cache->holds--;
    lock_release(&larder->registry);
}

/* ---- the end of one ---- */

static bool is_held(struct larder_cache *cache) {
    lock_acquire(&cache->larder->registry);
    bool held = cache->holds > 0;
    lock_release(&cache->larder->registry);
    return held;
}

static void set_ending(struct larder_cache *cache, bool is_ending) {
    struct larder *larder = cache->larder;
    lock_acquire(&larder->registry);
    cache->is_ending = is_ending;
    larder->count_ending += is_ending ? 1u : -1u;
    lock_release(&larder->registry);
}

/* No walker works on the cache any more, nor will one begin. */
static void keep_walkers_out(struct larder_cache *cache) {
    set_ending(cache, true);
    while (is_held(cache)) {
        larder_port_relax();
    }
}

/* What all slots hold of the cache goes to its depot: only pointers move while the registry is
 * held, so no slot goes away meanwhile. The slots' owners touch these bins no more. */
static void collect_all_bins(struct larder_cache *cache) {
    struct larder *larder = cache->larder;
    lock_acquire(&larder->registry);
    for (unsigned i = 0; i < larder->slot_end; i++) {
        if (larder->slot[i] == NULL) {
            continue;
        }
        struct magazine *held[2];
        unsigned count = cache_unload(cache, larder->slot[i], held);
        lock_acquire(&cache->lock);
        while (count-- > 0) {
            depot_put(&cache->depot, held[count]);
        }
        lock_release(&cache->lock);
    }
    lock_release(&larder->registry);
}

/* Call back for each taken slot of the slabs on one list. The cache is quiet. */
static void each_taken(struct larder_cache *cache, struct list *slabs,
                       void (*visit)(void *object, uintptr_t site, void *context), void *context) {
    LIST_EACH(link, slabs) {
        struct slab *slab = LIST_ENTRY(link, struct slab, link);
        for (uint32_t slot = cache->geometry.first_slot; slot < cache->geometry.slots; slot++) {
            if (!slab_is_free(slab, slot)) {
                visit(slab_object(slab, &cache->geometry, slot),
                      slab->track != NULL ? slab->track[slot].site[TRACK_ALLOC] : 0, context);
            }
        }
    }
}

static void each_taken_of_all(struct larder_cache *cache,
                              void (*visit)(void *object, uintptr_t site, void *context),
                              void *context) {
    for (unsigned i = 0; i < SLAB_BUCKET_EMPTY; i++) {
        each_taken(cache, &cache->slabs[i], visit, context);
    }
}

struct leak_visitor {
    void (*leak)(const void *object, uintptr_t alloc_site, void *context);
    void *context;
};

static void visit_leak(void *object, uintptr_t site, void *context) {
    const struct leak_visitor *visitor = context;
    visitor->leak(object, site, visitor->context);
}

uint64_t larder_cache_destroy(struct larder_cache *cache,
                              void (*leak)(const void *object, uintptr_t alloc_site, void *context),
                              void *context) {
    struct larder *larder = cache->larder;
    struct leak_visitor visitor = {leak, context};
    void *memory = cache;
    if (cache->id < ID_TYPED) {
        fatal_raise(LARDER_FATAL_RESERVED_FREE, cache, cache->name, "a cache of the core itself");
    }
    if (cache->is_destroyed) {
        fatal_raise(LARDER_FATAL_CACHE_DESTROYED, cache, cache->name, "destroyed twice");
    }
    keep_walkers_out(cache);
    collect_all_bins(cache);
    cache_flush_depot(cache, UINT32_MAX);
    if (cache->taken > 0) {
        if (leak != NULL) {
            each_taken_of_all(cache, visit_leak, &visitor);
        }
        set_ending(cache, false);
        return cache->taken;
    }
    cache_end_quarantine(cache);
    cache_trim(cache, UINT64_MAX);
    lock_acquire(&larder->registry);
    cache->is_destroyed = true;
    set_fast_path(cache, false); /* also when the next cache gets its id */
    larder->count_ending--;
    list_unlink(&cache->link);
    __atomic_store_n(&larder->cache_by_id[cache->id], NULL, __ATOMIC_RELEASE);
    larder->id_hint = (uint32_t)min_u64(larder->id_hint, cache->id);
    lock_release(&larder->registry);
    cache_give(&larder->cache_cache, 1, &memory, 0);
    return 0;
}

/* ---- the rest of the public contract ---- */

/* Reclaims at most once: it takes back the empty slabs made here, too. */
enum larder_status larder_cache_prefill(struct larder_cache *cache, size_t count) {
    bool may_reclaim = true;
    cache_check_alive(cache);
    for (;;) {
        lock_acquire(&cache->lock);
        uint64_t held = cache->quarantine != NULL ? cache->quarantine->count : 0;
        uint64_t room =
            cache->slab_count * slab_usable_slots(&cache->geometry) - cache->taken - held;
        bool is_limited =
            cache->limit_objects != 0 &&
            (cache->taken > cache->limit_objects || count > cache->limit_objects - cache->taken);
        lock_release(&cache->lock);
        if (is_limited) {
            return LARDER_TOO_MANY;
        }
        if (room >= count) {
            return LARDER_OK;
        }
        if (!cache_grow(cache, LARDER_NO_RECLAIM)) {
            if (!may_reclaim) {
                return LARDER_NO_MEMORY;
            }
            may_reclaim = false;
            larder_reclaim(cache->larder);
        }
    }
}

void larder_cache_set_limit(struct larder_cache *cache, uint64_t limit_objects) {
    cache_check_alive(cache);
    lock_acquire(&cache->lock);
    cache->limit_objects = limit_objects;
    lock_release(&cache->lock);
}

uint64_t larder_cache_shrink(struct larder_cache *cache) {
    cache_check_alive(cache);
    struct larder_slot *slot = callers_slot(cache->larder);
    if (slot_is_attached(slot)) {
        cache_flush_bin(cache, slot);
    }
    cache_flush_depot(cache, UINT32_MAX);
    return cache_trim(cache, UINT64_MAX);
}

const char *larder_cache_name(const struct larder_cache *cache) {
    return cache->name;
}

size_t larder_cache_object_bytes(const struct larder_cache *cache) {
    return cache->geometry.object_bytes;
}

/* Other slots go on: their magazines may move and be reused while they are read, so a count is
 * bounded by what two of them can hold. */
static uint64_t glimpse_objects(const struct bin *bin) {
    uint64_t count = magazine_glimpse_count(bin->loaded) + magazine_glimpse_count(bin->previous);
    return count < 2 * MAGAZINE_CAPACITY_MAX ? count : 2 * MAGAZINE_CAPACITY_MAX;
}

static uint64_t objects_in_bins(struct larder_cache *cache) {
    struct larder *larder = cache->larder;
    uint64_t count = 0;
    lock_acquire(&larder->registry); /* no slot goes away meanwhile */
    for (unsigned i = 0; i < larder->slot_end; i++) {
        struct larder_slot *slot = larder->slot[i];
        if (slot != NULL) {
            struct bin bin = slot_bin(slot, cache->id);
            count += glimpse_objects(&bin);
        }
    }
    lock_release(&larder->registry);
    return count;
}

static uint64_t list_length(struct list *head) {
    uint64_t length = 0;
    LIST_EACH(link, head) {
        length++;
    }
    return length;
}

void larder_cache_stats(struct larder_cache *cache, struct larder_cache_stats *stats) {
    uint64_t in_bins = objects_in_bins(cache);
    lock_acquire(&cache->lock);
    uint64_t full = list_length(&cache->slabs[SLAB_BUCKET_FULL]);
    const struct quarantine *quarantine = cache->quarantine;
    uint64_t held = in_bins + cache->depot.objects;
    *stats = (struct larder_cache_stats){
        .name = cache->name,
        .id = cache->id,
        .object_bytes = cache->geometry.object_bytes,
        .stride_bytes = cache->geometry.stride_bytes,
        .slab_bytes = (size_t)cache->geometry.frames << FRAME_SHIFT,
        .slab_objects = slab_usable_slots(&cache->geometry),
        .magazine_objects = cache->magazine_capacity,
        .live = cache->taken > held ? cache->taken - held : 0,
        .in_magazines = in_bins,
        .in_depot = cache->depot.objects,
        .in_quarantine = quarantine != NULL ? quarantine->count : 0,
        .taken = cache->taken,
        .taken_max = cache->taken_max,
        .capacity = cache->slab_count * slab_usable_slots(&cache->geometry),
        .slabs = cache->slab_count,
        .slabs_partial = cache->slab_count - full - cache->empty_count,
        .slabs_full = full,
        .slabs_empty = cache->empty_count,
        .limit_objects = cache->limit_objects,
        .slabs_made = cache->slabs_made,
        .slabs_returned = cache->slabs_returned,
        .refills = cache->refills,
        .drains = cache->drains,
        .failures = cache->failures,
        .debug = cache->debug,
        .is_internal = cache->is_internal,
    };
    lock_release(&cache->lock);
}

struct walk_visitor {
    void (*visit)(void *object, void *context);
    void *context;
};

static void visit_object(void *object, uintptr_t site, void *context) {
    const struct walk_visitor *visitor = context;
    (void)site;
    visitor->visit(object, visitor->context);
}

void larder_cache_walk(struct larder_cache *cache, void (*visit)(void *object, void *context),
                       void *context) {
    struct walk_visitor visitor = {visit, context};
    larder_cache_shrink(cache);
    each_taken_of_all(cache, visit_object, &visitor);
}

void larder_caches_each(struct larder *larder,
                        void (*visit)(struct larder_cache *cache, void *context), void *context) {
    unsigned end = __atomic_load_n(&larder->id_end, __ATOMIC_ACQUIRE);
    for (unsigned id = OWNER_CACHE_FIRST; id < end; id++) {
        struct larder_cache *cache = registry_hold(larder, id);
        if (cache != NULL) {
            visit(cache, context);
            registry_let_go(cache);
        }
    }
}

struct larder_cache *larder_cache_of(struct larder *larder, const void *object) {
    uint64_t index = frame_of(&larder->map, object);
    unsigned id = index < larder->map.count_frames ? frame_cache_id(&larder->map, index) : 0;
    return id == 0 ? NULL : __atomic_load_n(&larder->cache_by_id[id], __ATOMIC_ACQUIRE);
}

struct larder_cache *larder_cache_find(struct larder *larder, const char *name) {
    struct larder_cache *found = NULL;
    lock_acquire(&larder->registry);
    LIST_EACH(link, &larder->caches) {
        struct larder_cache *cache = LIST_ENTRY(link, struct larder_cache, link);
        if (found == NULL && text_equal(cache->name, name)) {
            found = cache;
        }
    }
    lock_release(&larder->registry);
    return found;
}
