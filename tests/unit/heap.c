/* The heap, one promise at a time. */
#include "harness.h"

static struct sim *sim;
static struct larder *larder;
static uint64_t idle;

static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){.cpus = 2, .dirty = true});
    larder = sim->larder;
    assert_non_null(larder);
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

static void every_small_size_is_enough_and_aligned(void **state) {
    (void)state;
    for (size_t bytes = 1; bytes <= 5000; bytes += bytes < 300 ? 1 : 37) {
        unsigned char *at = larder_alloc(larder, bytes);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 16, 0);
        assert_true(larder_size_of(larder, at) >= bytes);
        assert_int_equal(larder_size_of(larder, at), larder_good_size(bytes));
        memset(at, 0xff, larder_size_of(larder, at));
        larder_free(larder, at);
    }
    sim_validate(sim);
}

static void powers_of_two_are_aligned_to_themselves(void **state) {
    (void)state;
    for (size_t bytes = 16; bytes <= MIB; bytes *= 2) {
        void *at[9];
        for (unsigned i = 0; i < 9; i++) {
            at[i] = larder_alloc(larder, bytes);
            assert_int_equal((uintptr_t)at[i] % (bytes < FRAME ? bytes : FRAME), 0);
        }
        for (unsigned i = 0; i < 9; i++) {
            larder_free(larder, at[i]);
        }
    }
}

static void good_sizes(void **state) {
    (void)state;
    assert_int_equal(larder_good_size(0), 0);
    assert_int_equal(larder_good_size(1), 16);
    assert_int_equal(larder_good_size(129), 144);
    assert_int_equal(larder_good_size(LARDER_CLASS_MAX_BYTES), LARDER_CLASS_MAX_BYTES);
    assert_int_equal(larder_good_size(LARDER_CLASS_MAX_BYTES + 1), LARDER_CLASS_MAX_BYTES + FRAME);
    assert_int_equal(larder_good_size(FRAME << LARDER_ORDER_MAX), FRAME << LARDER_ORDER_MAX);
    assert_int_equal(larder_good_size((FRAME << LARDER_ORDER_MAX) + 1),
                     (FRAME << LARDER_ORDER_MAX) + FRAME);
    assert_int_equal(larder_good_size((size_t)PTRDIFF_MAX), 0);
    assert_int_equal(larder_good_size((size_t)PTRDIFF_MAX + 1), 0);
    assert_int_equal(larder_good_size(SIZE_MAX), 0);
}

static void impossible_sizes_are_null(void **state) {
    (void)state;
    const size_t sizes[] = {0,
                            64 * MIB + 1,
                            (FRAME << LARDER_ORDER_MAX) + 1,
                            PTRDIFF_MAX,
                            (size_t)PTRDIFF_MAX + 1,
                            SIZE_MAX - FRAME,
                            SIZE_MAX - 1,
                            SIZE_MAX};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_null(larder_alloc(larder, sizes[i]));
        assert_null(larder_zalloc(larder, sizes[i]));
        assert_null(larder_calloc(larder, 1, sizes[i]));
        assert_null(larder_calloc(larder, sizes[i], 1));
        assert_null(larder_alloc_flags(larder, sizes[i], 0));
        assert_null(larder_aligned(larder, 16, sizes[i]));
        assert_null(larder_aligned(larder, 65536, sizes[i]));
        assert_null(larder_realloc(larder, NULL, sizes[i]));
        void *kept = larder_alloc(larder, 100);
        assert_null(larder_realloc(larder, kept, sizes[i]));
        assert_false(larder_try_resize(larder, kept, sizes[i]));
        assert_int_equal(larder_size_of(larder, kept), larder_good_size(100));
        larder_free(larder, kept);
    }
    assert_null(larder_calloc(larder, SIZE_MAX / 2 + 1, 2));
    assert_null(larder_calloc(larder, SIZE_MAX, SIZE_MAX));
    assert_null(larder_calloc(larder, (size_t)1 << 32, (size_t)1 << 32));
    sim_validate(sim);
}

static void unknown_flags_are_null(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        larder_flags flag = (larder_flags)1 << bit;
        if (!(flag & LARDER_FLAGS_ALL)) {
            assert_null(larder_alloc_flags(larder, 64, flag));
            assert_null(larder_alloc_flags(larder, 100000, flag));
        }
    }
}

