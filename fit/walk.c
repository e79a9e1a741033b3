/* walk.c: every chunk in turn, the figures that follow from them, and the words for people. */
#include "region.h"

static struct larder_fit_block describe(const struct larder_fit_region *region,
                                        const fit_chunk *chunk) {
    struct larder_fit_block block;
    block.pointer = chunk_payload(chunk);
    block.bytes = chunk_capacity(chunk);
    block.used = !chunk_is_free(chunk);
    block.asked_bytes = block.used ? chunk_asked(chunk) : 0;
    block.region = region;
#if LARDER_FIT_OWNER
    block.owner = block.used ? chunk->owner : 0;
#else
    block.owner = 0;
#endif
    return block;
}

typedef bool (*visit_function)(void *context, const struct larder_fit_block *block);

/* True iff the end was reached. */
static bool walk_region(const struct larder_fit_region *region, visit_function visit,
                        void *context) {
    const fit_chunk *chunk = chunk_at(region->first);
    while (chunk_bytes(chunk) < region->end) {
        if (!chunk_is_plausible(region, chunk)) {
            return false;
        }
        struct larder_fit_block block = describe(region, chunk);
        if (!visit(context, &block)) {
            return false;
        }
        chunk = chunk_next(chunk);
    }
    return true;
}

bool larder_fit_walk(struct larder_fit *heap,
                     bool (*visit)(void *context, const struct larder_fit_block *block),
                     void *context) {
    bool ended = true;
    LARDER_FIT_LOCK(heap);
    for (const struct larder_fit_region *region = heap->regions; region != NULL && ended;
         region = region->next) {
        ended = walk_region(region, visit, context);
    }
    LARDER_FIT_UNLOCK(heap);
    return ended;
}

/* ---- Figures --------------------------------------------------------------------------------- */

/* The request this chunk could meet. */
static size_t request_for(const struct larder_fit_block *block) {
    return block->bytes - FIT_TAIL;
}

static bool add_up(void *context, const struct larder_fit_block *block) {
    struct larder_fit_diagnosis *sum = (struct larder_fit_diagnosis *)context;
    size_t size = block->bytes + FIT_HEAD;
    if (block->used) {
        sum->live_chunks++;
        sum->live_bytes += size;
        sum->asked_bytes += block->asked_bytes;
        return true;
    }
    size_t bytes = request_for(block);
    sum->free_chunks++;
    sum->free_bytes += size;
    if (bytes > sum->largest_free_bytes) {
        sum->largest_free_bytes = bytes;
    }
    if (sum->smallest_free_bytes == 0 || bytes < sum->smallest_free_bytes) {
        sum->smallest_free_bytes = bytes;
    }
    return true;
}

/* 1000 · part / whole without a wrap; 0 of nothing. */
static unsigned permille(size_t part, size_t whole) {
    size_t unit = whole / 1000;
    if (whole == 0) {
        return 0;
    }
    return (unsigned)(unit > 1000 ? part / unit : (unsigned long)part * 1000 / whole);
}

static void add_counters(struct larder_fit_diagnosis *diagnosis, const struct larder_fit *heap) {
    diagnosis->minimum_free_bytes = heap->minimum_free_bytes;
#if LARDER_FIT_STATS
    diagnosis->peak_request_bytes = heap->peak_request_bytes;
    diagnosis->allocations = heap->allocations;
    diagnosis->frees = heap->frees;
    diagnosis->failures = heap->failures;
#endif
}

void larder_fit_diagnose(struct larder_fit *heap, struct larder_fit_diagnosis *diagnosis) {
    unsigned char *bytes = (unsigned char *)diagnosis;
    bytes_fill(bytes, bytes + sizeof *diagnosis, 0);
    LARDER_FIT_LOCK(heap);
    for (const struct larder_fit_region *region = heap->regions; region != NULL;
         region = region->next) {
        (void)walk_region(region, add_up, diagnosis);
        diagnosis->capacity_bytes += (size_t)(region->end - region->first);
    }
    add_counters(diagnosis, heap);
    LARDER_FIT_UNLOCK(heap);
    size_t free_bytes = diagnosis->free_bytes;
    if (free_bytes > 0) {
        size_t largest = diagnosis->largest_free_bytes + FIT_HEAD + FIT_TAIL;
        diagnosis->external_permille = permille(free_bytes - largest, free_bytes);
    }
    diagnosis->internal_permille =
        permille(diagnosis->live_bytes - diagnosis->asked_bytes, diagnosis->live_bytes);
}

/* ---- Words ----------------------------------------------------------------------------------- */

const char *larder_fit_policy_text(enum larder_fit_policy policy) {
    static const char *const text[] = {"first fit", "next fit", "best fit", "worst fit",
                                       "good fit"};
    unsigned index = (unsigned)policy;
    return index < sizeof text / sizeof text[0] ? text[index] : "unknown policy";
}

const char *larder_fit_mistake_text(enum larder_fit_mistake mistake) {
    static const char *const text[] = {"sound",
                                       "double free",
                                       "interior pointer",
                                       "foreign pointer",
                                       "corrupt header",
                                       "written beyond the end",
                                       "written after free"};
    unsigned index = (unsigned)mistake;
    return index < sizeof text / sizeof text[0] ? text[index] : "unknown mistake";
}
