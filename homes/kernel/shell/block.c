/* block.c: see block.h. A large block is not filled byte by byte: words are written at multiples of
 * BLOCK_STRIDE in the address space, the same multiples for every block, and at its two ends. */
#include "block.h"

#include "larder/frames.h"
#include "larder/heap.h"

#define BLOCK_STRIDE 512u       /* bytes between pattern words of a large block */
#define BLOCK_DENSE_BYTES 1024u /* up to this size every word is written */
#define WORD_BYTES sizeof(uint64_t)
#define CONSTRUCTED 0x6f626a6563742121u /* first word of an object with a constructor */
#define GOLDEN 0x9e3779b97f4a7c15u      /* 2^64 / golden ratio: scatters addresses */
#define CACHE_COUNT 5u

static struct larder_cache *cache[CACHE_COUNT];

static bool construct(void *object, void *context) {
    (void)context;
    *(uint64_t *)object = CONSTRUCTED;
    return true;
}

/* The last two have slabs of several frames. */
static const struct larder_cache_config cache_config[CACHE_COUNT] = {
    {.name = "stress-24", .size_bytes = 24},
    {.name = "stress-constructed", .size_bytes = 136, .construct = construct},
    {.name = "stress-zero", .size_bytes = 520, .flags = LARDER_CACHE_ZERO},
    {.name = "stress-page", .size_bytes = 4096, .align_bytes = 4096},
    {.name = "stress-12K", .size_bytes = 12288, .align_bytes = 64},
};

#define CACHE_CONSTRUCTED 1u
#define CACHE_ZERO 2u

bool blocks_begin(void) {
    for (unsigned i = 0; i < CACHE_COUNT; i++) {
        cache[i] = larder_cache_create(kernel_larder, &cache_config[i], NULL);
        if (cache[i] == NULL) {
            (void)blocks_end();
            return false;
        }
    }
    return true;
}

uint64_t blocks_end(void) {
    uint64_t live = 0;
    for (unsigned i = 0; i < CACHE_COUNT; i++) {
        if (cache[i] != NULL)
            live += larder_cache_destroy(cache[i], NULL, NULL);
        cache[i] = NULL;
    }
    return live;
}

uint64_t block_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void block_counts_add(struct block_counts *sum, const struct block_counts *counts) {
    sum->taken += counts->taken;
    sum->given += counts->given;
    sum->refused += counts->refused;
    sum->resized += counts->resized;
    sum->damaged += counts->damaged;
    if (counts->damaged > 0)
        sum->damage_address = counts->damage_address;
}

static void damage(struct block_counts *counts, const void *pointer) {
    counts->damaged++;
    counts->damage_address = (uint64_t)(uintptr_t)pointer;
}

/* ---- Pattern --------------------------------------------------------------------------------- */

/* The words of a block that hold a pattern: the first, the last, and those between them at
 * multiples of the stride. `at` = 0 begins; the result is the next word, or NULL. */
static uint64_t *next_word(const struct block *block, uint64_t *at) {
    uintptr_t first = (uintptr_t)block->pointer;
    uintptr_t last = first + (block->size_bytes / WORD_BYTES - 1) * WORD_BYTES;
    uintptr_t stride = block->size_bytes > BLOCK_DENSE_BYTES ? BLOCK_STRIDE : WORD_BYTES;
    if (at == NULL)
        return (uint64_t *)first;
    uintptr_t next = ((uintptr_t)at + stride) & ~(stride - 1);
    if ((uintptr_t)at >= last)
        return NULL;
    return (uint64_t *)(next < last ? next : last);
}

static uint64_t pattern(const struct block *block, const uint64_t *word) {
    return ((uint64_t)(uintptr_t)word * GOLDEN) ^ block->tag;
}

static bool is_constructed(const struct block *block) {
    return block->kind == BLOCK_OBJECT &&
           block->size_bytes == cache_config[CACHE_CONSTRUCTED].size_bytes;
}

