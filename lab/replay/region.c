/* region.c: first, next, best, worst and good fit: the region heap in one region, which grows at
 * its end by just what a request needs. */
#define LARDER_CONFIG_HEADER "replay/fit_config.h"

#include "policy.h"

#include "larder/fit.h"

#include "space.h"

#include <stdio.h>
#include <stdlib.h>

#define SPACE_BYTES ((size_t)1 << 40) /* as much as good fit takes */
#define FIRST_BYTES 64u               /* holds the least chunk, wherever the region begins */
#define HEADER_BYTES sizeof(size_t)   /* of a chunk, without canaries and owners */

struct region_heap {
    struct policy policy;
    struct larder_fit heap;
    struct larder_fit_region region;
    unsigned char *memory, *limit;
    size_t space_bytes;
    bool may_grow;
};

uint64_t region_looked;

void region_fatal(unsigned mistake, const void *pointer) {
    (void)fprintf(stderr, "larder: the region heap found a mistake: %s at %p\n",
                  larder_fit_mistake_text((enum larder_fit_mistake)mistake), pointer);
    abort();
}

static struct region_heap *heap_of(struct policy *policy) {
    return (struct region_heap *)policy;
}

/* ---- Begin and end --------------------------------------------------------------------------- */

static bool begin(struct region_heap *heap, uint64_t memory_bytes) {
    const size_t wanted = memory_bytes ? memory_bytes : SPACE_BYTES;
    heap->memory =
        space_take(wanted, memory_bytes ? memory_bytes : FIRST_BYTES, &heap->space_bytes);
    if (!heap->memory)
        return false;
    heap->may_grow = memory_bytes == 0; /* space_bytes is more than memory_bytes, up to a page */
    heap->limit = heap->memory + (memory_bytes ? memory_bytes : FIRST_BYTES);
    heap->policy.memory = heap->memory;
    return larder_fit_init(&heap->heap, (enum larder_fit_policy)heap->policy.kind->variant) &&
           larder_fit_add_region(&heap->heap, &heap->region, heap->memory,
                                 (size_t)(heap->limit - heap->memory), 0, 0) > 0;
}

static void region_close(struct policy *policy) {
    space_give(heap_of(policy)->memory, heap_of(policy)->space_bytes);
    free(policy);
}

