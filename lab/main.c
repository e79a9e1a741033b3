/* main.c: the larder command: find the subcommand and run it. */
#include "command.h"
#include "say.h"

#include "larder/larder.h"

#include <stdio.h>
#include <string.h>

/* In the order in which a newcomer meets them. One line each: `extern const struct command
 * NAME_command;` above, `&NAME_command,` in the table. */
extern const struct command record_command;
extern const struct command run_command;
extern const struct command top_command;
extern const struct command snapshot_command;
extern const struct command whatis_command;
extern const struct command leaks_command;
extern const struct command import_command;
extern const struct command dump_command;
extern const struct command compare_command;
extern const struct command replay_child_command;
extern const struct command report_command;
extern const struct command completion_command;

const struct command *const all_commands[] = {
    &record_command,
    &run_command,
    &import_command,
    &compare_command,
    &report_command,
    &dump_command,
    &top_command,
    &snapshot_command,
    &whatis_command,
    &leaks_command,
    &completion_command,
    &replay_child_command,
    NULL,
};

static const struct command *find(const char *name) {
    for (const struct command *const *command = all_commands; *command; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}

static int list(void) {
    (void)printf("usage: larder COMMAND [ARGUMENT]...\n\n"
                 "Records how programs use memory, compares allocation policies on what was\n"
                 "recorded, and shows why memory is not free.\n\n");
    for (const struct command *const *command = all_commands; *command; command++) {
        if ((*command)->summary) /* without one, it is no command for users */
            (void)printf("  %-10s %s\n", (*command)->name, (*command)->summary);
    }
    (void)printf("\nlarder COMMAND --help says more; larder(1) says all.\n");
    return EXIT_OK;
}

static int describe(const struct command *command) {
    (void)printf("usage: larder %s %s\n\n%s.\n\n%s", command->name, command->arguments,
                 command->summary ? command->summary : "For larder itself", command->help);
    return EXIT_OK;
}

static int asks_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "--version") == 0) {
        (void)printf("larder %s\n", LARDER_VERSION);
        return EXIT_OK;
    }
    if (asks_help(name) && argc <= 2)
        return list();
    const struct command *command = find(asks_help(name) ? argv[2] : name);
    if (!command)
        return say_usage("there is no command \"%s\"", asks_help(name) ? argv[2] : name);
    if (asks_help(name) ||
        (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)))
        return describe(command);
    say_command(name);
    return command->run(argc - 1, argv + 1);
}
