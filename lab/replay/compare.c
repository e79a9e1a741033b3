/* compare.c: larder compare: a trace under every policy, side by side. */
#include "command.h"
#include "output.h"
#include "run.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_MAX = 32 };

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

struct options {
    const char *path;
    struct run run[RUNS_MAX];
    unsigned count;
    uint64_t memory_bytes;
    bool is_unchecked, is_untimed;
    enum format format;
};

/* ---- Options --------------------------------------------------------------------------------- */

/* "64K". 0 iff it is no size, or 0. */
static uint64_t parse_bytes(const char *text) {
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    const unsigned shift = unit ? 10 * ((unsigned)(unit - units) + 1) : 0;
    if (text[0] < '0' || text[0] > '9' || errno != 0 || value > ULLONG_MAX >> shift)
        return 0;
    end += unit != NULL;
    end += unit && *end == 'i';
    end += *end == 'B';
    return *end ? 0 : value << shift;
}

static bool add(struct options *options, const char *policy, const char *library) {
    if (options->count == RUNS_MAX)
        return false;
    options->run[options->count++] = (struct run){.policy = policy, .library = library};
    return true;
}

/* A list separated by commas; cut into words where it lies. */
static int add_policies(struct options *options, char *list) {
    for (char *word = strtok(list, ","); word; word = strtok(NULL, ",")) {
        if (strcmp(word, RUN_MALLOC) != 0 && !replay_policy_title(word))
            return say_usage("there is no policy \"%s\"", word);
        if (!add(options, word, NULL))
            return say_usage("at most %d policies", RUNS_MAX);
    }
    return EXIT_OK;
}

static void add_all(struct options *options) {
    for (unsigned i = 0; replay_policy_name(i); i++)
        (void)add(options, replay_policy_name(i), NULL);
    if (options->memory_bytes == 0)
        (void)add(options, RUN_MALLOC, NULL);
}

static int parse(struct options *options, int argc, char **argv) {
    static const struct option names[] = {
        {"policies", required_argument, NULL, 'p'},
        {"with", required_argument, NULL, 'w'},
        {"memory", required_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {"csv", no_argument, NULL, 'c'},
        {"no-check", no_argument, NULL, 'u'},
        {"no-time", no_argument, NULL, 't'},
        {0},
    };
    const char *library[RUNS_MAX];
    unsigned libraries = 0;
    char *policies = NULL;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "p:w:m:", names, NULL)) != -1;) {
        if (option == 'w' && libraries == RUNS_MAX)
            return say_usage("at most %d policies", RUNS_MAX);
        switch (option) {
        case 'p':
            policies = optarg;
            break;
        case 'w':
            library[libraries++] = optarg;
            break;
        case 'm':
            options->memory_bytes = parse_bytes(optarg);
            if (options->memory_bytes == 0)
                return say_usage("--memory=%s: a size like 64K is wanted", optarg);
            break;
        case 'j':
            options->format = FORMAT_JSON;
            break;
        case 'c':
            options->format = FORMAT_CSV;
            break;
        case 'u':
            options->is_unchecked = true;
            break;
        case 't':
            options->is_untimed = true;
            break;
        default:
            return say_usage("%s is not understood", argv[optind - 1]);
        }
    }
    if (argc - optind != 1)
        return say_usage("one trace is wanted");
    options->path = argv[optind];
    if (!policies)
        add_all(options);
    const int status = policies ? add_policies(options, policies) : EXIT_OK;
    for (unsigned i = 0; status == EXIT_OK && i < libraries; i++) {
        if (!add(options, RUN_MALLOC, library[i]))
            return say_usage("at most %d policies", RUNS_MAX);
    }
    return status;
}

/* ---- The trace ------------------------------------------------------------------------------- */

