/* The public page frame service, one promise at a time; the whole instance is validated around each
 * test. */
#include "frames_fixture.h"

static void every_order_is_aligned_and_writable(void **state) {
    (void)state;
    for (unsigned order = 0; order <= 12; order++) {
        unsigned char *block = larder_frames_alloc(sim->larder, order, 0);
        uint64_t bytes = FRAME << order;
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % bytes, 0);
        assert_int_equal(address_of(block) % bytes, 0);
        block[0] = block[bytes - 1] = 1;
        assert_int_equal(larder_frames_count(sim->larder, block), (uint64_t)1 << order);
        assert_int_equal(larder_frames_count(sim->larder, block + 1), 0);
        if (order > 0) {
            assert_int_equal(larder_frames_count(sim->larder, block + FRAME), 0);
        }
        sim_validate(sim);
        larder_frames_free_order(sim->larder, block, order);
        sim_validate(sim);
    }
}

static void the_largest_order_and_one_more(void **state) {
    (void)state;
    const struct larder_range range = {GIB, 2 * GIB, LARDER_RANGE_USABLE};
    restart(&(struct sim_config){.range = &range, .range_count = 1});
    void *block = larder_frames_alloc(sim->larder, LARDER_ORDER_MAX, 0);
    assert_non_null(block);
    assert_int_equal(address_of(block) % (FRAME << LARDER_ORDER_MAX), 0);
    assert_null(larder_frames_alloc(sim->larder, LARDER_ORDER_MAX + 1, 0));
    assert_null(larder_frames_alloc(sim->larder, UINT_MAX, 0));
    larder_frames_free(sim->larder, block);
}

static void unknown_flags_are_refused(void **state) {
    (void)state;
    void *out[2];
    for (unsigned bit = 0; bit < 32; bit++) {
        larder_flags flag = (larder_flags)1 << bit;
        if (flag & LARDER_FLAGS_ALL) {
            continue;
        }
        assert_null(larder_frames_alloc(sim->larder, 0, flag));
        assert_null(larder_frames_alloc_exact(sim->larder, 1, flag));
        assert_null(larder_frames_alloc_contiguous(sim->larder, 1, FRAME, UINT64_MAX, flag));
        assert_int_equal(larder_frames_alloc_bulk(sim->larder, 0, 2, out, flag), 0);
    }
}

static void exhaustion_is_null_and_everything_returns(void **state) {
    (void)state;
    uint64_t count = 0, limit = idle + 1;
    void **blocks = malloc(limit * sizeof *blocks);
    while ((blocks[count] = larder_frames_alloc(sim->larder, 0, 0)) != NULL) {
        assert_true(++count < limit);
    }
    assert_int_equal(count, idle);
    sim_validate(sim);
    assert_int_equal(frames_idle(sim), 0);
    assert_null(larder_frames_alloc(sim->larder, 3, 0));
    assert_null(larder_frames_alloc_exact(sim->larder, 1, 0));
    while (count > 0) {
        larder_frames_free(sim->larder, blocks[--count]);
    }
    free(blocks);
}

static void panic_makes_exhaustion_fatal(void **state) {
    (void)state;
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY,
                     larder_frames_alloc(sim->larder, LARDER_ORDER_MAX, LARDER_PANIC));
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY,
                     larder_frames_alloc_exact(sim->larder, idle + 1, LARDER_PANIC));
    sim_expect_fatal(
        LARDER_FATAL_NO_MEMORY,
        larder_frames_alloc_contiguous(sim->larder, idle + 1, FRAME, UINT64_MAX, LARDER_PANIC));
    assert_string_equal(sim_fatal_last.owner, "frames");
    sim_validate(sim);
}

static void zeroed_means_all_of_it(void **state) {
    (void)state;
    restart(&(struct sim_config){.dirty = true});
    for (unsigned order = 0; order <= 10; order++) {
        for (int again = 0; again < 2; again++) {
            unsigned char *block = larder_frames_alloc(sim->larder, order, LARDER_ZERO);
            for (uint64_t i = 0; i < FRAME << order; i++) {
                assert_int_equal(block[i], 0);
            }
            memset(block, 0x77, FRAME << order);
            larder_frames_free(sim->larder, block);
        }
    }
    unsigned char *run = larder_frames_alloc_exact(sim->larder, 7, LARDER_ZERO);
    for (uint64_t i = 0; i < 7 * FRAME; i++) {
        assert_int_equal(run[i], 0);
    }
    larder_frames_free(sim->larder, run);
}

