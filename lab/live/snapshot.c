/* snapshot.c: larder snapshot PROCESS: its statistics, caches, frames and, if they are kept, call
 * sites as one JSON file. What the process alone can tell (names of its functions) is told in it,
 * as the process may be gone when it is read. */
#include "command.h"
#include "control.h"
#include "places.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static json_int_t now_unix_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_place(json_t *site, struct symbols *symbols) {
    const char *address = json_string_value(json_object_get(site, "site"));
    const struct trace_frame frame = places_find(symbols, address ? address : "");
    (void)json_object_set_new(site, "function", json_string(frame.function));
    (void)json_object_set_new(site, "file", json_string(frame.file));
    (void)json_object_set_new(site, "line", json_integer(frame.line));
    (void)json_object_set_new(site, "module", json_string(frame.module));
}

/* Nothing where the process keeps no call sites. */
static void add_sites(json_t *snapshot, const char *process) {
    json_t *leaks = control_ask(process, "leaks"), *site;
    size_t i;
    if (control_number(leaks, "tracked_caches") > 0) {
        struct symbols *symbols = places_open(leaks);
        json_array_foreach(json_object_get(leaks, "sites"), i, site) {
            add_place(site, symbols);
        }
        places_close(symbols);
        (void)json_object_set(snapshot, "leaks", leaks);
    }
    json_decref(leaks);
}

/* All of it; NULL iff the process does not answer. */
static json_t *take(const char *process) {
    json_t *snapshot = control_ask(process, "stats");
    json_t *frames = snapshot ? control_ask(process, "frames") : NULL;
    if (!frames || json_object_set_new(snapshot, "frames", frames) != 0 ||
        json_object_set_new(snapshot, "time_unix_ms", json_integer(now_unix_ms())) != 0) {
        json_decref(snapshot);
        return NULL;
    }
    add_sites(snapshot, process);
    return snapshot;
}

static int write_snapshot(const json_t *snapshot, const char *path) {
    const bool to_stdout = strcmp(path, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(path, "w");
    bool is_written = out && json_dumpf(snapshot, out, JSON_INDENT(1)) == 0 && fputc('\n', out) > 0;
    if (out && !to_stdout)
        is_written = fclose(out) == 0 && is_written;
    if (!is_written)
        say_error("%s cannot be written: %s", path, strerror(errno));
    return is_written ? EXIT_OK : EXIT_TROUBLE;
}

static int run(int argc, char **argv) {
    const char *path = "-";
    opterr = 0;
    for (int option; (option = getopt(argc, argv, "o:")) != -1;) {
        if (option == '?')
            return say_usage("not understood: \"%s\"", argv[optind - 1]);
        path = optarg;
    }
    if (optind + 1 != argc)
        return say_usage("say which process");
    json_t *snapshot = take(argv[optind]);
    const int code = snapshot ? write_snapshot(snapshot, path) : EXIT_TROUBLE;
    json_decref(snapshot);
    return code;
}

const struct command snapshot_command = {
    .name = "snapshot",
    .arguments = "[-o FILE] PROCESS",
    .summary = "Write the heap of a running process as JSON: statistics, caches, frames",
    .help =
        "  -o FILE   where to; \"-\", the default, is standard output\n"
        "\n"
        "PROCESS is a number, or the path of a control socket. The process must run on larder's\n"
        "malloc with LARDER_CONTROL=1; call sites are in it if LARDER_DEBUG=U is set as well.\n"
        "larder report shows it; docs/control.md says what is in it.\n",
    .run = run,
};
