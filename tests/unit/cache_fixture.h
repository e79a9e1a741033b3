/* cache_fixture.h: a machine of two CPUs with garbage in its RAM, and caches on it. */
#ifndef TESTS_UNIT_CACHE_FIXTURE_H
#define TESTS_UNIT_CACHE_FIXTURE_H

#include "machine_fixture.h"

static inline int setup(void **state) {
    (void)state;
    begin(&(struct sim_config){.cpus = 2, .dirty = true});
    return 0;
}

static inline struct larder_cache *make(const struct larder_cache_config *config) {
    enum larder_status status = LARDER_BUSY;
    struct larder_cache *cache = larder_cache_create(sim->larder, config, &status);
    assert_int_equal(status, LARDER_OK);
    assert_non_null(cache);
    sim_validate(sim);
    return cache;
}

static inline struct larder_cache *simple(size_t bytes) {
    return make(&(struct larder_cache_config){.name = "simple", .size_bytes = bytes});
}

static inline void end(struct larder_cache *cache) {
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
    sim_validate(sim);
}

static inline struct larder_cache_stats stats_of(struct larder_cache *cache) {
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    assert_int_equal(stats.taken, stats.live + stats.in_magazines + stats.in_depot);
    assert_int_equal(stats.slabs, stats.slabs_full + stats.slabs_partial + stats.slabs_empty);
    return stats;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
