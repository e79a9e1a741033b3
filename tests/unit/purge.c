/* What a process asks of the core beside what a kernel does: memory that goes back to the system
 * below and comes from it later, and magazines taken from threads that sleep. */
#include "harness.h"

#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/stats.h"

static struct sim *sim;
static struct larder *larder;
static uint64_t idle;

static int setup(void **state) {
    static const struct larder_range ranges[] = {
        {GIB, 64 * MIB, LARDER_RANGE_USABLE},
        {GIB + 64 * MIB, 64 * MIB, LARDER_RANGE_ABSENT},
    };
    (void)state;
    sim = sim_start(&(struct sim_config){.range = ranges,
                                         .range_count = COUNT(ranges),
                                         .cpus = 2,
                                         .interval_ms = 100,
                                         .reserved = true});
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

static bool is_all(const unsigned char *at, size_t bytes, unsigned char value) {
    for (size_t i = 0; i < bytes; i++) {
        if (at[i] != value) {
            return false;
        }
    }
    return true;
}

static void pass_intervals(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        sim_clock_advance(100);
        larder_tick(larder);
    }
}

/* ---- purging ---- */

static void free_memory_is_purged_when_an_interval_has_passed_over_it(void **state) {
    (void)state;
    unsigned char *run = larder_alloc(larder, 5 * MIB);
    memset(run, 7, 5 * MIB);
    larder_free(larder, run);
    assert_true(larder_is_dirty(larder));
    pass_intervals(1);
    assert_true(is_all(run, 5 * MIB, 7));
    pass_intervals(1);
    assert_true(is_all(run, 5 * MIB, 0));
    assert_false(larder_is_dirty(larder));
    sim_validate(sim);
}

static void purging_at_once_spares_what_is_in_use(void **state) {
    (void)state;
    unsigned char *frame[1024];
    for (unsigned i = 0; i < COUNT(frame); i++) {
        frame[i] = larder_frames_alloc_exact(larder, 1, 0);
        memset(frame[i], 7, FRAME);
    }
    for (unsigned i = 0; i < COUNT(frame); i += 2) {
        larder_frames_free(larder, frame[i]);
    }
    larder_reclaim(larder);
    assert_true(larder_purge(larder) >= COUNT(frame) / 2);
    assert_int_equal(larder_purge(larder), 0);
    sim_validate(sim);
    for (unsigned i = 0; i < COUNT(frame); i++) {
        assert_true(is_all(frame[i], FRAME, i % 2 == 0 ? 0 : 7));
    }
    for (unsigned i = 1; i < COUNT(frame); i += 2) {
        larder_frames_free(larder, frame[i]);
    }
}

/* Fault: buddy_mark_dirty() does not set was_written. */
static void a_zeroed_run_reads_as_zero_wherever_it_lies(void **state) {
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        size_t bytes = (round % 5 + 1) * 1300 * KIB;
        unsigned char *run = larder_zalloc(larder, bytes);
        assert_true(is_all(run, bytes, 0));
        memset(run, 7, bytes);
        larder_free(larder, run);
        if (round % 4 == 3) {
            larder_purge(larder);
        }
    }
}

static uint64_t count_dirty(void) {
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_true(stats.dirty <= stats.free);
    return stats.dirty;
}

/* Fault: whole page blocks are not counted, or those in use are. */
static void what_is_free_and_was_used_is_counted(void **state) {
    (void)state;
    (void)larder_purge(larder);
    assert_int_equal(count_dirty(), 0);
    unsigned char *part = larder_alloc(larder, 3 * MIB), *whole = larder_alloc(larder, 8 * MIB);
    memset(part, 7, 3 * MIB);
    assert_int_equal(count_dirty(), 0);
    assert_true(larder_try_resize(larder, part, 2 * MIB + 64 * KIB));
    const uint64_t after_part = count_dirty();
    assert_true(after_part >= (MIB - 64 * KIB) / FRAME && after_part < 512);
    larder_free(larder, whole);
    assert_true(count_dirty() >= after_part + 8 * MIB / FRAME);
    unsigned char *again = larder_alloc(larder, 8 * MIB);
    assert_true(count_dirty() <= after_part + 512);
    larder_free(larder, again);
    larder_free(larder, part);
    (void)larder_purge(larder);
    assert_int_equal(count_dirty(), 0);
}

/* Fault: buddy_mark_clean() rounds outward; buddy_count_clean() counts page blocks, not frames. */
static void what_its_owner_purged_is_unused_and_not_dirty(void **state) {
    (void)state;
    (void)larder_purge(larder);
    /* Three page blocks, half of the last one given back: two are whole, and the third is dirty. */
    unsigned char *run = larder_aligned(larder, 2 * MIB, 6 * MIB);
    assert_int_equal(larder_frames_count_unused(larder, run), 6 * MIB / FRAME);
    assert_int_equal(larder_frames_count_unused(larder, run + FRAME), 0);
    memset(run, 7, 6 * MIB);
    assert_true(larder_try_resize(larder, run, 5 * MIB));
    const uint64_t dirty = count_dirty();
    memset(run, 0, 5 * MIB);
    larder_frames_free_unused(larder, run);
    assert_true(count_dirty() <= dirty + MIB / FRAME);
    sim_validate(sim);
    unsigned char *again = larder_aligned(larder, 2 * MIB, 6 * MIB);
    assert_ptr_equal(again, run);
    assert_int_equal(larder_frames_count_unused(larder, again), 4 * MIB / FRAME);
    larder_frames_free_unused(larder, larder_frames_alloc(larder, 0, 0)); /* a bin's */
    larder_frames_free_unused(larder, NULL);
    larder_free(larder, again);
}

