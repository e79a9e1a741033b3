/* pattern.c: see pattern.h. */
#include "pattern.h"

#include <stdbool.h>
#include <string.h>

#define WORD sizeof(uint64_t)
#define PAGE_BYTES ((uint64_t)4096)

/* From a word to the next: additive, so that a loop over words is vectorized. */
#define STEP UINT64_C(0xd1342543de82ef95)

static uint64_t word_of(uint32_t id, uint64_t index) {
    return ((uint64_t)id + 1) * UINT64_C(0x9e3779b97f4a7c15) + index * STEP;
}

static unsigned char byte_of(uint32_t id, uint64_t offset) {
    return (unsigned char)(word_of(id, offset / WORD) >> offset % WORD * 8);
}

/* The next stretch of bytes with a pattern that begins at or after *from: [*from, result). Empty
 * iff there is none before `to`. */
static uint64_t stretch(uint64_t *from, uint64_t to) {
    uint64_t end = PATTERN_WHOLE_BYTES;
    if (*from >= PATTERN_WHOLE_BYTES) {
        const uint64_t within = *from % PAGE_BYTES;
        if (within >= PATTERN_PIECE_BYTES)
            *from += PAGE_BYTES - within;
        end = *from - *from % PAGE_BYTES + PATTERN_PIECE_BYTES;
    }
    return end < to ? end : to;
}

static void write_stretch(unsigned char *block, uint32_t id, uint64_t from, uint64_t to) {
    for (; from < to && from % WORD != 0; from++)
        block[from] = byte_of(id, from);
    for (uint64_t word = word_of(id, from / WORD); from + WORD <= to; from += WORD, word += STEP)
        memcpy(block + from, &word, WORD);
    for (; from < to; from++)
        block[from] = byte_of(id, from);
}

void pattern_write(unsigned char *block, uint32_t id, uint64_t from, uint64_t to) {
    while (from < to) {
        const uint64_t end = stretch(&from, to);
        write_stretch(block, id, from, end);
        from = end > from ? end : to;
    }
}

static uint64_t check_bytes(const unsigned char *block, uint32_t id, uint64_t from, uint64_t to) {
    while (from < to && block[from] == byte_of(id, from))
        from++;
    return from < to ? from : PATTERN_NONE;
}

/* Whole words; which one is wrong is asked only if any is. */
static bool are_words(const unsigned char *block, uint32_t id, uint64_t from, uint64_t to) {
    uint64_t difference = 0;
    for (uint64_t word = word_of(id, from / WORD); from < to; from += WORD, word += STEP) {
        uint64_t found;
        memcpy(&found, block + from, WORD);
        difference |= found ^ word;
    }
    return difference == 0;
}

static uint64_t check_stretch(const unsigned char *block, uint32_t id, uint64_t from, uint64_t to) {
    const uint64_t first = (from + WORD - 1) / WORD * WORD, last = to / WORD * WORD;
    if (first >= last || !are_words(block, id, first, last))
        return check_bytes(block, id, from, to);
    const uint64_t wrong = check_bytes(block, id, from, first);
    return wrong != PATTERN_NONE ? wrong : check_bytes(block, id, last, to);
}

uint64_t pattern_check(const unsigned char *block, uint32_t id, uint64_t from, uint64_t to) {
    uint64_t wrong = PATTERN_NONE;
    while (from < to && wrong == PATTERN_NONE) {
        const uint64_t end = stretch(&from, to);
        wrong = check_stretch(block, id, from, end);
        from = end > from ? end : to;
    }
    return wrong;
}
