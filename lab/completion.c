/* completion.c: larder completion: what a shell needs to complete our command lines. It is made
 * from the table of commands: options are what their help says. */
#include "command.h"
#include "say.h"

#include <stdio.h>
#include <string.h>

/* The options in a command's help: lines of it that begin with spaces and "-x, --long=WHAT", or
 * either of the two. Each as a word, with its = if it has one. */
static void put_options(const struct command *command) {
    for (const char *line = command->help; line && *line;) {
        const size_t length = strcspn(line, "\n");
        const char *at = line + strspn(line, " ");
        if (at > line && *at == '-') {
            if (at[1] != '-')
                (void)printf(" %.2s", at);
            const char *end = line + length,
                       *option = at[1] == '-' ? at : at + 2 + strspn(at + 2, ", ");
            const size_t count = strspn(option, "abcdefghijklmnopqrstuvwxyz-");
            if (option < end && strncmp(option, "--", 2) == 0)
                (void)printf(" %.*s%s", (int)count, option, option[count] == '=' ? "=" : "");
        }
        line += length + (line[length] == '\n');
    }
    (void)printf(" --help");
}

static void bash(void) {
    (void)printf("# Completion of larder for bash; from: larder completion bash\n"
                 "_larder() {\n"
                 "    local current=${COMP_WORDS[COMP_CWORD]} options=\n"
                 "    COMPREPLY=()\n"
                 "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
                 "        COMPREPLY=($(compgen -W '");
    for (const struct command *const *command = all_commands; *command; command++) {
        if ((*command)->summary)
            (void)printf("%s ", (*command)->name);
    }
    (void)printf("--help --version' -- \"$current\"))\n"
                 "        return\n"
                 "    fi\n"
                 "    case ${COMP_WORDS[1]} in\n");
    for (const struct command *const *command = all_commands; *command; command++) {
        if (!(*command)->summary)
            continue;
        (void)printf("    %s) options='", (*command)->name);
        put_options(*command);
        (void)printf("' ;;\n");
    }
    (void)printf("    esac\n"
                 "    case $current in\n"
                 "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n"
                 "    esac\n"
                 "    case ${COMPREPLY-} in *=) compopt -o nospace ;; esac\n"
                 "}\n"
                 "complete -o default -o bashdefault -F _larder larder\n");
}

/* A summary within single quotes, and without what divides name and text. */
static void put_summary(const char *summary) {
    for (; *summary; summary++) {
        if (*summary == '\'')
            (void)printf("'\\''");
        else if (*summary != '`')
            (void)putchar(*summary);
    }
}

static void zsh(void) {
    (void)printf("#compdef larder\n"
                 "# Completion of larder for zsh; from: larder completion zsh\n"
                 "_larder() {\n"
                 "    local -a commands options\n"
                 "    commands=(\n");
    for (const struct command *const *command = all_commands; *command; command++) {
        if (!(*command)->summary)
            continue;
        (void)printf("        '%s:", (*command)->name);
        put_summary((*command)->summary);
        (void)printf("'\n");
    }
    (void)printf("    )\n"
                 "    if (( CURRENT == 2 )); then\n"
                 "        _describe command commands\n"
                 "        return\n"
                 "    fi\n"
                 "    case $words[2] in\n");
    for (const struct command *const *command = all_commands; *command; command++) {
        if (!(*command)->summary)
            continue;
        (void)printf("    %s) options=(", (*command)->name);
        put_options(*command);
        (void)printf(") ;;\n");
    }
    (void)printf("    esac\n"
                 "    if [[ $PREFIX == -* ]]; then\n"
                 "        compadd -- $options\n"
                 "    else\n"
                 "        _files\n"
                 "    fi\n"
                 "}\n"
                 "_larder \"$@\"\n");
}

static int run(int argc, char **argv) {
    if (argc != 2 || (strcmp(argv[1], "bash") != 0 && strcmp(argv[1], "zsh") != 0))
        return say_usage("for which shell: bash or zsh?");
    if (strcmp(argv[1], "bash") == 0)
        bash();
    else
        zsh();
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_TROUBLE;
}

const struct command completion_command = {
    .name = "completion",
    .arguments = "bash|zsh",
    .summary = "print what a shell needs to complete the command line",
    .help = "For the shell you are in: eval \"$(larder completion bash)\"\n",
    .run = run,
};
