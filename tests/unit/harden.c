/* A hardened instance: random order, quarantine, wiping, guards; and nothing of it elsewhere. */
#include "harness.h"

#include "instance.h"

#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/stats.h"

enum { GUARDED_MAX = 64, KEPT_FRAMES = 256 };

static struct sim *sim;
static struct larder *larder;
static uint64_t closed_bytes; /* what is inaccessible now */
static bool refuses;          /* the system has no mappings left */
static unsigned char *closed_first, *closed_last;

/* Stands in for mprotect(): remembers instead, so that a test can look. */
static bool protect(void *start, size_t size_bytes, bool is_accessible) {
    assert_int_equal((uintptr_t)start % larder_port_page_bytes(), 0);
    assert_int_equal(size_bytes % larder_port_page_bytes(), 0);
    if (refuses) {
        return false;
    }
    if (!is_accessible) {
        closed_first = closed_last;
        closed_last = start;
    }
    closed_bytes += is_accessible ? 0 : size_bytes;
    return true;
}

static void start_with(size_t page_bytes, const char *debug) {
    static const struct larder_hardening hardening = {protect, GUARDED_MAX, KEPT_FRAMES};
    sim_page_bytes_set(page_bytes);
    closed_bytes = 0;
    refuses = false;
    sim =
        sim_start(&(struct sim_config){.hardening = &hardening, .debug = debug, .reserved = true});
    larder = sim->larder;
    assert_non_null(larder);
}

static int setup(void **state) {
    (void)state;
    start_with(4096, NULL);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    if (sim->larder) {
        sim_validate(sim);
    }
    sim_stop(sim);
    return 0;
}

static int abandon(void **state) {
    (void)state;
    sim_abandon(sim);
    return 0;
}

static struct larder_cache_stats stats_of(const void *object) {
    struct larder_cache_stats stats;
    larder_cache_stats(larder_cache_of(larder, object), &stats);
    return stats;
}

/* ---- objects ---- */

static void order_is_random(void **state) {
    enum { N = 40 };
    unsigned char *object[N];
    unsigned ascending = 0;
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        object[i] = larder_alloc(larder, 100);
        ascending += i > 0 && object[i] > object[i - 1];
    }
    assert_in_range(ascending, 5, 34); /* of 39; outside once in 10^5 seeds */
    for (unsigned i = 0; i < N; i++) {
        larder_free(larder, object[i]);
    }
}

static void a_new_key_is_another_order(void **state) {
    uintptr_t offset[2][30];
    unsigned equal = 0;
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        void *object[30];
        struct larder_cache *cache = larder_cache_create(
            larder, &(struct larder_cache_config){.name = "dice", .size_bytes = 64}, NULL);
        for (unsigned i = 0; i < 30; i++) {
            object[i] = larder_cache_alloc(cache, 0);
            offset[round][i] = (uintptr_t)object[i] % (16 * KIB);
        }
        larder_cache_free_bulk(cache, 30, object);
        assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
        larder_reseed(larder);
    }
    for (unsigned i = 0; i < 30; i++) {
        equal += offset[0][i] == offset[1][i];
    }
    assert_true(equal < 15);
}

static void reuse_is_delayed(void **state) {
    unsigned char *first = larder_alloc(larder, 4096);
    unsigned frees = 0;
    (void)state;
    larder_free(larder, first);
    for (void *object = NULL; object != first; frees++) {
        object = larder_alloc(larder, 4096);
        larder_free(larder, object);
        assert_true(frees < 10000);
        assert_true(stats_of(first).in_quarantine * 4096 <= QUARANTINE_OBJECT_BYTES);
    }
    assert_true(frees >= QUARANTINE_OBJECT_BYTES / 4096);
    sim_validate(sim);
}

static void the_ring_is_bounded_in_objects_and_bytes(void **state) {
    const size_t sizes[] = {1, 100, 1000, 10000, 32768};
    (void)state;
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        void *object = NULL;
        for (unsigned round = 0; round < 3000; round++) {
            object = larder_alloc(larder, sizes[i]);
            larder_free(larder, object);
        }
        struct larder_cache_stats stats = stats_of(object);
        assert_true(stats.in_quarantine >= 2);
        assert_true(stats.in_quarantine <= QUARANTINE_FRAMES * FRAME / sizeof(void *));
        assert_true(stats.in_quarantine * stats.stride_bytes <= QUARANTINE_OBJECT_BYTES);
        assert_int_equal(stats.live, 0);
        sim_validate(sim);
    }
}

static void freed_objects_read_as_zero(void **state) {
    (void)state;
    unsigned char *object = larder_alloc(larder, 500);
    memset(object, 0x77, 512);
    larder_free(larder, object);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(object[i], 0);
    }
}

