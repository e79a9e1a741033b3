/*
 * What every workload shares: arguments, random numbers, stamps on blocks, threads.
 *
 * A workload is a program of a fixed amount of work, `NAME SCALE [THREADS [FORM]]`. It draws its
 * sizes and its order from seeds of its own, so that it asks every allocator for the same blocks;
 * it checks what it finds in its blocks before it frees them, and prints one line that depends on
 * nothing but its arguments. The driver compares that line between allocators.
 */
#ifndef BENCH_MALLOC_WORKLOAD_H
#define BENCH_MALLOC_WORKLOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arguments {
    uint64_t scale;   // amount of work, proportional to time
    unsigned threads; // at least 1; the work does not grow with them
    const char *form; // third argument, "" without
};

struct arguments workload_arguments(int count, char **text, unsigned threads);

// Prints the line and returns main's status.
int workload_result(const char *name, uint64_t checksum);

_Noreturn void workload_fail(const char *what);

// What the allocator gave, or the end of the program.
static inline void *given(void *block) {
    if (!block)
        workload_fail("out of memory");
    return block;
}

// xorshift64*: a word of state, good enough for sizes and orders.
struct random {
    uint64_t state;
};

static inline struct random random_seeded(uint64_t seed) {
    return (struct random){(seed + 1) * 0x9e3779b97f4a7c15u};
}

static inline uint64_t random_next(struct random *random) {
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 0x2545f4914f6cdd1du >> 16;
}

// From 0 to limit - 1.
static inline size_t random_below(struct random *random, size_t limit) {
    return (size_t)(random_next(random) % limit);
}

// Both ends included.
static inline size_t random_between(struct random *random, size_t low, size_t high) {
    return low + random_below(random, high - low + 1);
}

// A block and what it should hold.
struct block {
    unsigned char *bytes;
    size_t size; // at least 8
    uint64_t tag;
};

// Writes the tag to each cache line of a block and to its end, as initialising an object does.
void block_stamp(struct block block);

// Fails unless the stamp is still there.
void block_check(const struct block *block);

// malloc, stamp.
struct block block_new(size_t size, uint64_t tag);

// check, free; tag, for checksums.
uint64_t block_delete(struct block *block);

// A thread with a stack of 256 KiB: glibc keeps 40 MiB of stacks for new threads and maps the rest
// anew each time, which would be measured instead of the allocator.
void thread_start(pthread_t *thread, void *(*work)(void *), void *argument);

// Runs work on count elements of width bytes, each on a thread of its own, and waits for all.
void threads_run(void *(*work)(void *), void *elements, size_t width, unsigned count);

#endif
