/* words.c: the words of a line, for importers of text: see import.h. */
#include "import/import.h"

#include <ctype.h>
#include <string.h>

static const char *skip_spaces(const char *at) {
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static unsigned digit_of(char c) {
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 99;
}

static bool number_in(const char **at, unsigned base, uint64_t *number) {
    const char *from = *at;
    uint64_t value = 0;
    for (; digit_of(*from) < base; from++) {
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit_of(*from), &value))
            return false;
    }
    if (from == *at)
        return false;
    *at = from;
    *number = value;
    return true;
}

static bool is_hex(const char *at) {
    return at[0] == '0' && (at[1] | 0x20) == 'x';
}

bool word_number(const char **at, uint64_t *number) {
    const char *from = skip_spaces(*at);
    const bool hex = is_hex(from);
    from += hex ? 2 : 0;
    if (!number_in(&from, hex ? 16 : 10, number))
        return false;
    *at = from;
    return true;
}

bool word_hex(const char **at, uint64_t *number) {
    const char *from = skip_spaces(*at);
    from += is_hex(from) ? 2 : 0;
    if (!number_in(&from, 16, number))
        return false;
    *at = from;
    return true;
}

bool word_is(const char **at, const char *word) {
    const char *from = skip_spaces(*at);
    const size_t length = strlen(word);
    if (strncmp(from, word, length) != 0 ||
        ((isalnum((unsigned char)word[length - 1]) || word[length - 1] == '_') &&
         (isalnum((unsigned char)from[length]) || from[length] == '_')))
        return false;
    *at = from + length;
    return true;
}

bool word_end(const char **at) {
    *at = skip_spaces(*at);
    return **at == '\0';
}

bool word_seconds(const char **at, uint64_t *time_ns) {
    const char *from = skip_spaces(*at);
    uint64_t seconds, scale = 1000000000, fraction = 0;
    if (!number_in(&from, 10, &seconds) || *from != '.' || digit_of(from[1]) > 9 ||
        seconds > UINT64_MAX / scale / 2)
        return false;
    for (from++; digit_of(*from) <= 9; from++) {
        scale /= 10;
        fraction += digit_of(*from) * scale;
    }
    *at = from;
    *time_ns = seconds * 1000000000 + fraction;
    return true;
}

bool head_has(const char *head, bool (*is_such)(const char *line)) {
    enum { LINES = 200 };
    for (int i = 0; i < LINES && head; i++) {
        if (is_such(head))
            return true;
        head = strchr(head, '\n');
        head = head ? head + 1 : NULL;
    }
    return false;
}
