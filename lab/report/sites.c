/* sites.c: see sites.h. */
#include "sites.h"

#include "trace/memory.h"

#include <stdlib.h>
#include <string.h>

#define FRAMES_WRITTEN_MAX 64u /* of one stack; the outermost are left out */

static struct site *site_of(struct sites *sites, uint32_t number) {
    const size_t before = sites->room;
    sites->site =
        memory_reserve(sites->site, &sites->room, (size_t)number + 1, sizeof *sites->site);
    if (sites->room > before)
        memset(sites->site + before, 0, (sites->room - before) * sizeof *sites->site);
    if (number >= sites->end)
        sites->end = (size_t)number + 1;
    return &sites->site[number];
}

/* What was live at the last peak is noted in the site. */
static void settle(const struct sites *sites, struct site *site) {
    if (site->epoch == sites->epoch)
        return;
    site->epoch = sites->epoch;
    site->peak_bytes = site->live_bytes;
    site->peak_blocks = site->live_blocks;
}

static void change(struct sites *sites, uint32_t number, uint64_t more_bytes,
                   uint64_t more_blocks) {
    struct site *site = site_of(sites, number);
    settle(sites, site);
    site->live_bytes += more_bytes;
    site->live_blocks += more_blocks;
}

static void count_alloc(struct sites *sites, const struct trace_event *event) {
    struct site *site = site_of(sites, event->site);
    site->allocs++;
    site->allocated_bytes += event->size_bytes;
}

void sites_event(struct sites *sites, const struct trace_event *event, const struct heap_block *old,
                 bool is_temporary) {
    if (trace_is_alloc(event->kind)) {
        count_alloc(sites, event);
        change(sites, event->site, event->size_bytes, 1);
    } else if (event->kind == TRACE_REALLOC && old) {
        count_alloc(sites, event);
        change(sites, old->site, 0 - old->size_bytes, UINT64_MAX);
        change(sites, event->site ? event->site : old->site, event->size_bytes, 1);
    } else if (trace_is_free(event->kind) && old) {
        change(sites, old->site, 0 - old->size_bytes, UINT64_MAX);
        site_of(sites, old->site)->temporary += is_temporary;
    }
}

/* ---- choosing -------------------------------------------------------------------------------- */

struct rank {
    double weight;
    uint32_t number;
};

static int compare_ranks(const void *left, const void *right) {
    const struct rank *a = left, *b = right;
    if (a->weight != b->weight)
        return a->weight < b->weight ? 1 : -1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : 0;
}

static struct site sum_of(const struct sites *sites) {
    struct site sum = {0};
    for (size_t i = 0; i < sites->end; i++) {
        sum.allocs += sites->site[i].allocs;
        sum.allocated_bytes += sites->site[i].allocated_bytes;
        sum.live_bytes += sites->site[i].live_bytes;
        sum.peak_bytes += sites->site[i].peak_bytes;
    }
    return sum;
}

/* Sites in the order of the shares they have of anything. */
static struct rank *ranked(struct sites *sites) {
    struct rank *rank = memory_zeroed(sites->end + 1, sizeof *rank);
    for (size_t i = 0; i < sites->end; i++)
        settle(sites, &sites->site[i]);
    const struct site sum = sum_of(sites);
    for (size_t i = 0; i < sites->end; i++) {
        const struct site *site = &sites->site[i];
        rank[i] = (struct rank){
            share(site->peak_bytes, sum.peak_bytes) + share(site->live_bytes, sum.live_bytes) +
                share(site->allocated_bytes, sum.allocated_bytes) + share(site->allocs, sum.allocs),
            (uint32_t)i};
    }
    if (sites->end > 1) /* number 0 stays in front */
        qsort(rank + 1, sites->end - 1, sizeof *rank, compare_ranks);
    return rank;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Frames seen so far; found again by hash. */
struct frame_table {
    const struct trace_frame **frame;
    size_t count, room;
    uint32_t *bucket; /* index of a frame plus one */
    size_t buckets;
};

static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_frame(const struct trace_frame *frame) {
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), frame->function);
    hash = hash_text(hash_text(hash, frame->file), frame->module) + frame->line;
    if (!*frame->function)
        hash ^= frame->address;
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

/* Addresses tell apart only what has no name. */
static bool is_same(const struct trace_frame *a, const struct trace_frame *b) {
    return a->line == b->line && strcmp(a->function, b->function) == 0 &&
           strcmp(a->file, b->file) == 0 && strcmp(a->module, b->module) == 0 &&
           (*a->function || a->address == b->address);
}

