/*
 * Aligned blocks: vectors on 32 and 64 bytes, tables on a cache line pair, buffers for direct input
 * and output on a page, and now and then something on 64 KiB, among ordinary small blocks.
 */
#include "workload.h"

#include <stdlib.h>

enum {
    SLOTS = 4096,      // alive
    PER_SCALE = 50000, // blocks
};

// How often (of 64), on what boundary, which sizes.
static const struct kind {
    unsigned share;
    size_t alignment;
    size_t low, high; // bytes
} kinds[] = {
    {24, 16, 16, 256},   {16, 32, 32, 1024},     {14, 64, 64, 2048},
    {7, 128, 128, 4096}, {2, 4096, 4096, 16384}, {1, 65536, 4096, 65536},
};

static const struct kind *kind_of(struct random *random) {
    size_t draw = random_below(random, 64);
    const struct kind *kind = kinds;
    while (draw >= kind->share)
        draw -= kind++->share;
    return kind;
}

// Half by aligned_alloc, whose size should be a multiple of the alignment, half by posix_memalign.
static struct block aligned_new(struct random *random) {
    const struct kind *kind = kind_of(random);
    struct block block = {NULL, random_between(random, kind->low, kind->high), random_next(random)};
    if (block.tag % 2) {
        block.size = (block.size + kind->alignment - 1) & ~(kind->alignment - 1);
        block.bytes = given(aligned_alloc(kind->alignment, block.size));
    } else {
        void *bytes = NULL;
        if (posix_memalign(&bytes, kind->alignment, block.size))
            workload_fail("out of memory");
        block.bytes = bytes;
    }
    if ((uintptr_t)block.bytes & (kind->alignment - 1))
        workload_fail("a block is not aligned");
    block_stamp(block);
    return block;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 1);
    struct random random = random_seeded(1);
    static struct block blocks[SLOTS];
    uint64_t checksum = 0;
    for (uint64_t i = 0; i < arguments.scale * PER_SCALE; i++) {
        struct block *block = &blocks[random_below(&random, SLOTS)];
        if (block->bytes)
            checksum += block_delete(block);
        *block = random_below(&random, 4) ? aligned_new(&random)
                                          : block_new(random_between(&random, 16, 512), i);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (blocks[i].bytes)
            checksum += block_delete(&blocks[i]);
    return workload_result("aligned", checksum);
}