static void a_kernels_memory_is_never_purged(void **state) {
    (void)state;
    struct sim *kernel = sim_start(NULL);
    unsigned char *run = larder_alloc(kernel->larder, 3 * MIB);
    memset(run, 7, 3 * MIB);
    larder_free(kernel->larder, run);
    assert_false(larder_is_dirty(kernel->larder));
    assert_int_equal(larder_purge(kernel->larder), 0);
    assert_true(is_all(run, 3 * MIB, 7));
    sim_stop(kernel);
}

static void start_with_dirt(void *context) {
    (void)setup(context);
    char *run = larder_alloc(larder, 4 * MIB);
    memset(run, 7, 4 * MIB);
    larder_free(larder, run);
    sim_clock_advance(100);
}

static void purge_all(void *context) {
    (void)context;
    (void)larder_purge(larder);
}

static void end_an_interval(void *context) {
    (void)context;
    (void)larder_tick(larder);
}

static void expect_no_dirt(void *context) {
    (void)context;
    sim_check(!larder_is_dirty(larder));
}

static void stop(void *context) {
    (void)context;
    sim_stop(sim);
}

/* Fault: larder_purge() begins with what is old; what grows old meanwhile is then seen by neither
 * look. */
static void what_grows_old_meanwhile_is_purged_too(void **state) {
    (void)state;
    const struct sim_race race = {.name = "purge against an interval's end",
                                  .cpus = 2,
                                  .prepare = start_with_dirt,
                                  .body = {purge_all, end_an_interval},
                                  .check = expect_no_dirt,
                                  .clean = stop};
    sim_play(&race, "0 release; 1 end");
    sim_play(&race, "0 release 2; 1 end");
    sim_play(&race, "1 release; 0 end");
}

/* ---- memory that comes later ---- */

static void absent_memory_may_be_donated_in_steps(void **state) {
    (void)state;
    struct larder_frames_stats before, after;
    larder_frames_stats(larder, &before);
    assert_null(larder_alloc(larder, 70 * MIB));
    assert_int_equal(larder_frames_donate(larder, GIB + 64 * MIB, 32 * MIB), LARDER_OK);
    assert_int_equal(larder_frames_donate(larder, GIB + 96 * MIB, 16 * MIB), LARDER_OK);
    assert_int_equal(larder_frames_donate(larder, GIB + 96 * MIB, 16 * MIB), LARDER_BAD_RANGE);
    larder_frames_stats(larder, &after);
    assert_int_equal(after.usable, before.usable + 48 * MIB / FRAME);
    idle += 48 * MIB / FRAME;
    unsigned char *run = larder_zalloc(larder, 70 * MIB);
    assert_non_null(run);
    assert_true(is_all(run, 70 * MIB, 0));
    larder_free(larder, run);
    sim_validate(sim);
}

/* ---- long runs ---- */

static void a_long_run_goes_to_the_lowest_stretch_that_holds_it(void **state) {
    (void)state;
    char *a = larder_alloc(larder, 5 * MIB), *b = larder_alloc(larder, 7 * MIB);
    char *c = larder_alloc(larder, 5 * MIB), *d = larder_alloc(larder, 3 * MIB);
    larder_free(larder, b);
    char *too_long = larder_alloc(larder, 9 * MIB), *fits = larder_alloc(larder, 6 * MIB + 1);
    assert_ptr_equal(fits, b);
    assert_true(too_long > d);
    larder_free(larder, a);
    char *lower = larder_alloc(larder, 2 * MIB);
    assert_ptr_equal(lower, a);
    sim_validate(sim);
    char *all[] = {c, d, too_long, fits, lower};
    for (unsigned i = 0; i < COUNT(all); i++) {
        larder_free(larder, all[i]);
    }
}

/* ---- the fast paths alone ---- */

static void ready_is_what_lies_in_the_magazine(void **state) {
    (void)state;
    assert_null(larder_alloc_ready(larder, 100));
    assert_null(larder_alloc_ready(larder, 0));
    assert_null(larder_alloc_ready(larder, SIZE_MAX));
    assert_null(larder_alloc_ready(larder, 10 * MIB));
    void *object = larder_alloc(larder, 100);
    assert_true(larder_free_ready(larder, object));
    assert_ptr_equal(larder_alloc_ready(larder, 100), object);
    larder_free(larder, object);
    void *run = larder_alloc(larder, MIB);
    assert_false(larder_free_ready(larder, run));
    assert_false(larder_free_ready(larder, NULL));
    assert_false(larder_free_ready(larder, &larder));
    larder_free(larder, run);
}

