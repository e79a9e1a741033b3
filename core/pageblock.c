/* pageblock.c: finding, taking and giving aligned runs of bits.
 *
 * Runs up to order 6 lie within a word. Folding a word onto itself keeps, for order k, the bits
 * where an aligned run of 2^k ones starts:
 *
 *     order 0   1 1 0 1  1 1 1 1        w
 *     order 1   0 . 1 .  1 . 1 .        w & w >> 1, even bits only
 *     order 2   0 . . .  1 . . .        … & … >> 2, every fourth bit
 *
 * Larger runs are aligned groups of words that are all ones.
 */
#include "pageblock.h"

#define WORD_ORDER 6u /* an aligned run of this order is one word */

/* From the starts of aligned runs of 2^order ones to the starts of those of 2^(order + 1). */
static inline uint64_t fold(uint64_t starts, unsigned order) {
    static const uint64_t aligned[WORD_ORDER] = {
        0x5555555555555555u, 0x1111111111111111u, 0x0101010101010101u,
        0x0001000100010001u, 0x0000000100000001u, 0x0000000000000001u,
    };
    return starts & starts >> (1u << order) & aligned[order];
}

/* Bit i set: an aligned run of 2^order frames (order ≤ 6) starts at bit i of the word. */
static inline uint64_t run_starts(uint64_t word, unsigned order) {
    for (unsigned k = 0; k < order && word != 0; k++) {
        word = fold(word, k);
    }
    return word;
}

/* True iff the 2^(order - 6) words from `word` on are all ones. */
static bool words_are_free(const struct pageblock *block, unsigned word, unsigned order) {
    uint64_t all = ~UINT64_C(0);
    for (unsigned i = 0; i < 1u << (order - WORD_ORDER); i++) {
        all &= block->free_bits[word + i];
    }
    return all == ~UINT64_C(0);
}

/* The largest order that starts in this word, if it is above `largest`; else `largest`. */
static inline unsigned largest_with(uint64_t word, unsigned largest) {
    uint64_t starts = run_starts(word, largest + 1);
    while (starts != 0) {
        largest++;
        starts = largest < WORD_ORDER ? fold(starts, largest) : 0;
    }
    return largest;
}

unsigned pageblock_largest(const struct pageblock *block) {
    uint64_t full_words = 0;
    unsigned largest = 0;
    for (unsigned i = 0; i < PAGEBLOCK_WORDS; i++) {
        full_words |= (uint64_t)(block->free_bits[i] == ~UINT64_C(0)) << i;
    }
    if (full_words != 0) {
        return WORD_ORDER +
               largest_with(full_words, 0); /* words are to it what bits are to a word */
    }
    for (unsigned i = 0; i < PAGEBLOCK_WORDS; i++) {
        largest = largest_with(block->free_bits[i], largest);
    }
    return largest;
}

static unsigned find_run(const struct pageblock *block, unsigned order) {
    unsigned step = order <= WORD_ORDER ? 1 : 1u << (order - WORD_ORDER);
    for (unsigned word = 0; word < PAGEBLOCK_WORDS; word += step) {
        if (order > WORD_ORDER) {
            if (words_are_free(block, word, order)) {
                return word * WORD_BITS;
            }
            continue;
        }
        uint64_t starts = run_starts(block->free_bits[word], order);
        if (starts != 0) {
            return word * WORD_BITS + lowest_bit(starts);
        }
    }
    assertion_failed("an OPEN page block holds a run of its largest order", __FILE__, __LINE__);
}

unsigned pageblock_take(struct pageblock *block, unsigned order) {
    unsigned first = find_run(block, order);
    pageblock_take_range(block, first, 1u << order);
    return first;
}

/* Bit w set: word w has free frames. Without branches: which words have any is not predictable. */
static inline unsigned words_with_free(const struct pageblock *block) {
    unsigned words = 0;
    for (unsigned word = 0; word < PAGEBLOCK_WORDS; word++) {
        words |= (unsigned)(block->free_bits[word] != 0) << word;
    }
    return words;
}

