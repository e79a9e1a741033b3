/* top.c: larder top PROCESS: what a running process does with memory, anew each second.
 *
 * Plain escape sequences, no library: the cursor goes home and every line is written over the one
 * before. Not on a terminal it is one picture, without any.
 */
#include "account.h"
#include "callers.h"
#include "command.h"
#include "control.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum {
    BAR_CELLS = 30,
    CACHES_SHOWN = 12,
    CACHES_MAX = 512,
    SITES_SHOWN = 8,
    INTERVAL_MS_DEFAULT = 1000
};

/* Erases what a longer line has left behind it. */
static const char *line_end = "\n";

/* ---- the heap ----------------------------------------------------------------------------------
 */

static void write_bar(const char *label, uint64_t bytes, uint64_t whole) {
    char size[SAY_BYTES_LENGTH];
    const uint64_t cells = whole ? bytes * BAR_CELLS / whole : 0;
    (void)printf("  %-14s %10s  ", label, say_bytes(size, bytes));
    for (uint64_t cell = 0; cell < BAR_CELLS; cell++)
        (void)putchar(cell < cells ? '#' : '.');
    (void)printf("%s", line_end);
}

static void write_heap(const json_t *statistics) {
    static const struct {
        const char *name, *label;
    } parts[] = {{"live", "live"},
                 {"in_slabs", "in slabs"},
                 {"in_magazines", "in magazines"},
                 {"free_backed", "free frames"},
                 {"metadata", "metadata"}};
    char resident[SAY_BYTES_LENGTH], peak[SAY_BYTES_LENGTH];
    const uint64_t usable = account_amount(statistics, "usable", "now");
    const uint64_t purged = account_amount(statistics, "purged", "now");
    const char *program = json_string_value(json_object_get(statistics, "program"));
    (void)printf("larder top: process %" PRIu64 " (%s)   resident %s, at most %s%s%s",
                 control_number(statistics, "process"), program ? program : "?",
                 say_bytes(resident, account_amount(statistics, "resident", "now")),
                 say_bytes(peak, account_amount(statistics, "resident", "peak")), line_end,
                 line_end);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        write_bar(parts[i].label, account_amount(statistics, parts[i].name, "now"),
                  usable > purged ? usable - purged : 0);
    (void)printf("%s", line_end);
}

/* ---- its caches --------------------------------------------------------------------------------
 */

static uint64_t held_bytes(const json_t *cache) {
    return control_number(cache, "slabs") * control_number(cache, "slab_bytes");
}

static uint64_t live_bytes(const json_t *cache) {
    return control_number(cache, "live") * control_number(cache, "object_bytes");
}

static uint64_t trips(const json_t *cache) {
    return control_number(cache, "refills") + control_number(cache, "drains");
}

static int by_held(const void *a, const void *b) {
    const uint64_t left = held_bytes(*(const json_t *const *)a);
    const uint64_t right = held_bytes(*(const json_t *const *)b);
    return left < right ? 1 : left > right ? -1 : 0;
}

/* The one of the same name a picture ago; NULL iff there is none. */
static const json_t *same_before(const json_t *cache, const json_t *before) {
    const json_t *caches = json_object_get(before, "caches"), *one;
    size_t i;
    json_array_foreach(caches, i, one) {
        if (json_equal(json_object_get(one, "name"), json_object_get(cache, "name")))
            return one;
    }
    return NULL;
}

static void write_cache(const json_t *cache, const json_t *before) {
    char live[SAY_BYTES_LENGTH], lost[SAY_BYTES_LENGTH];
    const uint64_t held = held_bytes(cache), used = live_bytes(cache);
    const json_t *one = same_before(cache, before);
    (void)printf("  %-18s %9" PRIu64 " %10s %10s %9" PRIu64 "%s",
                 json_string_value(json_object_get(cache, "name")), control_number(cache, "live"),
                 say_bytes(live, used), say_bytes(lost, held > used ? held - used : 0),
                 one && trips(cache) > trips(one) ? trips(cache) - trips(one) : 0, line_end);
}

