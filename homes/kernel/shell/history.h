/* history.h: the last lines that were entered, oldest forgotten first. Pure; its storage is its
 * own, so that asking for memory never depends on remembering. */
#ifndef SHELL_HISTORY_H
#define SHELL_HISTORY_H

#define LINE_BYTES 256u /* longest line, with its final NUL */
#define HISTORY_LINES 32u

/* Equation: the lines kept are added-1, added-2 … added-count, each at its number modulo
 * HISTORY_LINES; count ≤ HISTORY_LINES. */
struct history {
    char line[HISTORY_LINES][LINE_BYTES];
    unsigned added; /* ever */
    unsigned count;
};

void history_init(struct history *history);

/* Remember a line of fewer than LINE_BYTES characters. Not remembered: an empty or blank line, and
 * one equal to the line before it. */
void history_add(struct history *history, const char *text);

/* The line entered `back` lines ago (1 is the last); NULL iff there is none. */
const char *history_get(const struct history *history, unsigned back);

#endif
