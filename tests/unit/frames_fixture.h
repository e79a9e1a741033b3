/* frames_fixture.h: a machine whose frames are taken and given back. At the end of a test nothing
 * may be lost. */
#ifndef TESTS_UNIT_FRAMES_FIXTURE_H
#define TESTS_UNIT_FRAMES_FIXTURE_H

#include "harness.h"

static struct sim *sim;
static uint64_t idle;

/* 64 MiB at 1 GiB, one zone, one CPU. */
static inline int setup(void **state) {
    (void)state;
    sim = sim_start(NULL);
    assert_non_null(sim->larder);
    larder_reclaim(sim->larder);
    idle = frames_idle(sim);
    sim_validate(sim);
    return 0;
}

static inline int teardown(void **state) {
    (void)state;
    expect_nothing_leaked(sim, idle);
    sim_stop(sim);
    return 0;
}

/* Another machine instead of the one from setup. */
static inline void restart(const struct sim_config *config) {
    sim_stop(sim);
    sim = sim_start(config);
    assert_non_null(sim->larder);
    larder_reclaim(sim->larder);
    idle = frames_idle(sim);
    sim_validate(sim);
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