static void exact_counts_waste_nothing(void **state) {
    (void)state;
    const uint64_t counts[] = {1, 2, 3, 5, 7, 8, 9, 100, 511, 512, 513, 1000, 4095, 8191};
    for (size_t i = 0; i < COUNT(counts); i++) {
        larder_reclaim(sim->larder);
        uint64_t before = free_frames();
        unsigned char *run = larder_frames_alloc_exact(sim->larder, counts[i], 0);
        assert_non_null(run);
        assert_int_equal(before - free_frames(), counts[i]);
        assert_int_equal(larder_frames_count(sim->larder, run), counts[i]);
        run[counts[i] * FRAME - 1] = 1;
        sim_validate(sim);
        larder_frames_free(sim->larder, run);
    }
    assert_null(larder_frames_alloc_exact(sim->larder, 0, 0));
    assert_null(larder_frames_alloc_exact(sim->larder, ((uint64_t)1 << LARDER_ORDER_MAX) + 1, 0));
    assert_null(larder_frames_alloc_exact(sim->larder, UINT64_MAX, 0));
}

static void an_exact_run_does_not_lower_the_mark_by_its_tail(void **state) {
    (void)state;
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    uint64_t min_before = stats.free_min, free_before = stats.free;
    void *run = larder_frames_alloc_exact(sim->larder, 4097, 0);
    larder_frames_stats(sim->larder, &stats);
    uint64_t want = free_before - 4097 < min_before ? free_before - 4097 : min_before;
    assert_int_equal(stats.free_min, want);
    larder_frames_free(sim->larder, run);
}

static void the_reserve_is_for_those_who_ask(void **state) {
    (void)state;
    restart(&(struct sim_config){.reserve_frames = 64});
    void **blocks = malloc((idle + 1) * sizeof *blocks);
    uint64_t count = 0;
    while ((blocks[count] = larder_frames_alloc(sim->larder, 0, 0)) != NULL) {
        count++;
    }
    assert_int_equal(idle - count, 64);
    while ((blocks[count] = larder_frames_alloc(sim->larder, 0, LARDER_USE_RESERVE)) != NULL) {
        count++;
    }
    assert_int_equal(count, idle);
    sim_validate(sim);
    larder_frames_free_bulk(sim->larder, count, blocks);
    free(blocks);
}

static void bulk_takes_many_and_says_how_many(void **state) {
    (void)state;
    void **out = malloc((idle + 8) * sizeof *out);
    for (unsigned order = 0; order < 6; order++) {
        uint64_t most = idle >> order;
        assert_int_equal(larder_frames_alloc_bulk(sim->larder, order, 0, out, 0), 0);
        assert_int_equal(larder_frames_alloc_bulk(sim->larder, order, 100, out, 0), 100);
        larder_frames_free_bulk(sim->larder, 100, out);
        size_t got = larder_frames_alloc_bulk(sim->larder, order, most + 8, out, 0);
        assert_true(got <= most && got + 64 >= most);
        sim_validate(sim);
        larder_frames_free_bulk(sim->larder, got, out);
    }
    assert_int_equal(larder_frames_alloc_bulk(sim->larder, LARDER_ORDER_MAX + 1, 1, out, 0), 0);
    free(out);
}

static void bulk_with_panic_is_fatal_when_short(void **state) {
    (void)state;
    void **out = malloc((idle + 8) * sizeof *out);
    larder_frames_free_bulk(sim->larder, 0, out);
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY,
                     larder_frames_alloc_bulk(sim->larder, 9, idle, out, LARDER_PANIC));
    /* What was taken before stays taken: give it back by looking it up. */
    struct larder_what what;
    for (uint64_t at = GIB; at < GIB + 64 * MIB; at += 2 * MIB) {
        larder_whatis(sim->larder, sim_pointer(sim, at), &what);
        if (what.kind == LARDER_WHAT_RUN && what.size_bytes == 2 * MIB) {
            larder_frames_free(sim->larder, sim_pointer(sim, at));
        }
    }
    free(out);
}

