/* slots.c: attaching, emptying and detaching the slots of an instance.
 *
 * A bin is touched by its slot alone. Who wants a slot's magazines back raises reclaim_epoch; each
 * slot compares it on its slow paths and empties itself. Only a slot that provably stands still is
 * emptied by somebody else. Where nobody can be made to stand still (threads), a slot is emptied in
 * two steps: withdraw puts "no magazine" in place of each magazine, so that the fast path finds
 * none from then on; once the slot was seen outside all fast paths, nobody uses the old ones any
 * more, and settle gives back what is in them. The guard keeps slow paths out meanwhile.
 */
#include "frames.h"

/* ---- magazines ---- */

static struct larder_cache *magazine_cache_for(struct larder *larder, size_t capacity) {
    struct larder_cache *cache = larder->magazine_cache;
    size_t bytes = magazine_block_bytes(capacity);
    while (cache->geometry.object_bytes < bytes) {
        cache++;
    }
    return cache;
}

struct magazine *magazine_new(struct larder *larder, uint32_t capacity) {
    void *object = NULL;
    if (larder_port_should_fail("magazine") ||
        cache_take(magazine_cache_for(larder, capacity), 1, &object, LARDER_NO_RECLAIM, 0) == 0) {
        return NULL;
    }
    return magazine_init(object, capacity);
}

void magazine_delete(struct larder *larder, struct magazine *magazine) {
    void *object = magazine_block(magazine);
    if (magazine_is_real(magazine)) {
        cache_give(magazine_cache_for(larder, magazine_capacity(magazine)), 1, &object, 0);
    }
}

struct larder_slot *callers_slot(struct larder *larder) {
    uintptr_t state = larder_port_slot_enter();
    struct larder_slot *slot = slot_here(larder);
    larder_port_slot_leave(state);
    return slot;
}

/* ---- emptying ---- */

void slot_empty(struct larder *larder, struct larder_slot *slot) {
    unsigned end = __atomic_load_n(&larder->id_end, __ATOMIC_ACQUIRE);
    for (unsigned id = ID_CLASSES; id < end; id++) {
        struct larder_cache *cache = registry_hold(larder, id);
        if (cache != NULL) {
            cache_flush_bin(cache, slot);
            registry_let_go(cache);
        }
    }
    uintptr_t state = larder_port_slot_enter();
    frames_flush_bins(larder, slot, false);
    larder_port_slot_leave(state);
}

/* ---- withdrawing ---- */

static void withdraw_bin(struct larder_slot *slot, unsigned id) {
    struct bin bin = slot_bin(slot, id);
    struct magazine *held[2];
    for (unsigned count = bin_unload(&bin, held), i = 0; i < count; i++) {
        magazine_block(held[i])->next = slot->withdrawn;
        __atomic_store_n(&slot->withdrawn, held[i], __ATOMIC_RELAXED);
    }
}

void larder_slot_withdraw(struct larder *larder, struct larder_slot *slot) {
    unsigned end = __atomic_load_n(&larder->id_end, __ATOMIC_ACQUIRE);
    lock_acquire(&slot->guard);
    for (unsigned id = ID_CLASSES; id < end; id++) {
        withdraw_bin(slot, id);
    }
    lock_release(&slot->guard);
}

/* All objects of a magazine are of one cache. */
static void settle(struct larder *larder, struct magazine *magazine) {
    if (!magazine_is_empty(magazine)) {
        const struct frame_map *map = &larder->map;
        unsigned id = frame_cache_id(map, frame_of(map, *magazine_objects(magazine)));
        cache_give(larder->cache_by_id[id], magazine_count(magazine), magazine_objects(magazine),
                   0);
        magazine_clear(magazine);
    }
    magazine_delete(larder, magazine);
}

void larder_slot_settle(struct larder *larder, struct larder_slot *slot) {
    lock_acquire(&slot->guard);
    struct magazine *magazine = slot->withdrawn;
    __atomic_store_n(&slot->withdrawn, NULL, __ATOMIC_RELAXED);
    lock_release(&slot->guard);
    while (magazine != NULL) {
        struct magazine *next = magazine_block(magazine)->next;
        settle(larder, magazine);
        magazine = next;
    }
}

/* ---- at every slow path ---- */