static void a_second_free_is_fatal_at_once_and_later(void **state) {
    (void)state;
    void *object = larder_alloc(larder, 100);
    larder_free(larder, object);
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_free(larder, object));
    for (unsigned i = 0; i < 500; i++) {
        larder_free(larder, larder_alloc(larder, 100));
    }
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_free(larder, object));
    assert_int_equal(larder_size_of(larder, object), 0);
}

static void an_interior_free_is_fatal_at_once(void **state) {
    (void)state;
    unsigned char *object = larder_alloc(larder, 100);
    sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE, larder_free(larder, object + 16));
    larder_free(larder, object);
}

static void a_late_write_is_found(void **state) {
    (void)state;
    unsigned char *object = larder_alloc(larder, 100);
    larder_free(larder, object);
    object[40] = 9;
    sim_expect_fatal(LARDER_FATAL_POISON, for (unsigned i = 0; i < 100000; i++)
                                              larder_free(larder, larder_alloc(larder, 100)));
    assert_ptr_equal(sim_fatal_last.fatal.pointer, object + 40);
    assert_string_equal(sim_fatal_last.fatal.detail, "a wiped byte has changed");
}

static bool construct(void *object, void *context) {
    (void)context;
    memset(object, 0x33, 64);
    return true;
}

static void constructed_objects_stay_so(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder,
        &(struct larder_cache_config){.name = "made", .size_bytes = 64, .construct = construct},
        NULL);
    unsigned char *object = larder_cache_alloc(cache, 0);
    assert_int_equal(object[63], 0x33);
    larder_cache_free(cache, object);
    assert_int_equal(object[63], 0x33);
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_cache_free(cache, object));
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void a_cache_may_be_left_alone(void **state) {
    (void)state;
    struct larder_cache *cache =
        larder_cache_create(larder,
                            &(struct larder_cache_config){
                                .name = "plain", .size_bytes = 64, .flags = LARDER_CACHE_NO_DEBUG},
                            NULL);
    void *object = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, object);
    assert_ptr_equal(larder_cache_alloc(cache, 0), object);
    larder_cache_free(cache, object);
    assert_int_equal(stats_of(object).in_quarantine, 0);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void it_goes_with_debugging(void **state) {
    (void)state;
    sim_stop(sim);
    start_with(4096, "FZPU");
    for (unsigned i = 0; i < 3000; i++) {
        unsigned char *object = larder_alloc(larder, 100);
        assert_int_equal(object[0], 0x5a);
        larder_free(larder, object);
    }
    unsigned char *object = larder_alloc(larder, 100);
    object[112] = 1;
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_free(larder, object));
}

/* ---- guards ---- */

static void a_run_lies_between_guards(void **state) {
    (void)state;
    const size_t pages[] = {4 * KIB, 16 * KIB, 64 * KIB};
    for (unsigned i = 0; i < COUNT(pages); i++) {
        const size_t page = pages[i];
        sim_stop(sim);
        start_with(page, NULL);
        unsigned char *run = larder_alloc(larder, 100 * KIB);
        assert_int_equal((uintptr_t)run % page, 0);
        assert_ptr_equal(closed_first, run - page);
        assert_ptr_equal(closed_last, run + (100 * KIB + page - 1) / page * page);
        assert_int_equal(larder_size_of(larder, run), 100 * KIB);
        sim_expect_fatal(LARDER_FATAL_RESERVED_FREE, larder_free(larder, run - page));
        sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE, larder_free(larder, run + page));
        sim_validate(sim);
        larder_free(larder, run);
        sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_free(larder, run));
        sim_validate(sim);
    }
}

static void guards_keep_alignment(void **state) {
    (void)state;
    for (size_t align = 8 * KIB; align <= 2 * MIB; align *= 2) {
        unsigned char *run = larder_aligned(larder, align, 40 * KIB);
        assert_int_equal((uintptr_t)run % align, 0);
        assert_ptr_equal(closed_first, run - align);
        larder_free(larder, run);
        sim_validate(sim);
    }
}

static void a_guarded_run_does_not_stretch(void **state) {
    (void)state;
    unsigned char *run = larder_alloc(larder, 64 * KIB);
    assert_true(larder_try_resize(larder, run, 63 * KIB));
    assert_false(larder_try_resize(larder, run, 80 * KIB));
    assert_int_equal(larder_frames_resize(larder, run, 8), LARDER_BUSY);
    memset(run, 5, 64 * KIB);
    run = larder_realloc(larder, run, 200 * KIB);
    assert_int_equal(run[64 * KIB - 1], 5);
    larder_free(larder, run);
}

