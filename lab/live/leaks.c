/* leaks.c: larder leaks PROCESS: what lives in a running process, by call site and age. */
#include "command.h"
#include "control.h"
#include "places.h"
#include "say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void write_place(struct symbols *symbols, const char *site) {
    const struct trace_frame frame = places_find(symbols, site);
    (void)printf("%s", *frame.function ? frame.function : site);
    if (*frame.file)
        (void)printf(" %s:%" PRIu32, frame.file, frame.line);
    (void)printf("%s%s\n", *frame.module ? "  " : "", frame.module);
}

/* Of runs the age is not known. */
static void write_age(const json_t *site, const char *name) {
    if (json_object_get(site, name))
        (void)printf("  %9.1f", (double)control_number(site, name) / 1000);
    else
        (void)printf("  %9s", "?");
}

static void write_site(struct symbols *symbols, const json_t *site) {
    char bytes[SAY_BYTES_LENGTH];
    const char *address = json_string_value(json_object_get(site, "site"));
    (void)printf("%10s  %8" PRIu64, say_bytes(bytes, control_number(site, "bytes")),
                 control_number(site, "count"));
    write_age(site, "oldest_ms");
    write_age(site, "youngest_ms");
    (void)printf("  ");
    write_place(symbols, address ? address : "?");
}

static int by_bytes(const void *a, const void *b) {
    const uint64_t left = control_number(*(json_t *const *)a, "bytes");
    const uint64_t right = control_number(*(json_t *const *)b, "bytes");
    return left < right ? 1 : left > right ? -1 : 0;
}

/* Most bytes first. */
static void write_sites(const json_t *answer, struct symbols *symbols) {
    const json_t *sites = json_object_get(answer, "sites");
    const size_t count = json_array_size(sites);
    json_t **sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted)
        return;
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(sites, i);
    qsort(sorted, count, sizeof *sorted, by_bytes);
    (void)printf("%10s  %8s  %9s  %9s  %s\n", "live", "blocks", "oldest s", "youngest", "site");
    for (size_t i = 0; i < count; i++)
        write_site(symbols, sorted[i]);
    free(sorted);
}

static int run(int argc, char **argv) {
    if (argc != 2)
        return say_usage("say which process");
    json_t *answer = control_ask(argv[1], "leaks");
    if (!answer)
        return EXIT_TROUBLE;
    const bool is_tracked = control_number(answer, "tracked_caches") != 0;
    if (is_tracked) {
        struct symbols *symbols = places_open(answer);
        write_sites(answer, symbols);
        places_close(symbols);
    } else {
        say_error("call sites are not kept there: start the program with LARDER_DEBUG=U as well");
    }
    json_decref(answer);
    return is_tracked ? EXIT_OK : EXIT_TROUBLE;
}

const struct command leaks_command = {
    .name = "leaks",
    .arguments = "PROCESS",
    .summary = "List what lives in a running process, by call site and age",
    .help =
        "PROCESS is a number, or the path of a control socket. The process must run on larder's\n"
        "malloc with LARDER_CONTROL=1 and LARDER_DEBUG=U. What is old and grows is a leak.\n",
    .run = run,
};
