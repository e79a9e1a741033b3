/* harden.c: objects of hardened caches: random order, wiping and the ring. See harden.h. */
#include "frames.h"

#include "larder/stats.h"

void hardening_init(struct hardening *hardening, const struct larder_hardening *config) {
    if (config != NULL) {
        hardening->is_on = true;
        hardening->config = *config;
    }
}

void larder_reseed(struct larder *larder) {
    uint64_t entropy[CHACHA_KEY_WORDS / 2];
    if (larder->hardening.is_on) {
        for (unsigned i = 0; i < ARRAY_LENGTH(entropy); i++) {
            entropy[i] = larder_port_entropy();
        }
        chacha_key_set(&larder->hardening.key, entropy);
    }
}

static struct hardened_slab *hardened(struct slab *slab) {
    return CONTAINER_OF(slab, struct hardened_slab, slab);
}

/* ---- the ring ---- */

static uint32_t capacity_for(const struct larder_cache *cache) {
    uint64_t room =
        ((QUARANTINE_FRAMES << FRAME_SHIFT) - sizeof(struct quarantine)) / sizeof(void *);
    uint64_t by_bytes = QUARANTINE_OBJECT_BYTES / cache->geometry.stride_bytes;
    return (uint32_t)min_u64(room, max_u64(by_bytes, 2));
}

bool quarantine_make(struct larder_cache *cache) {
    if (__atomic_load_n(&cache->quarantine, __ATOMIC_ACQUIRE) != NULL) {
        return true;
    }
    struct quarantine *mine = frames_alloc_metadata(cache->larder, QUARANTINE_FRAMES);
    struct quarantine *none = NULL;
    if (mine == NULL) {
        return false;
    }
    *mine = (struct quarantine){.capacity = capacity_for(cache)};
    chacha_init(&mine->chacha, cache->id);
    if (!__atomic_compare_exchange_n(&cache->quarantine, &none, mine, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        frames_free_metadata(cache->larder, mine);
    }
    return true;
}

/* The one that comes goes where the oldest lies. */
static void *exchange_oldest(struct quarantine *quarantine, void *object) {
    bool is_full = quarantine->count == quarantine->capacity;
    void **place = &quarantine->object[quarantine->next];
    void *oldest = is_full ? *place : NULL;
    *place = object;
    quarantine->count += !is_full;
    quarantine->next = quarantine->next + 1 == quarantine->capacity ? 0 : quarantine->next + 1;
    return oldest;
}

void *quarantine_pop(struct quarantine *quarantine) {
    if (quarantine->count == 0) {
        return NULL;
    }
    quarantine->count--;
    quarantine->next = (quarantine->next == 0 ? quarantine->capacity : quarantine->next) - 1;
    return quarantine->object[quarantine->next];
}

/* ---- taking ---- */

/* Number of the n-th set bit, from 0. */
static unsigned nth_bit(uint64_t bits, uint32_t n) {
    while (n-- > 0) {
        bits &= bits - 1;
    }
    return lowest_bit(bits);
}

/* Take the n-th slot that is free and not held. */
static uint32_t take_nth(struct hardened_slab *slab, uint32_t n) {
    for (uint32_t word = 0;; word++) {
        uint64_t bits = slab->slab.free_bits[word] & ~slab->held_bits[word];
        uint32_t here = count_bits(bits);
        if (n < here) {
            unsigned bit = nth_bit(bits, n);
            __atomic_store_n(&slab->slab.free_bits[word],
                             slab->slab.free_bits[word] & ~(UINT64_C(1) << bit), __ATOMIC_RELAXED);
            slab->slab.count_free--;
            return word * WORD_BITS + bit;
        }
        n -= here;
    }
}

static bool is_wiped(const struct larder_cache *cache) {
    return cache->construct == NULL && (cache->debug & LARDER_DEBUG_POISON) == 0;
}

static void check_wiped(const struct larder_cache *cache, const unsigned char *object) {
    size_t size_bytes = cache->geometry.object_bytes;
    for (size_t i = 0; i < size_bytes; i++) {
        if (UNLIKELY(object[i] != 0)) {
            larder_port_fatal(&(struct larder_fatal){.kind = LARDER_FATAL_POISON,
                                                     .pointer = object + i,
                                                     .owner = cache->name,
                                                     .detail = "a wiped byte has changed",
                                                     .object = object,
                                                     .object_bytes = size_bytes,
                                                     .offset_bytes = i,
                                                     .found = object[i]});
        }
    }
}

uint32_t harden_take(struct larder_cache *cache, struct slab *slab, uint32_t count, void **out) {
    uint32_t taken = 0;
    while (taken < count && slab->count_free > 0) {
        uint32_t n = chacha_below(&cache->quarantine->chacha, &cache->larder->hardening.key,
                                  slab->count_free);
        void *object = slab_object(slab, &cache->geometry, take_nth(hardened(slab), n));
        if (is_wiped(cache)) {
            check_wiped(cache, object);
        }
        out[taken++] = object;
    }
    return taken;
}

/* ---- giving ---- */

void *harden_give(struct larder_cache *cache, struct slab *slab, uint32_t slot) {
    void *object = slab_object(slab, &cache->geometry, slot);
    uint64_t *word = &slab->free_bits[slot / WORD_BITS];
    if (is_wiped(cache)) {
        __builtin_memset(object, 0, cache->geometry.object_bytes);
    }
    __atomic_store_n(word, *word | UINT64_C(1) << slot % WORD_BITS, __ATOMIC_RELAXED);
    hardened(slab)->held_bits[slot / WORD_BITS] |= UINT64_C(1) << slot % WORD_BITS;
    return exchange_oldest(cache->quarantine, object);
}

struct slab *harden_release(struct larder_cache *cache, void *object) {
    const struct frame_map *map = &cache->larder->map;
    struct slab *slab = map->record[frame_of(map, object)].slab;
    uint32_t slot = slab_slot_of(slab, &cache->geometry, object);
    hardened(slab)->held_bits[slot / WORD_BITS] &= ~(UINT64_C(1) << slot % WORD_BITS);
    slab->count_free++;
    return slab;
}

uint64_t harden_count_held(const struct larder_cache *cache, const struct slab *slab) {
    uint64_t count = 0;
    for (unsigned i = 0; cache->is_hardened && i < SLAB_WORDS; i++) {
        const struct hardened_slab *whole = (const struct hardened_slab *)(const void *)slab;
        count += count_bits(whole->held_bits[i]);
    }
    return count;
}
