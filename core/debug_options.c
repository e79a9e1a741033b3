/* debug_options.c: the option grammar people know from slab_debug.
 *
 *     options := block { ';' block }      block := flags { ',' name }
 *     flags   := '-' | { 'F' | 'Z' | 'P' | 'U' | 'A' }        name := text [ '*' ]
 *
 * No letters: FZPU. No names: every cache. The last block that matches holds.
 */
#include "instance.h"

#include "larder/stats.h"

#define DEBUG_DEFAULT                                                                              \
    (LARDER_DEBUG_SANITY | LARDER_DEBUG_RED_ZONE | LARDER_DEBUG_POISON | LARDER_DEBUG_OWNER)

_Static_assert(LARDER_DEBUG_SANITY == 1u << 0 && LARDER_DEBUG_RED_ZONE == 1u << 1 &&
                   LARDER_DEBUG_POISON == 1u << 2 && LARDER_DEBUG_OWNER == 1u << 3 &&
                   LARDER_DEBUG_FAULT == 1u << 4,
               "as in DEBUG_LETTERS");

static bool parse_letter(char letter, uint32_t *flags) {
    for (unsigned i = 0; DEBUG_LETTERS[i] != '\0'; i++) {
        if (DEBUG_LETTERS[i] == letter) {
            *flags |= 1u << i;
            return true;
        }
    }
    return false;
}

/* The letters of one block from `at` on; false iff one is unknown. `at` moves behind them. */
static bool parse_flags(const char *text, uint16_t *at, uint32_t *flags) {
    *flags = 0;
    if (text[*at] == '-') {
        (*at)++;
        return text[*at] == '\0' || text[*at] == ';' || text[*at] == ',';
    }
    uint16_t first = *at;
    while (text[*at] != '\0' && text[*at] != ';' && text[*at] != ',') {
        if (!parse_letter(text[*at], flags)) {
            return false;
        }
        (*at)++;
    }
    if (*at == first) {
        *flags = DEBUG_DEFAULT;
    }
    return true;
}

static bool parse_block(struct debug_options *options, uint16_t *at) {
    uint32_t flags;
    if (options->count == DEBUG_BLOCKS_MAX || !parse_flags(options->text, at, &flags)) {
        return false;
    }
    uint16_t first = (uint16_t)(*at + (options->text[*at] == ','));
    while (options->text[*at] != '\0' && options->text[*at] != ';') {
        (*at)++;
    }
    options->block[options->count].flags = flags;
    options->block[options->count].first = first < *at ? first : *at;
    options->block[options->count].end = *at;
    options->count++;
    return true;
}

static enum larder_status parse(struct debug_options *options, const char *text) {
    uint16_t at = 0;
    size_t length = 0;
    *options = (struct debug_options){.count = 0};
    for (; text[length] != '\0'; length++) {
        if (length + 1 == DEBUG_TEXT_BYTES) {
            return LARDER_BAD_OPTION;
        }
        options->text[length] = text[length];
    }
    while (options->text[at] != '\0') {
        if (!parse_block(options, &at)) {
            return LARDER_BAD_OPTION;
        }
        at = (uint16_t)(at + (options->text[at] == ';'));
    }
    return LARDER_OK;
}

enum larder_status larder_debug_parse(struct larder *larder, const char *options) {
    struct debug_options parsed;
    enum larder_status status = parse(&parsed, options == NULL ? "" : options);
    if (status == LARDER_OK) {
        lock_acquire(&larder->registry);
        larder->debug = parsed;
        lock_release(&larder->registry);
    }
    return status;
}

/* Does text[first, end), a name with an optional final '*', stand for `name`? */
static bool pattern_matches(const char *text, unsigned first, unsigned end, const char *name) {
    while (first < end && text[first] != '*' && *name == text[first]) {
        first++;
        name++;
    }
    return first < end ? text[first] == '*' : *name == '\0';
}

static bool block_matches(const struct debug_options *options, unsigned i, const char *name) {
    unsigned at = options->block[i].first, end = options->block[i].end;
    if (at == end) {
        return true;
    }
    while (at < end) {
        unsigned stop = at;
        while (stop < end && options->text[stop] != ',') {
            stop++;
        }
        if (pattern_matches(options->text, at, stop, name)) {
            return true;
        }
        at = stop + 1;
    }
    return false;
}

uint32_t debug_flags_for(const struct larder *larder, const char *name) {
    for (unsigned i = larder->debug.count; i-- > 0;) {
        if (block_matches(&larder->debug, i, name)) {
            return larder->debug.block[i].flags;
        }
    }
    return 0;
}

uint32_t larder_debug_flags(const struct larder *larder, const char *name) {
    return debug_flags_for(larder, name);
}

void larder_debug_fault_interval(struct larder *larder, uint32_t interval) {
    __atomic_store_n(&larder->fault_interval, interval, __ATOMIC_RELAXED);
}

void larder_debug_track_frames(struct larder *larder, bool on) {
    __atomic_store_n(&larder->track_frames, on, __ATOMIC_RELAXED);
    /* Blocks in bins were not marked: start from empty ones. */
    larder->pressure(larder);
}