void slots_catch_up(struct larder *larder) {
    uint32_t epoch = __atomic_load_n(&larder->reclaim_epoch, __ATOMIC_RELAXED);
    uintptr_t state = larder_port_slot_enter();
    struct larder_slot *slot = slot_here(larder);
    bool is_behind = slot_is_attached(slot) && slot->reclaim_seen != epoch;
    bool was_withdrawn =
        slot_is_attached(slot) && __atomic_load_n(&slot->withdrawn, __ATOMIC_RELAXED) != NULL;
    if (is_behind) {
        slot->reclaim_seen = epoch;
    }
    larder_port_slot_leave(state);
    if (was_withdrawn) {
        larder_slot_settle(larder, slot);
    }
    if (is_behind) {
        slot_empty(larder, slot);
    }
}

/* Only what the core took for itself is sure to be readable, so the owner byte is asked before the
 * slot. A slot that was attached again at the same place cannot be told from the first. */
static bool is_registered(const struct larder *larder, const struct larder_slot *slot) {
    const struct frame_map *map = &larder->map;
    uint64_t frame = frame_of(map, slot);
    return frame < map->count_frames && is_aligned((uintptr_t)slot, FRAME_BYTES) &&
           map->owner[frame] == OWNER_METADATA && slot->index < larder->slot_limit &&
           __atomic_load_n(&larder->slot[slot->index], __ATOMIC_RELAXED) == slot;
}

static void check_registered(const struct larder *larder, const struct larder_slot *slot) {
    if (!is_registered(larder, slot)) {
        bool is_inside = frame_is_inside(&larder->map, slot);
        fatal_raise(is_inside ? LARDER_FATAL_DOUBLE_FREE : LARDER_FATAL_FOREIGN_FREE, slot, "slots",
                    "no slot is attached here");
    }
}

void larder_reclaim_slot(struct larder *larder, struct larder_slot *slot) {
    if (slot_is_attached(slot)) {
        check_registered(larder, slot);
        slot_empty(larder, slot);
    }
}

/* ---- attaching and detaching ---- */

/* Claim the index; false iff it is taken or out of range. */
static bool register_slot(struct larder *larder, struct larder_slot *slot, unsigned index) {
    lock_acquire(&larder->registry);
    bool is_free = larder->slot[index] == NULL;
    if (is_free) {
        larder->slot[index] = slot;
        larder->slot_end = larder->slot_end > index ? larder->slot_end : index + 1;
    }
    lock_release(&larder->registry);
    return is_free;
}

struct larder_slot *larder_slot_attach(struct larder *larder, unsigned index) {
    if (index >= larder->slot_limit || larder_port_should_fail("slot")) {
        return NULL;
    }
    struct larder_slot *slot = frames_alloc_metadata(larder, SLOT_FRAMES);
    if (slot == NULL) {
        return NULL;
    }
    slot_init(slot, larder, index, &larder->lock_book);
    slot->reclaim_seen = __atomic_load_n(&larder->reclaim_epoch, __ATOMIC_RELAXED);
    if (!frames_attach_bins(larder, slot)) {
        goto free_slot;
    }
    if (!register_slot(larder, slot, index)) {
        goto detach_bins;
    }
    return slot;

detach_bins:
    frames_flush_bins(larder, slot, true);
free_slot:
    frames_free_metadata(larder, slot);
    return NULL;
}

/* False iff a cache is being destroyed, which may still collect from this slot. */
static bool unregister_slot(struct larder *larder, struct larder_slot *slot) {
    lock_acquire(&larder->registry);
    bool may_go = larder->count_ending == 0;
    if (may_go) {
        larder->slot[slot->index] = NULL;
    }
    lock_release(&larder->registry);
    return may_go;
}

/* Emptied first: a cache that ends meanwhile is passed over here, and collects what is its own from
 * the slots that are registered. */
void larder_slot_detach(struct larder *larder, struct larder_slot *slot) {
    if (!slot_is_attached(slot)) {
        return;
    }
    check_registered(larder, slot);
    larder_slot_settle(larder, slot);
    slot_empty(larder, slot);
    while (!unregister_slot(larder, slot)) {
        larder_port_relax();
    }
    frames_flush_bins(larder, slot, true);
    frames_let_go_seats(larder, slot);
    frames_free_metadata(larder, slot);
}
