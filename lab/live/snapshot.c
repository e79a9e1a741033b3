/* snapshot.c: larder snapshot PROCESS: its statistics, caches and frames as one JSON file. */
#include "command.h"
#include "control.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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
    json_t *statistics = control_ask(argv[optind], "stats");
    json_t *frames = statistics ? control_ask(argv[optind], "frames") : NULL;
    int code = EXIT_TROUBLE;
    if (frames && json_object_set(statistics, "frames", frames) == 0)
        code = write_snapshot(statistics, path);
    json_decref(frames);
    json_decref(statistics);
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
        "malloc with LARDER_CONTROL=1. docs/control.md says what is in it.\n",
    .run = run,
};
