/* Frames by place rather than by size: contiguous ranges, resizing where they stand, RAM that comes
 * and goes. */
#include "frames_fixture.h"

static void contiguous_goes_beyond_the_largest_order(void **state) {
    (void)state;
    const struct larder_range range = {GIB, 5 * GIB, LARDER_RANGE_USABLE};
    restart(&(struct sim_config){.range = &range, .range_count = 1});
    uint64_t count = 3 * ((uint64_t)1 << LARDER_ORDER_MAX) + 17;
    unsigned char *run = larder_frames_alloc_contiguous(sim->larder, count, FRAME, UINT64_MAX, 0);
    assert_non_null(run);
    assert_int_equal(larder_frames_count(sim->larder, run), count);
    run[count * FRAME - 1] = 1;
    sim_validate(sim);
    sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE,
                     larder_frames_free(sim->larder, run + (count - 1) * FRAME));
    larder_frames_free(sim->larder, run);
}

static void contiguous_keeps_alignment_and_limit(void **state) {
    (void)state;
    void *low = larder_frames_alloc_contiguous(sim->larder, 3, FRAME, GIB + 16 * MIB, 0);
    assert_in_range(address_of(low), GIB, GIB + 16 * MIB - 3 * FRAME);
    void *aligned = larder_frames_alloc_contiguous(sim->larder, 5, 8 * MIB, UINT64_MAX, 0);
    assert_int_equal(address_of(aligned) % (8 * MIB), 0);
    larder_frames_free(sim->larder, low);
    larder_frames_free(sim->larder, aligned);
}

/* What lies there is just large enough: a search that steps over its start finds nothing. */
static void contiguous_looks_behind_a_hole(void **state) {
    const uint64_t behind[] = {4 * GIB, 1024 * GIB};
    (void)state;
    for (unsigned i = 0; i < COUNT(behind); i++) {
        const struct larder_range range[] = {{GIB, 5 * MIB, LARDER_RANGE_USABLE},
                                             {behind[i], 512 * FRAME, LARDER_RANGE_USABLE}};
        restart(&(struct sim_config){.range = range, .range_count = COUNT(range)});
        void *before = larder_frames_alloc_contiguous(sim->larder, 1024, FRAME, UINT64_MAX, 0);
        void *run = larder_frames_alloc_contiguous(sim->larder, 500, FRAME, UINT64_MAX, 0);
        assert_int_equal(address_of(run), behind[i]);
        larder_frames_free(sim->larder, before);
        larder_frames_free(sim->larder, run);
    }
}

/* 4 frames that begin at an odd one are no block of order 2: they must not end in its bin. */
static void a_contiguous_range_is_no_block(void **state) {
    (void)state;
    for (uint64_t count = 1; count <= 512; count *= 2) {
        void *odd = larder_frames_alloc_contiguous(sim->larder, 1, 4 * MIB, UINT64_MAX, 0);
        char *range = larder_frames_alloc_contiguous(sim->larder, count, FRAME, UINT64_MAX, 0);
        assert_non_null(range);
        assert_int_equal(larder_frames_count(sim->larder, range), count);
        larder_frames_free(sim->larder, range);
        sim_validate(sim);
        unsigned order = 0;
        while ((uint64_t)1 << order < count) {
            order++;
        }
        void *blocks[100];
        size_t got = larder_frames_alloc_bulk(sim->larder, order, 100 >> order / 3, blocks, 0);
        for (size_t i = 0; i < got; i++) {
            assert_int_equal(address_of(blocks[i]) % (FRAME << order), 0);
        }
        larder_frames_free_bulk(sim->larder, got, blocks);
        larder_frames_free(sim->larder, odd);
        larder_reclaim(sim->larder);
        sim_validate(sim);
        assert_int_equal(frames_idle(sim), idle);
    }
}

