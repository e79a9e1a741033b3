/* policies.c: see policies.h. Nothing is timed here, so that a report of one trace is always the
 * same; larder compare has the times, and mallocs of other libraries. */
#include "policies.h"

#include "replay/run.h"
#include "trace/reader.h"

#include <stdlib.h>
#include <string.h>

/* ---- figures --------------------------------------------------------------------------------- */

static void write_samples(struct json *json, const struct result *result) {
    static const struct {
        const char *name;
        size_t offset;
    } columns[] = {
#define COLUMN(name) {#name, offsetof(struct result_sample, name)}
        COLUMN(event),        COLUMN(time_ns),
        COLUMN(live_bytes),   COLUMN(held_bytes),
        COLUMN(free_bytes),   COLUMN(footprint_bytes),
        COLUMN(cached_bytes), COLUMN(largest_free_bytes),
#undef COLUMN
    };
    json_begin_object(json, "samples");
    for (size_t column = 0; column < sizeof columns / sizeof *columns; column++) {
        json_begin_array(json, columns[column].name);
        for (unsigned i = 0; i < result->sample_count; i++) {
            const char *sample = (const char *)&result->sample[i] + columns[column].offset;
            json_number(json, NULL, *(const uint64_t *)(const void *)sample);
        }
        json_end_array(json);
    }
    json_end_object(json);
}

static void write_figures(struct json *json, const struct result *result) {
    const struct replay_figures *figures = &result->figures;
    json_number(json, "footprint_peak_bytes", figures->footprint_peak_bytes);
    json_number(json, "live_peak_bytes", figures->live_bytes_peak);
    json_number(json, "metadata_bytes", figures->metadata_bytes);
    json_number(json, "failures", figures->failures);
    json_number(json, "internal_permille", replay_internal_permille(figures));
    json_number(json, "external_mean_permille", result->external_mean_permille);
    json_number(json, "external_max_permille", result->external_max_permille);
    json_number(json, "searches", figures->searches);
    json_number(json, "searched", figures->searched);
    json_number(json, "searched_max", figures->searched_max);
    write_samples(json, result);
}

static void write_policy(struct json *json, const char *path, const char *policy) {
    const struct run wanted = {
        .path = path, .policy = policy, .is_unchecked = true, .is_untimed = true};
    struct result *result = calloc(1, sizeof *result);
    struct trace_error error;
    if (!result)
        return;
    (void)run(&wanted, result, &error); /* of damage the report has told already */
    json_begin_object(json, NULL);
    json_text(json, "name", policy);
    json_text(json, "title", replay_policy_title(policy));
    json_bool(json, "is_whole", result->state == RESULT_WHOLE);
    json_text(json, "what", result->what);
    if (result_has_figures(result))
        write_figures(json, result);
    json_end_object(json);
    free(result);
}

/* ---- films ----------------------------------------------------------------------------------- */

/* Chunks lie one behind the other, so their sizes say where they are: used ones positive, free ones
 * negative. */
static bool write_chunk(void *context, const struct replay_chunk *chunk) {
    const int64_t size = (int64_t)chunk->size_bytes;
    json_signed(context, NULL, chunk->is_used ? size : -size);
    return true;
}

static void write_steps(struct json *json, struct replay *replay, struct trace_reader *reader) {
    struct trace_event event;
    json_begin_array(json, "steps");
    while (trace_reader_next(reader, &event) && replay_event(replay, &event)) {
        json_begin_array(json, NULL);
        (void)replay_chunks(replay, write_chunk, json);
        json_end_array(json);
    }
    json_end_array(json);
}

static void write_film(struct json *json, const char *path, const char *policy) {
    const struct replay_config config = {
        .policy = policy, .is_unchecked = true, .is_untimed = true};
    char what[REPLAY_WHAT_LENGTH];
    struct trace_error error;
    struct trace_reader *reader = trace_reader_open(path, &error);
    struct replay *replay = reader ? replay_open(&config, what) : NULL;
    if (replay && !replay_core(replay)) {
        json_begin_object(json, NULL);
        json_text(json, "name", policy);
        json_text(json, "title", replay_policy_title(policy));
        write_steps(json, replay, reader);
        json_end_object(json);
    }
    if (replay)
        replay_close(replay);
    if (reader)
        trace_reader_close(reader);
}

/* What happens in each step, the same for all. */
static void write_events(struct json *json, const char *path) {
    struct trace_event event;
    struct trace_error error;
    struct trace_reader *reader = trace_reader_open(path, &error);
    json_begin_array(json, "events");
    while (reader && trace_reader_next(reader, &event)) {
        const uint64_t numbers[] = {event.kind, event.id, event.size_bytes};
        json_numbers(json, NULL, numbers, sizeof numbers / sizeof *numbers);
    }
    json_end_array(json);
    if (reader)
        trace_reader_close(reader);
}

static void write_films(struct json *json, const char *path) {
    json_begin_object(json, "films");
    write_events(json, path);
    json_begin_array(json, "policies");
    for (unsigned i = 0; replay_policy_name(i); i++)
        write_film(json, path, replay_policy_name(i));
    json_end_array(json);
    json_end_object(json);
}

void policies_write(const char *path, uint64_t events, struct json *json) {
    json_begin_array(json, "policies");
    for (unsigned i = 0; replay_policy_name(i); i++)
        write_policy(json, path, replay_policy_name(i));
    json_end_array(json);
    if (events <= FILM_EVENTS_MAX)
        write_films(json, path);
    else
        json_nothing(json, "films");
}

void policies_write_none(struct json *json) {
    json_nothing(json, "policies");
    json_nothing(json, "films");
}
