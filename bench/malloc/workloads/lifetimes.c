/*
 * Blocks of 16 bytes to 1 KiB that live for random times: most die young, some stay almost to the
 * end. Small sizes are more frequent, as in every histogram ever published. THREADS tables, no
 * sharing.
 */
#include "workload.h"

#include <stdlib.h>

enum {
    SLOTS = 65536,      // alive at most, of all threads together
    SIZE_LOW = 16,      // bytes
    DOUBLINGS = 6,      // 16 << 6 is 1 KiB
    PER_SCALE = 100000, // blocks of all threads together
};

struct table {
    struct random random;
    struct block *slots;
    size_t count;
    uint64_t blocks;
    uint64_t checksum;
};

// Each doubling half as frequent as the one before, sizes even within it.
static size_t size_of(struct random *random) {
    unsigned doubling = 0;
    while (doubling < DOUBLINGS - 1 && random_next(random) % 2)
        doubling++;
    size_t low = (size_t)SIZE_LOW << doubling;
    return random_between(random, low, 2 * low);
}

// Slots at the front are used again and again, those at the end seldom.
static size_t slot_of(struct random *random, size_t count) {
    size_t reach = count >> random_below(random, 12);
    return random_below(random, reach ? reach : 1);
}

// On a copy: two tables of the array may share a cache line, and then where it begins would be
// measured, which is luck.
static void *work(void *argument) {
    struct table table = *(struct table *)argument;
    for (uint64_t i = 0; i < table.blocks; i++) {
        struct block *slot = &table.slots[slot_of(&table.random, table.count)];
        if (slot->bytes)
            table.checksum += block_delete(slot);
        size_t size = size_of(&table.random);
        *slot = block_new(size, random_next(&table.random));
    }
    for (size_t i = 0; i < table.count; i++)
        if (table.slots[i].bytes)
            table.checksum += block_delete(&table.slots[i]);
    *(struct table *)argument = table;
    return NULL;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 2);
    unsigned threads = arguments.threads;
    struct table *tables = given(calloc(threads, sizeof(struct table)));
    for (unsigned i = 0; i < threads; i++) {
        struct block *slots = given(calloc(SLOTS / threads, sizeof(struct block)));
        tables[i] = (struct table){random_seeded(i), slots, SLOTS / threads,
                                   arguments.scale * PER_SCALE / threads, 0};
    }
    threads_run(work, tables, sizeof(struct table), threads);
    uint64_t checksum = 0;
    for (unsigned i = 0; i < threads; i++) {
        checksum += tables[i].checksum;
        free(tables[i].slots);
    }
    free(tables);
    return workload_result("lifetimes", checksum);
}