/* Standard input can be read but once: a copy of it. The file that is open is its only name. */
static FILE *keep(char path[PATH_MAX]) {
    static char buffer[1 << 16];
    FILE *copy = tmpfile();
    ssize_t count = 1;
    while (copy && (count = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        if (fwrite(buffer, 1, (size_t)count, copy) != (size_t)count)
            count = -1;
    }
    if (copy && (count < 0 || fflush(copy) != 0)) {
        (void)fclose(copy);
        copy = NULL;
    }
    if (copy)
        (void)snprintf(path, PATH_MAX, "/proc/self/fd/%d", fileno(copy));
    return copy;
}

/* ---- The work -------------------------------------------------------------------------------- */

static void interrupt(int number) {
    (void)number;
    run_is_interrupted = 1;
}

/* Without SA_RESTART: a write to a child that hangs must end. */
static void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = interrupt};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
}

static bool run_all(struct options *options, const char *path, struct comparison *comparison,
                    struct result *result) {
    struct trace_error error;
    bool is_good = true;
    for (unsigned i = 0; i < options->count && !run_is_interrupted; i++) {
        struct run *one = &options->run[i];
        one->path = path;
        one->memory_bytes = options->memory_bytes;
        one->is_unchecked = options->is_unchecked;
        one->is_untimed = options->is_untimed;
        if (!run(one, &result[i], &error) && is_good) {
            say_error("%s: byte %llu: %s", options->path, (unsigned long long)error.offset,
                      error.what);
            is_good = false;
        }
        is_good = is_good && result[i].state == RESULT_WHOLE;
        comparison->count = i + 1;
    }
    return is_good && !run_is_interrupted;
}

static void write_out(const struct comparison *comparison, enum format format) {
    const char *no_color = getenv("NO_COLOR");
    const bool is_colored = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    if (format == FORMAT_JSON)
        output_json(comparison, stdout);
    else if (format == FORMAT_CSV)
        output_csv(comparison, stdout);
    else
        output_table(comparison, stdout, is_colored);
}

static int compare(struct options *options, const char *path) {
    struct trace_error error;
    struct trace_reader *reader = trace_reader_open(path, &error);
    if (!reader) {
        say_error("%s: %s", options->path, error.what);
        return EXIT_TROUBLE;
    }
    struct result *result = calloc(options->count, sizeof *result);
    struct comparison comparison = {
        .path = options->path,
        .info = trace_reader_info(reader),
        .memory_bytes = options->memory_bytes,
        .is_untimed = options->is_untimed,
        .result = result,
    };
    bool is_good = false;
    if (result) {
        catch_interrupts();
        is_good = run_all(options, path, &comparison, result);
        write_out(&comparison, options->format);
    }
    free(result);
    trace_reader_close(reader);
    return is_good && fflush(stdout) == 0 ? EXIT_OK : EXIT_TROUBLE;
}

static int compare_run(int argc, char **argv) {
    static struct options options;
    char path[PATH_MAX];
    const int status = parse(&options, argc, argv);
    if (status != EXIT_OK)
        return status;
    if (strcmp(options.path, "-") != 0)
        return compare(&options, options.path);
    FILE *copy = keep(path);
    if (!copy) {
        say_error("standard input cannot be kept: %s", strerror(errno));
        return EXIT_TROUBLE;
    }
    const int ended = compare(&options, path);
    (void)fclose(copy);
    return ended;
}

const struct command compare_command = {
    .name = "compare",
    .arguments = "TRACE [OPTION]...",
    .summary = "replay a trace under every policy, side by side",
    .help =
        "  -p, --policies=LIST   some of them: first,next,best,worst,good,buddies,slab,malloc\n"
        "  -w, --with=LIBRARY    also this malloc, preloaded: libjemalloc.so.2, liblarder.so …\n"
        "  -m, --memory=SIZE     so much memory and no more: 64K, 2M (not for mallocs)\n"
        "      --json            everything, with the way there\n"
        "      --csv             a line for each policy\n"
        "      --no-check        do not write into blocks and look whether it is still there\n"
        "      --no-time         do not look at the clock: the same figures each time\n"
        "\n"
        "TRACE is what `larder record` or `larder import` has written; \"-\": standard input.\n"
        "\n"
        "footprint: memory the policy was given, as little as served; of a malloc: resident.\n"
        "inside: bytes of blocks that nobody asked for, at the peak. outside: of what is free,\n"
        "how much lies outside the largest free piece. chunks looked at: to serve a request.\n",
    .run = compare_run,
};