static void write_frame(struct json *json, const struct trace_frame *frame) {
    json_begin_object(json, NULL);
    json_text(json, "function", frame->function);
    json_text(json, "file", frame->file);
    json_number(json, "line", frame->line);
    json_text(json, "module", frame->module);
    if (!*frame->function)
        json_number(json, "address", frame->address);
    json_end_object(json);
}

static void enter(struct frame_table *table, uint32_t index) {
    size_t at = hash_frame(table->frame[index]) & (table->buckets - 1);
    while (table->bucket[at])
        at = (at + 1) & (table->buckets - 1);
    table->bucket[at] = index + 1;
}

static void widen(struct frame_table *table) {
    free(table->bucket);
    table->buckets = table->buckets ? 2 * table->buckets : 1024;
    table->bucket = memory_zeroed(table->buckets, sizeof *table->bucket);
    for (size_t i = 0; i < table->count; i++)
        enter(table, (uint32_t)i);
}

/* The number of a frame in the table; it is entered if it is new. */
static uint32_t frame_number(struct frame_table *table, const struct trace_frame *frame) {
    if (table->buckets <= 2 * table->count)
        widen(table);
    for (size_t at = hash_frame(frame) & (table->buckets - 1); table->bucket[at];
         at = (at + 1) & (table->buckets - 1)) {
        if (is_same(table->frame[table->bucket[at] - 1], frame))
            return table->bucket[at] - 1;
    }
    table->frame =
        memory_reserve((void *)table->frame, &table->room, table->count + 1, sizeof *table->frame);
    table->frame[table->count] = frame;
    enter(table, (uint32_t)table->count);
    return (uint32_t)table->count++;
}

static void write_stack(struct json *json, struct frame_table *table,
                        const struct trace_reader *reader, uint32_t number) {
    const struct trace_frame *frames = NULL;
    size_t count = number ? trace_site(reader, number, &frames) : 0;
    if (count > FRAMES_WRITTEN_MAX)
        count = FRAMES_WRITTEN_MAX;
    json_begin_array(json, "stack");
    for (size_t i = 0; i < count; i++)
        json_number(json, NULL, frame_number(table, &frames[i]));
    json_end_array(json);
}

static void write_counts(struct json *json, const struct site *site) {
    json_number(json, "allocs", site->allocs);
    json_number(json, "allocated_bytes", site->allocated_bytes);
    json_number(json, "temporary", site->temporary);
    json_number(json, "peak_bytes", site->peak_bytes);
    json_number(json, "peak_blocks", site->peak_blocks);
    json_number(json, "end_bytes", site->live_bytes);
    json_number(json, "end_blocks", site->live_blocks);
}

/* Number 0 is what has no site, and all sites that are not written. */
static struct site others(const struct sites *sites, const struct rank *rank) {
    struct site sum = sites->end ? sites->site[0] : (struct site){0};
    for (size_t i = SITES_WRITTEN_MAX; i < sites->end; i++) {
        const struct site *site = &sites->site[rank[i].number];
        sum.allocs += site->allocs;
        sum.allocated_bytes += site->allocated_bytes;
        sum.temporary += site->temporary;
        sum.peak_bytes += site->peak_bytes;
        sum.peak_blocks += site->peak_blocks;
        sum.live_bytes += site->live_bytes;
        sum.live_blocks += site->live_blocks;
    }
    return sum;
}

static void write_site(struct json *json, struct frame_table *table,
                       const struct trace_reader *reader, uint32_t number,
                       const struct site *site) {
    json_begin_object(json, NULL);
    json_number(json, "site", number);
    write_stack(json, table, reader, number);
    write_counts(json, site);
    json_end_object(json);
}

void sites_write(struct sites *sites, const struct trace_reader *reader, struct json *json) {
    struct rank *rank = ranked(sites);
    struct frame_table table = {0};
    const struct site rest = others(sites, rank);
    json_begin_array(json, "sites");
    write_site(json, &table, reader, 0, &rest);
    for (size_t i = 1; i < sites->end && i < SITES_WRITTEN_MAX; i++)
        write_site(json, &table, reader, rank[i].number, &sites->site[rank[i].number]);
    json_end_array(json);
    json_begin_array(json, "frames");
    for (size_t i = 0; i < table.count; i++)
        write_frame(json, table.frame[i]);
    json_end_array(json);
    free((void *)table.frame);
    free(table.bucket);
    free(rank);
}

void sites_close(struct sites *sites) {
    free(sites->site);
    *sites = (struct sites){0};
}