static void zeroed_is_zero(void **state) {
    (void)state;
    for (size_t bytes = 1; bytes < 200000; bytes = bytes * 2 + 3) {
        for (int again = 0; again < 2; again++) {
            unsigned char *a = larder_zalloc(larder, bytes);
            unsigned char *b = larder_calloc(larder, 3, bytes);
            unsigned char *c = larder_alloc_flags(larder, bytes, LARDER_ZERO);
            for (size_t i = 0; i < bytes; i++) {
                assert_int_equal(a[i] | b[i] | b[2 * bytes + i] | c[i], 0);
            }
            memset(a, 0x5c, bytes);
            memset(b, 0x5c, 3 * bytes);
            memset(c, 0x5c, bytes);
            larder_free(larder, a);
            larder_free(larder, b);
            larder_free(larder, c);
        }
    }
}

static void a_zone_serves_any_size(void **state) {
    static const struct larder_zone_config zones[] = {{"dma", GIB + 8 * MIB},
                                                      {"normal", UINT64_MAX}};
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.zone = zones, .zone_count = 2});
    larder = sim->larder;
    idle = frames_idle(sim);
    for (size_t bytes = 1; bytes < 100000; bytes = bytes * 3 + 1) {
        void *at = larder_alloc_flags(larder, bytes, LARDER_ZONE(0));
        assert_non_null(at);
        assert_true(larder_frames_address(larder, at) + bytes <= GIB + 8 * MIB);
        larder_free(larder, at);
    }
    assert_null(larder_alloc_flags(larder, 0, LARDER_ZONE(0)));
    assert_null(larder_alloc_flags(larder, 9 * MIB, LARDER_ZONE(0)));
}

static void panic_is_fatal(void **state) {
    (void)state;
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY, larder_alloc_flags(larder, 65 * MIB, LARDER_PANIC));
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY, larder_alloc_flags(larder, SIZE_MAX, LARDER_PANIC));
    sim_validate(sim);
}

static void alignments(void **state) {
    (void)state;
    for (size_t align = 1; align <= 8 * MIB; align *= 2) {
        const size_t sizes[] = {1, 16, 17, 100, 4096, 5000, 40000, MIB + 1};
        for (size_t i = 0; i < COUNT(sizes); i++) {
            unsigned char *at = larder_aligned(larder, align, sizes[i]);
            assert_non_null(at);
            assert_int_equal((uintptr_t)at % align, 0);
            assert_true(larder_size_of(larder, at) >= sizes[i]);
            at[0] = at[sizes[i] - 1] = 1;
            larder_free(larder, at);
        }
    }
    const size_t bad[] = {
        0, 3, 24, 4097, SIZE_MAX, (FRAME << LARDER_ORDER_MAX) * 2, (size_t)1 << 63};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(larder_aligned(larder, bad[i], 64));
    }
    sim_validate(sim);
}

static void an_aligned_run_fits_into_a_hole(void **state) {
    (void)state;
    void *before = larder_alloc(larder, 69 * FRAME);
    uintptr_t hole = (uintptr_t)larder_alloc(larder, 280 * FRAME);
    void *behind = larder_alloc(larder, 300 * FRAME);
    assert_int_not_equal(hole % (16 * FRAME), 0);
    larder_free(larder, (void *)hole);
    larder_reclaim(larder);
    uint64_t taken = frames_idle(sim);
    uintptr_t at = (uintptr_t)larder_aligned(larder, 16 * FRAME, 256 * FRAME);
    assert_int_equal(at % (16 * FRAME), 0);
    assert_in_range(at, hole, hole + 24 * FRAME);
    assert_int_equal(taken - frames_idle(sim), 256);
    sim_validate(sim);
    larder_free(larder, (void *)at);
    larder_free(larder, before);
    larder_free(larder, behind);
}

/* The buddies of one GiB end where the next begins; a run does not. */
static void a_run_may_lie_in_two_gibibytes(void **state) {
    const struct larder_range range[] = {{GIB, 4 * MIB, LARDER_RANGE_USABLE},
                                         {2 * GIB - 24 * MIB, 48 * MIB, LARDER_RANGE_USABLE}};
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.range = range, .range_count = 2});
    larder = sim->larder;
    idle = frames_idle(sim);
    void *at = larder_alloc(larder, 30 * MIB);
    assert_non_null(at);
    assert_true(larder_frames_address(larder, at) < 2 * GIB);
    assert_null(larder_alloc(larder, 30 * MIB));
    larder_free(larder, larder_alloc(larder, 10 * MIB));
    sim_validate(sim);
    larder_free(larder, at);
}

static void realloc_keeps_contents(void **state) {
    (void)state;
    size_t bytes = 1;
    unsigned char *at = larder_realloc(larder, NULL, bytes);
    at[0] = 7;
    for (unsigned step = 0; step < 200; step++) {
        size_t next = step % 3 == 2 ? bytes / 2 + 1 : bytes * 2 + step;
        next = next > 500000 ? 13 : next;
        unsigned char *moved = larder_realloc(larder, at, next);
        assert_non_null(moved);
        for (size_t i = 0; i < bytes && i < next; i++) {
            assert_int_equal(moved[i], (unsigned char)(7 + i));
        }
        for (size_t i = 0; i < next; i++) {
            moved[i] = (unsigned char)(7 + i);
        }
        at = moved;
        bytes = next;
    }
    larder_free(larder, at);
}