/* Blocks below a word hold one byte. */
static void fill(const struct block *block) {
    if (block->size_bytes < WORD_BYTES) {
        *(uint8_t *)block->pointer = (uint8_t)block->tag;
        return;
    }
    for (uint64_t *word = next_word(block, NULL); word != NULL; word = next_word(block, word))
        *word = pattern(block, word);
    if (is_constructed(block))
        *(uint64_t *)block->pointer = CONSTRUCTED;
}

void block_check(const struct block *block, struct block_counts *counts) {
    if (block->pointer == NULL)
        return;
    if (block->size_bytes < WORD_BYTES) {
        if (*(uint8_t *)block->pointer != (uint8_t)block->tag)
            damage(counts, block->pointer);
        return;
    }
    uint64_t *word = next_word(block, NULL);
    if (is_constructed(block))
        word = next_word(block, word);
    for (; word != NULL; word = next_word(block, word)) {
        if (*word != pattern(block, word)) {
            damage(counts, word);
            return;
        }
    }
}

static bool is_zero(const struct block *block) {
    for (uint64_t *word = next_word(block, NULL); word != NULL; word = next_word(block, word))
        if (*word != 0)
            return false;
    return true;
}

/* ---- Taking ---------------------------------------------------------------------------------- */

/* Up to 2^bits, each magnitude equally likely: small sizes are common, large ones happen. */
static uint64_t random_size(uint64_t size_max, uint64_t *random) {
    unsigned bits = 64u - (unsigned)__builtin_clzll(size_max | 1);
    uint64_t size = block_random(random) >> (64u - 1 - block_random(random) % bits);
    return size == 0 ? 1 : size < size_max ? size : size_max;
}

static void promise(bool kept, const struct block *block, struct block_counts *counts) {
    if (!kept)
        damage(counts, block->pointer);
}

static bool is_aligned(const void *pointer, uint64_t align_bytes) {
    return ((uintptr_t)pointer & (align_bytes - 1)) == 0;
}

static void take_frames(struct block *block, size_t size_max, uint64_t *random,
                        struct block_counts *counts) {
    uint64_t frames = random_size(size_max / LARDER_FRAME_BYTES, random);
    unsigned order = 63u - (unsigned)__builtin_clzll(frames);
    larder_flags flags = block_random(random) % 4 == 0 ? LARDER_ZERO : 0;
    block->size_bytes = LARDER_FRAME_BYTES << order;
    block->pointer = larder_frames_alloc(kernel_larder, order, flags);
    if (block->pointer == NULL)
        return;
    promise(is_aligned(block->pointer, block->size_bytes), block, counts);
    promise(flags == 0 || is_zero(block), block, counts);
    promise(larder_frames_count(kernel_larder, block->pointer) == (uint64_t)1 << order, block,
            counts);
}

static void take_run(struct block *block, size_t size_max, uint64_t *random,
                     struct block_counts *counts) {
    uint64_t frames = random_size(size_max / LARDER_FRAME_BYTES, random);
    block->size_bytes = frames * LARDER_FRAME_BYTES;
    block->pointer = larder_frames_alloc_exact(kernel_larder, frames, 0);
    if (block->pointer == NULL)
        return;
    promise(is_aligned(block->pointer, LARDER_FRAME_BYTES), block, counts);
    promise(larder_frames_count(kernel_larder, block->pointer) == frames, block, counts);
}

static void take_heap(struct block *block, size_t size_max, uint64_t *random,
                      struct block_counts *counts) {
    bool zero = block_random(random) % 4 == 0;
    block->size_bytes = random_size(size_max, random);
    block->pointer = zero ? larder_zalloc(kernel_larder, block->size_bytes)
                          : larder_alloc(kernel_larder, block->size_bytes);
    if (block->pointer == NULL)
        return;
    promise(is_aligned(block->pointer, 16), block, counts);
    promise(larder_size_of(kernel_larder, block->pointer) >= block->size_bytes, block, counts);
    if (zero && block->size_bytes >= WORD_BYTES)
        promise(is_zero(block), block, counts);
}

