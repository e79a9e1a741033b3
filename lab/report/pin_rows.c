/* pin_rows.c: see pin_rows.h. */
#include "pin_rows.h"

#include "trace/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t hash_row(const struct pin *key) {
    uint64_t hash = key->site * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ key->usable_bytes) * UINT64_C(0xff51afd7ed558ccd);
    return (size_t)((hash ^ key->holders ^ hash >> 29) * UINT64_C(0xc4ceb9fe1a85ec53) >> 20);
}

static bool is_same(const struct pin *a, const struct pin *b) {
    return a->site == b->site && a->usable_bytes == b->usable_bytes && a->holders == b->holders;
}

static void widen(struct pin_rows *rows) {
    free(rows->bucket);
    rows->buckets = rows->buckets ? 2 * rows->buckets : 256;
    rows->bucket = memory_zeroed(rows->buckets, sizeof *rows->bucket);
    for (size_t i = 0; i < rows->count; i++) {
        size_t at = hash_row(&rows->row[i]) & (rows->buckets - 1);
        while (rows->bucket[at])
            at = (at + 1) & (rows->buckets - 1);
        rows->bucket[at] = (uint32_t)i + 1;
    }
}

struct pin *pin_row(struct pin_rows *rows, const struct pin *key) {
    if (rows->buckets <= 2 * rows->count)
        widen(rows);
    size_t at = hash_row(key) & (rows->buckets - 1);
    for (; rows->bucket[at]; at = (at + 1) & (rows->buckets - 1)) {
        if (is_same(&rows->row[rows->bucket[at] - 1], key))
            return &rows->row[rows->bucket[at] - 1];
    }
    rows->row = memory_reserve(rows->row, &rows->room, rows->count + 1, sizeof *rows->row);
    rows->row[rows->count] = *key;
    rows->bucket[at] = (uint32_t)++rows->count;
    return &rows->row[rows->count - 1];
}

static int compare_rows(const void *left, const void *right) {
    const struct pin *a = left, *b = right;
    const uint64_t a_bytes = a->alone_bytes + a->shared_bytes;
    const uint64_t b_bytes = b->alone_bytes + b->shared_bytes;
    if (a_bytes != b_bytes)
        return a_bytes < b_bytes ? 1 : -1;
    if (a->site != b->site)
        return a->site < b->site ? -1 : 1;
    if (a->usable_bytes != b->usable_bytes)
        return a->usable_bytes < b->usable_bytes ? -1 : 1;
    return a->holders < b->holders ? -1 : a->holders > b->holders;
}

unsigned pin_holders_class(uint32_t blocks) {
    unsigned class = 0;
    while (1u << class < blocks)
        class ++;
    return class;
}

void pin_rows_keep(struct pin_rows *rows, struct moment *moment) {
    size_t room = moment->pin_count;
    const size_t count = rows->count < PINS_MAX ? rows->count : PINS_MAX;
    if (rows->count > 1)
        qsort(rows->row, rows->count, sizeof *rows->row, compare_rows);
    moment->pin =
        memory_reserve(moment->pin, &room, moment->pin_count + count + 1, sizeof *moment->pin);
    if (count > 0)
        memcpy(moment->pin + moment->pin_count, rows->row, count * sizeof *rows->row);
    moment->pin_count += (uint32_t)count;
    free(rows->row);
    free(rows->bucket);
    *rows = (struct pin_rows){0};
}
