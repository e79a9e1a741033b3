/* lifetimes.c: see lifetimes.h. */
#include "lifetimes.h"

#include "trace/memory.h"

#include <stdlib.h>
#include <string.h>

/* 0 for 0, else 1 + floor(log2 n). */
static unsigned magnitude(uint64_t number) {
    return number ? 64u - (unsigned)__builtin_clzll(number) : 0;
}

static void add(struct lifetime_cell *cell, uint64_t bytes) {
    cell->count++;
    cell->bytes += bytes;
}

static unsigned column_of(uint64_t bytes) {
    const unsigned column = magnitude(bytes);
    return column < LIFETIME_COLUMNS ? column : LIFETIME_COLUMNS - 1;
}

static uint32_t *last_of(struct lifetimes *lifetimes, uint32_t thread) {
    const size_t before = lifetimes->threads;
    lifetimes->last = memory_reserve(lifetimes->last, &lifetimes->threads, (size_t)thread + 1,
                                     sizeof *lifetimes->last);
    if (lifetimes->threads > before)
        memset(lifetimes->last + before, 0,
               (lifetimes->threads - before) * sizeof *lifetimes->last);
    return &lifetimes->last[thread];
}

bool lifetimes_event(struct lifetimes *lifetimes, const struct trace_event *event,
                     const struct heap_block *old, uint64_t now) {
    if (event->kind == TRACE_RESIDENT || event->kind == TRACE_THREAD_START)
        return false;
    uint32_t *last = last_of(lifetimes, event->thread);
    const uint32_t made = *last;
    *last = trace_is_alloc(event->kind) ? event->id + 1 : 0;
    if (!trace_is_free(event->kind) || !old)
        return false;
    const unsigned column = column_of(old->size_bytes);
    add(&lifetimes->cell[magnitude(now - old->born)][column], old->size_bytes);
    if (made != event->id + 1)
        return false;
    add(&lifetimes->temporary[column], old->size_bytes);
    return true;
}

void lifetimes_finish(struct lifetimes *lifetimes, const struct heap *heap) {
    for (size_t id = 0; id < heap->block_end; id++) {
        const struct heap_block *block = heap_find(heap, (uint32_t)id);
        if (block)
            add(&lifetimes->cell[LIFETIME_ENDLESS][column_of(block->size_bytes)],
                block->size_bytes);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_cell(struct json *json, unsigned row, unsigned column,
                       const struct lifetime_cell *cell) {
    const uint64_t numbers[] = {row, column, cell->count, cell->bytes};
    if (cell->count > 0)
        json_numbers(json, NULL, numbers, sizeof numbers / sizeof *numbers);
}

void lifetimes_write(const struct lifetimes *lifetimes, struct json *json) {
    json_begin_object(json, "lifetimes");
    json_number(json, "endless_row", LIFETIME_ENDLESS);
    json_begin_array(json, "cells");
    for (unsigned row = 0; row < LIFETIME_ROWS; row++) {
        for (unsigned column = 0; column < LIFETIME_COLUMNS; column++)
            write_cell(json, row, column, &lifetimes->cell[row][column]);
    }
    json_end_array(json);
    json_begin_array(json, "temporary");
    for (unsigned column = 0; column < LIFETIME_COLUMNS; column++)
        write_cell(json, 0, column, &lifetimes->temporary[column]);
    json_end_array(json);
    json_end_object(json);
}

void lifetimes_close(struct lifetimes *lifetimes) {
    free(lifetimes->last);
    *lifetimes = (struct lifetimes){0};
}
