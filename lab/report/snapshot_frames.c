/* snapshot_frames.c: the frame map of a snapshot, and what pins it. A snapshot knows how many
 * objects of a slab are taken, but neither which nor by whom: they are spread evenly over the
 * slab's frames, and only whole slabs and page blocks can be said to be pinned. */
#include "pin_rows.h"
#include "snapshot.h"

#include "trace/memory.h"

#include <stdlib.h>

/* ---- cells ----------------------------------------------------------------------------------- */

/* Of what is spread evenly over `count` places, what lies in those from `from` to before `to`. */
static uint64_t share(uint64_t amount, uint64_t count, uint64_t from, uint64_t to) {
    return amount * to / count - amount * from / count;
}

static void add_slab(struct cell *cell, const struct moment *moment,
                     const struct snapshot_block *block, uint64_t from, uint64_t to) {
    const struct moment_cache *cache = snapshot_cache(moment, block->cache);
    if (cell->slab == 0)
        cell->cache = block->cache;
    cell->slab += (uint32_t)(to - from);
    if (!cache || cache->is_internal)
        return;
    cell->objects += (uint32_t)share(block->taken, block->frames, from, to);
    cell->live += share(block->taken * cache->object_bytes, block->frames, from, to);
}

static void add_run(struct cell *cell, uint32_t site, uint64_t frames) {
    cell->run += (uint32_t)frames;
    cell->objects++;
    cell->live += frames * LARDER_FRAME_BYTES;
    for (unsigned i = 0; site && i < MOMENT_SITES; i++) {
        if (cell->site[i] == 0 || cell->site[i] == site) {
            cell->site[i] = site;
            return;
        }
    }
}

/* Frames `from` to before `to` of a block, which lie in one cell. */
static void add_part(struct cell *cell, const struct moment *moment,
                     const struct snapshot_block *block, uint32_t site, uint64_t from,
                     uint64_t to) {
    const uint64_t frames = to - from;
    const uint64_t resident = share(block->resident, block->frames, from, to);
    if (block->kind == SNAPSHOT_SLAB) {
        add_slab(cell, moment, block, from, to);
    } else if (block->kind == SNAPSHOT_RUN) {
        add_run(cell, site, frames);
    } else if (block->kind == SNAPSHOT_FREE) {
        cell->free_backed += (uint32_t)resident;
        cell->unbacked += (uint32_t)(frames - resident);
    } else {
        cell->kept += (uint32_t)frames;
    }
}

static void add_block(struct moment *moment, const struct snapshot_block *block, uint32_t site) {
    for (uint64_t from = 0, to; from < block->frames; from = to) {
        const uint64_t cell = (block->first + from) / moment->cell_frames;
        to = (cell + 1) * moment->cell_frames - block->first;
        to = to < block->frames ? to : block->frames;
        if (cell < moment->cell_count)
            add_part(&moment->cell[cell], moment, block, site, from, to);
    }
}

/* What lies behind was never used. */
static uint64_t used_frames(const struct snapshot *snapshot) {
    struct snapshot_block block;
    uint64_t used = 1;
    for (size_t i = 0; snapshot_block(snapshot, i, &block); i++) {
        if (block.kind != SNAPSHOT_FREE || block.resident > 0)
            used = block.first + block.frames;
    }
    return used;
}

void snapshot_take_cells(const struct snapshot *snapshot, struct moment *moment,
                         struct snapshot_sites *sites) {
    const uint64_t frames = used_frames(snapshot);
    struct snapshot_block block;
    moment->cell_frames = 1;
    while (frames > (uint64_t)moment->cell_frames * MOMENT_CELLS)
        moment->cell_frames *= 2;
    moment->cell_count = (uint32_t)((frames + moment->cell_frames - 1) / moment->cell_frames);
    moment->cell = memory_zeroed(moment->cell_count + 1, sizeof *moment->cell);
    for (size_t i = 0; snapshot_block(snapshot, i, &block); i++)
        add_block(moment, &block, block.site ? snapshot_site(sites, block.site) : 0);
}

/* ---- pins ------------------------------------------------------------------------------------ */

struct unit {
    uint64_t blocks, live, resident; /* number; bytes of them; bytes that go back with the unit */
    uint64_t size;                   /* of its blocks: the size class */
    bool is_mixed, is_counted;       /* blocks of several sizes; a row has it already */
};

struct pinning {
    const struct snapshot *snapshot;
    const struct moment *moment;
    enum pin_unit kind;
    struct unit *unit;
    struct pin_rows rows;
};

