/* Giving back: by pressure, by time, and never what is in use. */
#include "harness.h"

static struct sim *sim;
static struct larder *larder;
static uint64_t idle;

static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){.cpus = 3, .interval_ms = 100});
    larder = sim->larder;
    larder_reclaim(larder);
    idle = frames_idle(sim);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    expect_nothing_leaked(sim, idle);
    sim_stop(sim);
    return 0;
}

static void use_and_free(size_t bytes, unsigned count) {
    void **at = malloc(count * sizeof *at);
    for (unsigned i = 0; i < count; i++) {
        at[i] = larder_alloc(larder, bytes);
        assert_non_null(at[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        larder_free(larder, at[i]);
    }
    free(at);
}

static void reclaim_returns_everything_unused(void **state) {
    (void)state;
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        sim_be(cpu);
        use_and_free(100, 5000);
        use_and_free(3000, 500);
    }
    sim_be(0);
    assert_true(frames_idle(sim) < idle);
    assert_true(larder_reclaim(larder) > 0);
    sim_validate(sim);
    assert_int_equal(frames_idle(sim), idle);
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_int_equal(stats.in_bins, 0);
}

static void a_second_reclaim_finds_nothing(void **state) {
    (void)state;
    use_and_free(100, 1000);
    larder_reclaim(larder);
    assert_int_equal(larder_reclaim(larder), 0);
}

/* Trap 17: memory that lies in magazines of other slots is not "out of memory". */
static void pressure_reaches_the_magazines_of_others(void **state) {
    (void)state;
    for (unsigned cpu = 0; cpu < 3; cpu++) {
        sim_be(cpu);
        use_and_free(4096, 3000);
        void *frames[60];
        larder_frames_alloc_bulk(larder, 0, 60, frames, 0);
        for (unsigned i = 0; i < 60; i++) {
            larder_frames_free(larder, frames[i]);
        }
    }
    sim_be(0);
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_true(stats.in_bins > 100);
    uint64_t count = 0;
    void **frames = malloc((idle + 1) * sizeof *frames);
    while ((frames[count] = larder_frames_alloc(larder, 0, 0)) != NULL) {
        count++;
    }
    assert_int_equal(count, idle);
    larder_frames_free_bulk(larder, count, frames);
    free(frames);
}

static void without_reclaim_a_request_fails_at_once(void **state) {
    (void)state;
    use_and_free(30000, 1000);
    uint64_t before = sim_traced("reclaim");
    assert_null(larder_frames_alloc(larder, 14, LARDER_NO_RECLAIM));
    assert_int_equal(sim_traced("reclaim"), before);
    assert_null(larder_frames_alloc_exact(larder, idle + 1, LARDER_NO_RECLAIM));
    assert_null(larder_frames_alloc_contiguous(larder, idle, FRAME, UINT64_MAX, LARDER_NO_RECLAIM));
    assert_int_equal(sim_traced("reclaim"), before);
    assert_null(larder_frames_alloc(larder, 15, 0));
    assert_true(sim_traced("reclaim") > before);
}

static void a_slot_that_sleeps_catches_up_when_it_wakes(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "sleeper", .size_bytes = 256}, NULL);
    void *at[200];
    sim_be(1);
    larder_cache_alloc_bulk(cache, 200, at, 0);
    for (unsigned i = 0; i < 200; i++) {
        larder_cache_free(cache, at[i]);
    }
    sim_be(0);
    larder_reclaim(larder);
    sim_be(1);
    /* The next slow path of the slot empties it, if the home did not. */
    larder_free(larder, larder_zalloc(larder, 100));
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    assert_int_equal(stats.in_magazines, 0);
    sim_be(0);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static struct larder_cache_stats stats_of(struct larder_cache *cache) {
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    return stats;
}

static void ticks_return_what_an_interval_did_not_need(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder,
        &(struct larder_cache_config){
            .name = "tick", .size_bytes = 2000, .flags = LARDER_CACHE_NO_MAGAZINE},
        NULL);
    void *at[500];
    larder_cache_alloc_bulk(cache, 500, at, 0);
    larder_cache_free_bulk(cache, 500, at);
    uint64_t slabs = stats_of(cache).slabs_empty;
    assert_true(slabs > 5);
    assert_int_equal(larder_tick(larder), 0); /* the interval is not over */
    sim_clock_advance(100);
    larder_tick(larder); /* ends the interval in which they were used */
    assert_true(stats_of(cache).slabs_empty <= slabs);
    sim_clock_advance(99);
    assert_int_equal(larder_tick(larder), 0);
    sim_clock_advance(1);
    larder_tick(larder);
    assert_int_equal(stats_of(cache).slabs, 0);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void ticks_keep_the_working_set(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder,
        &(struct larder_cache_config){
            .name = "tick", .size_bytes = 2000, .flags = LARDER_CACHE_NO_MAGAZINE},
        NULL);
    void *at[500];
    larder_cache_alloc_bulk(cache, 500, at, 0);
    uint64_t all = stats_of(cache).slabs;
    larder_cache_free_bulk(cache, 500, at);
    for (unsigned round = 0; round < 10; round++) {
        larder_cache_alloc_bulk(cache, 250, at, 0);
        larder_cache_free_bulk(cache, 250, at);
        sim_clock_advance(100);
        larder_tick(larder);
    }
    uint64_t kept = stats_of(cache).slabs;
    assert_true(kept >= all / 2 && kept <= all / 2 + 2);
    uint64_t made = stats_of(cache).slabs_made;
    larder_cache_alloc_bulk(cache, 250, at, 0);
    assert_int_equal(stats_of(cache).slabs_made, made);
    larder_cache_free_bulk(cache, 250, at);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void ticks_empty_the_depot_too(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "depot", .size_bytes = 64}, NULL);
    void *at[600];
    larder_cache_alloc_bulk(cache, 600, at, 0);
    sim_be(1);
    for (unsigned i = 0; i < 600; i++) {
        larder_cache_free(cache, at[i]);
    }
    sim_be(0);
    assert_true(stats_of(cache).in_depot > 0);
    for (unsigned i = 0; i < 4; i++) {
        sim_clock_advance(100);
        larder_tick(larder);
    }
    assert_int_equal(stats_of(cache).in_depot, 0);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void a_clock_far_ahead_is_one_interval(void **state) {
    (void)state;
    use_and_free(5000, 100);
    sim_clock_set(UINT64_MAX - 5);
    larder_tick(larder);
    assert_int_equal(larder_tick(larder), 0);
    sim_validate(sim);
}

static void attached_slots_cost_little(void **state) {
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.cpus = 64});
    larder = sim->larder;
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_true(stats.metadata <= 64 * 6 + 30);
    for (unsigned cpu = 1; cpu < 64; cpu++) {
        sim_detach(sim, cpu);
    }
    larder_reclaim(larder);
    idle = frames_idle(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(reclaim_returns_everything_unused),
        T(a_second_reclaim_finds_nothing),
        T(pressure_reaches_the_magazines_of_others),
        T(without_reclaim_a_request_fails_at_once),
        T(a_slot_that_sleeps_catches_up_when_it_wakes),
        T(ticks_return_what_an_interval_did_not_need),
        T(ticks_keep_the_working_set),
        T(ticks_empty_the_depot_too),
        T(a_clock_far_ahead_is_one_interval),
        T(attached_slots_cost_little),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
