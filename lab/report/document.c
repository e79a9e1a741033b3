/* document.c: the JSON document of a report (docs/report-format.md). */
#include "policies.h"
#include "report.h"

#include "larder/larder.h"

#define REPORT_VERSION 1u

static void write_error(struct json *json, const struct trace_error *error) {
    if (!error) {
        json_nothing(json, "error");
        return;
    }
    json_begin_object(json, "error");
    json_number(json, "offset", error->offset);
    json_text(json, "what", error->what);
    json_end_object(json);
}

static void write_trace(const struct report *report, struct json *json) {
    const struct trace_info *info = trace_reader_info(report->reader);
    json_begin_object(json, "trace");
    json_text(json, "file", report->name);
    json_text(json, "program", info->program);
    json_text(json, "recorded_by", info->recorded_by);
    json_text(json, "note", info->note);
    json_number(json, "pid", info->pid);
    json_number(json, "start_unix_ms", info->start_unix_ms);
    json_text(json, "time_unit", info->has_time ? "ns" : "events");
    json_bool(json, "has_threads", info->has_threads);
    json_bool(json, "has_sites", info->has_sites);
    json_number(json, "events", report->event);
    json_number(json, "threads", report->threads);
    json_number(json, "end_time", report->now);
    write_error(json, trace_reader_error(report->reader));
    json_end_object(json);
}

/* Cells of all moments are of one size, the largest that any needed. */
static uint32_t widest_cell(const struct report *report) {
    uint32_t widest = 1;
    for (uint32_t i = 0; i < report->moment_count; i++) {
        if (report->moment[i].cell_frames > widest)
            widest = report->moment[i].cell_frames;
    }
    return widest;
}

static void write_moments(struct report *report, struct json *json) {
    const uint32_t cell_frames = widest_cell(report);
    json_number(json, "cell_frames", cell_frames);
    json_number(json, "point_width", report->grid.width);
    json_begin_array(json, "moments");
    for (uint32_t i = 0; i < report->moment_count; i++) {
        moment_coarsen(&report->moment[i], cell_frames);
        moment_write(&report->moment[i], i ? &report->moment[i - 1] : NULL, report->grid.width,
                     json);
    }
    json_end_array(json);
}

static void begin(struct json *json) {
    json_begin_object(json, NULL);
    json_text(json, "format", "larder-report");
    json_number(json, "version", REPORT_VERSION);
    json_text(json, "larder", LARDER_VERSION);
}

static bool end(struct json *json) {
    json_end_object(json);
    (void)fputc('\n', json->file);
    return fflush(json->file) == 0 && !ferror(json->file);
}

bool report_write_live(struct snapshots *live, FILE *file) {
    struct json json = {.file = file};
    begin(&json);
    snapshots_write(live, &json);
    return end(&json);
}

bool report_write(struct report *report, struct snapshots *live, FILE *file) {
    struct json json = {.file = file};
    begin(&json);
    json_number(&json, "frame_bytes", LARDER_FRAME_BYTES);
    write_trace(report, &json);
    json_number(&json, "unplaced", report->heap.unplaced);
    timeline_write(&report->timeline, false, &json);
    orders_write(&report->orders, &json);
    lifetimes_write(&report->lifetimes, &json);
    sites_write(&report->sites, report->reader, &json);
    write_moments(report, &json);
    if (report->has_policies)
        policies_write(report->path, report->event, &json);
    else
        policies_write_none(&json);
    if (live) {
        json_begin_object(&json, "live");
        snapshots_write(live, &json);
        json_end_object(&json);
    } else {
        json_nothing(&json, "live");
    }
    return end(&json);
}
