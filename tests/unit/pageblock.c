/* One page block against a naive array of frames: every order, every place, random histories. */
#include "harness.h"

#include "pageblock.h"

static struct pageblock block;
static bool is_free[PAGEBLOCK_FRAMES]; /* the reference */

static int setup(void **state) {
    (void)state;
    memset(&block, 0, sizeof block);
    memset(is_free, 0, sizeof is_free);
    return 0;
}

static void give(unsigned first, unsigned count) {
    pageblock_give_range(&block, first, count);
    memset(is_free + first, true, count);
}

static void take(unsigned first, unsigned count) {
    pageblock_take_range(&block, first, count);
    memset(is_free + first, false, count);
}

static bool all_free(unsigned first, unsigned count) {
    return memchr(is_free + first, false, count) == NULL;
}

static bool none_free(unsigned first, unsigned count) {
    return memchr(is_free + first, true, count) == NULL;
}

static unsigned reference_largest(void) {
    for (unsigned order = PAGEBLOCK_ORDER; order > 0; order--) {
        for (unsigned first = 0; first < PAGEBLOCK_FRAMES; first += 1u << order) {
            if (all_free(first, 1u << order)) {
                return order;
            }
        }
    }
    return 0;
}

static unsigned reference_count(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < PAGEBLOCK_FRAMES; i++) {
        count += is_free[i];
    }
    return count;
}

static void expect_same(void) {
    assert_int_equal(block.count_free, reference_count());
    for (unsigned i = 0; i < PAGEBLOCK_FRAMES; i++) {
        assert_int_equal(block.free_bits[i / 64] >> (i % 64) & 1, is_free[i]);
    }
    if (block.count_free > 0) {
        assert_int_equal(pageblock_largest(&block), reference_largest());
    }
}

static void the_largest_run_of_each_single_block(void **state) {
    for (unsigned order = 0; order <= PAGEBLOCK_ORDER; order++) {
        for (unsigned first = 0; first < PAGEBLOCK_FRAMES; first += 1u << order) {
            setup(state);
            give(first, 1u << order);
            expect_same();
            assert_int_equal(pageblock_largest(&block), order);
        }
    }
}

static void an_unaligned_run_does_not_count_as_larger(void **state) {
    for (unsigned first = 0; first < PAGEBLOCK_FRAMES; first += 7) {
        for (unsigned count = 1; first + count <= PAGEBLOCK_FRAMES; count += 13) {
            setup(state);
            give(first, count);
            expect_same();
        }
    }
}

static void take_gives_the_lowest_that_fits(void **state) {
    for (unsigned order = 0; order <= PAGEBLOCK_ORDER; order++) {
        setup(state);
        give(0, PAGEBLOCK_FRAMES);
        for (unsigned first = 0; first < PAGEBLOCK_FRAMES; first += 1u << order) {
            assert_int_equal(pageblock_take(&block, order), first);
            memset(is_free + first, false, 1u << order);
            expect_same();
        }
        assert_int_equal(block.count_free, 0);
    }
}

static void take_finds_the_only_place(void **state) {
    for (unsigned order = 0; order <= PAGEBLOCK_ORDER; order++) {
        for (unsigned first = 0; first < PAGEBLOCK_FRAMES; first += 1u << order) {
            setup(state);
            give(first, 1u << order);
            assert_int_equal(pageblock_take(&block, order), first);
            assert_int_equal(block.count_free, 0);
        }
    }
}

static void single_frames_come_in_address_order(void **state) {
    (void)state;
    uint16_t out[PAGEBLOCK_FRAMES];
    give(60, 10);
    give(200, 3);
    assert_int_equal(pageblock_take_frames(&block, 4, out), 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(out[i], 60 + i);
    }
    assert_int_equal(pageblock_take_frames(&block, 100, out), 9);
    assert_int_equal(out[0], 64);
    assert_int_equal(out[6], 200);
    assert_int_equal(block.count_free, 0);
    assert_int_equal(pageblock_take_frames(&block, 1, out), 0);
}

static void the_run_around_a_frame(void **state) {
    (void)state;
    give(0, PAGEBLOCK_FRAMES);
    for (unsigned i = 0; i < PAGEBLOCK_FRAMES; i += 37) {
        assert_int_equal(pageblock_run_order(&block, i), PAGEBLOCK_ORDER);
    }
    take(0, 1);
    for (unsigned i = 1; i < PAGEBLOCK_FRAMES; i++) {
        unsigned order = 0;
        while ((i >> (order + 1)) > 0) {
            order++;
        }
        assert_int_equal(pageblock_run_order(&block, i), order);
        for (unsigned known = 0; known <= PAGEBLOCK_ORDER; known++) {
            unsigned larger = known > order ? known : order;
            assert_int_equal(pageblock_widened(&block, i, known), larger);
        }
    }
}

static void random_histories(void **state) {
    struct random random = {harness_seed()};
    uint16_t out[PAGEBLOCK_FRAMES];
    setup(state);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned first = (unsigned)random_below(&random, PAGEBLOCK_FRAMES);
        unsigned limit = random_below(&random, 4) ? 9 : PAGEBLOCK_FRAMES;
        unsigned count = 1 + (unsigned)random_below(&random, limit);
        count = count > PAGEBLOCK_FRAMES - first ? PAGEBLOCK_FRAMES - first : count;
        assert_int_equal(pageblock_is_free(&block, first, count), all_free(first, count));
        assert_int_equal(pageblock_is_taken(&block, first, count), none_free(first, count));
        if (none_free(first, count)) {
            give(first, count);
        } else if (all_free(first, count)) {
            take(first, count);
        } else if (random_below(&random, 2)) {
            unsigned order = (unsigned)random_below(&random, pageblock_largest(&block) + 1);
            unsigned at = pageblock_take(&block, order);
            assert_true(at % (1u << order) == 0 && all_free(at, 1u << order));
            memset(is_free + at, false, 1u << order);
        } else {
            unsigned got = pageblock_take_frames(&block, count, out);
            assert_int_equal(got, count < reference_count() ? count : reference_count());
            for (unsigned i = 0; i < got; i++) {
                assert_true(is_free[out[i]]);
                is_free[out[i]] = false;
            }
        }
        expect_same();
    }
}

#if LARDER_ASSERTIONS
static void giving_twice_and_taking_twice_are_assertions(void **state) {
    (void)state;
    give(10, 5);
    sim_expect_fatal(LARDER_FATAL_ASSERTION, pageblock_give_range(&block, 14, 2));
    sim_expect_fatal(LARDER_FATAL_ASSERTION, pageblock_take_range(&block, 14, 2));
    expect_same();
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_largest_run_of_each_single_block, setup),
        cmocka_unit_test_setup(an_unaligned_run_does_not_count_as_larger, setup),
        cmocka_unit_test_setup(take_gives_the_lowest_that_fits, setup),
        cmocka_unit_test_setup(take_finds_the_only_place, setup),
        cmocka_unit_test_setup(single_frames_come_in_address_order, setup),
        cmocka_unit_test_setup(the_run_around_a_frame, setup),
        cmocka_unit_test_setup(random_histories, setup),
#if LARDER_ASSERTIONS
        cmocka_unit_test_setup(giving_twice_and_taking_twice_are_assertions, setup),
#endif
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
