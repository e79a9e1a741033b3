/* cells.c: the frame map of a moment. The core says what each frame is; the live blocks say how
 * full it is, how old, and whose. */
#include "moment.h"

#include "trace/memory.h"

#include "larder/stats.h"

#include <stdlib.h>

static uint64_t frame_of(const struct heap *heap, const unsigned char *pointer) {
    return (uint64_t)(pointer - heap->base) / LARDER_FRAME_BYTES;
}

static struct cell *cell_of(struct moment *moment, uint64_t frame) {
    return &moment->cell[frame / moment->cell_frames];
}

/* ---- what frames are ------------------------------------------------------------------------- */

static void set_slab(struct cell *cell, unsigned cache) {
    cell->cache = cell->slab++ == 0 ? cache : cell->cache;
}

/* `is_held`: a live run covers it. A run that none covers is a bin's, or the core's own. */
static void read_frame(struct moment *moment, struct heap *heap, uint64_t frame, bool is_held) {
    struct larder_map_cell seen;
    struct cell *cell = cell_of(moment, frame);
    larder_map_read(heap->larder, (uintptr_t)heap->base + frame * LARDER_FRAME_BYTES,
                    LARDER_FRAME_BYTES, &seen);
    if (seen.slab > 0)
        set_slab(cell, seen.top_cache);
    else if (is_held)
        cell->run++;
    else if (seen.free == 0)
        cell->kept++;
    else if (heap_is_backed(heap, frame))
        cell->free_backed++;
    else
        cell->unbacked++;
}

/* A bit per frame that lies in a live run. */
static uint64_t *held_frames(const struct heap *heap, uint64_t frames) {
    uint64_t *held = memory_zeroed(frames / 64 + 1, sizeof *held);
    for (size_t id = 0; id < heap->block_end; id++) {
        const struct heap_block *block = heap_find(heap, (uint32_t)id);
        if (!block || !block->pointer || block->usable_bytes <= LARDER_CLASS_MAX_BYTES)
            continue;
        const uint64_t first = frame_of(heap, block->pointer);
        for (uint64_t i = 0; i < block->usable_bytes / LARDER_FRAME_BYTES; i++)
            held[(first + i) / 64] |= UINT64_C(1) << (first + i) % 64;
    }
    return held;
}

/* ---- what lives in them ---------------------------------------------------------------------- */

/* The few with most bytes, as far as so few counters can tell (Metwally's space saving): whoever is
 * not among them takes the place of the smallest, and its count. */
static void add_site(struct cell *cell, uint32_t site, uint64_t bytes) {
    unsigned least = 0;
    for (unsigned i = 0; i < MOMENT_SITES; i++) {
        if (cell->site[i] == site || cell->site[i] == 0) {
            cell->site[i] = site;
            cell->site_bytes[i] += bytes;
            return;
        }
        if (cell->site_bytes[i] < cell->site_bytes[least])
            least = i;
    }
    cell->site[least] = site;
    cell->site_bytes[least] += bytes;
}

static void add_block(struct cell *cell, const struct heap_block *block, uint64_t bytes) {
    if (cell->objects++ == 0)
        cell->oldest = cell->youngest = block->born;
    if (block->born < cell->oldest)
        cell->oldest = block->born;
    if (block->born > cell->youngest)
        cell->youngest = block->born;
    cell->live += bytes;
    if (block->site)
        add_site(cell, block->site, bytes);
}

/* Each cell that the block reaches into. */
static void spread_block(struct moment *moment, const struct heap *heap,
                         const struct heap_block *block) {
    const uint64_t cell_bytes = moment->cell_frames * LARDER_FRAME_BYTES;
    uint64_t at = (uint64_t)(block->pointer - heap->base);
    const uint64_t end = at + (block->size_bytes ? block->size_bytes : 1);
    while (at < end) {
        const uint64_t next = (at / cell_bytes + 1) * cell_bytes;
        const uint64_t here = (next < end ? next : end) - at;
        add_block(&moment->cell[at / cell_bytes], block, here);
        at += here;
    }
}

static void rank_sites(struct cell *cell) {
    for (unsigned i = 1; i < MOMENT_SITES; i++) {
        for (unsigned j = i; j > 0 && cell->site_bytes[j] > cell->site_bytes[j - 1]; j--) {
            const uint32_t site = cell->site[j];
            const uint64_t bytes = cell->site_bytes[j];
            cell->site[j] = cell->site[j - 1];
            cell->site_bytes[j] = cell->site_bytes[j - 1];
            cell->site[j - 1] = site;
            cell->site_bytes[j - 1] = bytes;
        }
    }
}

/* ---- whole maps ------------------------------------------------------------------------------ */

void moment_take_cells(struct moment *moment, struct heap *heap) {
    const uint64_t frames = heap->used_bytes / LARDER_FRAME_BYTES;
    moment->cell_frames = 1;
    while (frames > (uint64_t)moment->cell_frames * MOMENT_CELLS)
        moment->cell_frames *= 2;
    moment->cell_count = (uint32_t)((frames + moment->cell_frames - 1) / moment->cell_frames);
    moment->cell = memory_zeroed(moment->cell_count + 1, sizeof *moment->cell);
    uint64_t *held = held_frames(heap, frames);
    for (uint64_t frame = 0; frame < frames; frame++)
        read_frame(moment, heap, frame, (held[frame / 64] >> frame % 64 & 1) != 0);
    free(held);
    for (size_t id = 0; id < heap->block_end; id++) {
        const struct heap_block *block = heap_find(heap, (uint32_t)id);
        if (block && block->pointer)
            spread_block(moment, heap, block);
    }
    for (uint32_t i = 0; i < moment->cell_count; i++)
        rank_sites(&moment->cell[i]);
}

static void merge(struct cell *into, const struct cell *from) {
    if (from->slab > into->slab)
        into->cache = from->cache;
    into->free_backed += from->free_backed;
    into->unbacked += from->unbacked;
    into->kept += from->kept;
    into->slab += from->slab;
    into->run += from->run;
    into->live += from->live;
    if (from->objects > 0) {
        into->oldest = into->objects && into->oldest < from->oldest ? into->oldest : from->oldest;
        into->youngest =
            into->objects && into->youngest > from->youngest ? into->youngest : from->youngest;
    }
    into->objects += from->objects;
    for (unsigned i = 0; i < MOMENT_SITES && from->site[i]; i++)
        add_site(into, from->site[i], from->site_bytes[i]);
    rank_sites(into);
}

/* Two cells become one; a block that reaches from one into the other counts twice then. */
void moment_coarsen(struct moment *moment, uint32_t cell_frames) {
    for (; moment->cell_frames < cell_frames; moment->cell_frames *= 2) {
        for (uint32_t i = 0; i < moment->cell_count; i += 2) {
            struct cell both = moment->cell[i];
            if (i + 1 < moment->cell_count)
                merge(&both, &moment->cell[i + 1]);
            moment->cell[i / 2] = both;
        }
        moment->cell_count = (moment->cell_count + 1) / 2;
    }
}
