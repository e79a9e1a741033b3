/* fit.c: the calls that give, move and take back memory.
 *
 * Each public function locks, has one static function do the work, unlocks, traces. A mistake of
 * the caller's is raised before anything is changed.
 */
#include "region.h"

#if LARDER_FIT_STATS
#define COUNT(heap, counter, by) ((heap)->counter += (by))
#else
#define COUNT(heap, counter, by) ((void)(heap))
#endif

#define ANY_KIND ((uint16_t)0)

static void note_minimum(struct larder_fit *heap) {
    if (heap->free_bytes < heap->minimum_free_bytes) {
        heap->minimum_free_bytes = heap->free_bytes;
    }
}

/* The last step of every request, met or not. */
static void count_request(struct larder_fit *heap, size_t bytes, bool met, bool is_new) {
    note_minimum(heap);
#if LARDER_FIT_STATS
    if (bytes > heap->peak_request_bytes) {
        heap->peak_request_bytes = bytes;
    }
    heap->failures += !met;
    heap->allocations += met && is_new;
#else
    (void)heap;
    (void)bytes;
    (void)met;
    (void)is_new;
#endif
}

/* CHECKS 2: nothing is done to a heap that is not sound. */
static void check_first(const struct larder_fit *heap) {
#if LARDER_FIT_CHECKS > 1
    const void *where = NULL;
    enum larder_fit_mistake mistake = heap_check(heap, &where);
    if (mistake != LARDER_FIT_SOUND) {
        FIT_RAISE(mistake, where);
    }
#else
    (void)heap;
#endif
}

/* The chunk in use at `pointer`, which the caller claims is one of ours. */
static fit_chunk *chunk_in_use(const struct larder_fit *heap, const void *pointer,
                               struct larder_fit_region **region) {
    fit_chunk *chunk = NULL;
    *region = region_find(heap, pointer);
    if (*region == NULL) {
        FIT_RAISE(LARDER_FIT_FOREIGN, pointer);
    }
    enum larder_fit_mistake mistake = region_judge(*region, pointer, &chunk);
    if (mistake != LARDER_FIT_SOUND) {
        FIT_RAISE(mistake, pointer);
    }
    return chunk;
}

/* ---- Giving out ------------------------------------------------------------------------------ */

/* Bytes from the chunk to the first place where a piece aligned to `align` may begin, so that what
 * lies before it is nothing or a chunk. `align` above LARDER_FIT_ALIGN. */
static size_t gap_before(const fit_chunk *chunk, size_t align) {
    uintptr_t at = (uintptr_t)chunk_payload(chunk);
    if ((at & (align - 1)) == 0) {
        return 0;
    }
    uintptr_t mask = (uintptr_t)align - 1;
    return (size_t)(((at + FIT_MIN + mask) & ~mask) - at);
}

static bool holds_aligned(const fit_chunk *chunk, size_t align, size_t need) {
    size_t gap = gap_before(chunk, align), size = chunk_size(chunk);
    return gap <= size && size - gap >= need;
}

/* Take `need` bytes that begin `gap` bytes behind the start of a free chunk. */
static fit_chunk *take_behind(struct larder_fit *heap, struct larder_fit_region *region,
                              fit_chunk *chunk, size_t gap, size_t need) {
    if (gap == 0) {
        region_carve(heap, region, chunk, need);
        return chunk;
    }
    size_t size = chunk_size(chunk);
    region_take(heap, region, chunk);
    fit_chunk *taken = chunk_at(chunk_bytes(chunk) + gap);
    chunk_set_header(taken, size - gap);
    region_release(heap, region, chunk, gap);
    region_trim(heap, region, taken, need);
    return taken;
}

/* The policy's choice. Its tag is looked at too, which the search has left alone: what a header
 * that was overwritten says is not given out. */
static fit_chunk *find(const struct larder_fit *heap, struct larder_fit_region *region,
                       size_t need) {
    fit_chunk *chunk = policy_find(heap, region, need);
#if LARDER_FIT_CHECKS
    if (chunk != NULL && chunk_tag(chunk_end(chunk)) != chunk_size(chunk)) {
        FIT_RAISE(LARDER_FIT_CORRUPT, chunk);
    }
#endif
    return chunk;
}

