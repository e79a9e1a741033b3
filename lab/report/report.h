/* report.h: one trace, read once, as one JSON document (docs/report-format.md) that answers why its
 * memory is not free. Its size is bounded, however long the trace. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "grid.h"
#include "heap.h"
#include "lifetimes.h"
#include "moment.h"
#include "orders.h"
#include "sites.h"
#include "snapshots.h"
#include "timeline.h"
#include "trace/reader.h"

#define MOMENT_STRIDE 16u /* a moment at every 16th point of the grid */
#define MOMENTS (GRID_POINTS / MOMENT_STRIDE + 1)

struct report {
    struct trace_reader *reader;
    const char *path; /* of the trace, for messages and for the policies, which read it again */
    const char *name; /* what to call it; "": it is not there for long */
    bool has_time;
    bool has_policies; /* to be written too */
    uint64_t now;      /* ns, or events */
    uint64_t event;    /* so many so far */
    uint32_t threads;
    struct grid grid;
    struct heap heap;
    struct timeline timeline;
    struct orders orders;
    struct lifetimes lifetimes;
    struct sites sites;
    struct moment moment[MOMENTS];
    uint32_t moment_count;
};

/* Read all of it, into a heap of room_bytes. False iff there is no address space for the replayed
 * heap. A damaged trace is read as far as it goes. */
bool report_read(struct report *report, struct trace_reader *reader, const char *path,
                 uint64_t room_bytes);
void report_close(struct report *report);

/* The document of a trace, with one of snapshots in it (NULL: none); and of snapshots alone. False
 * iff it cannot be written: errno. */
bool report_write(struct report *report, struct snapshots *live, FILE *file);
bool report_write_live(struct snapshots *live, FILE *file);

#endif
