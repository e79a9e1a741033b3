/* figures.c: what is seen of a replay between two events. */
#include "engine.h"

#include "space.h"

#include <stdlib.h>
#include <string.h>

static void copy_memory(struct replay_figures *figures, const struct policy_figures *found) {
    figures->footprint_bytes = found->footprint_bytes;
    figures->free_bytes = found->free_bytes;
    figures->largest_free_bytes = found->largest_free_bytes;
    figures->free_pieces = found->free_pieces;
    figures->metadata_bytes = found->metadata_bytes;
    figures->order_count = found->order_count;
    memcpy(figures->free_blocks, found->free_blocks, sizeof figures->free_blocks);
    memcpy(figures->index_permille, found->index_permille, sizeof figures->index_permille);
}

static void copy_times(struct replay_figures *figures, const struct replay *replay) {
    static struct times all; /* large; the lab has one thread */
    memset(&all, 0, sizeof all);
    times_merge(&all, &replay->alloc);
    times_merge(&all, &replay->resize);
    times_merge(&all, &replay->free);
    figures->alloc = times_summary(&replay->alloc);
    figures->realloc = times_summary(&replay->resize);
    figures->free = times_summary(&replay->free);
    figures->all = times_summary(&all);
}

void replay_figures(struct replay *replay, struct replay_figures *figures) {
    struct policy_figures found = {0};
    const struct policy_kind *kind = replay->policy->kind;
    if (kind->enter)
        kind->enter(replay->policy);
    kind->figures(replay->policy, &found);
    *figures = replay->so_far;
    copy_memory(figures, &found);
    figures->held_bytes = replay_held(replay);
    if (figures->footprint_bytes > replay->so_far.footprint_peak_bytes)
        replay->so_far.footprint_peak_bytes = figures->footprint_bytes;
    figures->footprint_peak_bytes = replay->so_far.footprint_peak_bytes;
    const uint64_t known = figures->held_bytes + figures->free_bytes;
    figures->cached_bytes = figures->footprint_bytes > known ? figures->footprint_bytes - known : 0;
    copy_times(figures, replay);
}

static unsigned permille(uint64_t part, uint64_t whole) {
    return whole ? (unsigned)((double)part * 1000 / (double)whole + 0.5) : 0;
}

unsigned replay_external_permille(const struct replay_figures *figures) {
    return permille(figures->free_bytes - figures->largest_free_bytes, figures->free_bytes);
}

unsigned replay_internal_permille(const struct replay_figures *figures) {
    const uint64_t held = figures->held_at_peak_bytes, live = figures->live_at_peak_bytes;
    return held > live ? permille(held - live, held) : 0; /* a malloc may not tell what is held */
}

/* ---- Blocks and chunks ----------------------------------------------------------------------- */

static struct replay_block describe(const struct replay *replay, uint32_t id) {
    const struct block *block = &replay->blocks.block[id];
    return (struct replay_block){
        .id = id,
        .site = block->site,
        .thread = block->thread,
        .pointer = block->pointer,
        .offset_bytes = (uint64_t)(block->pointer - (const unsigned char *)replay->policy->memory),
        .size_bytes = block->size_bytes,
        .born_event = block->born_event,
        .born_ns = block->born_ns,
    };
}

void replay_blocks(const struct replay *replay,
                   bool (*visit)(void *context, const struct replay_block *block), void *context) {
    for (uint32_t id = 0; id < replay->blocks.end; id++) {
        if (replay->blocks.block[id].pointer == NULL)
            continue;
        const struct replay_block block = describe(replay, id);
        if (!visit(context, &block))
            return;
    }
}

/* The live blocks by address, beside the walk over the chunks. */
struct merge {
    struct replay_block *block;
    size_t count, next;
    bool (*visit)(void *context, const struct replay_chunk *chunk);
    void *context;
};

static bool collect(void *context, const struct replay_block *block) {
    struct merge *merge = context;
    merge->block[merge->count++] = *block;
    return true;
}

static int by_address(const void *a, const void *b) {
    const uint64_t x = ((const struct replay_block *)a)->offset_bytes;
    const uint64_t y = ((const struct replay_block *)b)->offset_bytes;
    return (x > y) - (x < y);
}

static bool visit_with_block(void *context, const struct replay_chunk *found) {
    struct merge *merge = context;
    struct replay_chunk chunk = *found;
    if (chunk.is_used && merge->next < merge->count &&
        merge->block[merge->next].pointer == chunk.block.pointer)
        chunk.block = merge->block[merge->next++];
    return merge->visit(merge->context, &chunk);
}

bool replay_chunks(struct replay *replay,
                   bool (*visit)(void *context, const struct replay_chunk *chunk), void *context) {
    struct merge merge = {.visit = visit, .context = context};
    if (!replay->policy->kind->walk)
        return false;
    merge.block = malloc((replay->so_far.live_blocks + 1) * sizeof *merge.block);
    if (!merge.block)
        return false;
    replay_blocks(replay, collect, &merge);
    qsort(merge.block, merge.count, sizeof *merge.block, by_address);
    (void)replay->policy->kind->walk(replay->policy, visit_with_block, &merge);
    free(merge.block);
    return true;
}

struct larder *replay_core(const struct replay *replay) {
    const struct policy_kind *kind = replay->policy->kind;
    if (!kind->core)
        return NULL;
    if (kind->enter)
        kind->enter(replay->policy);
    return kind->core(replay->policy);
}

const void *replay_memory(const struct replay *replay) {
    return replay->policy->memory;
}
