/* snapshots.c: see snapshots.h. */
#include "snapshots.h"

#include "live/control.h"
#include "orders.h"
#include "say.h"
#include "snapshot.h"
#include "timeline.h"
#include "trace/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000u

struct snapshots {
    struct snapshot file[SNAPSHOTS_MAX];
    uint32_t count;
    struct moment moment[SNAPSHOTS_MAX];
    struct timeline timeline;
    struct orders orders;
    struct snapshot_sites sites;
};

/* ---- reading --------------------------------------------------------------------------------- */

static int by_time(const void *left, const void *right) {
    const struct snapshot *a = left, *b = right;
    return a->unix_ms < b->unix_ms ? -1 : a->unix_ms > b->unix_ms;
}

static bool open_all(struct snapshots *snapshots, char *const *paths, size_t count) {
    if (count > SNAPSHOTS_MAX) {
        say_error("%zu snapshots are too many: at most %u", count, SNAPSHOTS_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!snapshot_open(&snapshots->file[snapshots->count], paths[i]))
            return false;
        snapshots->count++;
        if (snapshots->file[i].process != snapshots->file[0].process) {
            say_error("%s is of process %" PRIu64 ", %s of %" PRIu64 ": one process a report",
                      paths[0], snapshots->file[0].process, paths[i], snapshots->file[i].process);
            return false;
        }
    }
    qsort(snapshots->file, snapshots->count, sizeof *snapshots->file, by_time);
    return true;
}

/* Since the first. */
static uint64_t time_of(const struct snapshots *snapshots, uint32_t i) {
    return (snapshots->file[i].unix_ms - snapshots->file[0].unix_ms) * NS_PER_MS;
}

static void take(struct snapshots *snapshots, uint32_t i) {
    const struct snapshot *file = &snapshots->file[i];
    struct moment *moment = &snapshots->moment[i];
    struct larder_zone_stats stats;
    snapshot_take(file, moment, &snapshots->sites);
    moment->time = time_of(snapshots, i);
    snapshots->timeline.process_resident = snapshot_resident(file);
    timeline_point(&snapshots->timeline, &moment->amounts, moment->time, 0);
    snapshot_orders(file, &stats);
    orders_add(&snapshots->orders, &stats, moment->time);
}

/* The one in which most was live; the first of several. */
static uint32_t peak_of(const struct snapshots *snapshots) {
    uint32_t peak = 0;
    for (uint32_t i = 1; i < snapshots->count; i++) {
        if (snapshots->moment[i].amounts.live > snapshots->moment[peak].amounts.live)
            peak = i;
    }
    return peak;
}

struct snapshots *snapshots_read(char *const *paths, size_t count) {
    struct snapshots *snapshots = memory_zeroed(1, sizeof *snapshots);
    if (!open_all(snapshots, paths, count)) {
        snapshots_close(snapshots);
        return NULL;
    }
    for (uint32_t i = 0; i < snapshots->count; i++)
        take(snapshots, i);
    for (uint32_t i = 0; i < snapshots->count; i++)
        snapshot_count_sites(&snapshots->file[i], &snapshots->sites, i == peak_of(snapshots),
                             i == snapshots->count - 1);
    return snapshots;
}

void snapshots_close(struct snapshots *snapshots) {
    for (uint32_t i = 0; i < snapshots->count; i++) {
        moment_drop(&snapshots->moment[i]);
        snapshot_close(&snapshots->file[i]);
    }
    snapshot_sites_close(&snapshots->sites);
    free(snapshots);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_trace(const struct snapshots *snapshots, struct json *json) {
    const json_t *first = snapshots->file[0].json;
    const char *program = json_string_value(json_object_get(first, "program"));
    json_begin_object(json, "trace");
    json_text(json, "file", snapshots->file[0].path);
    json_text(json, "program", program ? program : "");
    json_text(json, "recorded_by", "larder snapshot");
    json_text(json, "note", "");
    json_number(json, "pid", snapshots->file[0].process);
    json_number(json, "start_unix_ms", snapshots->file[0].unix_ms);
    json_text(json, "time_unit", "ns");
    json_bool(json, "has_threads", false);
    json_bool(json, "has_sites", snapshots->sites.count > 0);
    json_number(json, "end_time", time_of(snapshots, snapshots->count - 1));
    json_nothing(json, "error");
    json_end_object(json);
}

static void write_files(const struct snapshots *snapshots, struct json *json) {
    json_begin_array(json, "snapshots");
    for (uint32_t i = 0; i < snapshots->count; i++) {
        json_begin_object(json, NULL);
        json_text(json, "file", snapshots->file[i].path);
        json_number(json, "time_unix_ms", snapshots->file[i].unix_ms);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_site(struct json *json, uint32_t number, const struct snapshot_site *site) {
    json_begin_object(json, NULL);
    json_number(json, "site", number);
    json_begin_array(json, "stack");
    if (number > 0)
        json_number(json, NULL, number - 1);
    json_end_array(json);
    json_number(json, "peak_bytes", site->peak_bytes);
    json_number(json, "peak_blocks", site->peak_blocks);
    json_number(json, "end_bytes", site->end_bytes);
    json_number(json, "end_blocks", site->end_blocks);
    json_end_object(json);
}

static void write_place(struct json *json, const struct snapshot_site *site, const char *name) {
    const char *text = json_string_value(json_object_get(site->place, name));
    json_text(json, name, text ? text : "");
}

/* A frame for each site: only who called malloc is known. */
static void write_sites(const struct snapshots *snapshots, struct json *json) {
    const struct snapshot_sites *sites = &snapshots->sites;
    const struct snapshot_site none = {0};
    json_begin_array(json, "sites");
    write_site(json, 0, &none);
    for (size_t i = 0; i < sites->count; i++)
        write_site(json, (uint32_t)i + 1, &sites->site[i]);
    json_end_array(json);
    json_begin_array(json, "frames");
    for (size_t i = 0; i < sites->count; i++) {
        const struct snapshot_site *site = &sites->site[i];
        json_begin_object(json, NULL);
        write_place(json, site, "function");
        write_place(json, site, "file");
        json_number(json, "line", control_number(site->place, "line"));
        write_place(json, site, "module");
        json_number(json, "address", site->address);
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_moments(struct snapshots *snapshots, struct json *json) {
    uint32_t cell_frames = 1;
    for (uint32_t i = 0; i < snapshots->count; i++) {
        if (snapshots->moment[i].cell_frames > cell_frames)
            cell_frames = snapshots->moment[i].cell_frames;
    }
    json_number(json, "cell_frames", cell_frames);
    json_number(json, "point_width", 1);
    json_begin_array(json, "moments");
    for (uint32_t i = 0; i < snapshots->count; i++) {
        moment_coarsen(&snapshots->moment[i], cell_frames);
        moment_write(&snapshots->moment[i], i ? &snapshots->moment[i - 1] : NULL, 1, json);
    }
    json_end_array(json);
}

void snapshots_write(struct snapshots *snapshots, struct json *json) {
    json_number(json, "frame_bytes", LARDER_FRAME_BYTES);
    write_trace(snapshots, json);
    write_files(snapshots, json);
    timeline_write(&snapshots->timeline, true, json);
    orders_write(&snapshots->orders, json);
    json_nothing(json, "lifetimes");
    write_sites(snapshots, json);
    write_moments(snapshots, json);
    json_nothing(json, "policies");
    json_nothing(json, "films");
}