static void take_aligned(struct block *block, size_t size_max, uint64_t *random,
                         struct block_counts *counts) {
    uint64_t align = (uint64_t)16 << block_random(random) % 11;
    block->size_bytes = random_size(size_max, random);
    block->pointer = larder_aligned(kernel_larder, align, block->size_bytes);
    if (block->pointer != NULL)
        promise(is_aligned(block->pointer, align), block, counts);
}

static void take_object(struct block *block, uint64_t *random, struct block_counts *counts) {
    unsigned i = (unsigned)(block_random(random) % CACHE_COUNT);
    block->size_bytes = cache_config[i].size_bytes;
    block->pointer = larder_cache_alloc(cache[i], 0);
    if (block->pointer == NULL)
        return;
    promise(larder_cache_of(kernel_larder, block->pointer) == cache[i], block, counts);
    if (i == CACHE_CONSTRUCTED)
        promise(*(uint64_t *)block->pointer == CONSTRUCTED, block, counts);
    if (i == CACHE_ZERO)
        promise(is_zero(block), block, counts);
}

void block_take_kind(struct block *block, enum block_kind kind, size_t size_max, uint64_t *random,
                     struct block_counts *counts) {
    *block = (struct block){.kind = kind, .tag = block_random(random)};
    if (kind == BLOCK_FRAMES)
        take_frames(block, size_max, random, counts);
    else if (kind == BLOCK_RUN)
        take_run(block, size_max, random, counts);
    else if (kind == BLOCK_HEAP)
        take_heap(block, size_max, random, counts);
    else if (kind == BLOCK_ALIGNED)
        take_aligned(block, size_max, random, counts);
    else
        take_object(block, random, counts);
    if (block->pointer == NULL) {
        counts->refused++;
        return;
    }
    counts->taken++;
    fill(block);
}

/* Objects and heap blocks are as common as in a kernel, whole frames rarer. */
void block_take(struct block *block, size_t size_max, uint64_t *random,
                struct block_counts *counts) {
    static const enum block_kind likely[] = {BLOCK_OBJECT, BLOCK_OBJECT, BLOCK_OBJECT,
                                             BLOCK_HEAP,   BLOCK_HEAP,   BLOCK_FRAMES,
                                             BLOCK_RUN,    BLOCK_ALIGNED};
    enum block_kind kind = likely[block_random(random) % (sizeof(likely) / sizeof(likely[0]))];
    block_take_kind(block, kind, size_max, random, counts);
}

/* ---- Changing and giving back ---------------------------------------------------------------- */

static uint8_t byte_at(const struct block *block, size_t offset) {
    return ((const uint8_t *)block->pointer)[offset];
}

/* The pattern depends on the address, so what must survive a move is compared byte for byte at the
 * two ends of what both sizes have. */
void block_resize(struct block *block, size_t size_max, uint64_t *random,
                  struct block_counts *counts) {
    if (block->pointer == NULL || block->kind != BLOCK_HEAP)
        return;
    block_check(block, counts);
    size_t size = random_size(size_max, random);
    size_t last = (size < block->size_bytes ? size : block->size_bytes) - 1;
    uint8_t first_byte = byte_at(block, 0), last_byte = byte_at(block, last);
    void *moved = larder_realloc(kernel_larder, block->pointer, size);
    if (moved == NULL) {
        counts->refused++;
        return;
    }
    block->pointer = moved;
    block->size_bytes = size;
    promise(byte_at(block, 0) == first_byte && byte_at(block, last) == last_byte, block, counts);
    counts->resized++;
    fill(block);
}

static void overwrite(struct block *block) {
    block->tag = ~block->tag;
    fill(block);
}

void block_give(struct block *block, struct block_counts *counts) {
    if (block->pointer == NULL)
        return;
    block_check(block, counts);
    overwrite(block);
    if (block->kind == BLOCK_FRAMES || block->kind == BLOCK_RUN)
        larder_frames_free(kernel_larder, block->pointer);
    else
        larder_free(kernel_larder, block->pointer);
    counts->given++;
    block->pointer = NULL;
}
