/* timeline.c: see timeline.h. */
#include "timeline.h"

#include <stddef.h>

bool timeline_event(struct timeline *timeline, const struct trace_event *event,
                    const struct heap *heap, uint64_t now, uint64_t event_number) {
    if (trace_is_alloc(event->kind) || event->kind == TRACE_REALLOC) {
        timeline->allocs += event->kind != TRACE_REALLOC;
        timeline->reallocs += event->kind == TRACE_REALLOC;
        timeline->allocated_bytes += event->size_bytes;
    }
    timeline->frees += trace_is_free(event->kind);
    timeline->failed += event->kind == TRACE_FAILED;
    if (event->kind == TRACE_RESIDENT)
        timeline->process_resident = event->size_bytes;
    const uint64_t requested = heap->requested_bytes;
    if (requested > timeline->requested_max)
        timeline->requested_max = requested;
    if (requested <= timeline->peak.requested)
        return false;
    timeline->peak = (struct timeline_peak){now, event_number, requested, heap->live_blocks};
    return true;
}

void timeline_point(struct timeline *timeline, const struct heap_amounts *amounts, uint64_t time,
                    uint64_t event_number) {
    timeline->point[timeline->count++] = (struct timeline_point){
        .time = time,
        .event = event_number,
        .amounts = *amounts,
        .requested_max = timeline->requested_max,
        .process_resident = timeline->process_resident,
        .allocs = timeline->allocs,
        .frees = timeline->frees,
        .allocated_bytes = timeline->allocated_bytes,
    };
    timeline->requested_max = amounts->requested;
}

void timeline_thin(struct timeline *timeline) {
    for (uint32_t i = 0; i < timeline->count / 2; i++) {
        const uint64_t dropped = timeline->point[2 * i].requested_max;
        timeline->point[i] = timeline->point[2 * i + 1];
        if (dropped > timeline->point[i].requested_max)
            timeline->point[i].requested_max = dropped;
    }
    timeline->count /= 2;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* One member of every point. */
static void column(const struct timeline *timeline, struct json *json, const char *name,
                   size_t offset) {
    json_begin_array(json, name);
    for (uint32_t i = 0; i < timeline->count; i++) {
        const char *point = (const char *)&timeline->point[i];
        json_number(json, NULL, *(const uint64_t *)(const void *)(point + offset));
    }
    json_end_array(json);
}

static void write_totals(const struct timeline *timeline, struct json *json) {
    json_begin_object(json, "totals");
    json_number(json, "allocs", timeline->allocs);
    json_number(json, "frees", timeline->frees);
    json_number(json, "reallocs", timeline->reallocs);
    json_number(json, "failed", timeline->failed);
    json_number(json, "allocated_bytes", timeline->allocated_bytes);
    json_begin_object(json, "peak");
    json_number(json, "time", timeline->peak.time);
    json_number(json, "event", timeline->peak.event);
    json_number(json, "requested", timeline->peak.requested);
    json_number(json, "blocks", timeline->peak.blocks);
    json_end_object(json);
    json_end_object(json);
}

void timeline_write(const struct timeline *timeline, bool is_live, struct json *json) {
    static const struct {
        const char *name;
        size_t offset;
        bool is_live; /* known of a running process too */
    } columns[] = {
#define COLUMN(name, is_live) {#name, offsetof(struct timeline_point, name), is_live}
#define AMOUNT(name, is_live)                                                                      \
    { #name, offsetof(struct timeline_point, amounts.name), is_live }
        COLUMN(time, true),           COLUMN(event, false),      AMOUNT(requested, false),
        COLUMN(requested_max, false), AMOUNT(live, true),        AMOUNT(cached, true),
        AMOUNT(in_slabs, true),       AMOUNT(free_backed, true), AMOUNT(metadata, true),
        AMOUNT(given_back, true),     AMOUNT(blocks, false),     COLUMN(process_resident, true),
        COLUMN(allocs, false),        COLUMN(frees, false),      COLUMN(allocated_bytes, false),
#undef AMOUNT
#undef COLUMN
    };
    if (is_live)
        json_nothing(json, "totals");
    else
        write_totals(timeline, json);
    json_begin_object(json, "timeline");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (!is_live || columns[i].is_live)
            column(timeline, json, columns[i].name, columns[i].offset);
    }
    json_end_object(json);
}
