/* command.h: what can be typed at the prompt.
 *
 * A command is an entry of one of five tables: look.c (ask), hand.c (try memory by hand),
 * by_cache.c (caches by hand), processes.c and run.c (work, and the machine). command.c finds it,
 * completes it and explains it.
 */
#ifndef SHELL_COMMAND_H
#define SHELL_COMMAND_H

#include "kernel.h"
#include "line.h"
#include "words.h"

/* What stands after the name: what completion offers. */
enum command_operand {
    OPERAND_NONE,
    OPERAND_COMMAND, /* the name of a command */
    OPERAND_CACHE,   /* "create", "alloc" …, then the name of a cache */
    OPERAND_TEST,    /* the name of an in-kernel test */
    OPERAND_PROGRAM, /* the name of a program for a process */
};

struct command {
    const char *name;
    const char *arguments;         /* as help shows them; "" if there are none */
    const char *summary;           /* one line */
    const char *help;              /* more lines, each ending with a newline, or NULL */
    unsigned words_min, words_max; /* with the name itself */
    enum command_operand operand;
    void (*run)(unsigned count, char **word);
};

struct command_table {
    const char *title;
    const struct command *command;
    unsigned count;
};

extern const struct command_table look_commands, hand_commands, cache_commands, process_commands,
    run_commands;

/* Run a line; it is cut up. Says what is wrong with it if it cannot be run. */
void command_run(char *line);

/* For struct line. */
void command_complete(void *context, const char *text, unsigned start,
                      struct completion *completion);

/* "help", and "help NAME". */
void command_help(unsigned count, char **word);

/* The terminal at the other end. */
struct shell_terminal {
    struct larder_sink sink; /* the console */
    unsigned columns;
    bool colour;
};
extern struct shell_terminal shell_terminal;

/* Colour unless the command line says larder.colour=0. Before any output; more often is harmless.
 */
void shell_terminal_init(void);

/* True iff ctrl-c was typed; other input is kept for the next line. For commands that take their
 * time. */
bool shell_interrupted(void);

/* Parse word[i] of a command; on failure say what is wrong, what it should be, and return false. */
bool command_number(const char *what, const char *text, uint64_t least, uint64_t most,
                    uint64_t *value);

/* A size in word[from], with its unit attached or in the next word; *used counts the words. */
bool command_size(unsigned count, char **word, unsigned from, uint64_t *bytes, unsigned *used);

#endif
