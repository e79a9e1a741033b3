/* command.c: larder report. */
#include "command.h"

#include "make.h"
#include "page.h"
#include "policies.h"
#include "report.h"
#include "say.h"
#include "snapshot.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *trace;  /* NULL: none, only snapshots */
    const char *output; /* NULL: from the name of the first file */
    char **live;        /* the snapshots */
    size_t live_count;
    bool is_nameless; /* the page does not say where the trace is */
    bool is_json;
    bool has_policies, has_no_policies; /* neither: if the trace is not too long for it */
};

/* Snapshots are known by their first letter; what is none is the trace. */
static int sort_files(char **files, size_t count, struct options *options) {
    options->live = files;
    for (size_t i = 0; i < count; i++) {
        if (snapshot_is(files[i]))
            options->live[options->live_count++] = files[i];
        else if (!options->trace)
            options->trace = files[i];
        else
            return say_usage("one trace at a time; neither %s nor %s is a snapshot", options->trace,
                             files[i]);
    }
    return EXIT_OK;
}

static int parse(int argc, char **argv, struct options *options) {
    static const struct option known[] = {
        {"output", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"policies", no_argument, NULL, 'p'},
        {"no-policies", no_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    opterr = 0;
    optind = 1;
    for (int letter; (letter = getopt_long(argc, argv, "o:", known, NULL)) != -1;) {
        if (letter == 'o')
            options->output = optarg;
        else if (letter == 'j')
            options->is_json = true;
        else if (letter == 'p')
            options->has_policies = true;
        else if (letter == 'n')
            options->has_no_policies = true;
        else
            return say_usage("what is \"%s\"?", argv[optind - 1]);
    }
    if (optind == argc)
        return say_usage("which trace, or which snapshots?");
    return sort_files(argv + optind, (size_t)(argc - optind), options);
}

/* "dir/app.ltr" as "app.html". */
static char *default_output(const struct options *options) {
    const char *first = options->trace ? options->trace : options->live[0];
    const char *slash = strrchr(first, '/');
    const char *base = slash ? slash + 1 : first;
    const char *dot = strrchr(base, '.');
    const int length = dot && dot != base ? (int)(dot - base) : (int)strlen(base);
    char *name = NULL;
    if (strcmp(first, "-") == 0)
        return strdup("report.html");
    return asprintf(&name, "%.*s.html", length, base) < 0 ? NULL : name;
}

/* What is to be shown: at least one of the two. */
struct content {
    struct report *report;
    struct snapshots *live;
};

static bool write_document(const struct content *content, FILE *file) {
    return content->report ? report_write(content->report, content->live, file)
                           : report_write_live(content->live, file);
}

static bool write_all(const struct content *content, FILE *file, bool is_json) {
    if (is_json)
        return write_document(content, file);
    return page_write_head(file) && write_document(content, file) && page_write_tail(file);
}

static int write_to(const struct content *content, const char *output, bool is_json) {
    FILE *file = strcmp(output, "-") == 0 ? stdout : fopen(output, "we");
    if (!file) {
        say_error("%s: %s", output, strerror(errno));
        return EXIT_TROUBLE;
    }
    bool is_written = write_all(content, file, is_json);
    if (file != stdout)
        is_written = fclose(file) == 0 && is_written;
    if (!is_written) {
        say_error("%s: %s", output, strerror(errno));
        return EXIT_TROUBLE;
    }
    return EXIT_OK;
}

static int report_damage(const char *path, const struct trace_error *error) {
    if (!error)
        return EXIT_OK;
    say_error("%s: %s (byte %llu); the report is of what came before", path, error->what,
              (unsigned long long)error->offset);
    return EXIT_TROUBLE;
}

/* Each policy reads the trace again, so it must be a file. */
static bool wants_policies(const struct options *options, uint64_t events) {
    return strcmp(options->trace, "-") != 0 && !options->has_no_policies &&
           (options->has_policies || events <= POLICIES_EVENTS_MAX);
}

/* NULL iff it cannot be opened, or has no room; says so. */
static struct report *read_trace(const char *path, uint64_t room_bytes) {
    struct trace_error error;
    struct trace_reader *reader = trace_reader_open(path, &error);
    if (!reader) {
        say_error("%s: %s", path, error.what);
        return NULL;
    }
    struct report *report = malloc(sizeof *report);
    if (report && report_read(report, reader, path, room_bytes))
        return report;
    say_error("there is no address space for the replayed heap (ulimit -v?)");
    free(report);
    trace_reader_close(reader);
    return NULL;
}

static void drop(struct report *report) {
    trace_reader_close(report->reader);
    report_close(report);
    free(report);
}

/* A heap that outgrows the usual room is read again with more. */
static struct report *read_whole(const struct options *options) {
    struct report *report = read_trace(options->trace, HEAP_ROOM);
    if (!report || report->heap.unplaced == 0 || strcmp(options->trace, "-") == 0)
        return report;
    drop(report);
    return read_trace(options->trace, HEAP_ROOM_LARGE);
}

/* False iff one of them cannot be had. */
static bool read_all(const struct options *options, struct content *content) {
    content->live = options->live_count ? snapshots_read(options->live, options->live_count) : NULL;
    if (options->live_count && !content->live)
        return false;
    content->report = options->trace ? read_whole(options) : NULL;
    if (!content->report)
        return !options->trace;
    content->report->has_policies = wants_policies(options, content->report->event);
    if (options->is_nameless)
        content->report->name = "";
    return true;
}

static int make(const struct options *options, const char *output) {
    struct content content = {0};
    int status = EXIT_TROUBLE;
    if (read_all(options, &content))
        status = write_to(&content, output, options->is_json);
    if (status == EXIT_OK && content.report)
        status = report_damage(options->trace, trace_reader_error(content.report->reader));
    if (content.report)
        drop(content.report);
    if (content.live)
        snapshots_close(content.live);
    return status;
}

/* Asked before a program runs for an hour. */
bool report_can_make(const char *output) {
    FILE *file = page_exists() ? fopen(output, "ae") : NULL;
    if (!page_exists())
        say_error("this larder was built without npm, so it has no page");
    else if (!file)
        say_error("%s: %s", output, strerror(errno));
    return file && fclose(file) == 0;
}

int report_make(const char *trace, const char *output) {
    const struct options options = {.trace = trace, .is_nameless = true};
    return make(&options, output);
}

static int run(int argc, char **argv) {
    struct options options = {0};
    const int status = parse(argc, argv, &options);
    if (status != EXIT_OK)
        return status;
    if (!options.is_json && !page_exists()) {
        say_error("this larder was built without npm, so it has no page; --json works");
        return EXIT_TROUBLE;
    }
    char *name = options.output || options.is_json ? NULL : default_output(&options);
    const int result = make(&options, options.output ? options.output : name ? name : "-");
    free(name);
    return result;
}

const struct command report_command = {
    .name = "report",
    .arguments = "[TRACE] [SNAPSHOT]... [-o FILE.html] [--json] [--policies]",
    .summary = "one HTML file that shows where memory went, and why it is not free",
    .help =
        "TRACE is what `larder record` or `larder import` wrote; \"-\" is standard input. A\n"
        "SNAPSHOT is what `larder snapshot` wrote; several of one process are shown over time.\n\n"
        "  -o, --output=FILE  where to write; without it the first name with .html, here\n"
        "      --json         the numbers alone (docs/report-format.md), on standard output\n"
        "                     unless -o says otherwise\n"
        "      --policies     replay it under other policies too, however long it is;\n"
        "      --no-policies  never; without either, if it has up to 500,000 events\n\n"
        "The page needs no network. The program of a trace is replayed on larder's heap: what\n"
        "the page says of frames, slabs and caches is what it would be there. A snapshot is of\n"
        "what was; lifetimes, policies and sizes asked for are not in one.\n",
    .run = run,
};
