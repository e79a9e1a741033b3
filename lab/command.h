/* command.h: what a subcommand of `larder` is. Each has a file of its own that defines one; the
 * table is in main.c. */
#ifndef LAB_COMMAND_H
#define LAB_COMMAND_H

/* Exit codes of every subcommand. */
enum {
    EXIT_OK = 0,
    EXIT_TROUBLE = 1, /* the work could not be done, or only in part */
    EXIT_USAGE = 2,   /* the command line was not understood */
};

struct command {
    const char *name;      /* "compare" */
    const char *arguments; /* "TRACE [OPTION]..." for the usage line */
    const char *summary;   /* one line for the list, no full stop */
    const char *help;      /* the options, a line each, for --help */
    /* argv[0] is the subcommand. --help has been dealt with. An exit code. */
    int (*run)(int argc, char **argv);
};

/* All of them, NULL behind the last. Those without a summary are for the command itself. */
extern const struct command *const all_commands[];

#endif
