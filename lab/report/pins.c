/* pins.c: what pins memory at a moment. A unit (a frame, a slab, 2 MiB) that a few live blocks keep
 * from being given back while less than half of it is in use; grouped by who holds it, in the order
 * of what would come back.
 *
 * Every unit is looked at twice, by way of the live blocks: first its blocks are counted, then each
 * block of a unit that counts few goes to the row of its call site and size.
 */
#include "pin_rows.h"

#include "trace/memory.h"

#include "larder/stats.h"

#include <stdlib.h>
#include <string.h>

struct unit {
    uint32_t blocks;
    uint32_t first; /* id of the first block seen */
    uint64_t live;  /* bytes in it that were asked for */
    bool is_mixed;  /* blocks of several sites or sizes */
};

#define CLASS_UNIT 16u
#define CLASS_ENTRIES (LARDER_CLASS_MAX_BYTES / CLASS_UNIT + 1)

struct pinning {
    const struct heap *heap;
    enum pin_unit kind;
    struct unit *unit;    /* by frame (a slab by its first), or by page block */
    uint32_t *slab_first; /* of slabs: by frame, see slab_frame() */
    struct pin_rows rows;
    uint32_t slab_bytes[CLASS_ENTRIES];
};

/* ---- units ----------------------------------------------------------------------------------- */

/* Bytes of the slabs of each size class, by its size in units of 16 bytes; 0: it has none. */
static void index_slabs(const struct moment *moment, uint32_t slab_bytes[CLASS_ENTRIES]) {
    memset(slab_bytes, 0, CLASS_ENTRIES * sizeof *slab_bytes);
    for (uint32_t i = 0; i < moment->cache_count; i++) {
        const struct moment_cache *cache = &moment->cache[i];
        if (!cache->is_internal && cache->id && cache->object_bytes <= LARDER_CLASS_MAX_BYTES)
            slab_bytes[cache->object_bytes / CLASS_UNIT] = (uint32_t)cache->slab_bytes;
    }
}

static uint64_t slab_bytes_of(const struct pinning *pinning, uint64_t usable_bytes) {
    return usable_bytes <= LARDER_CLASS_MAX_BYTES ? pinning->slab_bytes[usable_bytes / CLASS_UNIT]
                                                  : 0;
}

/* Bytes that go back if the unit does. */
static uint64_t bytes_of(const struct pinning *pinning, uint64_t number, uint64_t slab_bytes) {
    uint64_t frames = 0;
    if (pinning->kind == PIN_SLAB)
        return slab_bytes;
    if (pinning->kind == PIN_FRAME)
        return LARDER_FRAME_BYTES;
    for (uint64_t i = 0; i < PIN_PAGEBLOCK_FRAMES; i++)
        frames += heap_is_backed(pinning->heap, number * PIN_PAGEBLOCK_FRAMES + i);
    return frames * LARDER_FRAME_BYTES;
}

/* The frame that the slab of an object begins at. Slabs lie anywhere, so the core is asked, once
 * for each frame. */
static uint64_t slab_frame(struct pinning *pinning, uint64_t at) {
    uint32_t *first = &pinning->slab_first[at / LARDER_FRAME_BYTES];
    struct larder_block slab;
    if (*first == 0) {
        larder_block_at(pinning->heap->larder, pinning->heap->base + at, &slab);
        const uint64_t start = (uint64_t)((const unsigned char *)slab.start - pinning->heap->base);
        *first = (uint32_t)(start / LARDER_FRAME_BYTES) + 1;
    }
    return *first - 1;
}

static void count_block(struct pinning *pinning, uint32_t id, const struct heap_block *block,
                        uint64_t number, uint64_t here_bytes) {
    struct unit *unit = &pinning->unit[number];
    const struct heap_block *first = heap_find(pinning->heap, unit->first);
    if (unit->blocks++ == 0)
        unit->first = id;
    else if (first && (first->site != block->site || first->usable_bytes != block->usable_bytes))
        unit->is_mixed = true;
    unit->live += here_bytes;
}

