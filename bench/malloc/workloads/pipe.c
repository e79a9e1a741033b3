/*
 * Producer and consumer: one thread makes messages and never frees, the other reads and frees them
 * and never asks for any. Memory has to find its way back. THREADS / 2 such pairs, and at least
 * one.
 *
 * Messages travel in crates of 64, and a side that has to wait sleeps: what is measured is
 * allocation, not a queue, and a thread that waits burns no time.
 */
#include "workload.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    CRATE = 64,         // messages
    CRATES = 32,        // under way in a pipe
    SIZE_LOW = 16,      //
    SIZE_HIGH = 512,    // bytes
    PER_SCALE = 100000, // messages of all pairs together
};

struct crate {
    struct block messages[CRATE];
};

struct pipe {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t count; // crates under way, by lock
    size_t first; // the oldest of them, by lock
    struct crate crates[CRATES];
};

// One side of a pipe; an even number produces, an odd one consumes.
struct side {
    struct pipe *pipe;
    unsigned number;
    uint64_t crates;
    uint64_t checksum;
};

// Half full, and half empty, are soon enough to wake the other side: with a change of threads for
// each crate, whoever frees faster than the other side makes would pay for its speed with them.
static void pipe_put(struct pipe *pipe, const struct crate *crate, bool is_last) {
    pthread_mutex_lock(&pipe->lock);
    while (pipe->count == CRATES)
        pthread_cond_wait(&pipe->changed, &pipe->lock);
    pipe->crates[(pipe->first + pipe->count) % CRATES] = *crate;
    if (++pipe->count == CRATES / 2 || is_last)
        pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
}

static void pipe_get(struct pipe *pipe, struct crate *crate) {
    pthread_mutex_lock(&pipe->lock);
    while (pipe->count == 0)
        pthread_cond_wait(&pipe->changed, &pipe->lock);
    *crate = pipe->crates[pipe->first];
    pipe->first = (pipe->first + 1) % CRATES;
    if (--pipe->count == CRATES / 2)
        pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->lock);
}

static void produce(struct side *side) {
    struct random random = random_seeded(side->number);
    struct crate crate;
    for (uint64_t i = 0; i < side->crates; i++) {
        for (size_t j = 0; j < CRATE; j++) {
            size_t size = random_between(&random, SIZE_LOW, SIZE_HIGH);
            crate.messages[j] = block_new(size, random_next(&random));
        }
        pipe_put(side->pipe, &crate, i + 1 == side->crates);
    }
}

static void consume(struct side *side) {
    uint64_t checksum = 0; // not in the side, whose neighbours may share its cache line
    struct crate crate;
    for (uint64_t i = 0; i < side->crates; i++) {
        pipe_get(side->pipe, &crate);
        for (size_t j = 0; j < CRATE; j++)
            checksum += block_delete(&crate.messages[j]);
    }
    side->checksum = checksum;
}

static void *work(void *argument) {
    struct side *side = argument;
    if (side->number % 2 == 0)
        produce(side);
    else
        consume(side);
    return NULL;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 2);
    unsigned pairs = arguments.threads / 2 ? arguments.threads / 2 : 1;
    uint64_t crates = arguments.scale * PER_SCALE / CRATE / pairs;
    struct pipe *pipes = given(calloc(pairs, sizeof(struct pipe)));
    struct side *sides = given(calloc(2 * pairs, sizeof(struct side)));
    for (unsigned i = 0; i < pairs; i++) {
        pthread_mutex_init(&pipes[i].lock, NULL);
        pthread_cond_init(&pipes[i].changed, NULL);
    }
    for (unsigned i = 0; i < 2 * pairs; i++)
        sides[i] = (struct side){&pipes[i / 2], i, crates, 0};
    threads_run(work, sides, sizeof(struct side), 2 * pairs);
    uint64_t checksum = 0;
    for (unsigned i = 0; i < 2 * pairs; i++)
        checksum += sides[i].checksum;
    free(sides);
    free(pipes);
    return workload_result("pipe", checksum);
}