static fit_chunk *take_aligned(struct larder_fit *heap, struct larder_fit_region *region,
                               size_t align, size_t need) {
    fit_chunk *chunk = find(heap, region, need);
    if (chunk == NULL || !holds_aligned(chunk, align, need)) {
        /* Any chunk of this size holds it. The sum can wrap once, and is small then. */
        size_t wide = need + align + FIT_MIN;
        bool possible = wide > need && wide <= FIT_REQUEST_MAX;
        chunk = possible ? find(heap, region, wide) : NULL;
    }
    return chunk != NULL ? take_behind(heap, region, chunk, gap_before(chunk, align), need) : NULL;
}

static fit_chunk *take_from(struct larder_fit *heap, struct larder_fit_region *region, size_t align,
                            size_t need) {
    if (align > FIT_ALIGN) {
        return take_aligned(heap, region, align, need);
    }
    fit_chunk *chunk = find(heap, region, need);
    if (chunk != NULL) {
        region_carve(heap, region, chunk, need);
    }
    return chunk;
}

/* Regions that are too good for it are asked in a second round. */
static fit_chunk *take(struct larder_fit *heap, size_t align, size_t need, size_t bytes,
                       uint16_t kinds) {
    fit_chunk *chunk = NULL;
    if (need == 0 || need > heap->free_bytes) {
        return NULL;
    }
    for (unsigned round = 0; round < 2 && chunk == NULL; round++) {
        struct larder_fit_region *region = heap->regions;
        while (region != NULL && chunk == NULL) {
            bool is_small = bytes < region->small_bytes;
            if ((region->kinds & kinds) == kinds && is_small == (round == 1)) {
                chunk = take_from(heap, region, align, need);
            }
            region = region->next;
        }
    }
    return chunk;
}

/* Owner and the size asked for: the last step of every way to memory. */
static void *hand_out(fit_chunk *chunk, size_t bytes) {
    chunk_set_asked(chunk, bytes);
#if LARDER_FIT_OWNER
    chunk->owner = 0;
#endif
    return chunk_payload(chunk);
}

static void *request(struct larder_fit *heap, size_t align, size_t bytes, uint16_t kinds) {
    bool is_power = align != 0 && (align & (align - 1)) == 0;
    fit_chunk *chunk = is_power ? take(heap, align, chunk_need(bytes), bytes, kinds) : NULL;
    return chunk != NULL ? hand_out(chunk, bytes) : NULL;
}

void *larder_fit_request(struct larder_fit *heap, size_t align, size_t bytes, uint16_t kinds) {
    LARDER_FIT_LOCK(heap);
    check_first(heap);
    void *pointer = request(heap, align, bytes, kinds);
    count_request(heap, bytes, pointer != NULL, true);
    LARDER_FIT_UNLOCK(heap);
    LARDER_FIT_TRACE(heap, LARDER_FIT_EVENT_ALLOC, pointer, bytes);
    return pointer;
}

void *larder_fit_alloc(struct larder_fit *heap, size_t bytes) {
    return larder_fit_request(heap, 1, bytes, ANY_KIND);
}

void *larder_fit_aligned(struct larder_fit *heap, size_t align, size_t bytes) {
    return larder_fit_request(heap, align, bytes, ANY_KIND);
}

void *larder_fit_calloc(struct larder_fit *heap, size_t count, size_t bytes) {
    bool wraps = bytes != 0 && count > SIZE_MAX / bytes;
    /* SIZE_MAX fails and is counted like any other. */
    size_t total = wraps ? SIZE_MAX : count * bytes;
    unsigned char *memory = (unsigned char *)larder_fit_request(heap, 1, total, ANY_KIND);
    if (memory != NULL) {
        bytes_fill(memory, memory + total, 0);
    }
    return memory;
}

/* ---- Taking back ----------------------------------------------------------------------------- */

static void give_back(struct larder_fit *heap, void *pointer) {
    struct larder_fit_region *region = NULL;
    fit_chunk *chunk = chunk_in_use(heap, pointer, &region);
    region_release(heap, region, chunk, chunk_size(chunk));
}