static void growth_by_eight_bytes_is_not_quadratic(void **state) {
    (void)state;
    unsigned char *at = larder_alloc(larder, 8);
    unsigned moves = 0;
    for (size_t bytes = 16; bytes < 4 * MIB; bytes += bytes < 65536 ? 8 : 512) {
        unsigned char *moved = larder_realloc(larder, at, bytes);
        assert_non_null(moved);
        moves += moved != at;
        at = moved;
    }
    assert_true(moves < 150);
    larder_free(larder, at);
}

static void a_failed_realloc_leaves_all_as_it_was(void **state) {
    (void)state;
    unsigned char *at = larder_alloc(larder, 50000);
    memset(at, 0x42, 50000);
    assert_null(larder_realloc(larder, at, 65 * MIB));
    assert_int_equal(at[0] & at[49999], 0x42);
    assert_null(larder_realloc(larder, at, 0));
    assert_int_equal(at[0] & at[49999], 0x42);
    larder_free(larder, at);
}

static void try_resize_never_moves(void **state) {
    (void)state;
    void *object = larder_alloc(larder, 1000);
    assert_true(larder_try_resize(larder, object, 1024));
    assert_false(larder_try_resize(larder, object, 1025));
    assert_false(larder_try_resize(larder, object, 100));
    assert_true(larder_try_resize(larder, object, 1000));
    assert_false(larder_try_resize(larder, object, 0));
    assert_false(larder_try_resize(larder, NULL, 10));
    assert_false(larder_try_resize(larder, (char *)object + 16, 10));
    larder_free(larder, object);
    void *run = larder_alloc(larder, 100 * FRAME);
    assert_true(larder_try_resize(larder, run, 60 * FRAME));
    assert_int_equal(larder_size_of(larder, run), 60 * FRAME);
    larder_reclaim(larder);
    assert_true(larder_try_resize(larder, run, 90 * FRAME));
    assert_false(larder_try_resize(larder, run, 64 * MIB));
    assert_int_equal(larder_size_of(larder, run), 90 * FRAME);
    assert_false(larder_try_resize(larder, run, SIZE_MAX));
    larder_free(larder, run);
}

static void one_free_for_everything(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "typed", .size_bytes = 50}, NULL);
    larder_free(larder, larder_alloc(larder, 10));
    larder_free(larder, larder_alloc(larder, 100000));
    larder_free(larder, larder_aligned(larder, MIB, 10));
    larder_free(larder, larder_cache_alloc(cache, 0));
    larder_free(larder, larder_frames_alloc(larder, 0, 0));
    larder_free(larder, larder_frames_alloc(larder, 5, 0));
    larder_free(larder, larder_frames_alloc(larder, 9, 0));
    larder_free(larder, larder_frames_alloc_exact(larder, 77, 0));
    larder_free(larder, larder_frames_alloc_contiguous(larder, 7, FRAME, UINT64_MAX, 0));
    larder_free(larder, NULL);
    sim_validate(sim);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void sizes_given_back(void **state) {
    (void)state;
    larder_free_sized(larder, larder_alloc(larder, 100), 100);
    larder_free_sized(larder, larder_alloc(larder, 100), 112);
    larder_free_sized(larder, larder_alloc(larder, 100000), 100000);
    larder_free_sized(larder, NULL, 5);
    void *at = larder_alloc(larder, 100);
    sim_expect_fatal(LARDER_FATAL_WRONG_ORDER, larder_free_sized(larder, at, 113));
    sim_expect_fatal(LARDER_FATAL_WRONG_ORDER, larder_free_sized(larder, at, 96));
    sim_expect_fatal(LARDER_FATAL_WRONG_ORDER, larder_free_sized(larder, at, 0));
    sim_expect_fatal(LARDER_FATAL_WRONG_ORDER, larder_free_sized(larder, at, SIZE_MAX));
    larder_free(larder, at);
}

static void size_of_knows_starts_only(void **state) {
    (void)state;
    unsigned char *object = larder_alloc(larder, 100), *run = larder_alloc(larder, 100000);
    assert_int_equal(larder_size_of(larder, object), 112);
    assert_int_equal(larder_size_of(larder, object + 1), 0);
    assert_int_equal(larder_size_of(larder, object + 16), 0);
    assert_int_equal(larder_size_of(larder, run), 25 * FRAME);
    assert_int_equal(larder_size_of(larder, run + FRAME), 0);
    assert_int_equal(larder_size_of(larder, run + 8), 0);
    assert_int_equal(larder_size_of(larder, NULL), 0);
    assert_int_equal(larder_size_of(larder, &object), 0);
    larder_free(larder, object);
    larder_free(larder, run);
    assert_int_equal(larder_size_of(larder, run), 0);
}