/* Bytes of one object of the block; 0: it holds nothing that the program could free. */
static uint64_t size_of(const struct pinning *pinning, const struct snapshot_block *block) {
    if (block->kind == SNAPSHOT_RUN)
        return block->frames * LARDER_FRAME_BYTES;
    const struct moment_cache *cache =
        block->kind == SNAPSHOT_SLAB ? snapshot_cache(pinning->moment, block->cache) : NULL;
    return cache && !cache->is_internal && block->taken > 0 ? cache->object_bytes : 0;
}

static void count_unit(struct unit *unit, uint64_t size, uint64_t blocks, uint64_t live) {
    unit->is_mixed |= unit->blocks > 0 && unit->size != size;
    unit->size = size;
    unit->blocks += blocks;
    unit->live += live;
}

static void charge_unit(struct pinning *pinning, struct unit *unit, uint64_t size, uint64_t blocks,
                        uint64_t live) {
    if (unit->blocks > PIN_HOLDERS_MAX || 2 * unit->live > unit->resident)
        return;
    const struct pin key = {.unit = pinning->kind,
                            .holders = pin_holders_class((uint32_t)unit->blocks),
                            .usable_bytes = size};
    struct pin *row = pin_row(&pinning->rows, &key);
    row->blocks += blocks;
    row->live_bytes += live;
    if (unit->is_mixed) {
        row->shared_bytes += unit->resident * blocks / unit->blocks;
    } else if (!unit->is_counted) {
        unit->is_counted = true;
        row->units++;
        row->alone_bytes += unit->resident;
    }
}

/* Each unit that the block reaches into: a slab itself, or all its page blocks, in each of which
 * any of its objects may lie. First `resident`, then counted, then charged. */
enum pass { PASS_RESIDENT, PASS_COUNT, PASS_CHARGE };

static void visit_block(struct pinning *pinning, const struct snapshot_block *block, size_t i,
                        enum pass pass) {
    const uint64_t size = size_of(pinning, block);
    const uint64_t blocks = block->kind == SNAPSHOT_RUN ? 1 : block->taken;
    const uint64_t unit_frames = pinning->kind == PIN_SLAB ? block->frames : PIN_PAGEBLOCK_FRAMES;
    if (pinning->kind == PIN_SLAB && block->kind != SNAPSHOT_SLAB)
        return;
    for (uint64_t from = 0, to; from < block->frames; from = to) {
        const uint64_t number = (block->first + from) / PIN_PAGEBLOCK_FRAMES;
        struct unit *unit = &pinning->unit[pinning->kind == PIN_SLAB ? i : number];
        to = pinning->kind == PIN_SLAB ? block->frames : (number + 1) * unit_frames - block->first;
        to = to < block->frames ? to : block->frames;
        const uint64_t live = share(size * blocks, block->frames, from, to);
        if (pass == PASS_RESIDENT)
            unit->resident += share(block->resident, block->frames, from, to) * LARDER_FRAME_BYTES;
        else if (size > 0 && pass == PASS_COUNT)
            count_unit(unit, size, blocks, live);
        else if (size > 0)
            charge_unit(pinning, unit, size, blocks, live);
    }
}

static void take_units(const struct snapshot *snapshot, struct moment *moment, enum pin_unit kind) {
    const json_t *frames = json_object_get(snapshot->json, "frames");
    const size_t blocks = json_array_size(json_object_get(frames, "blocks"));
    struct pinning pinning = {.snapshot = snapshot, .moment = moment, .kind = kind};
    struct snapshot_block block;
    size_t units = blocks;
    if (kind == PIN_PAGEBLOCK && snapshot_block(snapshot, blocks - 1, &block))
        units = (block.first + block.frames) / PIN_PAGEBLOCK_FRAMES + 1;
    pinning.unit = memory_zeroed(units, sizeof *pinning.unit);
    for (enum pass pass = PASS_RESIDENT; pass <= PASS_CHARGE; pass++) {
        for (size_t i = 0; snapshot_block(snapshot, i, &block); i++)
            visit_block(&pinning, &block, i, pass);
    }
    pin_rows_keep(&pinning.rows, moment);
    free(pinning.unit);
}

void snapshot_take_pins(const struct snapshot *snapshot, struct moment *moment) {
    take_units(snapshot, moment, PIN_SLAB);
    take_units(snapshot, moment, PIN_PAGEBLOCK);
}
