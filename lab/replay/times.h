/* times.h: how long operations took: a histogram of nanoseconds, 32 steps to each doubling. */
#ifndef LAB_REPLAY_TIMES_H
#define LAB_REPLAY_TIMES_H

#include "replay.h"

enum { TIMES_STEPS = 32, TIMES_BINS = 60 * TIMES_STEPS };

struct times {
    uint64_t count, total_ns, max_ns;
    uint64_t bin[TIMES_BINS];
};

void times_add(struct times *times, uint64_t ns);

/* *sum += *times. */
void times_merge(struct times *sum, const struct times *times);

struct replay_times times_summary(const struct times *times);

/* The clock, in ns; and what two looks at it in a row differ by. */
uint64_t times_now(void);
uint64_t times_overhead(void);

#endif
