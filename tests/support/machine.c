#include "harness.h"

uint64_t frames_idle(struct sim *sim) {
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    assert_int_equal(stats.usable, stats.free + stats.allocated + stats.in_bins);
    return stats.free + stats.in_bins;
}

void expect_nothing_leaked(struct sim *sim, uint64_t idle_before) {
    larder_reclaim(sim->larder);
    sim_validate(sim);
    assert_int_equal(frames_idle(sim), idle_before);
}
