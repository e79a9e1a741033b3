/* block.h: a piece of memory of any kind whose contents are checked.
 *
 * A block is taken by one of the core's ways of giving memory, filled with a pattern that depends
 * on its address and on a tag of its own, checked, and given back, by any CPU. Two live blocks that
 * share memory cannot both hold their patterns, so a wrong allocation shows as damage.
 */
#ifndef SHELL_BLOCK_H
#define SHELL_BLOCK_H

#include "kernel.h"

#include "larder/cache.h"

enum block_kind {
    BLOCK_FRAMES,  /* 2^order frames */
    BLOCK_RUN,     /* an exact number of frames */
    BLOCK_HEAP,    /* larder_alloc() */
    BLOCK_ALIGNED, /* larder_aligned() */
    BLOCK_OBJECT,  /* of one of the caches below */
    BLOCK_KINDS
};

struct block {
    void *pointer; /* NULL: none */
    size_t size_bytes;
    uint64_t tag;
    enum block_kind kind;
};

/* What was seen; whoever owns the structure counts, nobody else. */
struct block_counts {
    uint64_t taken, given, refused; /* refused: NULL was returned */
    uint64_t resized;
    uint64_t damaged; /* blocks that did not hold their pattern, or broke a promise when taken */
    uint64_t damage_address; /* of the last of them */
};

/* Make the caches that BLOCK_OBJECT uses; false iff one cannot be made. Once, then end. */
bool blocks_begin(void);

/* Destroy them; the number of their objects that were still live. */
uint64_t blocks_end(void);

/* xorshift64 (Marsaglia 2003); *state is never 0. */
uint64_t block_random(uint64_t *state);

/* Take a block of random kind and size, of at most `size_max` bytes, check what its way of
 * allocation promises (alignment, size, zone, zeroes, construction), and fill it. */
void block_take(struct block *block, size_t size_max, uint64_t *random,
                struct block_counts *counts);

/* The same with a kind chosen by the caller; for interrupts, which keep to small ones. */
void block_take_kind(struct block *block, enum block_kind kind, size_t size_max, uint64_t *random,
                     struct block_counts *counts);

/* Check the pattern. */
void block_check(const struct block *block, struct block_counts *counts);

/* Give a heap block another size; its contents must survive. Other kinds are left alone. */
void block_resize(struct block *block, size_t size_max, uint64_t *random,
                  struct block_counts *counts);

/* Check the pattern, overwrite it, give the block back. An empty block is left alone. */
void block_give(struct block *block, struct block_counts *counts);

void block_counts_add(struct block_counts *sum, const struct block_counts *counts);

#endif
