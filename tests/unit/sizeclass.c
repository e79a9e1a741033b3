/* Every size up to the largest class: enough, tight, monotone, aligned. */
#include "harness.h"

#include "sizeclass.h"

static void every_size_has_the_smallest_class_that_holds_it(void **state) {
    (void)state;
    for (size_t size = 1; size <= LARDER_CLASS_MAX_BYTES; size++) {
        unsigned class = sizeclass_of(size);
        assert_true(class < CLASS_COUNT);
        assert_true(sizeclass_bytes(class) >= size);
        assert_true(class == 0 || sizeclass_bytes(class - 1) < size);
    }
}

static void classes_ascend_and_end_at_the_maximum(void **state) {
    (void)state;
    for (unsigned class = 1; class < CLASS_COUNT; class ++) {
        assert_true(sizeclass_bytes(class) > sizeclass_bytes(class - 1));
    }
    assert_int_equal(sizeclass_bytes(0), 16);
    assert_int_equal(sizeclass_bytes(CLASS_COUNT - 1), LARDER_CLASS_MAX_BYTES);
}

static void classes_are_at_most_an_eighth_apart(void **state) {
    (void)state;
    for (unsigned class = 0; class + 1 < CLASS_COUNT; class ++) {
        size_t here = sizeclass_bytes(class), next = sizeclass_bytes(class + 1);
        assert_true(here < 128 ? next - here == 16 : (next - here) * 8 <= here);
    }
}

static void classes_are_multiples_of_sixteen_and_hold_all_powers(void **state) {
    (void)state;
    for (unsigned class = 0; class < CLASS_COUNT; class ++) {
        assert_int_equal(sizeclass_bytes(class) % 16, 0);
    }
    for (size_t power = 16; power <= LARDER_CLASS_MAX_BYTES; power *= 2) {
        assert_int_equal(sizeclass_bytes(sizeclass_of(power)), power);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_the_smallest_class_that_holds_it),
        cmocka_unit_test(classes_ascend_and_end_at_the_maximum),
        cmocka_unit_test(classes_are_at_most_an_eighth_apart),
        cmocka_unit_test(classes_are_multiples_of_sixteen_and_hold_all_powers),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
