/* out.h: text, numbers and bars into a sink, for the parts of the shell that also run on the host
 * of its tests. Pure. */
#ifndef SHELL_OUT_H
#define SHELL_OUT_H

#include "larder/stats.h"

void out_text(const struct larder_sink *sink, const char *text);

/* `text`, and blanks up to `width` columns. */
void out_padded(const struct larder_sink *sink, const char *text, unsigned width);

void out_repeat(const struct larder_sink *sink, char character, unsigned count);

/* Decimal, right-aligned in `width` columns. */
void out_number(const struct larder_sink *sink, uint64_t value, unsigned width);

/* 0x and `digits` hexadecimal digits, more if the value needs them. */
void out_hex(const struct larder_sink *sink, uint64_t value, unsigned digits);

/* Bytes in the largest unit that divides them: "2 MiB", "12 KiB", "100 B". */
void out_size(const struct larder_sink *sink, uint64_t bytes);

/* [#####.....] of `width` columns inside the brackets; part ≤ whole, rounded to the nearest column,
 * but never empty for something nor full for less than everything. */
void out_bar(const struct larder_sink *sink, uint64_t part, uint64_t whole, unsigned width);

#endif