static void null_is_freed_by_doing_nothing(void **state) {
    (void)state;
    larder_frames_free(sim->larder, NULL);
    larder_frames_free_order(sim->larder, NULL, 3);
    larder_frames_free_bulk(sim->larder, 3, (void *[]){NULL, NULL, NULL});
    assert_int_equal(larder_frames_count(sim->larder, NULL), 0);
}

static const struct larder_zone_config two_zones[] = {{"dma", GIB + 16 * MIB},
                                                      {"normal", UINT64_MAX}};

static void zones_bound_addresses_and_fall_back(void **state) {
    (void)state;
    restart(&(struct sim_config){.zone = two_zones, .zone_count = 2});
    void *anywhere = larder_frames_alloc(sim->larder, 9, 0);
    assert_true(address_of(anywhere) >= GIB + 16 * MIB);
    void *low = larder_frames_alloc(sim->larder, 9, LARDER_ZONE(0));
    assert_true(address_of(low) < GIB + 16 * MIB);
    void *high = larder_frames_alloc(sim->larder, 9, LARDER_ZONE(1));
    assert_true(address_of(high) >= GIB + 16 * MIB);
    void *blocks[64];
    size_t count = larder_frames_alloc_bulk(sim->larder, 9, 64, blocks, 0);
    assert_true(count > 24); /* more than the upper zone holds: the lower one helped */
    assert_null(larder_frames_alloc(sim->larder, 9, LARDER_ZONE(0)));
    larder_frames_free_bulk(sim->larder, count, blocks);
    larder_frames_free(sim->larder, anywhere);
    larder_frames_free(sim->larder, low);
    larder_frames_free(sim->larder, high);
}

static void a_low_request_never_leaves_its_zone(void **state) {
    (void)state;
    restart(&(struct sim_config){.zone = two_zones, .zone_count = 2});
    void **blocks = malloc((idle + 1) * sizeof *blocks);
    uint64_t count = 0;
    while ((blocks[count] = larder_frames_alloc(sim->larder, 0, LARDER_ZONE(0))) != NULL) {
        assert_true(address_of(blocks[count]) < GIB + 16 * MIB);
        count++;
    }
    assert_in_range(count, 3900, 4096);
    larder_frames_free_bulk(sim->larder, count, blocks);
    free(blocks);
}

static void pointers_and_addresses_agree(void **state) {
    (void)state;
    for (uint64_t at = GIB; at < GIB + 64 * MIB; at += 5 * MIB + 123) {
        assert_ptr_equal(larder_frames_pointer(sim->larder, at), sim_pointer(sim, at));
        assert_int_equal(larder_frames_address(sim->larder, sim_pointer(sim, at)), at);
    }
}

static void owners_are_known_while_tracked(void **state) {
    (void)state;
    void *before = larder_frames_alloc(sim->larder, 1, 0);
    larder_debug_track_frames(sim->larder, true);
    void *small = larder_frames_alloc(sim->larder, 0, 0);
    void *run = larder_frames_alloc_exact(sim->larder, 5, 0);
    void *contiguous = larder_frames_alloc_contiguous(sim->larder, 6, FRAME, UINT64_MAX, 0);
    assert_int_equal(larder_frames_owner(sim->larder, before), 0);
    assert_int_not_equal(larder_frames_owner(sim->larder, small), 0);
    assert_int_not_equal(larder_frames_owner(sim->larder, run), 0);
    assert_int_not_equal(larder_frames_owner(sim->larder, contiguous), 0);
    assert_int_not_equal(larder_frames_owner(sim->larder, small),
                         larder_frames_owner(sim->larder, run));
    assert_int_equal(larder_frames_owner(sim->larder, NULL), 0);
    larder_frames_free(sim->larder, before);
    larder_frames_free(sim->larder, run);
    larder_debug_track_frames(sim->larder, false);
    larder_frames_free(sim->larder, small);
    larder_frames_free(sim->larder, contiguous);
}

static void without_a_slot_everything_works(void **state) {
    (void)state;
    sim_be(5);
    void *blocks[5];
    for (unsigned order = 0; order < 5; order++) {
        blocks[order] = larder_frames_alloc(sim->larder, order, 0);
        assert_non_null(blocks[order]);
    }
    sim_validate(sim);
    for (unsigned order = 0; order < 5; order++) {
        larder_frames_free(sim->larder, blocks[order]);
    }
    sim_validate(sim);
    sim_be(0);
}

