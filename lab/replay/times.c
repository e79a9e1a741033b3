/* times.c: see times.h. */
#include "times.h"

#include <time.h>

enum { LOOKS = 1000 };

/* Below TIMES_STEPS each ns has a bin of its own. */
static unsigned bin_of(uint64_t ns) {
    if (ns < TIMES_STEPS)
        return (unsigned)ns;
    const unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - 5u;
    return (shift + 1) * TIMES_STEPS + (unsigned)(ns >> shift) - TIMES_STEPS;
}

/* The least of a bin. */
static uint64_t value_of(unsigned bin) {
    if (bin < TIMES_STEPS)
        return bin;
    return (uint64_t)(bin % TIMES_STEPS + TIMES_STEPS) << (bin / TIMES_STEPS - 1);
}

void times_add(struct times *times, uint64_t ns) {
    times->count++;
    times->total_ns += ns;
    times->max_ns = ns > times->max_ns ? ns : times->max_ns;
    times->bin[bin_of(ns)]++;
}

void times_merge(struct times *sum, const struct times *times) {
    sum->count += times->count;
    sum->total_ns += times->total_ns;
    sum->max_ns = times->max_ns > sum->max_ns ? times->max_ns : sum->max_ns;
    for (unsigned i = 0; i < TIMES_BINS; i++)
        sum->bin[i] += times->bin[i];
}

static uint64_t percentile(const struct times *times, unsigned percent) {
    const uint64_t wanted = (times->count * percent + 99) / 100;
    uint64_t seen = 0;
    for (unsigned i = 0; i < TIMES_BINS; i++) {
        seen += times->bin[i];
        if (seen >= wanted && seen > 0)
            return value_of(i);
    }
    return 0;
}

struct replay_times times_summary(const struct times *times) {
    return (struct replay_times){
        .count = times->count,
        .median_ns = percentile(times, 50),
        .p99_ns = percentile(times, 99),
        .max_ns = times->max_ns,
        .total_ns = times->total_ns,
    };
}

uint64_t times_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t times_overhead(void) {
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < LOOKS; i++) {
        const uint64_t began = times_now(), took = times_now() - began;
        least = took < least ? took : least;
    }
    return least;
}
