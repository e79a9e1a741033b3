/* text.h: words and numbers into a sink, without a printf. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "base.h"
#include "larder/stats.h"

void text_put(const struct larder_sink *sink, const char *text);

/* Padded with spaces to `width`: text to the right, numbers to the left. */
void text_put_padded(const struct larder_sink *sink, const char *text, unsigned width);
void text_decimal(const struct larder_sink *sink, uint64_t value, unsigned width);
void text_hex(const struct larder_sink *sink, uint64_t value, unsigned digits);

/* Thousandths as "-1.000". */
void text_thousandths(const struct larder_sink *sink, int value, unsigned width);

#endif