unsigned pageblock_take_frames(struct pageblock *block, unsigned count, uint16_t *out) {
    unsigned taken = 0;
    for (unsigned words = words_with_free(block); words != 0 && taken < count; words &= words - 1) {
        unsigned word = lowest_bit(words);
        uint64_t bits = block->free_bits[word];
        for (; bits != 0 && taken < count; bits &= bits - 1) {
            out[taken++] = (uint16_t)(word * WORD_BITS + lowest_bit(bits));
        }
        block->free_bits[word] = bits;
    }
    block->count_free = (uint16_t)(block->count_free - taken);
    return taken;
}

/* The part of [first, first + count) that lies in one word: its mask; `first` and `count` move past
 * it. */
static uint64_t next_mask(unsigned *first, unsigned *count) {
    unsigned bit = *first % WORD_BITS;
    unsigned here = *count < WORD_BITS - bit ? *count : WORD_BITS - bit;
    *first += here;
    *count -= here;
    return bit_run(bit, here);
}

bool pageblock_is_free(const struct pageblock *block, unsigned first, unsigned count) {
    while (count > 0) {
        unsigned word = first / WORD_BITS;
        uint64_t mask = next_mask(&first, &count);
        if ((block->free_bits[word] & mask) != mask) {
            return false;
        }
    }
    return true;
}

bool pageblock_is_taken(const struct pageblock *block, unsigned first, unsigned count) {
    while (count > 0) {
        unsigned word = first / WORD_BITS;
        if ((block->free_bits[word] & next_mask(&first, &count)) != 0) {
            return false;
        }
    }
    return true;
}

void pageblock_give_range(struct pageblock *block, unsigned first, unsigned count) {
    ASSERT(pageblock_is_taken(block, first, count));
    block->count_free = (uint16_t)(block->count_free + count);
    while (count > 0) {
        unsigned word = first / WORD_BITS;
        block->free_bits[word] |= next_mask(&first, &count);
    }
}

void pageblock_take_range(struct pageblock *block, unsigned first, unsigned count) {
    ASSERT(pageblock_is_free(block, first, count));
    block->count_free = (uint16_t)(block->count_free - count);
    while (count > 0) {
        unsigned word = first / WORD_BITS;
        block->free_bits[word] &= ~next_mask(&first, &count);
    }
}

/* True iff the aligned run of 2^order frames around `frame` is free. */
static inline bool run_is_free(const struct pageblock *block, unsigned frame, unsigned order) {
    if (order == PAGEBLOCK_ORDER) {
        return block->count_free == PAGEBLOCK_FRAMES;
    }
    if (order > WORD_ORDER) {
        unsigned words = 1u << (order - WORD_ORDER);
        return words_are_free(block, frame / WORD_BITS & ~(words - 1), order);
    }
    uint64_t mask = bit_run(frame % WORD_BITS & ~((1u << order) - 1), 1u << order);
    return (block->free_bits[frame / WORD_BITS] & mask) == mask;
}

unsigned pageblock_widened(const struct pageblock *block, unsigned frame, unsigned known) {
    while (known < PAGEBLOCK_ORDER && run_is_free(block, frame, known + 1)) {
        known++;
    }
    return known;
}

unsigned pageblock_run_order(const struct pageblock *block, unsigned frame) {
    return pageblock_widened(block, frame, 0);
}

/* The first bit from `at` on that is set, or clear; PAGEBLOCK_FRAMES iff there is none. */
static unsigned next_bit(const uint64_t bits[PAGEBLOCK_WORDS], unsigned at, bool is_set) {
    while (at < PAGEBLOCK_FRAMES) {
        uint64_t word = is_set ? bits[at / WORD_BITS] : ~bits[at / WORD_BITS];
        word >>= at % WORD_BITS;
        if (word != 0) {
            return at + lowest_bit(word);
        }
        at = (at / WORD_BITS + 1) * WORD_BITS;
    }
    return PAGEBLOCK_FRAMES;
}

bool pageblock_next_run(const uint64_t bits[PAGEBLOCK_WORDS], unsigned *first, unsigned *count) {
    *first = next_bit(bits, *first, true);
    *count = next_bit(bits, *first, false) - *first;
    return *first < PAGEBLOCK_FRAMES;
}
