/* words.h: from the text of a line to words, numbers and sizes. Pure. */
#ifndef SHELL_WORDS_H
#define SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 8u

/* Cut `line` at its blanks, in place. Result: the words; WORDS_MAX + 1 iff there are more than
 * WORDS_MAX (the first WORDS_MAX are in word[]). */
unsigned words_split(char *line, char *word[WORDS_MAX]);

bool words_equal(const char *a, const char *b);

bool words_begins(const char *text, const char *beginning);

size_t words_length(const char *text);

/* Decimal, or hexadecimal after 0x. False iff it is not a number, or not below 2^64. */
bool words_number(const char *text, uint64_t *value);

/* A number and then nothing, K, M or G (or KiB …, in any case). False as above. */
bool words_size(const char *text, uint64_t *bytes);

/* The factor of a unit standing alone: "K", "MiB" …; 0 iff it is none. */
uint64_t words_unit(const char *text);

/* How many characters must be put in, taken out or changed to make one word the other; at least 100
 * if either is longer than a command can be. */
unsigned words_distance(const char *a, const char *b);

#endif
