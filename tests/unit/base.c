/* Arithmetic at its edges. */
#include "harness.h"

#include "base.h"

static void powers_of_two(void **state) {
    (void)state;
    assert_false(is_power_of_two(0));
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t power = (uint64_t)1 << bit;
        assert_true(is_power_of_two(power));
        assert_true(bit == 0 || !is_power_of_two(power | 1));
        assert_int_equal(lowest_bit(power), bit);
        assert_int_equal(highest_bit(power), bit);
        assert_int_equal(highest_bit(power | (power - 1)), bit);
    }
    assert_false(is_power_of_two(UINT64_MAX));
}

static void alignment(void **state) {
    (void)state;
    assert_int_equal(align_down(4097, 4096), 4096);
    assert_int_equal(align_down(4095, 4096), 0);
    assert_int_equal(align_up(0, 4096), 0);
    assert_int_equal(align_up(1, 4096), 4096);
    assert_int_equal(align_up(4096, 4096), 4096);
    assert_true(align_down(UINT64_MAX, 4096) == UINT64_MAX - 4095);
    assert_true(is_aligned(8192, 4096));
    assert_false(is_aligned(8193, 4096));
    assert_true(is_aligned(0, 4096));
}

static void checked_arithmetic_reports_the_wrap(void **state) {
    (void)state;
    uint64_t sum;
    size_t product;
    assert_true(checked_add(UINT64_MAX, 0, &sum) && sum == UINT64_MAX);
    assert_true(checked_add(UINT64_MAX - 1, 1, &sum) && sum == UINT64_MAX);
    assert_false(checked_add(UINT64_MAX, 1, &sum));
    assert_true(checked_mul_size(SIZE_MAX, 1, &product) && product == SIZE_MAX);
    assert_true(checked_mul_size(SIZE_MAX, 0, &product) && product == 0);
    assert_false(checked_mul_size(SIZE_MAX / 2 + 1, 2, &product));
    assert_true(checked_align_up(UINT64_MAX - 4095, 4096, &sum) && sum == UINT64_MAX - 4095);
    assert_false(checked_align_up(UINT64_MAX - 4094, 4096, &sum));
    assert_false(checked_align_up(UINT64_MAX, 2, &sum));
    assert_true(checked_align_up(0, 4096, &sum) && sum == 0);
}

static void orders(void **state) {
    (void)state;
    assert_int_equal(order_for(0), 0);
    assert_int_equal(order_for(1), 0);
    for (unsigned order = 1; order < 63; order++) {
        uint64_t frames = (uint64_t)1 << order;
        assert_int_equal(order_for(frames), order);
        assert_int_equal(order_for(frames + 1), order + 1);
        assert_int_equal(order_for(frames - 1), order == 1 ? 0 : order);
    }
}

static void runs_of_bits(void **state) {
    (void)state;
    for (unsigned first = 0; first < 64; first++) {
        for (unsigned count = 1; first + count <= 64; count++) {
            uint64_t run = bit_run(first, count);
            assert_int_equal(count_bits(run), count);
            assert_int_equal(lowest_bit(run), first);
            assert_int_equal(highest_bit(run), first + count - 1);
        }
    }
}

static void minimum_and_maximum(void **state) {
    (void)state;
    assert_int_equal(min_u64(1, 2), 1);
    assert_int_equal(min_u64(2, 1), 1);
    assert_true(max_u64(UINT64_MAX, 0) == UINT64_MAX);
    assert_true(max_u64(0, UINT64_MAX) == UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_of_two),
        cmocka_unit_test(alignment),
        cmocka_unit_test(checked_arithmetic_reports_the_wrap),
        cmocka_unit_test(orders),
        cmocka_unit_test(runs_of_bits),
        cmocka_unit_test(minimum_and_maximum),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