static void single_frames_fill_page_blocks_that_are_in_use(void **state) {
    (void)state;
    /* 90 % full, then half of it freed at random, then churn: whole page blocks stay whole. */
    uint64_t most = idle * 9 / 10;
    void **blocks = malloc(most * sizeof *blocks);
    struct random random = {7};
    assert_int_equal(larder_frames_alloc_bulk(sim->larder, 0, most, blocks, 0), most);
    for (uint64_t left = most; left > idle / 4;) {
        uint64_t i = random_below(&random, left);
        larder_frames_free(sim->larder, blocks[i]);
        blocks[i] = blocks[--left];
        most = left;
    }
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t which = random_below(&random, most);
        larder_frames_free(sim->larder, blocks[which]);
        blocks[which] = larder_frames_alloc(sim->larder, 0, 0);
        assert_non_null(blocks[which]);
    }
    larder_reclaim(sim->larder);
    struct larder_zone_stats stats;
    assert_true(larder_zone_stats(sim->larder, 0, &stats));
    uint64_t whole = 0;
    for (unsigned order = 9; order <= LARDER_ORDER_MAX; order++) {
        whole += stats.free_blocks[order] << (order - 9);
    }
    uint64_t ideal = stats.free / 512;
    assert_true(whole * 100 >= ideal * 90);
    larder_frames_free_bulk(sim->larder, most, blocks);
    free(blocks);
}

/* A slot's bin of page blocks holds no more than a 128th of the memory, and passes it on half a bin
 * at a time: so a slot that goes up and down by a few blocks does not ask the buddies. */
static void page_blocks_are_held_in_a_small_share(void **state) {
    (void)state;
    static const struct larder_range ram = {GIB, 2 * GIB, LARDER_RANGE_USABLE};
    restart(&(struct sim_config){.range = &ram, .range_count = 1});
    struct larder_frames_stats before, after;
    void *blocks[40];
    for (unsigned i = 0; i < 40; i++) {
        blocks[i] = larder_frames_alloc(sim->larder, 9, 0);
        assert_non_null(blocks[i]);
    }
    larder_frames_stats(sim->larder, &before);
    uint64_t share = before.usable / 128;
    for (unsigned i = 0; i < 40; i++) {
        larder_frames_free(sim->larder, blocks[i]);
        larder_frames_stats(sim->larder, &after);
        assert_true(after.in_bins <= share);
    }
    larder_reclaim(sim->larder);
    blocks[0] = larder_frames_alloc(sim->larder, 9, 0);
    larder_frames_stats(sim->larder, &before);
    assert_in_range(before.in_bins, 512, share / 2);
    larder_frames_free(sim->larder, blocks[0]);
    larder_frames_stats(sim->larder, &before);
    for (unsigned i = 0; i < 100; i++) {
        larder_frames_free(sim->larder, larder_frames_alloc(sim->larder, 9, 0));
    }
    larder_frames_stats(sim->larder, &after);
    assert_int_equal(after.free, before.free);
    assert_int_equal(after.in_bins, before.in_bins);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(every_order_is_aligned_and_writable),
        T(the_largest_order_and_one_more),
        T(unknown_flags_are_refused),
        T(exhaustion_is_null_and_everything_returns),
        T(panic_makes_exhaustion_fatal),
        T(zeroed_means_all_of_it),
        T(exact_counts_waste_nothing),
        T(an_exact_run_does_not_lower_the_mark_by_its_tail),
        T(the_reserve_is_for_those_who_ask),
        T(bulk_takes_many_and_says_how_many),
        T(bulk_with_panic_is_fatal_when_short),
        T(null_is_freed_by_doing_nothing),
        T(zones_bound_addresses_and_fall_back),
        T(a_low_request_never_leaves_its_zone),
        T(pointers_and_addresses_agree),
        T(owners_are_known_while_tracked),
        T(without_a_slot_everything_works),
        T(single_frames_fill_page_blocks_that_are_in_use),
        T(page_blocks_are_held_in_a_small_share),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
