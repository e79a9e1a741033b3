/* cache_lists.c: the slabs of a cache by fullness, and which of them serves whom.
 *
 * The fullest slab serves, so that others run empty. But what one CPU wrote and another takes next
 * is in the wrong cache, and where two have objects in one line it goes to and fro for as long as
 * both live. So each slot takes from slabs that it took from before, as long as that costs little:
 * while a cache is small, or much of it is free, all slots share what there is.
 */
#include "frames.h"

#define OWN_LOOKED_AT 16u   /* slabs of each fullness */
#define APART_SLABS 8u      /* from here on a cache makes more than it needs, */
#define APART_FREE_SHARE 8u /* while less than this share of its objects is free */
#define TAKER_NONE UINT16_MAX
_Static_assert(LARDER_SLOTS_MAX <= TAKER_NONE, "a slab names its slot in 16 bits");

/* ---- lists ---- */

static unsigned bucket_of(const struct larder_cache *cache, const struct slab *slab) {
    if (slab->count_free == 0) {
        return SLAB_BUCKET_FULL;
    }
    if (slab_is_empty(slab, &cache->geometry)) {
        return SLAB_BUCKET_EMPTY;
    }
    /* count_free * SLAB_BUCKETS / slots, for less than slots, without the division. */
    uint32_t scaled = slab->count_free * SLAB_BUCKETS, slots = cache->geometry.slots;
    return scaled < slots ? 0 : scaled < 2 * slots ? 1 : scaled < 3 * slots ? 2 : 3;
}

void slabs_link(struct larder_cache *cache, struct slab *slab) {
    slab->bucket = (uint16_t)bucket_of(cache, slab);
    list_push_front(&cache->slabs[slab->bucket], &slab->link);
    cache->empty_count += slab->bucket == SLAB_BUCKET_EMPTY;
}

void slabs_unlink(struct larder_cache *cache, struct slab *slab) {
    list_unlink(&slab->link);
    cache->empty_count -= slab->bucket == SLAB_BUCKET_EMPTY;
    cache->least_empty = min_u64(cache->least_empty, cache->empty_count);
}

void slabs_place(struct larder_cache *cache, struct slab *slab) {
    if (slab->bucket != bucket_of(cache, slab)) {
        slabs_unlink(cache, slab);
        slabs_link(cache, slab);
    }
}

/* ---- whom a slab serves ---- */

uint16_t slabs_taker(const struct larder_cache *cache) {
    const struct larder_slot *slot = slot_here(cache->larder);
    return slot_is_attached(slot) ? (uint16_t)slot->index : TAKER_NONE;
}

/* Of the first few of a list the first that the caller took from last. */
static struct slab *own_in(const struct list *head, uint16_t taker) {
    const struct list *link = head->next;
    for (unsigned i = 0; link != head && i < OWN_LOOKED_AT; link = link->next, i++) {
        struct slab *slab = LIST_ENTRY(link, struct slab, link);
        if (slab->taker == taker) {
            return slab;
        }
    }
    return NULL;
}

static struct slab *own_slab(struct larder_cache *cache) {
    struct slab *slab = NULL;
    uint16_t taker = slabs_taker(cache);
    for (unsigned bucket = 0; bucket < SLAB_BUCKETS && slab == NULL; bucket++) {
        slab = own_in(&cache->slabs[bucket], taker);
    }
    return slab;
}

static struct slab *first_of(struct larder_cache *cache, unsigned bucket) {
    struct list *head = &cache->slabs[bucket];
    return list_is_empty(head) ? NULL : LIST_ENTRY(head->next, struct slab, link);
}

static struct slab *fullest_slab(struct larder_cache *cache) {
    struct slab *slab = NULL;
    for (unsigned bucket = 0; bucket < SLAB_BUCKETS && slab == NULL; bucket++) {
        slab = first_of(cache, bucket);
    }
    return slab;
}

/* The one with the least of another's in it. */
static struct slab *emptiest_slab(struct larder_cache *cache) {
    struct slab *slab = NULL;
    for (unsigned bucket = SLAB_BUCKETS; bucket-- > 0 && slab == NULL;) {
        slab = first_of(cache, bucket);
    }
    return slab;
}

static bool may_grow_apart(const struct larder_cache *cache) {
    uint64_t all = cache->slab_count * slab_usable_slots(&cache->geometry);
    return cache->slab_count >= APART_SLABS && all - cache->taken < all / APART_FREE_SHARE;
}

struct slab *slabs_choose(struct larder_cache *cache, bool is_last) {
    bool is_apart = !cache->is_internal;
    struct slab *slab = is_apart ? own_slab(cache) : fullest_slab(cache);
    if (slab == NULL) {
        slab = first_of(cache, SLAB_BUCKET_EMPTY);
    }
    if (slab == NULL && is_apart && (is_last || !may_grow_apart(cache))) {
        slab = emptiest_slab(cache);
    }
    return slab;
}

bool slabs_serve_apart(struct larder_cache *cache) {
    return own_slab(cache) != NULL || may_grow_apart(cache);
}
