/* stress.h: every CPU takes, checks and gives back memory at once, while timer interrupts do the
 * same inside whatever they interrupt.
 *
 * Blocks (block.h) wander between CPUs through a table of mailboxes, so a good part of them is
 * given back by another CPU than the one that took them.
 */
#ifndef SHELL_STRESS_H
#define SHELL_STRESS_H

#include "block.h"

struct stress_config {
    unsigned cpus;               /* 1 .. cpu_count() */
    uint64_t operations_per_cpu; /* 0: no limit */
    uint64_t limit_us;           /* 0: no limit; one of the two must be set */
    size_t size_max_bytes;       /* of a block; at least a frame */
    bool interrupts;             /* the timer interrupt takes and gives back on every tick */
    uint64_t seed;
    bool (*stop)(void); /* asked now and then on CPU 0; may be NULL */
};

struct stress_result {
    bool ran; /* false: there was no memory for the workers */
    struct block_counts work;
    struct block_counts interrupt; /* what interrupts did, on all CPUs */
    uint64_t operations;
    uint64_t slowest_cpu_operations;
    uint64_t exchanged;      /* blocks that changed hands between CPUs */
    uint64_t ticks;          /* timer interrupts that found the hook, on all CPUs */
    unsigned cpus_ticked;    /* CPUs on which at least one did */
    uint64_t leaked_objects; /* of the caches, when everything was given back */
    uint64_t elapsed_us;
};

/* Run on CPU 0. Everything taken has been given back when this returns. */
void stress_run(const struct stress_config *config, struct stress_result *result);

/* True iff it ran, nothing was damaged or leaked, and everything taken was given back. */
bool stress_passed(const struct stress_result *result);

#endif