void larder_fit_free(struct larder_fit *heap, void *pointer) {
    if (pointer == NULL) {
        return;
    }
    LARDER_FIT_LOCK(heap);
    check_first(heap);
    give_back(heap, pointer);
    COUNT(heap, frees, 1);
    LARDER_FIT_UNLOCK(heap);
    LARDER_FIT_TRACE(heap, LARDER_FIT_EVENT_FREE, pointer, (size_t)0);
}

void larder_fit_unreserve(struct larder_fit *heap, void *handle) {
    larder_fit_free(heap, handle);
}

/* ---- Changing the size ----------------------------------------------------------------------- */

/* Make a chunk in use at least `need` bytes where it is. */
static bool resize_in_place(struct larder_fit *heap, struct larder_fit_region *region,
                            fit_chunk *chunk, size_t need) {
    if (need > chunk_size(chunk)) {
        return region_absorb(heap, region, chunk, need);
    }
    region_trim(heap, region, chunk, need);
    return true;
}

static bool try_resize(struct larder_fit *heap, void *pointer, size_t bytes) {
    struct larder_fit_region *region = NULL;
    size_t need = chunk_need(bytes);
    fit_chunk *chunk = chunk_in_use(heap, pointer, &region);
    if (need == 0 || !resize_in_place(heap, region, chunk, need)) {
        return false;
    }
    chunk_set_asked(chunk, bytes);
    return true;
}

bool larder_fit_try_resize(struct larder_fit *heap, void *pointer, size_t bytes) {
    LARDER_FIT_LOCK(heap);
    check_first(heap);
    bool done = try_resize(heap, pointer, bytes);
    count_request(heap, bytes, done, false);
    LARDER_FIT_UNLOCK(heap);
    LARDER_FIT_TRACE(heap, LARDER_FIT_EVENT_RESIZE, done ? pointer : NULL, bytes);
    return done;
}

/* `to` lies before `from` or does not overlap it. */
static void copy_down(unsigned char *to, const unsigned char *from, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        to[i] = from[i];
    }
}

/* Into the free chunk before, if that and a free one behind hold `need`; NULL iff not. */
static fit_chunk *slide(struct larder_fit *heap, struct larder_fit_region *region, fit_chunk *chunk,
                        size_t align, size_t need) {
    if (!chunk_follows_free(chunk)) {
        return NULL;
    }
    fit_chunk *before = chunk_prev(chunk), *behind = chunk_next(chunk);
    size_t total = chunk_size(before) + chunk_size(chunk);
    bool with_behind = chunk_is_free(behind);
    total += with_behind ? chunk_size(behind) : 0;
    if (total < need || ((uintptr_t)chunk_payload(before) & (align - 1)) != 0) {
        return NULL;
    }
    size_t kept = chunk_asked(chunk);
    if (with_behind) {
        region_take(heap, region, behind);
    }
    region_take(heap, region, before);
#if LARDER_FIT_OWNER
    before->owner = chunk->owner;
#endif
    copy_down(chunk_payload(before), chunk_payload(chunk), kept);
    chunk_set_used(before, total);
    region_trim(heap, region, before, need);
    return before;
}

/* Somewhere else of the same kind. */
static fit_chunk *move(struct larder_fit *heap, struct larder_fit_region *region, fit_chunk *chunk,
                       size_t align, size_t bytes) {
    fit_chunk *taken = take(heap, align, chunk_need(bytes), bytes, region->kinds);
    if (taken == NULL) {
        return NULL;
    }
    note_minimum(heap); /* both are held */
    size_t asked = chunk_asked(chunk);
    copy_down(chunk_payload(taken), chunk_payload(chunk), asked < bytes ? asked : bytes);
#if LARDER_FIT_OWNER
    taken->owner = chunk->owner;
#endif
    region_release(heap, region, chunk, chunk_size(chunk));
    return taken;
}

static void *resize(struct larder_fit *heap, void *pointer, size_t align, size_t bytes) {
    struct larder_fit_region *region = NULL;
    size_t need = chunk_need(bytes);
    fit_chunk *chunk = chunk_in_use(heap, pointer, &region);
    if (need == 0 || align == 0 || (align & (align - 1)) != 0) {
        return NULL;
    }
    bool stays = ((uintptr_t)pointer & (align - 1)) == 0;
    if (!stays || !resize_in_place(heap, region, chunk, need)) {
        fit_chunk *slid = slide(heap, region, chunk, align, need);
        chunk = slid != NULL ? slid : move(heap, region, chunk, align, bytes);
    }
    if (chunk == NULL) {
        return NULL;
    }
    chunk_set_asked(chunk, bytes);
    return chunk_payload(chunk);
}