static struct policy *region_open(const struct policy_kind *kind, uint64_t memory_bytes,
                                  char what[REPLAY_WHAT_LENGTH]) {
    struct region_heap *heap = calloc(1, sizeof *heap);
    if (heap) {
        heap->policy.kind = kind;
        if (begin(heap, memory_bytes))
            return &heap->policy;
        region_close(&heap->policy);
    }
    (void)snprintf(what, REPLAY_WHAT_LENGTH, "%s cannot begin with so little memory", kind->title);
    return NULL;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Good fit looks in the class above, whose chunks are up to an eighth larger than what was asked
 * for; one at the end that just holds it may be overlooked. */
static size_t with_a_step(size_t bytes) {
    const size_t step = bytes / 8 + FIRST_BYTES;
    return bytes <= SIZE_MAX - step ? bytes + step : SIZE_MAX;
}

/* Make the end hold `bytes`. */
static bool grow(struct region_heap *heap, size_t bytes) {
    unsigned char *limit = larder_fit_limit_for(&heap->heap, &heap->region, bytes);
    if (limit && limit <= heap->limit)
        limit = larder_fit_limit_for(&heap->heap, &heap->region, with_a_step(bytes));
    if (!heap->may_grow || !limit || limit <= heap->limit ||
        (size_t)(limit - heap->memory) > heap->space_bytes ||
        larder_fit_grow(&heap->heap, &heap->region, limit) == 0)
        return false;
    heap->limit = limit;
    return true;
}

static void *region_alloc(struct policy *policy, size_t size_bytes) {
    struct region_heap *heap = heap_of(policy);
    void *pointer = larder_fit_alloc(&heap->heap, size_bytes);
    if (!pointer && grow(heap, size_bytes))
        pointer = larder_fit_alloc(&heap->heap, size_bytes);
    return pointer;
}

/* The end is made to hold a piece wherever it begins: size, alignment and the least chunk. */
static void *region_aligned(struct policy *policy, size_t align_bytes, size_t size_bytes) {
    struct region_heap *heap = heap_of(policy);
    void *pointer = larder_fit_aligned(&heap->heap, align_bytes, size_bytes);
    const size_t margin = align_bytes + FIRST_BYTES;
    if (!pointer && margin > align_bytes && size_bytes <= SIZE_MAX - margin &&
        grow(heap, size_bytes + margin))
        pointer = larder_fit_aligned(&heap->heap, align_bytes, size_bytes);
    return pointer;
}

/* If it is the last one, the end need only hold the difference; if not, that was the first step. */
static void *region_resize(struct policy *policy, void *pointer, size_t size_bytes) {
    struct region_heap *heap = heap_of(policy);
    const size_t old_bytes = larder_fit_size_of(&heap->heap, pointer);
    void *moved = larder_fit_realloc(&heap->heap, pointer, size_bytes);
    if (!moved && size_bytes > old_bytes && grow(heap, size_bytes - old_bytes))
        moved = larder_fit_realloc(&heap->heap, pointer, size_bytes);
    if (!moved && grow(heap, size_bytes))
        moved = larder_fit_realloc(&heap->heap, pointer, size_bytes);
    return moved;
}

static void region_free(struct policy *policy, void *pointer) {
    larder_fit_free(&heap_of(policy)->heap, pointer);
}

/* ---- Figures --------------------------------------------------------------------------------- */

static uint64_t region_footprint(const struct policy *policy) {
    const struct region_heap *heap = (const struct region_heap *)policy;
    return (uint64_t)(heap->limit - heap->memory);
}

static uint64_t region_held(const struct policy *policy) {
    const struct region_heap *heap = (const struct region_heap *)policy;
    return (uint64_t)(heap->region.end - heap->region.first) - heap->heap.free_bytes;
}

/* As much of the control structure as a heap has that is compiled with this policy alone. */
static uint64_t control_bytes(int variant) {
    const union larder_fit_free_ *free_chunks = NULL;
    const size_t rest = sizeof(struct larder_fit) + offsetof(struct larder_fit_region, free);
    switch (variant) {
    case LARDER_FIT_GOOD:
        return rest + sizeof free_chunks->classes;
    case LARDER_FIT_BEST:
    case LARDER_FIT_WORST:
        return rest + sizeof free_chunks->root;
    default:
        return rest + sizeof free_chunks->list;
    }
}

static void region_figures(struct policy *policy, struct policy_figures *figures) {
    struct larder_fit_diagnosis found;
    larder_fit_diagnose(&heap_of(policy)->heap, &found);
    figures->footprint_bytes = region_footprint(policy);
    figures->free_bytes = found.free_bytes;
    figures->free_pieces = found.free_chunks;
    figures->largest_free_bytes = found.free_chunks ? found.largest_free_bytes + HEADER_BYTES : 0;
    figures->metadata_bytes = control_bytes(policy->kind->variant);
}

static uint64_t region_looks(void) {
    return region_looked;
}

/* ---- The chunks ------------------------------------------------------------------------------ */

struct walk {
    const unsigned char *memory;
    bool (*visit)(void *context, const struct replay_chunk *chunk);
    void *context;
};

static bool visit_chunk(void *context, const struct larder_fit_block *block) {
    const struct walk *walk = context;
    const unsigned char *payload = block->pointer;
    const struct replay_chunk chunk = {
        .offset_bytes = (uint64_t)(payload - walk->memory) - HEADER_BYTES,
        .size_bytes = block->bytes + HEADER_BYTES,
        .is_used = block->used,
        .block = {.pointer = payload, .size_bytes = block->asked_bytes},
    };
    return walk->visit(walk->context, &chunk);
}

static bool region_walk(struct policy *policy,
                        bool (*visit)(void *context, const struct replay_chunk *chunk),
                        void *context) {
    struct walk walk = {policy->memory, visit, context};
    (void)larder_fit_walk(&heap_of(policy)->heap, visit_chunk, &walk);
    return true;
}

#define REGION_POLICY(word, words, which)                                                          \
    const struct policy_kind policy_##word = {                                                     \
        .name = #word,                                                                             \
        .title = words,                                                                            \
        .variant = which,                                                                          \
        .open = region_open,                                                                       \
        .close = region_close,                                                                     \
        .alloc = region_alloc,                                                                     \
        .aligned = region_aligned,                                                                 \
        .resize = region_resize,                                                                   \
        .free = region_free,                                                                       \
        .held = region_held,                                                                       \
        .footprint = region_footprint,                                                             \
        .figures = region_figures,                                                                 \
        .walk = region_walk,                                                                       \
        .looked = region_looks,                                                                    \
    }

REGION_POLICY(first, "first fit", LARDER_FIT_FIRST);
REGION_POLICY(next, "next fit", LARDER_FIT_NEXT);
REGION_POLICY(best, "best fit", LARDER_FIT_BEST);
REGION_POLICY(worst, "worst fit", LARDER_FIT_WORST);
REGION_POLICY(good, "good fit", LARDER_FIT_GOOD);
