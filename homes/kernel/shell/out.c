/* out.c: see out.h. */
#include "out.h"

#include "words.h"

#define DIGITS_MAX 20u /* of 2^64 in decimal */

static void out(const struct larder_sink *sink, const char *text, size_t length) {
    if (length > 0)
        sink->write(sink->context, text, length);
}

void out_text(const struct larder_sink *sink, const char *text) {
    out(sink, text, words_length(text));
}

void out_repeat(const struct larder_sink *sink, char character, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        out(sink, &character, 1);
}

void out_padded(const struct larder_sink *sink, const char *text, unsigned width) {
    size_t length = words_length(text);
    out(sink, text, length);
    if (length < width)
        out_repeat(sink, ' ', width - (unsigned)length);
}

static void out_digits(const struct larder_sink *sink, uint64_t value, unsigned base,
                       unsigned width, char fill) {
    char digits[DIGITS_MAX];
    unsigned at = DIGITS_MAX;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value > 0);
    unsigned length = DIGITS_MAX - at;
    if (length < width)
        out_repeat(sink, fill, width - length);
    out(sink, digits + at, length);
}

void out_number(const struct larder_sink *sink, uint64_t value, unsigned width) {
    out_digits(sink, value, 10, width, ' ');
}

void out_hex(const struct larder_sink *sink, uint64_t value, unsigned digits) {
    out_text(sink, "0x");
    out_digits(sink, value, 16, digits, '0');
}

void out_size(const struct larder_sink *sink, uint64_t bytes) {
    static const char *const unit[] = {" B", " KiB", " MiB", " GiB"};
    unsigned i = 0;
    while (i < 3 && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    out_number(sink, bytes, 0);
    out_text(sink, unit[i]);
}

void out_bar(const struct larder_sink *sink, uint64_t part, uint64_t whole, unsigned width) {
    uint64_t filled = whole == 0 ? 0 : (part * width + whole / 2) / whole;
    if (filled == 0 && part > 0)
        filled = 1;
    if (filled == width && part < whole)
        filled = width - 1;
    out_text(sink, "[");
    out_repeat(sink, '#', (unsigned)filled);
    out_repeat(sink, '.', width - (unsigned)filled);
    out_text(sink, "]");
}