void *larder_fit_realloc_aligned(struct larder_fit *heap, void *pointer, size_t align,
                                 size_t bytes) {
    if (pointer == NULL) {
        return larder_fit_aligned(heap, align, bytes);
    }
    LARDER_FIT_LOCK(heap);
    check_first(heap);
    void *result = resize(heap, pointer, align, bytes);
    count_request(heap, bytes, result != NULL, false);
    LARDER_FIT_UNLOCK(heap);
    LARDER_FIT_TRACE(heap, LARDER_FIT_EVENT_RESIZE, result, bytes);
    return result;
}

void *larder_fit_realloc(struct larder_fit *heap, void *pointer, size_t bytes) {
    return larder_fit_realloc_aligned(heap, pointer, LARDER_FIT_ALIGN, bytes);
}

/* ---- What is known of a pointer -------------------------------------------------------------- */

size_t larder_fit_size_of(struct larder_fit *heap, const void *pointer) {
    size_t bytes = 0;
    LARDER_FIT_LOCK(heap);
    struct larder_fit_region *region = region_find(heap, pointer);
    fit_chunk *chunk = NULL;
    if (region != NULL && region_judge(region, pointer, &chunk) == LARDER_FIT_SOUND) {
        bytes = chunk_asked(chunk);
    }
    LARDER_FIT_UNLOCK(heap);
    return bytes;
}

void larder_fit_set_owner(struct larder_fit *heap, void *pointer, uintptr_t owner) {
    LARDER_FIT_LOCK(heap);
#if LARDER_FIT_OWNER
    struct larder_fit_region *region = NULL;
    chunk_in_use(heap, pointer, &region)->owner = owner;
#else
    (void)pointer;
    (void)owner;
#endif
    LARDER_FIT_UNLOCK(heap);
}

/* ---- Exact ranges ---------------------------------------------------------------------------- */

/* The free chunk that holds `from`; NULL iff it is in use, or a header on the way is corrupt. */
static fit_chunk *free_chunk_with(const struct larder_fit_region *region,
                                  const unsigned char *from) {
    fit_chunk *chunk = chunk_at(region->first);
    while (chunk_bytes(chunk) < region->end && chunk_is_plausible(region, chunk)) {
        if (from < chunk_end(chunk)) {
            return chunk_is_sound_free(region, chunk) ? chunk : NULL;
        }
        chunk = chunk_next(chunk);
    }
    return NULL;
}

static void *reserve(struct larder_fit *heap, const unsigned char *start, size_t bytes) {
    struct larder_fit_region *region = region_find(heap, start);
    fit_chunk *chunk = region != NULL ? free_chunk_with(region, start) : NULL;
    if (chunk == NULL || bytes == 0 || start < chunk_payload(chunk) ||
        bytes > (size_t)(chunk_end(chunk) - start)) {
        return NULL;
    }
    /* What stays before it must be a chunk, and what is taken too. */
    size_t size = chunk_size(chunk), offset = (size_t)(start - chunk_payload(chunk));
    size_t gap = offset & ~(FIT_ALIGN - 1);
    gap = gap > size - FIT_MIN ? size - FIT_MIN : gap;
    gap = gap < FIT_MIN ? 0 : gap;
    size_t taken = offset - gap + bytes, need = chunk_need(taken);
    if (need > size - gap) {
        return NULL;
    }
    return hand_out(take_behind(heap, region, chunk, gap, need), taken);
}

void *larder_fit_reserve(struct larder_fit *heap, void *start, size_t bytes) {
    LARDER_FIT_LOCK(heap);
    check_first(heap);
    void *handle = reserve(heap, (const unsigned char *)start, bytes);
    count_request(heap, bytes, handle != NULL, true);
    LARDER_FIT_UNLOCK(heap);
    LARDER_FIT_TRACE(heap, LARDER_FIT_EVENT_ALLOC, handle, bytes);
    return handle;
}
