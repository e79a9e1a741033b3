/* sites.h: what each call site asked for: ever, at the peak, at the end. */
#ifndef REPORT_SITES_H
#define REPORT_SITES_H

#include "heap.h"
#include "json.h"
#include "trace/reader.h"

struct site {
    uint64_t allocs, allocated_bytes; /* ever, reallocs included */
    uint64_t temporary;
    uint64_t live_bytes, live_blocks;
    uint64_t peak_bytes, peak_blocks; /* at the peak of the epoch; live_* are newer */
    uint64_t epoch;
};

/* The peak moves on with every byte of growth, so nothing is copied when it does: a site notes what
 * it was at the last peak when it first changes after it. */
struct sites {
    struct site *site; /* by number; 0: not recorded */
    size_t room, end;
    uint64_t epoch; /* of the last peak */
};

/* Before heap_apply(). */
void sites_event(struct sites *sites, const struct trace_event *event, const struct heap_block *old,
                 bool is_temporary);

/* What is live now is the peak. */
static inline void sites_peak(struct sites *sites) {
    sites->epoch++;
}

/* The members "frames" and "sites": the largest SITES_WRITTEN_MAX with their stacks; the others in
 * one, number 0. */
#define SITES_WRITTEN_MAX 4000u
void sites_write(struct sites *sites, const struct trace_reader *reader, struct json *json);
void sites_close(struct sites *sites);

#endif
