/* timeline.h: how much memory there was, and of what kind, over time. A point for each of the
 * grid's, and one for the end. */
#ifndef REPORT_TIMELINE_H
#define REPORT_TIMELINE_H

#include "grid.h"
#include "heap.h"
#include "json.h"

struct timeline_point {
    uint64_t time;  /* ns, or events where no time is known */
    uint64_t event; /* so many events had happened */
    struct heap_amounts amounts;
    uint64_t requested_max;                  /* since the point before */
    uint64_t process_resident;               /* as recorded last; 0: not yet */
    uint64_t allocs, frees, allocated_bytes; /* since the beginning */
};

/* Exact, not of the points. */
struct timeline_peak {
    uint64_t time, event, requested, blocks;
};

struct timeline {
    struct timeline_point point[GRID_POINTS + 1];
    uint32_t count;
    struct timeline_peak peak;
    uint64_t requested_max, process_resident, allocs, frees, reallocs, failed, allocated_bytes;
};

/* After heap_apply(): `size_bytes` is what the event asked for beyond what was live. True iff more
 * is live than ever before. */
bool timeline_event(struct timeline *timeline, const struct trace_event *event,
                    const struct heap *heap, uint64_t now, uint64_t event_number);

void timeline_point(struct timeline *timeline, const struct heap_amounts *amounts, uint64_t time,
                    uint64_t event_number);
void timeline_thin(struct timeline *timeline);

/* The members "totals" and "timeline". `is_live`: of a running process, which knows neither what
 * was asked for nor what happened; then those are left out. */
void timeline_write(const struct timeline *timeline, bool is_live, struct json *json);

#endif
