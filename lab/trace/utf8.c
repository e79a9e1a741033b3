/* utf8.c: see utf8.h. */
#include "trace/utf8.h"

#include "trace/memory.h"

#include <stdbool.h>

/* Does a character of `length` bytes that begin with these two exist? Not the overlong ones, the
 * surrogates, nor anything beyond U+10FFFF. */
static bool is_range(uint8_t first, uint8_t second) {
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

size_t utf8_length(const uint8_t *at, size_t count) {
    if (count == 0)
        return 0;
    const uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    const size_t length = first < 0xc2   ? 0
                          : first < 0xe0 ? 2
                          : first < 0xf0 ? 3
                          : first < 0xf5 ? 4
                                         : 0;
    if (length == 0 || length > count || !is_range(first, at[1]))
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

char *utf8_text(const void *bytes, size_t count) {
    char *text = memory_text(bytes, count);
    for (size_t at = 0; at < count;) {
        const size_t length = text[at] ? utf8_length((const uint8_t *)text + at, count - at) : 0;
        if (length == 0)
            text[at] = '?';
        at += length ? length : 1;
    }
    return text;
}
