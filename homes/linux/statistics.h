/* statistics.h: peaks of what include/larder/process.h counts, time in slow paths, and statistics
 * into files. */
#ifndef STATISTICS_H
#define STATISTICS_H

#include "watch.h"

#include <stdint.h>

/* Around a slow path of malloc's family: processor time of the thread when it began, or 0 where
 * nobody asked. */
uint64_t statistics_clock_ns(void);
void statistics_add_slow(uint64_t began_ns);

static inline uint64_t statistics_slow_begin(void) {
    return __builtin_expect(watch_has_statistics, 0) ? statistics_clock_ns() : 0;
}

static inline void statistics_slow_end(uint64_t began_ns) {
    if (__builtin_expect(began_ns != 0, 0))
        statistics_add_slow(began_ns);
}

/* Look now, so that a peak is seen. The instance is started; no lock is held. */
void statistics_sample(void);

/* Write a snapshot, as JSON, to LARDER_SNAPSHOT_FILE. Whoever reads the file sees all of it or the
 * one before. Only system calls. */
void statistics_write_snapshot(void);

#endif
