/* machine_fixture.h: the machine of a test and what was free on it at first. At the end nothing may
 * be lost. */
#ifndef TESTS_UNIT_MACHINE_FIXTURE_H
#define TESTS_UNIT_MACHINE_FIXTURE_H

#include "harness.h"

static struct sim *sim;
static uint64_t idle;

static inline void begin(const struct sim_config *config) {
    sim = sim_start(config);
    assert_non_null(sim->larder);
    larder_reclaim(sim->larder);
    idle = frames_idle(sim);
    sim_validate(sim);
}

static inline int teardown(void **state) {
    (void)state;
    expect_nothing_leaked(sim, idle);
    sim_stop(sim);
    return 0;
}

#endif
