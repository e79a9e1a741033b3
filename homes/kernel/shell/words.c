/* words.c: see words.h. */
#include "words.h"

unsigned words_split(char *line, char *word[WORDS_MAX]) {
    unsigned count = 0;
    for (;;) {
        while (*line == ' ')
            *line++ = '\0';
        if (*line == '\0')
            return count;
        if (count == WORDS_MAX)
            return WORDS_MAX + 1;
        word[count++] = line;
        while (*line != '\0' && *line != ' ')
            line++;
    }
}

bool words_equal(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool words_begins(const char *text, const char *beginning) {
    while (*beginning != '\0' && *text == *beginning) {
        text++;
        beginning++;
    }
    return *beginning == '\0';
}

size_t words_length(const char *text) {
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

static char lower(char character) {
    return character >= 'A' && character <= 'Z' ? (char)(character - 'A' + 'a') : character;
}

/* The value of a digit; 16 iff it is none. */
static unsigned digit_value(char character) {
    character = lower(character);
    if (character >= '0' && character <= '9')
        return (unsigned)(character - '0');
    return character >= 'a' && character <= 'f' ? (unsigned)(character - 'a') + 10 : 16;
}

/* Read digits and move *text behind them. False iff there is none, or the value overflows. */
static bool read_number(const char **text, uint64_t *value) {
    const char *at = *text;
    bool hexadecimal = at[0] == '0' && lower(at[1]) == 'x';
    unsigned base = hexadecimal ? 16 : 10;
    if (hexadecimal)
        at += 2;
    const char *first = at;
    *value = 0;
    for (; digit_value(*at) < base; at++)
        if (__builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, digit_value(*at), value))
            return false;
    *text = at;
    return at > first;
}

bool words_number(const char *text, uint64_t *value) {
    return read_number(&text, value) && *text == '\0';
}

uint64_t words_unit(const char *text) {
    unsigned shift = 0;
    switch (lower(*text)) {
    case 'g':
        shift += 10; /* fall through */
    case 'm':
        shift += 10; /* fall through */
    case 'k':
        shift += 10;
        text++;
        break;
    default:
        break;
    }
    if (shift > 0 && lower(text[0]) == 'i' && lower(text[1]) == 'b')
        text += 2;
    return *text == '\0' && shift > 0 ? (uint64_t)1 << shift : 0;
}

bool words_size(const char *text, uint64_t *bytes) {
    uint64_t number, unit;
    if (!read_number(&text, &number))
        return false;
    unit = *text == '\0' ? 1 : words_unit(text);
    return unit > 0 && !__builtin_mul_overflow(number, unit, bytes);
}

#define DISTANCE_LENGTH_MAX 31u
#define DISTANCE_FAR 1000u

static unsigned least(unsigned a, unsigned b, unsigned c) {
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein 1966, one row of the table at a time. */
unsigned words_distance(const char *a, const char *b) {
    unsigned row[DISTANCE_LENGTH_MAX + 1];
    size_t length = words_length(b);
    if (length > DISTANCE_LENGTH_MAX || words_length(a) > DISTANCE_LENGTH_MAX)
        return DISTANCE_FAR;
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < length; j++) {
            unsigned changed = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, diagonal + 1, row[j] + 1);
        }
    }
    return row[length];
}
