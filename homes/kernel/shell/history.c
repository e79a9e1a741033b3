/* history.c: see history.h. */
#include "history.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_blank(const char *text) {
    while (*text == ' ')
        text++;
    return *text == '\0';
}

static bool is_equal(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

void history_init(struct history *history) {
    history->added = 0;
    history->count = 0;
}

void history_add(struct history *history, const char *text) {
    const char *last = history_get(history, 1);
    if (is_blank(text) || (last != NULL && is_equal(last, text)))
        return;
    char *to = history->line[history->added % HISTORY_LINES];
    unsigned i = 0;
    for (; text[i] != '\0' && i < LINE_BYTES - 1; i++)
        to[i] = text[i];
    to[i] = '\0';
    history->added++;
    if (history->count < HISTORY_LINES)
        history->count++;
}

const char *history_get(const struct history *history, unsigned back) {
    if (back == 0 || back > history->count)
        return NULL;
    return history->line[(history->added - back) % HISTORY_LINES];
}
