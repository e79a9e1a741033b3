/* shell.c: the prompt. Bytes from the console go to the line editor (line.h), finished lines to the
 * commands (command.h). */
#include "command.h"

#define CTRL_C 3

static struct history history;
static struct line line;

static void write_console(void *context, const char *text, size_t length) {
    (void)context;
    console_write(text, length);
}

struct shell_terminal shell_terminal = {
    .sink = {write_console, NULL}, .columns = LINE_COLUMNS_DEFAULT, .colour = true};

void shell_terminal_init(void) {
    const char *colour = machine_bootarg("larder.colour");
    shell_terminal.colour = colour == NULL || strcmp(colour, "0") != 0;
}

/* What was typed while a command ran; what does not fit is lost. */
static uint8_t ahead[LINE_BYTES];
static unsigned ahead_first, ahead_count;

bool shell_interrupted(void) {
    int byte;
    while ((byte = console_poll()) >= 0) {
        if (byte == CTRL_C) {
            ahead_count = 0;
            return true;
        }
        if (ahead_count < LINE_BYTES)
            ahead[(ahead_first + ahead_count++) % LINE_BYTES] = (uint8_t)byte;
    }
    return false;
}

/* The next byte; the row is brought up to date before waiting for one. */
static uint8_t next_byte(void) {
    if (ahead_count > 0) {
        uint8_t byte = ahead[ahead_first];
        ahead_first = (ahead_first + 1) % LINE_BYTES;
        ahead_count--;
        return byte;
    }
    int byte = console_poll();
    if (byte >= 0)
        return (uint8_t)byte;
    line_settle(&line);
    return (uint8_t)console_read();
}

static void entered(enum line_result result) {
    shell_terminal.columns = line.columns;
    if (result == LINE_TOO_LONG) {
        printf("A line may have %u characters; this one was longer and was not run.\n",
               LINE_BYTES - 1);
    } else if (result == LINE_DONE) {
        history_add(&history, line.text);
        command_run(line.text);
    }
    line_begin(&line);
}

_Noreturn void shell_run(void) {
    shell_terminal_init();
    history_init(&history);
    line_init(&line, &shell_terminal.sink, "larder> ", &history);
    line.complete = command_complete;
    printf("\n\"help\" lists the commands, \"demo\" shows what larder does.\n");
    line_begin(&line);
    for (;;) {
        enum line_result result = line_feed(&line, next_byte());
        if (result != LINE_MORE)
            entered(result);
    }
}
