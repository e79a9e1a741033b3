/* report.c: reading a trace once, with all that look at it side by side. See report.h. */
#include "report.h"

#include "say.h"

#include <string.h>

#define NS_PER_MS 1000000u
#define EVENTS_PER_MS 1000u          /* where no time is known, an event takes a microsecond */
#define TIME_MAX (UINT64_C(1) << 62) /* hostile traces may say later */
#define FIRST_WIDTH_NS 1024u
#define PROGRESS_MASK 0xffffu

/* ---- points ---------------------------------------------------------------------------------- */

static void drop_every_other_moment(struct report *report) {
    for (uint32_t i = 0; i < report->moment_count; i++) {
        if (i % 2 == 0)
            moment_drop(&report->moment[i]);
        else
            report->moment[i / 2] = report->moment[i];
    }
    report->moment_count /= 2;
}

static void thin(struct report *report) {
    grid_thin(&report->grid);
    timeline_thin(&report->timeline);
    orders_thin(&report->orders);
    drop_every_other_moment(report);
}

static void look(struct report *report, uint64_t time, bool is_wide, bool is_whole) {
    const struct heap_amounts amounts = heap_amounts(&report->heap);
    timeline_point(&report->timeline, &amounts, time, report->event);
    if (is_wide)
        orders_point(&report->orders, report->heap.larder, time);
    if (is_whole)
        moment_take(&report->moment[report->moment_count++], &report->heap, &amounts, time,
                    report->event);
}

static void set_clock(struct report *report, uint64_t time) {
    heap_clock(&report->heap, time / (report->has_time ? NS_PER_MS : EVENTS_PER_MS));
}

/* The points that lie before `now`: also while the program does nothing, memory goes back. */
static void advance(struct report *report, uint64_t now) {
    while (grid_is_short(&report->grid, now))
        thin(report);
    while (grid_next(&report->grid) <= now) {
        const uint64_t time = grid_next(&report->grid);
        set_clock(report, time);
        report->grid.count++;
        look(report, time, report->grid.count % ORDERS_STRIDE == 0,
             report->grid.count % MOMENT_STRIDE == 0);
    }
    set_clock(report, now);
    report->now = now;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void take(struct report *report, const struct trace_event *event) {
    uint64_t now = report->has_time ? event->time_ns : report->event;
    now = now < TIME_MAX ? now : TIME_MAX;
    if (now > report->now)
        advance(report, now);
    report->event++;
    if (event->thread >= report->threads)
        report->threads = event->thread + 1;
    const struct heap_block *block = heap_find(&report->heap, event->id);
    const struct heap_block old = block ? *block : (struct heap_block){0};
    const bool is_temporary =
        lifetimes_event(&report->lifetimes, event, block ? &old : NULL, report->now);
    sites_event(&report->sites, event, block ? &old : NULL, is_temporary);
    heap_apply(&report->heap, event, report->now);
    if (timeline_event(&report->timeline, event, &report->heap, report->now, report->event))
        sites_peak(&report->sites);
}

bool report_read(struct report *report, struct trace_reader *reader, const char *path,
                 uint64_t room_bytes) {
    const struct trace_info *info = trace_reader_info(reader);
    struct say_progress progress;
    struct trace_event event;
    memset(report, 0, sizeof *report);
    report->reader = reader;
    report->path = report->name = path;
    report->has_time = info->has_time;
    report->grid.width = info->has_time ? FIRST_WIDTH_NS : 1;
    if (!heap_open(&report->heap, room_bytes))
        return false;
    say_progress_begin(&progress, "reading", "events");
    while (trace_reader_next(reader, &event)) {
        take(report, &event);
        if ((report->event & PROGRESS_MASK) == 0)
            say_progress(&progress, report->event, trace_reader_offset(reader), info->file_bytes);
    }
    say_progress_end(&progress);
    look(report, report->now, true, true);
    lifetimes_finish(&report->lifetimes, &report->heap);
    return true;
}

void report_close(struct report *report) {
    for (uint32_t i = 0; i < report->moment_count; i++)
        moment_drop(&report->moment[i]);
    lifetimes_close(&report->lifetimes);
    sites_close(&report->sites);
    heap_close(&report->heap);
}
