/* input.h: a file from elsewhere, line by line or in bytes, unpacked on the way if it is compressed
 * (gzip, zstd: told from its first bytes). */
#ifndef LAB_IMPORT_INPUT_H
#define LAB_IMPORT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer lines are an error, not memory. */
enum { INPUT_LINE_MAX = 1 << 20, INPUT_PEEK_BYTES = 64 << 10 };

struct input;

/* "-": standard input. NULL iff it cannot be opened: errno. */
struct input *input_open(const char *path);
void input_close(struct input *input);

/* The first bytes, up to INPUT_PEEK_BYTES, without taking them. */
const char *input_peek(struct input *input, size_t *count);

/* The next line, without its end, as text that may be changed: valid until the next call. NULL at
 * the end, and iff something is wrong. */
char *input_line(struct input *input);

/* The next `count` bytes, at most INPUT_PEEK_BYTES of them. NULL iff there are fewer. */
const void *input_bytes(struct input *input, size_t count);

/* NULL iff nothing is wrong with the file so far (damaged, line too long, with a zero in it …). */
const char *input_fault(const struct input *input);

uint64_t input_line_number(const struct input *input);   /* of the line given last, from 1 */
uint64_t input_offset(const struct input *input);        /* of bytes unpacked and taken */
uint64_t input_packed_offset(const struct input *input); /* of the file; for a progress bar … */
uint64_t input_packed_bytes(const struct input *input);  /* … with its length; 0: unknown */

#endif
