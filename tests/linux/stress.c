/* All sizes on many threads, blocks handed on between them, each filled with a pattern of its
 * address that is checked when it goes; every call of the family, drawn at random. */
#include "tap.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, SHARED = 512, OPERATIONS = 120000 };

struct block {
    unsigned char *memory;
    size_t size;
};

/* A block is taken out with an exchange, so nobody else has it while it is looked at. */
static struct block *shared[SHARED]; /* atomic */
static uint64_t seed;

/* Different for neighbours, and for two blocks that overlap. */
static unsigned char pattern(const unsigned char *memory, size_t at) {
    const uint64_t mixed = ((uintptr_t)memory + at * 7) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned char)(mixed >> 56);
}

/* Ends whole, the middle of large blocks by samples. */
static size_t next_sample(size_t at, size_t size) {
    return at < 256 || at + 256 >= size ? at + 1 : at + 509 < size - 256 ? at + 509 : size - 256;
}

static void fill(unsigned char *memory, size_t size) {
    for (size_t at = 0; at < size; at = next_sample(at, size))
        memory[at] = pattern(memory, at);
}

/* `from` is where the block was when it was filled. */
static bool is_whole(const unsigned char *memory, const unsigned char *from, size_t filled,
                     size_t size) {
    for (size_t at = 0; at < filled; at = next_sample(at, filled)) {
        if (at < size && memory[at] != pattern(from, at))
            return false;
    }
    return true;
}

static size_t random_size(uint64_t *random) {
    const unsigned kind = (unsigned)(tap_random(random) % 1000);
    const size_t largest = kind < 900 ? 1024 : kind < 990 ? 65536 : (size_t)2 << 20;
    return tap_random(random) % largest;
}

static unsigned char *allocate(uint64_t *random, size_t size) {
    const uint64_t draw = tap_random(random);
    const size_t align = (size_t)8 << draw / 16 % 11;
    void *memory = NULL;
    switch (draw % 16) {
    case 0:
        return memalign(align, size);
    case 1:
        return posix_memalign(&memory, align, size) == 0 ? memory : NULL;
    case 2:
        return aligned_alloc(align, size);
    case 3:
        return valloc(size);
    case 4:
    case 5:
        memory = calloc(1, size);
        for (size_t at = 0; memory && at < size; at = next_sample(at, size))
            EXPECT(((char *)memory)[at] == 0);
        return memory;
    default:
        return malloc(size);
    }
}

static struct block *make(uint64_t *random) {
    const size_t size = random_size(random);
    unsigned char *memory = allocate(random, size);
    struct block *block = malloc(sizeof *block);
    if (!EXPECT(memory != NULL) || !EXPECT(block != NULL))
        abort();
    EXPECT(malloc_usable_size(memory) >= size);
    fill(memory, size);
    *block = (struct block){memory, size};
    return block;
}

static void resize(struct block *block, uint64_t *random) {
    const size_t size = random_size(random) + 1;
    const uintptr_t old = (uintptr_t)block->memory;
    unsigned char *memory = realloc(block->memory, size);
    if (!EXPECT(memory != NULL))
        abort();
    EXPECT(is_whole(memory, (const unsigned char *)old, block->size, size));
    fill(memory, size);
    *block = (struct block){memory, size};
}

static void end(struct block *block) {
    EXPECT(is_whole(block->memory, block->memory, block->size, block->size));
    free(block->memory);
    free(block);
}

static void *work(void *number) {
    uint64_t random = seed + (uintptr_t)number * 1000003;
    for (unsigned i = 0; i < OPERATIONS; i++) {
        const uint64_t draw = tap_random(&random);
        struct block *block = __atomic_exchange_n(&shared[draw % SHARED], NULL, __ATOMIC_ACQ_REL);
        if (block && draw >> 32 & 1) {
            end(block);
            block = NULL;
        } else if (block) {
            resize(block, &random);
        } else {
            block = make(&random);
        }
        if (block)
            block = __atomic_exchange_n(&shared[draw % SHARED], block, __ATOMIC_ACQ_REL);
        if (block)
            end(block);
        if ((uintptr_t)number == 0 && i % 10000 == 9999)
            (void)malloc_trim(0);
    }
    return NULL;
}

static void blocks_keep_their_contents(void) {
    pthread_t threads[THREADS];
    seed = tap_seed();
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < SHARED; i++) {
        if (shared[i])
            end(shared[i]);
        shared[i] = NULL;
    }
}

/* Growing by 8 bytes to 64 MiB: what is copied on the way is bounded by a multiple of the end. */
static void growing_by_eight_bytes_is_linear(void) {
    const size_t end_bytes = (size_t)64 << 20;
    size_t copied = 0;
    uint64_t *block = NULL;
    for (size_t size = 8; size <= end_bytes; size += 8) {
        const uintptr_t old = (uintptr_t)block;
        block = realloc(block, size);
        if (!EXPECT(block != NULL))
            return;
        copied += (uintptr_t)block != old ? size : 0;
        block[size / 8 - 1] = size;
    }
    for (size_t size = 8; size <= end_bytes; size += 8)
        EXPECT(block[size / 8 - 1] == size);
    free(block);
    tap_note("%zu MiB moved", copied >> 20);
    EXPECT(copied <= 12 * end_bytes);
}

static const struct tap_test tests[] = {
    TAP_TEST(blocks_keep_their_contents),
    TAP_TEST(growing_by_eight_bytes_is_linear),
};

TAP_MAIN(tests)