static void freed_runs_are_kept_within_bounds(void **state) {
    (void)state;
    for (unsigned i = 1; i <= 400; i++) {
        larder_free(larder, larder_alloc(larder, (33 + i * 7 % 300) * KIB));
        assert_true(larder->hardening.quarantined_frames <= KEPT_FRAMES);
        if (i % 50 == 0) {
            sim_validate(sim);
        }
    }
    assert_true(larder->hardening.quarantined_frames > 0);
    larder_free(larder, larder_alloc(larder, 8 * MIB)); /* more than all that may be kept */
    assert_int_equal(larder->hardening.quarantined_frames, 0);
    sim_validate(sim);
}

static void a_reused_run_reads_as_zero(void **state) {
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        unsigned char *run = larder_alloc(larder, 100 * KIB);
        for (unsigned at = 0; at < 100 * KIB; at += 512) {
            assert_int_equal(run[at], 0);
        }
        memset(run, 0xee, 100 * KIB);
        larder_free(larder, run);
    }
}

static void their_number_is_bounded(void **state) {
    enum { N = GUARDED_MAX + 20 };
    void *run[N];
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        run[i] = larder_alloc(larder, 40 * KIB);
        assert_non_null(run[i]);
    }
    assert_int_equal(larder->hardening.guarded_blocks, GUARDED_MAX);
    sim_validate(sim);
    for (unsigned i = 0; i < N; i++) {
        larder_free(larder, run[i]);
    }
    sim_validate(sim);
}

static void a_system_that_refuses_costs_guards_only(void **state) {
    (void)state;
    refuses = true;
    void *run = larder_alloc(larder, 100 * KIB), *object = larder_alloc(larder, 100);
    assert_non_null(run);
    assert_non_null(object);
    larder_free(larder, object);
    larder_free(larder, run);
    for (unsigned i = 0; i < 200; i++) {
        larder_free(larder, larder_alloc(larder, 100 * KIB));
    }
    sim_validate(sim);
}

/* What cannot be opened again is not given to the buddies: somebody would fault. */
static void what_stays_closed_stays_out(void **state) {
    (void)state;
    struct larder_frames_stats before, after;
    larder_free(larder, larder_alloc(larder, 8 * MIB));
    larder_frames_stats(larder, &before);
    void *run = larder_alloc(larder, 8 * MIB);
    refuses = true;
    larder_free(larder, run);
    larder_frames_stats(larder, &after);
    assert_true(after.metadata >= before.metadata + 8 * MIB / FRAME);
    sim_validate(sim);
}

static void without_protect_there_are_no_guards(void **state) {
    static const struct larder_hardening hardening = {NULL, GUARDED_MAX, KEPT_FRAMES};
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.hardening = &hardening});
    larder = sim->larder;
    unsigned char *run = larder_alloc(larder, 100 * KIB), *object = larder_alloc(larder, 100);
    memset(run, 1, 100 * KIB);
    larder_free(larder, run);
    assert_int_equal(run[5], 0);
    larder_free(larder, object);
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_free(larder, object));
    assert_int_equal(larder->hardening.guarded_blocks, 0);
}

static void memory_that_fails_fails_cleanly(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        sim_fail_nth(n);
        void *object = larder_alloc(larder, 3000), *run = larder_alloc(larder, 50 * KIB);
        sim_fail_off();
        const bool was_hit = sim_fail_happened();
        larder_free(larder, object);
        larder_free(larder, run);
        sim_validate(sim);
        if (!was_hit) {
            break;
        }
        sim_stop(sim);
        start_with(4096, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_is_random, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_key_is_another_order, setup, teardown),
        cmocka_unit_test_setup_teardown(reuse_is_delayed, setup, teardown),
        cmocka_unit_test_setup_teardown(the_ring_is_bounded_in_objects_and_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(freed_objects_read_as_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_free_is_fatal_at_once_and_later, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interior_free_is_fatal_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_late_write_is_found, setup, abandon),
        cmocka_unit_test_setup_teardown(constructed_objects_stay_so, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cache_may_be_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(it_goes_with_debugging, setup, abandon),
        cmocka_unit_test_setup_teardown(a_run_lies_between_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(guards_keep_alignment, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guarded_run_does_not_stretch, setup, teardown),
        cmocka_unit_test_setup_teardown(freed_runs_are_kept_within_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reused_run_reads_as_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(their_number_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_system_that_refuses_costs_guards_only, setup, teardown),
        cmocka_unit_test_setup_teardown(what_stays_closed_stays_out, setup, teardown),
        cmocka_unit_test_setup_teardown(without_protect_there_are_no_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_that_fails_fails_cleanly, setup, teardown),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
