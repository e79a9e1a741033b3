/* command_line.c: words NAME=VALUE between spaces. */
#include "devicetree.h"

#include <string.h>

const char *command_line_find(const char *line, const char *name, size_t *length) {
    size_t name_length = strlen(name);
    const char *found = NULL;

    while (*line != '\0') {
        const char *end = strchr(line, ' ');
        size_t word = end != NULL ? (size_t)(end - line) : strlen(line);

        if (word >= name_length && memcmp(line, name, name_length) == 0 &&
            (word == name_length || line[name_length] == '=')) {
            found = line + name_length + (word > name_length);
            *length = (size_t)(line + word - found);
        }
        line += word + (end != NULL);
    }
    return found;
}

static unsigned unit_shift(char letter) {
    switch (letter) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return 0;
    }
}

bool command_line_size(const char *text, size_t length, uint64_t *bytes) {
    unsigned shift = length > 0 ? unit_shift(text[length - 1]) : 0;
    size_t digits = length - (shift != 0);
    uint64_t value = 0;

    if (digits == 0 || digits > 18)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *bytes = value << shift;
    return *bytes >> shift == value;
}