static void charge_block(struct pinning *pinning, uint32_t id, const struct heap_block *block,
                         uint64_t number, uint64_t here_bytes, uint64_t slab_bytes) {
    const struct unit *unit = &pinning->unit[number];
    if (unit->blocks > PIN_HOLDERS_MAX)
        return;
    const uint64_t bytes = bytes_of(pinning, number, slab_bytes);
    if (2 * unit->live > bytes)
        return;
    struct pin *row = pin_row(&pinning->rows, &(struct pin){
                                                  .unit = pinning->kind,
                                                  .holders = pin_holders_class(unit->blocks),
                                                  .site = block->site,
                                                  .usable_bytes = block->usable_bytes,
                                                  .oldest = UINT64_MAX,
                                              });
    row->blocks++;
    row->live_bytes += here_bytes;
    row->oldest = block->born < row->oldest ? block->born : row->oldest;
    row->youngest = block->born > row->youngest ? block->born : row->youngest;
    if (unit->is_mixed) {
        row->shared_bytes += bytes / unit->blocks;
    } else if (unit->first == id) {
        row->units++;
        row->alone_bytes += bytes;
    }
}

/* ---- passes ---------------------------------------------------------------------------------- */

static void visit_unit(struct pinning *pinning, uint32_t id, uint64_t number, uint64_t here_bytes,
                       bool is_charged) {
    const struct heap_block *block = heap_find(pinning->heap, id);
    if (is_charged)
        charge_block(pinning, id, block, number, here_bytes,
                     slab_bytes_of(pinning, block->usable_bytes));
    else
        count_block(pinning, id, block, number, here_bytes);
}

/* Each unit that the block reaches into; counted or, once all are, charged. */
static void visit_block(struct pinning *pinning, uint32_t id, bool is_charged) {
    const struct heap_block *block = heap_find(pinning->heap, id);
    if (!block || !block->pointer)
        return;
    if (slab_bytes_of(pinning, block->usable_bytes) == 0 && pinning->kind != PIN_PAGEBLOCK)
        return; /* a run fills its frames */
    uint64_t at = (uint64_t)(block->pointer - pinning->heap->base);
    const uint64_t end = at + (block->size_bytes ? block->size_bytes : 1);
    if (pinning->kind == PIN_SLAB) {
        visit_unit(pinning, id, slab_frame(pinning, at), end - at, is_charged);
        return;
    }
    const uint64_t bytes = pinning->kind == PIN_FRAME ? LARDER_FRAME_BYTES : PIN_PAGEBLOCK_BYTES;
    while (at < end) {
        const uint64_t next = (at / bytes + 1) * bytes, stop = next < end ? next : end;
        visit_unit(pinning, id, at / bytes, stop - at, is_charged);
        at = stop;
    }
}

static void take_units(struct moment *moment, const struct heap *heap, enum pin_unit kind) {
    struct pinning pinning = {.heap = heap, .kind = kind};
    const uint64_t unit_bytes = kind == PIN_PAGEBLOCK ? PIN_PAGEBLOCK_BYTES : LARDER_FRAME_BYTES;
    index_slabs(moment, pinning.slab_bytes);
    if (kind == PIN_SLAB)
        pinning.slab_first = memory_zeroed(heap->used_bytes / unit_bytes + 1, sizeof(uint32_t));
    pinning.unit = memory_zeroed(heap->used_bytes / unit_bytes + 1, sizeof *pinning.unit);
    for (size_t id = 0; id < heap->block_end; id++)
        visit_block(&pinning, (uint32_t)id, false);
    for (size_t id = 0; id < heap->block_end; id++)
        visit_block(&pinning, (uint32_t)id, true);
    pin_rows_keep(&pinning.rows, moment);
    free(pinning.unit);
    free(pinning.slab_first);
}

void moment_take_pins(struct moment *moment, struct heap *heap) {
    for (unsigned kind = 0; kind < PIN_UNITS; kind++)
        take_units(moment, heap, (enum pin_unit)kind);
}
