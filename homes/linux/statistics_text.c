/* statistics_text.c: the numbers of a process as text, as JSON, and into files. */
#include "statistics.h"

#include "larder/cache.h"
#include "larder/process.h"

#include "json.h"
#include "options.h"
#include "output.h"
#include "path.h"
#include "process.h"

#include <fcntl.h>
#include <stdio.h> /* rename() */
#include <string.h>
#include <unistd.h>

struct row {
    const char *name, *text;
    size_t offset;
};
#define ROW(field, text)                                                                           \
    { #field, text, offsetof(struct larder_process_stats, field) }

static const struct row rows[] = {
    ROW(requested, "asked for, about"),
    ROW(live, "live, as size classes"),
    ROW(in_magazines, "free in magazines"),
    ROW(in_slabs, "free in slabs"),
    ROW(free_backed, "free, to be purged"),
    ROW(purged, "free, purged"),
    ROW(metadata, "metadata"),
    ROW(usable, "usable: the sum"),
    ROW(mapped, "mapped, with the map"),
    ROW(resident, "resident, all of it"),
};

static const struct larder_process_amount *amount_of(const struct larder_process_stats *stats,
                                                     const struct row *row) {
    const char *start = (const char *)stats + row->offset;
    return (const struct larder_process_amount *)(const void *)start;
}

/* The name of the program: up to 15 bytes, of which only plain ones are kept. */
static void write_program(const struct larder_sink *sink) {
    char text[16];
    const int file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    const ssize_t length = file < 0 ? 0 : read(file, text, sizeof text);
    for (ssize_t i = 0; i < length && text[i] != '\n'; i++) {
        const bool is_plain = text[i] >= ' ' && text[i] <= '~' && text[i] != '"' && text[i] != '\\';
        sink->write(sink->context, is_plain ? &text[i] : "?", 1);
    }
    if (file >= 0)
        (void)close(file);
}

/* ---- for a person ---- */

static void write_count(const struct larder_sink *sink, const char *text, uint64_t count) {
    text_put(sink, "  ");
    text_put_padded(sink, text, 24);
    text_decimal(sink, count, 14);
    text_put(sink, "\n");
}

void larder_process_write(const struct larder_sink *sink) {
    struct larder_process_stats stats;
    larder_process_stats(&stats);
    text_put(sink, "larder " LARDER_VERSION ": process ");
    text_decimal(sink, (uint64_t)getpid(), 0);
    text_put(sink, " (");
    write_program(sink);
    text_put(sink, ")\n  KiB                                now          peak\n");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const struct larder_process_amount *amount = amount_of(&stats, &rows[i]);
        text_put(sink, "  ");
        text_put_padded(sink, rows[i].text, 24);
        text_decimal(sink, amount->now / 1024, 14);
        text_decimal(sink, amount->peak / 1024, 14);
        text_put(sink, "\n");
    }
    write_count(sink, "mappings of the process", stats.mappings);
    write_count(sink, "frees of foreign memory", stats.foreign_frees);
    if (stats.slow_calls != 0) {
        write_count(sink, "calls to slow paths", stats.slow_calls);
        write_count(sink, "microseconds in them", stats.slow_ns / 1000);
    }
}

/* ---- for a tool ---- */

static void json_amount(const struct larder_sink *sink, const char *name,
                        const struct larder_process_amount *amount) {
    text_put(sink, ",\n  \"");
    text_put(sink, name);
    text_put(sink, "\":{");
    json_number(sink, "now", amount->now);
    text_put(sink, ",");
    json_number(sink, "peak", amount->peak);
    text_put(sink, ",");
    json_number(sink, "at_peak", amount->at_peak);
    text_put(sink, "}");
}

void larder_process_write_json(const struct larder_sink *sink) {
    struct larder_process_stats stats;
    larder_process_stats(&stats);
    text_put(sink, "{\n  \"larder\":\"" LARDER_VERSION "\",");
    json_number(sink, "process", (uint64_t)getpid());
    text_put(sink, ",\"program\":\"");
    write_program(sink);
    text_put(sink, "\"");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        json_amount(sink, rows[i].name, amount_of(&stats, &rows[i]));
    text_put(sink, ",\n  ");
    json_number(sink, "reserved_bytes", stats.reserved_bytes);
    text_put(sink, ",");
    json_number(sink, "mappings", stats.mappings);
    text_put(sink, ",");
    json_number(sink, "foreign_frees", stats.foreign_frees);
    text_put(sink, ",");
    json_number(sink, "slow_calls", stats.slow_calls);
    text_put(sink, ",");
    json_number(sink, "slow_ns", stats.slow_ns);
    text_put(sink, ",\n  \"caches\":");
    json_caches(sink);
    text_put(sink, "\n}\n");
}

/* ---- into files ---- */

/* Under another name first, so that nobody reads half of it. */
static void write_file(const char *pattern, void (*write)(const struct larder_sink *sink)) {
    struct path path, other;
    struct output output;
    path_make(&path, pattern, "");
    path_make(&other, pattern, ".new");
    const int file = path.is_whole && other.is_whole
                         ? open(other.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
                         : -1;
    if (file < 0) {
        output_warning("statistics cannot be written to ", pattern, NULL);
        return;
    }
    output_start(&output, file);
    write(&output.sink);
    output_end(&output);
    (void)close(file);
    (void)rename(other.text, path.text);
}

void statistics_write_snapshot(void) {
    write_file(options.snapshot_file, larder_process_write_json);
}

/* After the exit handlers of the program; what they freed is gone. */
__attribute__((destructor(101))) static void larder_end(void) {
    struct output output;
    void (*const write)(const struct larder_sink *) =
        options.stats == STATS_TEXT ? larder_process_write : larder_process_write_json;
    if (!process_is_started() || (options.stats == STATS_NONE && !options.stats_file))
        return;
    if (options.stats_file) {
        write_file(options.stats_file, write);
        return;
    }
    output_start(&output, STDERR_FILENO);
    write(&output.sink);
    output_end(&output);
}
