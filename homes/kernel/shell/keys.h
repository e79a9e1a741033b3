/* keys.h: from the bytes of a serial line to the keys a person pressed.
 *
 * Terminals send arrows and the like as escape sequences of several bytes (ECMA-48, "CSI"); a
 * serial line may lose some, and people paste anything. The decoder is a state machine fed one byte
 * at a time: it never waits, never stores more than two numbers, and gives up on a sequence as soon
 * as a control character shows that it was cut short. Unknown sequences and bytes beyond ASCII are
 * swallowed whole as KEY_UNKNOWN. Pure: no lock, no memory, no output.
 */
#ifndef SHELL_KEYS_H
#define SHELL_KEYS_H

#include <stdbool.h>
#include <stdint.h>

enum key {
    KEY_NONE,    /* in the middle of a sequence, or nothing to do */
    KEY_TEXT,    /* a printable ASCII character, in keys.text */
    KEY_UNKNOWN, /* something that means nothing here */
    KEY_ENTER,
    KEY_TAB,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_UP,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_KILL_TO_END,   /* ctrl-k */
    KEY_KILL_TO_START, /* ctrl-u */
    KEY_KILL_WORD,     /* ctrl-w */
    KEY_CLEAR,         /* ctrl-l */
    KEY_CANCEL,        /* ctrl-c */
    KEY_END_OF_INPUT,  /* ctrl-d: delete, on an empty line nothing */
    KEY_REPORT,        /* the terminal says where its cursor is: keys.number[] = row, column */
};

enum keys_state {
    KEYS_PLAIN,
    KEYS_ESCAPE, /* after ESC */
    KEYS_CSI,    /* after ESC [ */
    KEYS_SS3,    /* after ESC O */
    KEYS_STRING, /* after ESC ], ESC P, ESC ^ or ESC _: up to BEL or ESC \ */
};

#define KEYS_NUMBERS 2u
#define KEYS_NUMBER_MAX 9999u

struct keys {
    enum keys_state state;
    bool after_return;  /* a line feed now belongs to the carriage return before it */
    unsigned utf8_left; /* continuation bytes still to be swallowed */
    unsigned index;     /* of the number being read; beyond KEYS_NUMBERS they are dropped */
    unsigned number[KEYS_NUMBERS]; /* parameters of the last sequence, at most KEYS_NUMBER_MAX */
    char text;                     /* of KEY_TEXT */
};

void keys_init(struct keys *keys);

/* The key that `byte` completes, or KEY_NONE. */
enum key keys_feed(struct keys *keys, uint8_t byte);

#endif
