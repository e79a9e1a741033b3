/* line.h: editing one line on a terminal at the other end of a serial line.
 *
 * The editor is fed bytes and writes what the terminal must show; it never waits. The line is shown
 * on one row and scrolls sideways when it is wider than the terminal, so nothing depends on how a
 * terminal wraps. The terminal is asked for its width with every prompt (it is told to go to column
 * 999 and to say where it is then); the answer arrives as input whenever it likes, and one that
 * never comes leaves LINE_COLUMNS_DEFAULT. Showing a row again takes longer than a byte takes to
 * come, so it waits until there is nothing more to read: line_settle(). Pure: one caller at a time,
 * no lock, no allocation.
 */
#ifndef SHELL_LINE_H
#define SHELL_LINE_H

#include "history.h"
#include "keys.h"

#include "larder/stats.h"

#define LINE_COLUMNS_DEFAULT 80u
#define LINE_COLUMNS_MIN 20u
#define COMPLETIONS_MAX 64u

enum line_result {
    LINE_MORE,      /* not finished */
    LINE_DONE,      /* line.text is what was entered */
    LINE_CANCELLED, /* ctrl-c */
    LINE_TOO_LONG,  /* entered, but characters beyond LINE_BYTES were lost: better not run it */
};

/* Words that could stand where the cursor is. */
struct completion {
    const char *word[COMPLETIONS_MAX];
    unsigned count;
};

/* Fill in the words that begin with text[start .. cursor); `text` is the line up to the cursor,
 * NUL-terminated, and `start` where its last word begins. */
typedef void line_complete(void *context, const char *text, unsigned start,
                           struct completion *completion);

/* Invariant: cursor ≤ length < LINE_BYTES, text[length] is NUL, scroll ≤ cursor. */
struct line {
    struct larder_sink out;
    const char *prompt; /* one column a character */
    struct history *history;
    line_complete *complete; /* may be NULL */
    void *context;           /* of complete */
    struct keys keys;
    unsigned columns; /* of the terminal, as far as known */
    char text[LINE_BYTES];
    unsigned length, cursor;
    unsigned scroll;        /* first character shown */
    bool stale;             /* the row on the terminal is not what it should be */
    bool too_long;          /* characters were lost since the last deletion */
    unsigned back;          /* which line of the history is shown; 0: the draft */
    char draft[LINE_BYTES]; /* what was typed before going back in history */
};

void line_init(struct line *line, const struct larder_sink *out, const char *prompt,
               struct history *history);

/* Start an empty line: show the prompt and ask for the width. */
void line_begin(struct line *line);

/* Show the row as it should be. To be called when no byte is waiting; more often is harmless. */
void line_settle(struct line *line);

/* One byte from the terminal. Unless the result is LINE_MORE the cursor is at the start of a new
 * row, and line_begin() comes next. */
enum line_result line_feed(struct line *line, uint8_t byte);

#endif
