/*
 * A server whose threads come and go: each replaces blocks of a table at random, hands over to a
 * new thread and ends. So blocks are freed by other threads than those that asked for them, which
 * may be gone. After Larson and Krishnan, "Memory allocation for long-running server applications",
 * 1998.
 *
 * The work does not depend on how many threads run at once: the same tables, each visited as often,
 * by one thread at a time, with as many replacements. One thread at once is a chain of threads that
 * goes through all tables; 64 are 64 chains, each with a table of its own.
 */
#include "workload.h"

#include <semaphore.h>
#include <stdlib.h>

enum {
    TABLES = 64,        // the most threads at once
    BLOCKS = 320,       // alive in a table
    VISITS = 8,         // to a table, each by a thread of its own
    SIZE_LOW = 8,       //
    SIZE_HIGH = 1000,   // bytes
    PER_SCALE = 100000, // replacements, in all tables together
};

struct table {
    struct random random;
    uint64_t checksum;
    struct block blocks[BLOCKS];
};

// The threads that follow each other at every STEP-th table.
struct chain {
    struct table *tables;
    size_t first, step, at;
    unsigned visits;       // to come
    uint64_t replacements; // in a visit
    sem_t *done;
};

static void replace(struct table *table) {
    struct block *block = &table->blocks[random_below(&table->random, BLOCKS)];
    table->checksum += block_delete(block);
    size_t size = random_between(&table->random, SIZE_LOW, SIZE_HIGH);
    *block = block_new(size, random_next(&table->random));
}

static void *serve(void *argument);

static void start(struct chain *chain) {
    pthread_t thread;
    thread_start(&thread, serve, chain);
    pthread_detach(thread);
}

static void *serve(void *argument) {
    struct chain *chain = argument;
    struct table *table = &chain->tables[chain->at];
    for (uint64_t i = 0; i < chain->replacements; i++)
        replace(table);
    chain->at += chain->step;
    if (chain->at >= TABLES)
        chain->at = chain->first;
    if (--chain->visits)
        start(chain);
    else
        sem_post(chain->done);
    return NULL;
}

static void fill(struct table *table, uint64_t seed) {
    table->random = random_seeded(seed);
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = random_between(&table->random, SIZE_LOW, SIZE_HIGH);
        table->blocks[i] = block_new(size, random_next(&table->random));
    }
}

static uint64_t empty(struct table *table) {
    for (size_t i = 0; i < BLOCKS; i++)
        table->checksum += block_delete(&table->blocks[i]);
    return table->checksum;
}

static void run(struct table *tables, const struct arguments *arguments) {
    struct chain chains[TABLES];
    sem_t done;
    sem_init(&done, 0, 0);
    for (size_t i = 0; i < arguments->threads; i++) {
        unsigned own = (unsigned)((TABLES - i + arguments->threads - 1) / arguments->threads);
        uint64_t replacements = arguments->scale * PER_SCALE / TABLES / VISITS;
        chains[i] =
            (struct chain){tables, i, arguments->threads, i, own * VISITS, replacements, &done};
        start(&chains[i]);
    }
    for (size_t i = 0; i < arguments->threads; i++)
        while (sem_wait(&done))
            continue;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 2);
    if (arguments.threads > TABLES)
        workload_fail("larson has at most 64 threads at once");
    struct table *tables = given(calloc(TABLES, sizeof(struct table)));
    for (size_t i = 0; i < TABLES; i++)
        fill(&tables[i], i);
    run(tables, &arguments);
    uint64_t checksum = 0;
    for (size_t i = 0; i < TABLES; i++)
        checksum += empty(&tables[i]);
    free(tables);
    return workload_result("larson", checksum);
}
