/* dump.c: larder dump: a trace as text. */
#include "command.h"
#include "say.h"
#include "trace/text.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int dump(struct trace_reader *reader, uint64_t count_max) {
    struct trace_event event;
    uint32_t count_sites = 0;
    text_put_info(stdout, trace_reader_info(reader));
    for (uint64_t count = 0; count < count_max && trace_reader_next(reader, &event); count++) {
        while (count_sites < trace_site_count(reader)) {
            const struct trace_frame *frames;
            const size_t count_frames = trace_site(reader, ++count_sites, &frames);
            text_put_site(stdout, count_sites, frames, count_frames);
        }
        text_put_event(stdout, &event);
    }
    const struct trace_error *error = trace_reader_error(reader);
    if (error)
        say_error("at byte %" PRIu64 ": %s", error->offset, error->what);
    if (fflush(stdout) != 0) {
        say_error("cannot write all of it");
        return EXIT_TROUBLE;
    }
    return error ? EXIT_TROUBLE : EXIT_OK;
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"events", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    uint64_t count_max = UINT64_MAX;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "n:", options, NULL)) != -1;) {
        char *end = NULL;
        if (option != 'n')
            return say_usage("what is %s?", argv[optind - 1]);
        count_max = strtoull(optarg, &end, 10);
        if (*end || end == optarg)
            return say_usage("--events takes a number");
    }
    if (argc != optind + 1)
        return say_usage("one trace is needed");
    struct trace_error error;
    struct trace_reader *reader = trace_reader_open(argv[optind], &error);
    if (!reader) {
        say_error("%s: %s (at byte %" PRIu64 ")", argv[optind], error.what, error.offset);
        return EXIT_TROUBLE;
    }
    const int code = dump(reader, count_max);
    trace_reader_close(reader);
    return code;
}

const struct command dump_command = {
    .name = "dump",
    .arguments = "TRACE [OPTION]...",
    .summary = "print a trace as text, which `larder import text` reads",
    .help = "  -n, --events=N   only the first N events\n",
    .run = run,
};
