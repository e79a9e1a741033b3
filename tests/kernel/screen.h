/* screen.h: a terminal as far as the line editor uses one, for its tests: it keeps what a person
 * would see. */
#ifndef TESTS_KERNEL_SCREEN_H
#define TESTS_KERNEL_SCREEN_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCREEN_COLUMNS 200u

struct screen {
    char row[SCREEN_COLUMNS + 1];   /* the row the cursor is on */
    char above[SCREEN_COLUMNS + 1]; /* the row above it */
    unsigned column;
    unsigned bells;
    unsigned returns;   /* carriage returns */
    unsigned questions; /* ESC [ 6 n */
    unsigned clears;
    unsigned strange; /* sequences it does not know: none are allowed */
    char escape[16];
    unsigned escape_length;
};

static void screen_blank(char *row) {
    memset(row, ' ', SCREEN_COLUMNS);
    row[SCREEN_COLUMNS] = '\0';
}

static inline void screen_init(struct screen *screen) {
    memset(screen, 0, sizeof(*screen));
    screen_blank(screen->row);
    screen_blank(screen->above);
}

static void screen_csi(struct screen *screen, char last) {
    unsigned number = (unsigned)strtoul(screen->escape + 2, NULL, 10);
    if (last == 'K') {
        memset(screen->row + screen->column, ' ', SCREEN_COLUMNS - screen->column);
    } else if (last == 'C') {
        screen->column += number == 0 ? 1 : number == 999 ? 0 : number;
    } else if (last == 'n') {
        screen->questions++;
    } else if (last == 'J') {
        screen->clears++;
        screen_blank(screen->row);
    } else if (last == 'H') {
        screen->column = 0;
    } else {
        screen->strange++;
    }
}

static void screen_escape(struct screen *screen, char character) {
    screen->escape[screen->escape_length++] = character;
    screen->escape[screen->escape_length] = '\0';
    if (screen->escape_length == 1)
        return;
    if (screen->escape_length == 2 && character == '[')
        return;
    if (screen->escape_length == 2) {
        screen->strange += character != '7' && character != '8';
        screen->escape_length = 0;
    } else if (character >= '@' || screen->escape_length + 1 == sizeof(screen->escape)) {
        screen_csi(screen, character);
        screen->escape_length = 0;
    }
}

static void screen_put(struct screen *screen, char character) {
    if (screen->escape_length > 0 || character == '\x1b') {
        screen_escape(screen, character);
    } else if (character == '\a') {
        screen->bells++;
    } else if (character == '\r') {
        screen->column = 0;
        screen->returns++;
    } else if (character == '\n') {
        memcpy(screen->above, screen->row, sizeof(screen->row));
        screen_blank(screen->row);
    } else if (screen->column < SCREEN_COLUMNS) {
        screen->row[screen->column++] = character;
    } else {
        screen->strange++;
    }
}

static inline void screen_write(void *context, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        screen_put(context, text[i]);
}

/* The row without the blanks at its end. */
static inline const char *screen_text(const char *row) {
    static char text[SCREEN_COLUMNS + 1];
    size_t length = strlen(row);
    while (length > 0 && row[length - 1] == ' ')
        length--;
    memcpy(text, row, length);
    text[length] = '\0';
    return text;
}

#endif
