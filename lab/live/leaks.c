/* leaks.c: larder leaks PROCESS: what lives in a running process, by call site and age. */
#include "callers.h"
#include "command.h"
#include "control.h"
#include "say.h"

#include <stdint.h>

static int run(int argc, char **argv) {
    if (argc != 2)
        return say_usage("say which process");
    json_t *answer = control_ask(argv[1], "leaks");
    if (!answer)
        return EXIT_TROUBLE;
    const bool is_tracked = callers_are_kept(answer);
    if (is_tracked)
        callers_write(answer, SIZE_MAX, "\n");
    else
        say_error("call sites are not kept there: start the program with LARDER_DEBUG=U as well");
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
