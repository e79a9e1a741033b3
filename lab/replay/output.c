/* output.c: names and numbers, as CSV and as JSON. */
#include "output.h"

#include "report/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

const char *output_state(enum result_state state) {
    static const char *const names[] = {"whole", "interrupted", "faulty", "crashed", "unable"};
    return names[state];
}

/* ---- Numbers --------------------------------------------------------------------------------- */

#define FIGURE(name)                                                                               \
    { #name, offsetof(struct replay_figures, name) }
#define TIME(name, field)                                                                          \
    { name, offsetof(struct replay_figures, field) }

static const struct {
    const char *name;
    size_t offset;
} figure[] = {
    FIGURE(events),
    FIGURE(allocs),
    FIGURE(reallocs),
    FIGURE(frees),
    FIGURE(failures),
    FIGURE(live_blocks),
    FIGURE(live_blocks_peak),
    FIGURE(live_bytes),
    FIGURE(live_bytes_peak),
    FIGURE(footprint_bytes),
    FIGURE(footprint_peak_bytes),
    FIGURE(held_bytes),
    FIGURE(cached_bytes),
    FIGURE(free_bytes),
    FIGURE(largest_free_bytes),
    FIGURE(free_pieces),
    FIGURE(metadata_bytes),
    FIGURE(held_at_peak_bytes),
    FIGURE(live_at_peak_bytes),
    FIGURE(searches),
    FIGURE(searched),
    FIGURE(searched_max),
    TIME("operations", all.count),
    TIME("median_ns", all.median_ns),
    TIME("p99_ns", all.p99_ns),
    TIME("max_ns", all.max_ns),
    TIME("total_ns", all.total_ns),
};

enum { FIGURES = sizeof figure / sizeof *figure };

const char *output_number(const struct result *result, unsigned index, uint64_t *number) {
    switch (index) {
    case FIGURES:
        *number = replay_internal_permille(&result->figures);
        return "internal_permille";
    case FIGURES + 1:
        *number = result->external_mean_permille;
        return "external_mean_permille";
    case FIGURES + 2:
        *number = result->external_max_permille;
        return "external_max_permille";
    default:
        if (index > FIGURES)
            return NULL;
        memcpy(number, (const char *)&result->figures + figure[index].offset, sizeof *number);
        return figure[index].name;
    }
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static void csv_text(FILE *file, const char *text) {
    (void)fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            (void)fputc('"', file);
        (void)fputc(*text, file);
    }
    (void)fputs("\",", file);
}

static void csv_names(FILE *file) {
    const struct result nothing = {0};
    const char *name;
    uint64_t number;
    (void)fputs("name,title,state,what", file);
    for (unsigned i = 0; (name = output_number(&nothing, i, &number)); i++)
        (void)fprintf(file, ",%s", name);
    (void)fputc('\n', file);
}

void output_csv(const struct comparison *comparison, FILE *file) {
    csv_names(file);
    for (unsigned i = 0; i < comparison->count; i++) {
        const struct result *result = &comparison->result[i];
        uint64_t number;
        csv_text(file, result->name);
        csv_text(file, result->title);
        (void)fprintf(file, "%s,", output_state(result->state));
        csv_text(file, result->what);
        for (unsigned j = 0; output_number(result, j, &number); j++) {
            (void)fputs(j == 0 ? "" : ",", file);
            if (result_has_figures(result))
                (void)fprintf(file, "%" PRIu64, number);
        }
        (void)fputc('\n', file);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_times(struct json *json, const char *name, const struct replay_times *times) {
    json_begin_object(json, name);
    json_number(json, "count", times->count);
    json_number(json, "median_ns", times->median_ns);
    json_number(json, "p99_ns", times->p99_ns);
    json_number(json, "max_ns", times->max_ns);
    json_number(json, "total_ns", times->total_ns);
    json_end_object(json);
}

static void json_orders(struct json *json, const struct replay_figures *figures) {
    json_begin_array(json, "orders");
    for (unsigned order = 0; order < figures->order_count; order++) {
        json_begin_object(json, NULL);
        json_number(json, "order", order);
        json_number(json, "free_blocks", figures->free_blocks[order]);
        json_signed(json, "index_permille", figures->index_permille[order]);
        json_end_object(json);
    }
    json_end_array(json);
}

static void json_sample(struct json *json, const struct result_sample *sample) {
    json_begin_object(json, NULL);
    json_number(json, "event", sample->event);
    json_number(json, "time_ns", sample->time_ns);
    json_number(json, "live_bytes", sample->live_bytes);
    json_number(json, "footprint_bytes", sample->footprint_bytes);
    json_number(json, "held_bytes", sample->held_bytes);
    json_number(json, "cached_bytes", sample->cached_bytes);
    json_number(json, "free_bytes", sample->free_bytes);
    json_number(json, "largest_free_bytes", sample->largest_free_bytes);
    json_end_object(json);
}

static void json_figures(struct json *json, const struct result *result) {
    const char *name;
    uint64_t number;
    for (unsigned i = 0; (name = output_number(result, i, &number)); i++)
        json_number(json, name, number);
    json_number(json, "unwritten_blocks", result->unwritten_blocks);
    json_begin_object(json, "times");
    json_times(json, "alloc", &result->figures.alloc);
    json_times(json, "realloc", &result->figures.realloc);
    json_times(json, "free", &result->figures.free);
    json_end_object(json);
    json_orders(json, &result->figures);
    json_begin_array(json, "samples");
    for (unsigned i = 0; i < result->sample_count; i++)
        json_sample(json, &result->sample[i]);
    json_end_array(json);
}

static void json_result(struct json *json, const struct result *result) {
    json_begin_object(json, NULL);
    json_text(json, "name", result->name);
    json_text(json, "title", result->title);
    json_bool(json, "is_process", result->is_process);
    json_bool(json, "is_checked", !result->is_unchecked);
    json_bool(json, "is_timed", !result->is_untimed);
    json_text(json, "state", output_state(result->state));
    json_text(json, "what", result->what);
    if (result_has_figures(result))
        json_figures(json, result);
    json_end_object(json);
}

void output_json(const struct comparison *comparison, FILE *file) {
    struct json json = {.file = file};
    json_begin_object(&json, NULL);
    json_begin_object(&json, "trace");
    json_text(&json, "path", comparison->path);
    json_text(&json, "program", comparison->info->program);
    json_text(&json, "recorded_by", comparison->info->recorded_by);
    json_text(&json, "note", comparison->info->note);
    json_end_object(&json);
    json_number(&json, "memory_bytes", comparison->memory_bytes);
    json_begin_array(&json, "policies");
    for (unsigned i = 0; i < comparison->count; i++)
        json_result(&json, &comparison->result[i]);
    json_end_array(&json);
    json_end_object(&json);
    (void)fputc('\n', file);
}
