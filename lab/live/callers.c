/* callers.c: see callers.h. */
#include "callers.h"

#include "control.h"
#include "places.h"
#include "say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void write_place(struct symbols *symbols, const char *site, const char *line_end) {
    const struct trace_frame frame = places_find(symbols, site);
    (void)printf("%s", *frame.function ? frame.function : site);
    if (*frame.file)
        (void)printf(" %s:%" PRIu32, frame.file, frame.line);
    (void)printf("%s%s%s", *frame.module ? "  " : "", frame.module, line_end);
}

/* Of runs the age is not known. */
static void write_age(const json_t *site, const char *name) {
    if (json_object_get(site, name))
        (void)printf("  %9.1f", (double)control_number(site, name) / 1000);
    else
        (void)printf("  %9s", "?");
}

static void write_site(struct symbols *symbols, const json_t *site, const char *line_end) {
    char bytes[SAY_BYTES_LENGTH];
    const char *address = json_string_value(json_object_get(site, "site"));
    (void)printf("%10s  %8" PRIu64, say_bytes(bytes, control_number(site, "bytes")),
                 control_number(site, "count"));
    write_age(site, "oldest_ms");
    write_age(site, "youngest_ms");
    (void)printf("  ");
    write_place(symbols, address ? address : "?", line_end);
}

static int by_bytes(const void *a, const void *b) {
    const uint64_t left = control_number(*(json_t *const *)a, "bytes");
    const uint64_t right = control_number(*(json_t *const *)b, "bytes");
    return left < right ? 1 : left > right ? -1 : 0;
}

bool callers_are_kept(const json_t *answer) {
    return control_number(answer, "tracked_caches") != 0;
}

void callers_write(const json_t *answer, size_t count_max, const char *line_end) {
    const json_t *sites = json_object_get(answer, "sites");
    const size_t count = json_array_size(sites);
    json_t **sorted = calloc(count + 1, sizeof *sorted);
    struct symbols *symbols = places_open(answer);
    for (size_t i = 0; sorted && i < count; i++)
        sorted[i] = json_array_get(sites, i);
    if (sorted)
        qsort(sorted, count, sizeof *sorted, by_bytes);
    (void)printf("%10s  %8s  %9s  %9s  %s%s", "live", "blocks", "oldest s", "youngest", "site",
                 line_end);
    for (size_t i = 0; sorted && i < count && i < count_max; i++)
        write_site(symbols, sorted[i], line_end);
    places_close(symbols);
    free(sorted);
}