static void contiguous_refuses_what_cannot_be(void **state) {
    (void)state;
    const struct {
        uint64_t count, align, limit;
    } bad[] = {
        {0, FRAME, UINT64_MAX},
        {1, 0, UINT64_MAX},
        {1, 3 * FRAME, UINT64_MAX},
        {1, FRAME, 0},
        {1, FRAME, GIB},
        {1, FRAME, GIB + FRAME - 1},
        {idle + 1, FRAME, UINT64_MAX},
        {UINT64_MAX, FRAME, UINT64_MAX},
        {1, 4 * GIB, UINT64_MAX},
        {1, (uint64_t)1 << 63, UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(larder_frames_alloc_contiguous(sim->larder, bad[i].count, bad[i].align,
                                                   bad[i].limit, 0));
    }
    void *tiny = larder_frames_alloc_contiguous(sim->larder, 1, 1, UINT64_MAX, 0);
    assert_non_null(tiny);
    larder_frames_free(sim->larder, tiny);
}

static void contiguous_stops_at_the_watermark(void **state) {
    (void)state;
    restart(&(struct sim_config){.reserve_frames = 1000});
    uint64_t most = free_frames() - 1000;
    void *most_of_it =
        larder_frames_alloc_contiguous(sim->larder, most - 600, FRAME, UINT64_MAX, 0);
    assert_non_null(most_of_it);
    assert_null(larder_frames_alloc_contiguous(sim->larder, 700, FRAME, UINT64_MAX, 0));
    void *urgent =
        larder_frames_alloc_contiguous(sim->larder, 700, FRAME, UINT64_MAX, LARDER_USE_RESERVE);
    assert_non_null(urgent);
    larder_frames_free(sim->larder, urgent);
    larder_frames_free(sim->larder, most_of_it);
}

static void resize_shrinks_and_grows_in_place(void **state) {
    (void)state;
    unsigned char *run = larder_frames_alloc_exact(sim->larder, 10, 0);
    run[0] = 42;
    assert_int_equal(larder_frames_resize(sim->larder, run, 3), LARDER_OK);
    assert_int_equal(larder_frames_count(sim->larder, run), 3);
    sim_validate(sim);
    larder_reclaim(sim->larder);
    assert_int_equal(larder_frames_resize(sim->larder, run, 600), LARDER_OK);
    assert_int_equal(larder_frames_count(sim->larder, run), 600);
    run[600 * FRAME - 1] = 1;
    assert_int_equal(run[0], 42);
    sim_validate(sim);
    assert_int_equal(larder_frames_resize(sim->larder, run, 600), LARDER_OK);
    assert_int_equal(larder_frames_resize(sim->larder, run, 1), LARDER_OK);
    larder_frames_free(sim->larder, run);
}

static void resize_says_why_not(void **state) {
    (void)state;
    unsigned char *run = larder_frames_alloc_exact(sim->larder, 512, 0);
    unsigned char *other = larder_frames_alloc_exact(sim->larder, 512, 0);
    unsigned char *first = run < other ? run : other;
    assert_int_equal(larder_frames_resize(sim->larder, run, 0), LARDER_BAD_SIZE);
    assert_int_equal(larder_frames_resize(sim->larder, run + FRAME, 1), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_resize(sim->larder, NULL, 1), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_resize(sim->larder, &idle, 1), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_resize(sim->larder, first, idle + 1), LARDER_BUSY);
    assert_int_equal(larder_frames_resize(sim->larder, first, UINT64_MAX), LARDER_BUSY);
    assert_int_equal(larder_frames_count(sim->larder, first), 512);
    if (first + 512 * FRAME == (run < other ? other : run)) {
        assert_int_equal(larder_frames_resize(sim->larder, first, 513), LARDER_BUSY);
    }
    larder_frames_free(sim->larder, run);
    larder_frames_free(sim->larder, other);
}

static void start_up_memory_is_donated_once(void **state) {
    (void)state;
    const struct larder_range range[] = {{GIB, 64 * MIB, LARDER_RANGE_USABLE},
                                         {GIB + 8 * MIB, MIB + 100, LARDER_RANGE_DONATED},
                                         {GIB + 12 * MIB, MIB, LARDER_RANGE_RESERVED}};
    restart(&(struct sim_config){.range = range, .range_count = 3});
    struct larder_what what;
    larder_whatis(sim->larder, sim_pointer(sim, GIB + 8 * MIB), &what);
    assert_int_equal(what.kind, LARDER_WHAT_RESERVED);
    assert_int_equal(larder_frames_donate(sim->larder, GIB + 8 * MIB, MIB + 100), LARDER_OK);
    idle += 256;
    sim_validate(sim);
    assert_int_equal(frames_idle(sim), idle);
    assert_int_equal(larder_frames_donate(sim->larder, GIB + 8 * MIB, MIB), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_donate(sim->larder, GIB + 12 * MIB, 2 * MIB), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_donate(sim->larder, GIB, 0), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_donate(sim->larder, GIB + 12 * MIB + 1, FRAME),
                     LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_donate(sim->larder, UINT64_MAX, 2), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_donate(sim->larder, 0, UINT64_MAX), LARDER_BAD_RANGE);
    sim_validate(sim);
    assert_int_equal(frames_idle(sim), idle);
}

static void frames_can_be_reserved_and_given_back(void **state) {
    (void)state;
    uint64_t at = GIB + 40 * MIB;
    assert_int_equal(larder_frames_reserve(sim->larder, at + 5, 3 * FRAME), LARDER_OK);
    assert_int_equal(frames_idle(sim), idle - 4);
    sim_validate(sim);
    assert_int_equal(larder_frames_reserve(sim->larder, at, FRAME), LARDER_BAD_RANGE);
    sim_expect_fatal(LARDER_FATAL_RESERVED_FREE,
                     larder_frames_free(sim->larder, sim_pointer(sim, at)));
    assert_int_equal(larder_frames_donate(sim->larder, at, 4 * FRAME), LARDER_OK);
    assert_int_equal(frames_idle(sim), idle);
}

static void reserving_refuses_what_is_used_or_is_no_ram(void **state) {
    (void)state;
    void *block = larder_frames_alloc(sim->larder, 5, 0);
    uint64_t at = address_of(block);
    uint64_t before = frames_idle(sim);
    assert_int_equal(larder_frames_reserve(sim->larder, at, FRAME), LARDER_BUSY);
    assert_int_equal(larder_frames_reserve(sim->larder, at + 31 * FRAME, 40 * FRAME), LARDER_BUSY);
    assert_int_equal(larder_frames_reserve(sim->larder, GIB - FRAME, FRAME), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_reserve(sim->larder, GIB + 64 * MIB - FRAME, FRAME + 1),
                     LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_reserve(sim->larder, GIB + 4 * MIB, 0), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_reserve(sim->larder, GIB + 4 * MIB + 1, 0), LARDER_BAD_RANGE);
    assert_int_equal(larder_frames_reserve(sim->larder, UINT64_MAX - 5, 10), LARDER_BAD_RANGE);
    assert_int_equal(frames_idle(sim), before);
    larder_frames_free(sim->larder, block);
}

static const struct larder_zone_config three_zones[] = {
    {"low", GIB + 16 * MIB}, {"middle", GIB + 32 * MIB}, {"high", UINT64_MAX}};

static void a_reservation_across_zones(void **state) {
    (void)state;
    restart(&(struct sim_config){.zone = three_zones, .zone_count = 3});
    uint64_t border = GIB + 16 * MIB;
    assert_int_equal(larder_frames_reserve(sim->larder, border - 2 * FRAME, 5 * FRAME), LARDER_OK);
    assert_int_equal(frames_idle(sim), idle - 5);
    sim_validate(sim);
    assert_int_equal(larder_frames_donate(sim->larder, border - 2 * FRAME, 5 * FRAME), LARDER_OK);
    assert_int_equal(frames_idle(sim), idle);
}

static void busy_in_the_second_zone_undoes_the_first(void **state) {
    (void)state;
    restart(&(struct sim_config){.zone = three_zones, .zone_count = 3});
    uint64_t border = GIB + 16 * MIB;
    void *block = larder_frames_alloc_contiguous(sim->larder, 1, FRAME, UINT64_MAX, LARDER_ZONE(1));
    assert_int_equal(address_of(block), border);
    uint64_t before = frames_idle(sim);
    assert_int_equal(larder_frames_reserve(sim->larder, border - 7 * FRAME, 9 * FRAME),
                     LARDER_BUSY);
    sim_validate(sim);
    assert_int_equal(frames_idle(sim), before);
    larder_frames_free(sim->larder, block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(contiguous_goes_beyond_the_largest_order),
        T(contiguous_looks_behind_a_hole),
        T(contiguous_keeps_alignment_and_limit),
        T(a_contiguous_range_is_no_block),
        T(contiguous_refuses_what_cannot_be),
        T(contiguous_stops_at_the_watermark),
        T(resize_shrinks_and_grows_in_place),
        T(resize_says_why_not),
        T(start_up_memory_is_donated_once),
        T(frames_can_be_reserved_and_given_back),
        T(reserving_refuses_what_is_used_or_is_no_ram),
        T(a_reservation_across_zones),
        T(busy_in_the_second_zone_undoes_the_first),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
