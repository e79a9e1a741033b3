/* moment.c: taking and writing one. See moment.h. */
#include "moment.h"

#include "trace/memory.h"

#include "larder/larder.h"

#include <stdlib.h>
#include <string.h>

void moment_take(struct moment *moment, struct heap *heap, const struct heap_amounts *amounts,
                 uint64_t time, uint64_t event) {
    *moment = (struct moment){.time = time, .event = event, .amounts = *amounts};
    moment_take_cells(moment, heap);
    moment_take_caches(moment, heap);
    moment_take_pins(moment, heap);
}

void moment_drop(struct moment *moment) {
    free(moment->cell);
    free(moment->cache);
    free(moment->pin);
    *moment = (struct moment){0};
}

/* ---- writing --------------------------------------------------------------------------------- */

/* What most of a cell's frames are. From 16 on: the id of a cache. */
enum { OWNER_UNBACKED, OWNER_FREE, OWNER_KEPT, OWNER_RUN };

static uint64_t owner_of(const struct cell *cell) {
    const uint32_t frames[] = {cell->unbacked, cell->free_backed, cell->kept, cell->run};
    uint32_t most = cell->slab;
    uint64_t owner = cell->cache;
    for (unsigned kind = 0; kind < sizeof frames / sizeof *frames; kind++) {
        if (frames[kind] > most) {
            most = frames[kind];
            owner = kind;
        }
    }
    return owner;
}

static uint64_t fill_of(const struct cell *cell, uint32_t cell_frames) {
    const uint64_t bytes = cell_frames * LARDER_FRAME_BYTES;
    return (cell->live * 100 + bytes - 1) / bytes; /* up: 0 means empty */
}

/* What is written of a cell. Times in points of the grid: good enough for a picture, and short. */
enum { OWNER, FILL, OBJECTS, OLDEST, YOUNGEST, NUMBERS };
struct line {
    uint64_t number[NUMBERS];
    uint32_t site[MOMENT_SITES];
};

static struct line line_of(const struct moment *moment, uint32_t index, uint64_t width) {
    const struct cell *cell = &moment->cell[index];
    struct line line = {{owner_of(cell), fill_of(cell, moment->cell_frames), cell->objects, 0, 0},
                        {0}};
    if (cell->objects > 0) {
        line.number[OLDEST] = cell->oldest / width;
        line.number[YOUNGEST] = cell->youngest / width;
    }
    memcpy(line.site, cell->site, sizeof line.site);
    return line;
}

/* Lines that are not as they were at the moment before; their number. A cell that was not there was
 * all zero. */
static uint32_t changed_lines(const struct moment *moment, const struct moment *before,
                              uint64_t width, struct line *line, uint64_t *index) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < moment->cell_count; i++) {
        const struct line old =
            before && i < before->cell_count ? line_of(before, i, width) : (struct line){0};
        line[count] = line_of(moment, i, width);
        index[count] = i;
        count += memcmp(&line[count], &old, sizeof old) != 0;
    }
    return count;
}

/* Sites of each cell, those with most bytes first; nothing after the last. */
static void write_sites(const struct line *line, uint32_t count, struct json *json) {
    json_begin_array(json, "sites");
    for (uint32_t i = 0; i < count; i++) {
        json_begin_array(json, NULL);
        for (unsigned rank = 0; rank < MOMENT_SITES && line[i].site[rank]; rank++)
            json_number(json, NULL, line[i].site[rank]);
        json_end_array(json);
    }
    json_end_array(json);
}

static void write_cells(const struct moment *moment, const struct moment *before, uint64_t width,
                        struct json *json) {
    static const char *const names[NUMBERS] = {"owner", "fill", "objects", "oldest", "youngest"};
    struct line *line = memory_zeroed(moment->cell_count + 1, sizeof *line);
    uint64_t *index = memory_zeroed(moment->cell_count + 1, sizeof *index);
    const uint32_t count = changed_lines(moment, before, width, line, index);
    json_number(json, "cell_count", moment->cell_count);
    json_begin_object(json, "cells");
    json_numbers(json, "index", index, count);
    for (unsigned column = 0; column < (moment->is_live ? OLDEST : NUMBERS); column++) {
        json_begin_array(json, names[column]);
        for (uint32_t i = 0; i < count; i++)
            json_number(json, NULL, line[i].number[column]);
        json_end_array(json);
    }
    write_sites(line, count, json);
    json_end_object(json);
    free(line);
    free(index);
}

static void write_caches(const struct moment *moment, struct json *json) {
    json_begin_array(json, "caches");
    for (uint32_t i = 0; i < moment->cache_count; i++) {
        const struct moment_cache *cache = &moment->cache[i];
        json_begin_object(json, NULL);
        json_number(json, "id", cache->id);
        json_text(json, "name", cache->name);
        json_bool(json, "is_internal", cache->is_internal);
        json_number(json, "object_bytes", cache->object_bytes);
        json_number(json, "slab_bytes", cache->slab_bytes);
        json_number(json, "slabs", cache->slabs);
        json_number(json, "live", cache->live);
        json_number(json, "cached", cache->cached);
        if (!moment->is_live)
            json_number(json, "requested", cache->requested);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_pin(const struct pin *pin, bool has_ages, struct json *json) {
    static const char *const units[] = {"frame", "slab", "page block"};
    json_begin_object(json, NULL);
    json_text(json, "unit", units[pin->unit]);
    json_number(json, "holders_max", 1u << pin->holders);
    json_number(json, "site", pin->site);
    json_number(json, "usable_bytes", pin->usable_bytes);
    json_number(json, "blocks", pin->blocks);
    json_number(json, "live_bytes", pin->live_bytes);
    json_number(json, "units", pin->units);
    json_number(json, "alone_bytes", pin->alone_bytes);
    json_number(json, "shared_bytes", pin->shared_bytes);
    if (has_ages) {
        json_number(json, "oldest", pin->oldest);
        json_number(json, "youngest", pin->youngest);
    }
    json_end_object(json);
}

void moment_write(const struct moment *moment, const struct moment *before, uint64_t width,
                  struct json *json) {
    json_begin_object(json, NULL);
    json_number(json, "time", moment->time);
    if (!moment->is_live) {
        json_number(json, "event", moment->event);
        json_number(json, "requested", moment->amounts.requested);
        json_number(json, "blocks", moment->amounts.blocks);
    }
    json_number(json, "live", moment->amounts.live);
    json_number(json, "cached", moment->amounts.cached);
    json_number(json, "in_slabs", moment->amounts.in_slabs);
    json_number(json, "free_backed", moment->amounts.free_backed);
    json_number(json, "metadata", moment->amounts.metadata);
    write_cells(moment, before, width, json);
    write_caches(moment, json);
    json_begin_array(json, "pins");
    for (uint32_t i = 0; i < moment->pin_count; i++)
        write_pin(&moment->pin[i], !moment->is_live, json);
    json_end_array(json);
    json_end_object(json);
}
