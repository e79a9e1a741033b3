/* options.c: reading LARDER_* from the environment. See options.h. */
#include "options.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

struct options options = {.background = true, .purge_ms = 1000};

static bool as_bool(const char *text, bool otherwise) {
    return text && *text ? *text != '0' : otherwise;
}

/* Digits and K, M, G or T; SIZE_MAX where it does not fit. */
static size_t as_size(const char *text, size_t otherwise) {
    size_t value = 0;
    if (!text || *text < '0' || *text > '9')
        return otherwise;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, (size_t)(*text - '0'), &value))
            return SIZE_MAX;
    }
    const char *units = "KMGT";
    for (unsigned i = 0; units[i]; i++) {
        if ((*text & ~0x20) == units[i] &&
            __builtin_mul_overflow(value, (size_t)1 << 10 * (i + 1), &value))
            return SIZE_MAX;
    }
    return value;
}

void options_read(void) {
    const size_t purge_ms = as_size(getenv("LARDER_PURGE_MS"), options.purge_ms);
    options.disable = as_bool(getenv("LARDER_DISABLE"), false);
    options.stats = as_bool(getenv("LARDER_STATS"), false);
    options.background = as_bool(getenv("LARDER_BACKGROUND"), true);
    options.purge_ms = purge_ms < UINT_MAX ? (unsigned)purge_ms : UINT_MAX;
    options.limit_bytes = as_size(getenv("LARDER_LIMIT"), 0);
    options.debug = getenv("LARDER_DEBUG");
}
