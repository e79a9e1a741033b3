/* region.c: a heap and its regions: made, grown, reset; which region holds a pointer. */
#include "region.h"

#if LARDER_FIT_STATS
#define COUNT_START(heap)                                                                          \
    ((heap)->peak_request_bytes = (heap)->allocations = (heap)->frees = (heap)->failures = 0)
#else
#define COUNT_START(heap) ((void)(heap))
#endif

static bool policy_is_known(unsigned policy) {
    return policy < LARDER_FIT_POLICY_COUNT && FIT_HAS(policy);
}

bool larder_fit_init(struct larder_fit *heap, enum larder_fit_policy policy) {
    if (!policy_is_known((unsigned)policy)) {
        return false;
    }
    heap->regions = NULL;
    heap->free_bytes = 0;
    heap->minimum_free_bytes = 0;
#if (LARDER_FIT_POLICIES & (LARDER_FIT_POLICIES - 1)) != 0
    heap->policy = (unsigned char)policy;
#endif
    COUNT_START(heap);
    return true;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

/* Is a region of this size one the policy can manage? */
static bool size_is_possible(const struct larder_fit *heap, size_t bytes) {
    if (bytes < FIT_MIN || bytes > FIT_REQUEST_MAX) {
        return false;
    }
#if FIT_HAS_CLASSES
    /* In two shifts: SIZE_LOG2 may be all bits of the word. */
    if (policy_of(heap) == LARDER_FIT_GOOD) {
        return bytes >> (LARDER_FIT_SIZE_LOG2 - 1) >> 1 == 0;
    }
#else
    (void)heap;
#endif
    return true;
}

/* Does another region than `self` hold a byte of [from, to)? */
static bool overlaps(const struct larder_fit *heap, const struct larder_fit_region *self,
                     uintptr_t from, uintptr_t to) {
    const struct larder_fit_region *region = heap->regions;
    while (region != NULL && (region == self || from >= (uintptr_t)region->end + FIT_HEAD ||
                              to <= (uintptr_t)region->first)) {
        region = region->next;
    }
    return region != NULL;
}

/* One free chunk from end to end. */
static void make_whole(struct larder_fit *heap, struct larder_fit_region *region) {
    fit_chunk *chunk = chunk_at(region->first);
    size_t size = (size_t)(region->end - region->first);
    policy_init(region);
    chunk_set_header(chunk, 0);
    chunk_set_header(chunk_at(region->end), 0);
    region_release(heap, region, chunk, size);
}

/* By ascending capacity, so that small objects meet small regions first. */
static void link_region(struct larder_fit *heap, struct larder_fit_region *region) {
    struct larder_fit_region **link = &heap->regions;
    while (*link != NULL && (*link)->end - (*link)->first <= region->end - region->first) {
        link = &(*link)->next;
    }
    region->next = *link;
    *link = region;
}

static size_t largest_request(const struct larder_fit_region *region) {
    return (size_t)(region->end - region->first) - FIT_HEAD - FIT_TAIL;
}

static size_t add_region(struct larder_fit *heap, struct larder_fit_region *region,
                         uintptr_t memory, size_t bytes) {
    if (memory == 0 || bytes > UINTPTR_MAX - memory || bytes < 2 * FIT_HEAD + FIT_ALIGN) {
        return 0;
    }
    /* What the user gets is aligned, so chunks begin a header before that. */
    uintptr_t shift = FIT_ROUND_UP(memory + FIT_HEAD) - FIT_HEAD - memory;
    size_t size = (bytes - (size_t)shift - FIT_HEAD) & ~(FIT_ALIGN - 1);
    if (!size_is_possible(heap, size) || overlaps(heap, NULL, memory, memory + bytes)) {
        return 0;
    }
    region->first = (unsigned char *)memory + shift;
    region->end = region->first + size;
    make_whole(heap, region);
    heap->minimum_free_bytes += size;
    link_region(heap, region);
    return largest_request(region);
}

size_t larder_fit_add_region(struct larder_fit *heap, struct larder_fit_region *region,
                             void *memory, size_t bytes, uint16_t kinds, uint16_t small_bytes) {
    LARDER_FIT_LOCK(heap);
    size_t largest = add_region(heap, region, (uintptr_t)memory, bytes);
    if (largest > 0) {
        region->kinds = kinds;
        region->small_bytes = small_bytes;
    }
    LARDER_FIT_UNLOCK(heap);
    return largest;
}

struct larder_fit *larder_fit_create(void *memory, size_t bytes, enum larder_fit_policy policy) {
    uintptr_t at = (uintptr_t)memory;
    size_t shift = (size_t)(FIT_ROUND_UP(at) - at);
    size_t used = shift + FIT_ROUND_UP(sizeof(struct larder_fit)) +
                  FIT_ROUND_UP(sizeof(struct larder_fit_region));
    if (at == 0 || bytes < used) {
        return NULL;
    }
    unsigned char *start = (unsigned char *)memory + shift;
    struct larder_fit *heap = (struct larder_fit *)(void *)start;
    struct larder_fit_region *region =
        (struct larder_fit_region *)(void *)(start + FIT_ROUND_UP(sizeof *heap));
    if (!larder_fit_init(heap, policy) ||
        larder_fit_add_region(heap, region, (unsigned char *)memory + used, bytes - used,
                              UINT16_MAX, 0) == 0) {
        return NULL;
    }
    return heap;
}

/* ---- Growing, starting anew ------------------------------------------------------------------ */

static size_t grow(struct larder_fit *heap, struct larder_fit_region *region, uintptr_t limit) {
    uintptr_t end = (uintptr_t)region->end;
    if (limit < end + FIT_HEAD) {
        return 0;
    }
    size_t gained = (size_t)(limit - end - FIT_HEAD) & ~(FIT_ALIGN - 1);
    size_t size = (size_t)(region->end - region->first) + gained;
    /* A new chunk must have the room of one; a free one at the end takes any granule. */
    fit_chunk *last = chunk_at(region->end);
    if (gained == 0 || (gained < FIT_MIN && !chunk_follows_free(last)) || size < gained ||
        !size_is_possible(heap, size) || overlaps(heap, region, end, limit)) {
        return 0;
    }
#if LARDER_FIT_CHECKS
    if (chunk_follows_free(last) && chunk_sound_prev(region, last) == NULL) {
        FIT_RAISE(LARDER_FIT_CORRUPT, last);
    }
#endif
    region->end += gained;
    chunk_set_header(chunk_at(region->end), 0);
    region_release(heap, region, last, gained);
    heap->minimum_free_bytes += gained;
    return gained;
}

/* The list of regions stays in order. */
size_t larder_fit_grow(struct larder_fit *heap, struct larder_fit_region *region, void *limit) {
    LARDER_FIT_LOCK(heap);
    size_t gained = grow(heap, region, (uintptr_t)limit);
    if (gained > 0) {
        struct larder_fit_region **link = &heap->regions;
        while (*link != region) {
            link = &(*link)->next;
        }
        *link = region->next;
        link_region(heap, region);
    }
    LARDER_FIT_UNLOCK(heap);
    return gained;
}

/* Where nothing is free at the end, what is new must have the room of a chunk: `need` has. */
static uintptr_t limit_for(const struct larder_fit_region *region, size_t need) {
    const fit_chunk *last = chunk_at(region->end);
    size_t there = chunk_follows_free(last) ? chunk_tag(region->end) : 0;
    uintptr_t limit = (uintptr_t)region->end + FIT_HEAD;
    size_t missing = need > there ? need - there : 0;
    return need != 0 && missing <= UINTPTR_MAX - limit ? limit + missing : 0;
}

void *larder_fit_limit_for(struct larder_fit *heap, const struct larder_fit_region *region,
                           size_t bytes) {
    LARDER_FIT_LOCK(heap);
    uintptr_t limit = limit_for(region, chunk_need(bytes));
    LARDER_FIT_UNLOCK(heap);
    return (void *)limit;
}

void larder_fit_reset(struct larder_fit *heap) {
    LARDER_FIT_LOCK(heap);
    heap->free_bytes = 0;
    for (struct larder_fit_region *region = heap->regions; region != NULL; region = region->next) {
        make_whole(heap, region);
    }
    heap->minimum_free_bytes = heap->free_bytes;
    COUNT_START(heap);
    LARDER_FIT_UNLOCK(heap);
}

/* ---- Pointers -------------------------------------------------------------------------------- */

FIT_LOCAL struct larder_fit_region *region_find(const struct larder_fit *heap,
                                                const void *pointer) {
    uintptr_t at = (uintptr_t)pointer;
    struct larder_fit_region *region = heap->regions;
    while (region != NULL && (at < (uintptr_t)region->first || at >= (uintptr_t)region->end)) {
        region = region->next;
    }
    return region;
}

#if LARDER_FIT_CHECKS
/* In use, and both neighbours agree? Reads the headers beside it, and nothing outside. */
static bool is_consistent(const struct larder_fit_region *region, const fit_chunk *chunk) {
    if (!chunk_is_plausible(region, chunk) || chunk_is_free(chunk)) {
        return false;
    }
    const fit_chunk *next = chunk_next(chunk);
    if (chunk_bytes(next) < region->end) {
        if (!chunk_is_plausible(region, next) ||
            (chunk_is_free(next) && !chunk_is_sound_free(region, next))) {
            return false;
        }
    } else if (chunk_size(next) != 0 || chunk_is_free(next)) {
        return false;
    }
    if (chunk_follows_free(next)) {
        return false;
    }
    return !chunk_follows_free(chunk) || chunk_sound_prev(region, chunk) != NULL;
}

/* From the start of the region, header by header, as far as they can be believed. */
static enum larder_fit_mistake name_mistake(const struct larder_fit_region *region,
                                            const unsigned char *pointer) {
    const fit_chunk *chunk = chunk_at(region->first);
    while (chunk_bytes(chunk) < region->end && chunk_is_plausible(region, chunk)) {
        if (pointer < chunk_end(chunk)) {
            if (chunk_is_free(chunk)) {
                return LARDER_FIT_DOUBLE_FREE;
            }
            return pointer == chunk_payload(chunk) ? LARDER_FIT_CORRUPT : LARDER_FIT_INTERIOR;
        }
        chunk = chunk_next(chunk);
    }
    return LARDER_FIT_CORRUPT;
}
#endif

FIT_LOCAL enum larder_fit_mistake region_judge(const struct larder_fit_region *region,
                                               const void *pointer, fit_chunk **chunk) {
    const unsigned char *at = (const unsigned char *)pointer;
    *chunk = chunk_of(pointer);
#if LARDER_FIT_CHECKS
    if (at < region->first + FIT_HEAD || !region_has_chunk(region, *chunk)) {
        return name_mistake(region, at);
    }
    if (!is_consistent(region, *chunk)) {
        return name_mistake(region, at);
    }
    if (!chunk_is_whole(*chunk)) {
        return LARDER_FIT_OVERRUN;
    }
#else
    (void)region;
    (void)at;
#endif
    return LARDER_FIT_SOUND;
}