static void ownership_is_the_span(void **state) {
    (void)state;
    void *at = larder_alloc(larder, 1);
    assert_true(larder_owns(larder, at));
    assert_false(larder_owns(larder, &at));
    assert_false(larder_owns(larder, NULL));
    assert_false(larder_owns(larder, (void *)UINTPTR_MAX));
    assert_true(larder_owns(larder, sim_pointer(sim, GIB + 64 * MIB - 1)));
    assert_false(larder_owns(larder, sim_pointer(sim, GIB + 64 * MIB)));
    larder_free(larder, at);
}

static void two_instances_do_not_mix(void **state) {
    (void)state;
    struct sim *other = sim_start(NULL);
    void *mine = larder_alloc(larder, 64), *theirs = larder_alloc(other->larder, 64);
    assert_false(larder_owns(larder, theirs));
    assert_false(larder_owns(other->larder, mine));
    sim_expect_fatal(LARDER_FATAL_FOREIGN_FREE, larder_free(larder, theirs));
    larder_free(larder, mine);
    larder_free(other->larder, theirs);
    sim_validate(other);
    sim_validate(sim);
    sim_stop(other);
}

/* A heap in a caller's region: an instance whose memory is a run of another one. */
static void a_heap_inside_a_region(void **state) {
    (void)state;
    static struct larder_storage storage;
    static struct larder_ranges ranges;
    void *region = larder_frames_alloc_exact(larder, 2048, 0);
    larder_ranges_init(&ranges);
    larder_ranges_add(&ranges, (uintptr_t)region, 2048 * FRAME, LARDER_RANGE_USABLE);
    struct larder_config config = {.ranges = &ranges, .slot_count = 1};
    struct larder *inner = larder_init(&storage, &config, NULL);
    assert_non_null(inner);
    void *at = larder_alloc(inner, 1000);
    assert_true((char *)at >= (char *)region && (char *)at < (char *)region + 2048 * FRAME);
    larder_free(inner, at);
    assert_true(larder_validate(inner, &(struct larder_fatal){0}));
    larder_fini(inner);
    larder_free(larder, region);
}

static void exhaustion_loses_nothing(void **state) {
    (void)state;
    void **list = NULL;
    unsigned count = 0;
    struct random random = {harness_seed()};
    for (unsigned failures = 0; failures < 300;) {
        size_t bytes = 8 + random_below(&random, random_below(&random, 10) ? 500 : 90000);
        void **at = larder_alloc(larder, bytes);
        if (at) {
            *at = list;
            list = at;
            count++;
        } else {
            failures++;
        }
    }
    sim_validate(sim);
    assert_true(count > 1000);
    while (list) {
        void **next = *list;
        larder_free(larder, list);
        list = next;
    }
}

static void slots_share_memory_freed_elsewhere(void **state) {
    (void)state;
    void *at[64];
    for (unsigned round = 0; round < 2000; round++) {
        sim_be(0);
        for (unsigned i = 0; i < 64; i++) {
            at[i] = larder_alloc(larder, 1000);
            assert_non_null(at[i]);
        }
        sim_be(1);
        for (unsigned i = 0; i < 64; i++) {
            larder_free(larder, at[i]);
        }
    }
    sim_be(0);
    /* 125 MiB went through; only what lies in magazines and depot is left. */
    assert_true(idle - frames_idle(sim) < 4 * MIB / FRAME);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(every_small_size_is_enough_and_aligned),
        T(powers_of_two_are_aligned_to_themselves),
        T(good_sizes),
        T(impossible_sizes_are_null),
        T(unknown_flags_are_null),
        T(zeroed_is_zero),
        T(a_zone_serves_any_size),
        T(panic_is_fatal),
        T(alignments),
        T(an_aligned_run_fits_into_a_hole),
        T(a_run_may_lie_in_two_gibibytes),
        T(realloc_keeps_contents),
        T(growth_by_eight_bytes_is_not_quadratic),
        T(a_failed_realloc_leaves_all_as_it_was),
        T(try_resize_never_moves),
        T(one_free_for_everything),
        T(sizes_given_back),
        T(size_of_knows_starts_only),
        T(ownership_is_the_span),
        T(two_instances_do_not_mix),
        T(a_heap_inside_a_region),
        T(exhaustion_loses_nothing),
        T(slots_share_memory_freed_elsewhere),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