static void nothing_is_ready_before_the_start(void **state) {
    (void)state;
    static struct larder_storage storage;
    struct larder *unborn = (struct larder *)(void *)&storage;
    assert_null(larder_alloc_ready(unborn, 0));
    assert_false(larder_free_ready(unborn, &storage));
}

static void aligned_with_flags(void **state) {
    (void)state;
    assert_null(larder_aligned_flags(larder, 64, 100, 1u << 31));
    for (size_t align = 16; align <= 4 * MIB; align *= 2) {
        unsigned char *memory = larder_aligned_flags(larder, align, 3000, LARDER_ZERO);
        assert_int_equal((uintptr_t)memory % align, 0);
        assert_true(is_all(memory, 3000, 0));
        memset(memory, 7, 3000);
        larder_free(larder, memory);
    }
}

/* ---- slots that sleep ---- */

static uint64_t live_objects(const char *name) {
    struct larder_cache_stats stats;
    larder_cache_stats(larder_cache_find(larder, name), &stats);
    return stats.live;
}

static void fill_magazines(unsigned cpu) {
    void *object[100];
    sim_be(cpu);
    for (unsigned i = 0; i < COUNT(object); i++) {
        object[i] = larder_alloc(larder, 1000);
    }
    for (unsigned i = 0; i < COUNT(object); i++) {
        larder_free(larder, object[i]);
    }
    sim_be(0);
}

static void a_sleeping_slot_is_emptied_in_two_steps(void **state) {
    (void)state;
    fill_magazines(1);
    assert_int_equal(live_objects("heap-1024"), 0);
    larder_slot_withdraw(larder, sim_slot_of(sim, 1));
    assert_true(live_objects("heap-1024") > 0);
    sim_be(1);
    assert_null(larder_alloc_ready(larder, 1000));
    sim_be(0);
    larder_slot_settle(larder, sim_slot_of(sim, 1));
    assert_int_equal(live_objects("heap-1024"), 0);
    larder_reclaim(larder);
    assert_int_equal(frames_idle(sim), idle);
    sim_validate(sim);
}

static void a_slot_that_wakes_up_settles_by_itself(void **state) {
    (void)state;
    fill_magazines(1);
    larder_slot_withdraw(larder, sim_slot_of(sim, 1));
    sim_be(1);
    void *object = larder_alloc(larder, 1000);
    assert_int_equal(live_objects("heap-1024"), 1);
    larder_free(larder, object);
    sim_be(0);
    sim_validate(sim);
}

static void withdrawn_magazines_go_back_with_the_slot(void **state) {
    (void)state;
    fill_magazines(1);
    larder_slot_withdraw(larder, sim_slot_of(sim, 1));
    sim_detach(sim, 1);
    assert_int_equal(live_objects("heap-1024"), 0);
    assert_true(sim_attach(sim, 1));
}

/* ---- empty slabs ---- */

static void few_empty_slabs_wait_for_the_interval(void **state) {
    (void)state;
    enum { OBJECTS = 20000 };
    void **object = malloc(OBJECTS * sizeof *object);
    struct larder_cache_stats stats;
    for (unsigned i = 0; i < OBJECTS; i++) {
        object[i] = larder_alloc(larder, 1000);
        assert_non_null(object[i]);
    }
    for (unsigned i = 0; i < OBJECTS; i++) {
        larder_free(larder, object[i]);
    }
    free(object);
    larder_cache_stats(larder_cache_find(larder, "heap-1024"), &stats);
    assert_true(stats.slabs_returned > stats.slabs_made / 2);
    assert_true(stats.slabs_empty * stats.slab_bytes <=
                LARDER_EMPTY_BYTES + (stats.slabs - stats.slabs_empty) * stats.slab_bytes / 8);
}

/* ---- fork ---- */

static void all_locks_can_be_taken_and_given_back(void **state) {
    (void)state;
    larder_lock_all(larder);
    larder_unlock_all(larder);
    larder_free(larder, larder_alloc(larder, 1000));
    sim_validate(sim);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(free_memory_is_purged_when_an_interval_has_passed_over_it),
    TEST(purging_at_once_spares_what_is_in_use),
    TEST(a_zeroed_run_reads_as_zero_wherever_it_lies),
    cmocka_unit_test(what_grows_old_meanwhile_is_purged_too),
    TEST(what_its_owner_purged_is_unused_and_not_dirty),
    TEST(what_is_free_and_was_used_is_counted),
    TEST(a_kernels_memory_is_never_purged),
    TEST(absent_memory_may_be_donated_in_steps),
    TEST(a_long_run_goes_to_the_lowest_stretch_that_holds_it),
    TEST(ready_is_what_lies_in_the_magazine),
    TEST(nothing_is_ready_before_the_start),
    TEST(aligned_with_flags),
    TEST(a_sleeping_slot_is_emptied_in_two_steps),
    TEST(a_slot_that_wakes_up_settles_by_itself),
    TEST(withdrawn_magazines_go_back_with_the_slot),
    TEST(few_empty_slabs_wait_for_the_interval),
    TEST(all_locks_can_be_taken_and_given_back),
};

HARNESS_MAIN(tests)
