/* sh: a shell: a line is a program and its arguments; & at its end does not wait. exit, or ctrl-d
 * on an empty line, ends it. */
#include "user.h"

#define LINE_BYTES 128u
#define BACKSPACE 0x7f
#define CTRL_H 8

static void echo(const char *text) {
    (void)write_text(text, strlen(text));
}

/* One line without its end; false at the end of input. */
static bool read_line(char *line) {
    size_t used = 0;
    char byte;

    for (;;) {
        if (read_text(&byte, 1) <= 0)
            return false;
        if (byte == '\r' || byte == '\n')
            break;
        if ((byte == BACKSPACE || byte == CTRL_H) && used > 0) {
            used--;
            echo("\b \b");
        } else if (byte >= ' ' && byte != BACKSPACE && used < LINE_BYTES - 1) {
            line[used++] = byte;
            (void)write_text(&byte, 1);
        }
    }
    echo("\n");
    line[used] = '\0';
    return true;
}

static unsigned split(char *line, char **word) {
    unsigned count = 0;

    while (count < ARGUMENTS_MAX) {
        while (*line == ' ')
            *line++ = '\0';
        if (*line == '\0')
            break;
        word[count++] = line;
        while (*line != ' ' && *line != '\0')
            line++;
    }
    word[count] = NULL;
    return count;
}

static void run(char **word, bool waits) {
    int64_t child = fork();
    int32_t status;

    if (child == 0) {
        exec(word[0], word);
        printf("sh: there is no program \"%s\"\n", word[0]);
        end(127);
    }
    if (child < 0)
        printf("sh: no memory for another process\n");
    else if (waits && wait((uint32_t)child, &status) > 0 && status != 0)
        printf("sh: %s ended with %d\n", word[0], status);
}

int main(int argc, char **argv) {
    char line[LINE_BYTES], *word[ARGUMENTS_MAX + 1];

    (void)argc, (void)argv;
    for (;;) {
        unsigned count;
        bool waits = true;

        echo("sh> ");
        if (!read_line(line))
            return 0;
        count = split(line, word);
        if (count > 1 && strcmp(word[count - 1], "&") == 0) {
            word[--count] = NULL;
            waits = false;
        }
        if (count > 0 && strcmp(word[0], "exit") == 0)
            return 0;
        if (count > 0)
            run(word, waits);
    }
}
