/* frames_fixture.h: a machine whose frames are taken and given back. */
#ifndef TESTS_UNIT_FRAMES_FIXTURE_H
#define TESTS_UNIT_FRAMES_FIXTURE_H

#include "machine_fixture.h"

/* 64 MiB at 1 GiB, one zone, one CPU. */
static inline int setup(void **state) {
    (void)state;
    begin(NULL);
    return 0;
}

/* Another machine instead of the one from setup. */
static inline void restart(const struct sim_config *config) {
    sim_stop(sim);
    begin(config);
}

static inline uint64_t free_frames(void) {
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    return stats.free;
}

static inline uint64_t address_of(const void *pointer) {
    return larder_frames_address(sim->larder, pointer);
}

#endif
