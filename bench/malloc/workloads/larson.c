/*
 * A server whose threads come and go: each replaces blocks of a table at random, hands the table to
 * a new thread and ends. So blocks are freed by other threads than those that asked for them, which
 * may be gone. After Larson and Krishnan, "Memory allocation for long-running server applications",
 * 1998.
 *
 * The same number of blocks, replacements and threads in all, however many run at once.
 */
#include "workload.h"

#include <semaphore.h>
#include <stdlib.h>

enum {
    BLOCKS = 20480,     // alive, in all tables together
    HANDS = 128,        // threads, in all chains together
    SIZE_LOW = 8,       //
    SIZE_HIGH = 1000,   // bytes
    PER_SCALE = 100000, // replacements, in all chains together
};

// A table and the threads that follow each other at it.
struct chain {
    struct random random;
    struct block *blocks;
    size_t count;
    uint64_t replacements; // of each thread
    unsigned hands;        // threads to come
    uint64_t checksum;
    sem_t *done;
};

static void replace(struct chain *chain) {
    struct block *block = &chain->blocks[random_below(&chain->random, chain->count)];
    chain->checksum += block_delete(block);
    size_t size = random_between(&chain->random, SIZE_LOW, SIZE_HIGH);
    *block = block_new(size, random_next(&chain->random));
}

static void *serve(void *argument);

static void start(struct chain *chain) {
    pthread_t thread;
    thread_start(&thread, serve, chain);
    pthread_detach(thread);
}

static void *serve(void *argument) {
    struct chain *chain = argument;
    for (uint64_t i = 0; i < chain->replacements; i++)
        replace(chain);
    if (--chain->hands)
        start(chain);
    else
        sem_post(chain->done);
    return NULL;
}

static void fill(struct chain *chain, unsigned number, const struct arguments *arguments) {
    chain->random = random_seeded(number);
    chain->count = BLOCKS / arguments->threads;
    chain->hands = HANDS / arguments->threads ? HANDS / arguments->threads : 1;
    chain->replacements = arguments->scale * PER_SCALE / arguments->threads / chain->hands;
    chain->blocks = given(calloc(chain->count, sizeof(struct block)));
    for (size_t i = 0; i < chain->count; i++) {
        size_t size = random_between(&chain->random, SIZE_LOW, SIZE_HIGH);
        chain->blocks[i] = block_new(size, random_next(&chain->random));
    }
}

static uint64_t empty(struct chain *chain) {
    for (size_t i = 0; i < chain->count; i++)
        chain->checksum += block_delete(&chain->blocks[i]);
    free(chain->blocks);
    return chain->checksum;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 2);
    struct chain *chains = given(calloc(arguments.threads, sizeof(struct chain)));
    sem_t done;
    sem_init(&done, 0, 0);
    for (unsigned i = 0; i < arguments.threads; i++) {
        fill(&chains[i], i, &arguments);
        chains[i].done = &done;
    }
    for (unsigned i = 0; i < arguments.threads; i++)
        start(&chains[i]);
    for (unsigned i = 0; i < arguments.threads; i++)
        while (sem_wait(&done))
            continue;
    uint64_t checksum = 0;
    for (unsigned i = 0; i < arguments.threads; i++)
        checksum += empty(&chains[i]);
    free(chains);
    return workload_result("larson", checksum);
}