static void write_caches(const json_t *statistics, const json_t *before) {
    const json_t *caches = json_object_get(statistics, "caches"), *cache;
    const json_t *sorted[CACHES_MAX];
    size_t count = 0, i;
    json_array_foreach(caches, i, cache) {
        if (count < CACHES_MAX && json_is_string(json_object_get(cache, "name")))
            sorted[count++] = cache;
    }
    qsort(sorted, count, sizeof *sorted, by_held);
    (void)printf("  %-18s %9s %10s %10s %9s%s", "cache", "objects", "live", "not live", "trips",
                 line_end);
    for (i = 0; i < count && i < CACHES_SHOWN; i++)
        write_cache(sorted[i], before);
}

/* ---- who asked for it ---------------------------------------------------------------------- */

/* False iff the process does not keep that. */
static bool show_callers(const char *process) {
    json_t *answer = control_ask(process, "leaks");
    const bool is_kept = answer && callers_are_kept(answer);
    if (is_kept) {
        (void)printf("%s", line_end);
        callers_write(answer, SITES_SHOWN, line_end);
    }
    json_decref(answer);
    return is_kept;
}

/* ---- again and again ---------------------------------------------------------------------------
 */

static bool terminal_raw(struct termios *before) {
    struct termios raw;
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) != 0)
        return false;
    raw = *before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* False iff q was typed. */
static bool wait_for_next(int interval_ms, bool has_keys) {
    struct pollfd keys = {.fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN};
    char key = '\0';
    const bool is_typed = poll(&keys, 1, interval_ms) > 0 && read(STDIN_FILENO, &key, 1) == 1;
    return !is_typed || key != 'q';
}

static int show(const char *process, int interval_ms, bool has_keys) {
    json_t *before = NULL, *now = control_ask(process, "stats");
    const bool is_found = now != NULL;
    bool has_sites = true;
    if (line_end[0] != '\n')
        (void)printf("\033[2J");
    while (now) {
        (void)printf("%s", line_end[0] != '\n' ? "\033[H" : "");
        write_heap(now);
        write_caches(now, before);
        has_sites = has_sites && show_callers(process);
        (void)printf("%s", line_end[0] != '\n' ? "\033[J\nq ends\n" : "");
        (void)fflush(stdout);
        json_decref(before);
        before = now;
        now = interval_ms && wait_for_next(interval_ms, has_keys) ? control_ask(process, "stats")
                                                                  : NULL;
    }
    json_decref(before);
    return is_found ? EXIT_OK : EXIT_TROUBLE;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {
        {"interval", required_argument, NULL, 'i'}, {"once", no_argument, NULL, '1'}, {0}};
    const bool on_terminal = isatty(STDOUT_FILENO);
    long interval_ms = on_terminal ? INTERVAL_MS_DEFAULT : 0;
    struct termios before;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        char *end = NULL;
        if (option == '?')
            return say_usage("not understood: \"%s\"", argv[optind - 1]);
        interval_ms = option == '1' ? 0 : strtol(optarg, &end, 10);
        if (option == 'i' && (*end || interval_ms < 10 || interval_ms > 3600000))
            return say_usage("an interval is 10 to 3600000 ms, not \"%s\"", optarg);
    }
    if (optind + 1 != argc)
        return say_usage("say which process");
    line_end = on_terminal && interval_ms ? "\033[K\n" : "\n";
    const bool has_keys = interval_ms && terminal_raw(&before);
    const int code = show(argv[optind], (int)interval_ms, has_keys);
    if (has_keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return code;
}

const struct command top_command = {
    .name = "top",
    .arguments = "[--interval=MS] [--once] PROCESS",
    .summary = "Watch the heap of a running process: live, waste by cause, caches",
    .help =
        "  --interval=MS   time between pictures; 1000 by default\n"
        "  --once          one picture; so it is where standard output is no terminal\n"
        "\n"
        "PROCESS is a number, or the path of a control socket. The process must run on larder's\n"
        "malloc with LARDER_CONTROL=1. \"trips\" are magazines filled and emptied since the\n"
        "picture before: how busy a cache is. With LARDER_DEBUG=U there, the call sites with most\n"
        "live bytes are below. q ends.\n",
    .run = run,
};
