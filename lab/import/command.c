/* command.c: larder import: other people's traces become ours. */
#include "command.h"
#include "import/import.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PROGRESS_EVERY_LINES = 4096, COUNT_LOSSES = 5, LOSS_BYTES_MAX = 104 };

/* ---- What importers call --------------------------------------------------------------------- */

bool import_fail(struct import *import, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(import->fault, sizeof import->fault, format, arguments);
    va_end(arguments);
    return false;
}

bool import_begin(struct import *import, const struct trace_info *given) {
    struct trace_info info = *given;
    info.program = info.program ? info.program : "";
    info.recorded_by = info.recorded_by ? info.recorded_by : "";
    info.note = info.note ? info.note : "";
    import->writer = trace_writer_open(import->output_path, &info);
    if (!import->writer)
        return import_fail(import, "cannot create %s: %s", import->output_path, strerror(errno));
    import->order = trace_order_make(import->writer);
    return true;
}

char *import_line(struct import *import) {
    char *line = input_line(import->input);
    if (line && input_line_number(import->input) % PROGRESS_EVERY_LINES == 0)
        say_progress(&import->progress, trace_order_count(import->order),
                     input_packed_offset(import->input), input_packed_bytes(import->input));
    return line;
}

void import_event(struct import *import, const struct trace_event *event, uint64_t pointer,
                  uint64_t old_pointer) {
    trace_order_event(import->order, event, pointer, old_pointer);
}

uint32_t import_caller(struct import *import, const struct trace_frame *frame) {
    char key[512];
    bool is_new;
    const int length =
        snprintf(key, sizeof key, "%" PRIx64 "|%s|%s|%" PRIu32 "|%s", frame->address,
                 frame->function ? frame->function : "", frame->file ? frame->file : "",
                 frame->line, frame->module ? frame->module : "");
    const size_t count = (size_t)length < sizeof key ? (size_t)length : sizeof key - 1;
    const uint32_t number = intern_number(&import->callers, key, count, &is_new);
    if (is_new)
        (void)trace_writer_site(import->writer, frame, 1);
    return number;
}

/* ---- The command ----------------------------------------------------------------------------- */

/* On the terminal, and in the note: who reads the figures was not there. */
static void say_losses(const struct import *import) {
    const struct trace_losses *losses = trace_order_losses(import->order);
    const struct {
        uint64_t count;
        const char *what;
    } lines[COUNT_LOSSES] = {
        {losses->lost_frees, "frees were missing (a block came back without one) and are put in"},
        {losses->unknown_frees, "frees named no live block and are left out"},
        {losses->unknown_reallocs, "reallocs named no live block and are mallocs now"},
        {losses->times_back, "times went back and are put right"},
        {import->count_skipped, "lines were not understood and are left out"},
    };
    char note[COUNT_LOSSES * LOSS_BYTES_MAX];
    size_t length = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].count == 0)
            continue;
        (void)fprintf(stderr, "%10" PRIu64 " %s\n", lines[i].count, lines[i].what);
        length += (size_t)snprintf(note + length, sizeof note - length, "%s%" PRIu64 " %s",
                                   length > 0 ? "; " : "", lines[i].count, lines[i].what);
    }
    if (length > 0)
        trace_writer_note(import->writer, note);
}

static void say_fault(const struct import *import, const char *path, const char *fault) {
    if (import->is_binary)
        say_error("%s: at byte %" PRIu64 ": %s", path, input_offset(import->input), fault);
    else
        say_error("%s:%" PRIu64 ": %s", path, input_line_number(import->input), fault);
}

/* Close the trace: also after a fault, what came before it is kept. */
static int finish(struct import *import, const char *path, bool is_good) {
    const char *fault = input_fault(import->input);
    say_progress_end(&import->progress);
    if (!is_good || fault)
        say_fault(import, path, fault ? fault : import->fault);
    if (!import->writer)
        return EXIT_TROUBLE;
    const uint64_t count = trace_order_count(import->order);
    (void)fprintf(stderr, "%10" PRIu64 " events in %s\n", count, import->output_path);
    say_losses(import);
    trace_order_free(import->order);
    intern_free(&import->callers);
    if (!trace_writer_close(import->writer)) {
        say_error("cannot write %s: %s", import->output_path, strerror(errno));
        return EXIT_TROUBLE;
    }
    return is_good && !fault && count > 0 ? EXIT_OK : EXIT_TROUBLE;
}

static const struct importer *named(const char *name) {
    const struct importer *const *importer = importers;
    while (*importer && strcmp((*importer)->name, name) != 0)
        importer++;
    return *importer;
}

static const struct importer *detected(struct input *input) {
    static char head[INPUT_PEEK_BYTES + 1];
    size_t count;
    const char *bytes = input_peek(input, &count);
    memcpy(head, bytes, count);
    head[count] = '\0';
    const struct importer *const *importer = importers;
    while (*importer && !(*importer)->is_it(head, count))
        importer++;
    return *importer;
}

static int import_from(const struct importer *importer, const char *path, const char *output_path) {
    struct import import = {.input = input_open(path), .output_path = output_path};
    int code = EXIT_TROUBLE;
    if (!import.input) {
        say_error("cannot open %s: %s", path, strerror(errno));
        return code;
    }
    if (!importer)
        importer = detected(import.input);
    if (!importer) {
        say_error("%s: %s", path,
                  input_fault(import.input) ? input_fault(import.input)
                                            : "of no format that is known; name it if it is");
    } else if (importer->refusal) {
        say_error("%s: %s", path, importer->refusal);
    } else {
        import.is_binary = importer->is_binary;
        say_progress_begin(&import.progress, importer->name, "events");
        const bool is_good = importer->run(&import);
        code = finish(&import, path, is_good);
    }
    input_close(import.input);
    return code;
}

static int list_formats(void) {
    for (const struct importer *const *importer = importers; *importer; importer++) {
        if (!(*importer)->refusal)
            (void)printf("  %-14s %s\n", (*importer)->name, (*importer)->summary);
    }
    return EXIT_OK;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"formats", no_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    const char *output_path = NULL;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "o:", options, NULL)) != -1;) {
        if (option == 'f')
            return list_formats();
        if (option != 'o')
            return say_usage("what is %s?", argv[optind - 1]);
        output_path = optarg;
    }
    const int count = argc - optind;
    if (count != 1 && count != 2)
        return say_usage("one file is needed");
    if (!output_path)
        return say_usage("where to? -o TRACE");
    const struct importer *importer = count == 2 ? named(argv[optind]) : NULL;
    if (count == 2 && !importer)
        return say_usage("there is no format \"%s\"; --formats lists them", argv[optind]);
    return import_from(importer, argv[argc - 1], output_path);
}

const struct command import_command = {
    .name = "import",
    .arguments = "[FORMAT] FILE -o TRACE",
    .summary = "make a trace out of one that another tool has recorded",
    .help =
        "FORMAT is found out from the file if it is not named. FILE may be compressed with gzip\n"
        "or zstd; \"-\" is standard input.\n\n"
        "  -o, --output=TRACE   where to\n"
        "      --formats        the formats there are\n",
    .run = run,
};
