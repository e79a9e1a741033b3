/* text.c: see text.h. Each call builds its text in a small buffer and writes once. */
#include "text.h"

#define NUMBER_BYTES 24u

static size_t length_of(const char *text) {
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

static void spaces(const struct larder_sink *sink, size_t count) {
    static const char blank[] = "                ";
    while (count > 0) {
        size_t here = (size_t)min_u64(count, sizeof(blank) - 1);
        sink->write(sink->context, blank, here);
        count -= here;
    }
}

void text_put(const struct larder_sink *sink, const char *text) {
    sink->write(sink->context, text, length_of(text));
}

void text_put_padded(const struct larder_sink *sink, const char *text, unsigned width) {
    size_t length = length_of(text);
    sink->write(sink->context, text, length);
    spaces(sink, length < width ? width - length : 0);
}

void text_decimal(const struct larder_sink *sink, uint64_t value, unsigned width) {
    char digits[NUMBER_BYTES];
    size_t at = NUMBER_BYTES;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    spaces(sink, NUMBER_BYTES - at < width ? width - (NUMBER_BYTES - at) : 0);
    sink->write(sink->context, digits + at, NUMBER_BYTES - at);
}

void text_hex(const struct larder_sink *sink, uint64_t value, unsigned digits) {
    char text[NUMBER_BYTES];
    size_t at = NUMBER_BYTES;
    do {
        text[--at] = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    } while (value > 0 || NUMBER_BYTES - at < digits);
    sink->write(sink->context, text + at, NUMBER_BYTES - at);
}

void text_thousandths(const struct larder_sink *sink, int value, unsigned width) {
    unsigned magnitude = (unsigned)(value < 0 ? -value : value);
    char text[] = {value < 0 ? '-' : ' ',
                   (char)('0' + magnitude / 1000 % 10),
                   '.',
                   (char)('0' + magnitude / 100 % 10),
                   (char)('0' + magnitude / 10 % 10),
                   (char)('0' + magnitude % 10)};
    spaces(sink, width > sizeof(text) ? width - sizeof(text) : 0);
    sink->write(sink->context, text, sizeof(text));
}
