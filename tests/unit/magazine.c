/* Bins and depots: objects come back last in, first out, magazines move whole, counts agree. */
#include "harness.h"

#include "magazine.h"

#define CAPACITY 4u

static struct magazine *loaded, *previous;
static const struct bin bin = {&loaded, &previous};
static struct depot depot;
static int objects[64];

static struct magazine *make(void) {
    return magazine_init(malloc(magazine_block_bytes(CAPACITY)), CAPACITY);
}

static size_t objects_of(const struct bin *some) {
    return magazine_count(*some->loaded) + magazine_count(*some->previous);
}

static int setup(void **state) {
    (void)state;
    loaded = previous = magazine_nothing();
    depot = (struct depot){0};
    return 0;
}

static void free_real(struct magazine *magazine) {
    if (magazine_is_real(magazine)) {
        free(magazine_block(magazine));
    }
}

static int teardown(void **state) {
    (void)state;
    free_real(loaded);
    free_real(previous);
    for (struct magazine *m; (m = depot_get_full(&depot)) || (m = depot_get_empty(&depot));) {
        free(magazine_block(m));
    }
    return 0;
}

static void a_new_bin_is_empty_and_full(void **state) {
    (void)state;
    assert_null(bin_take(&bin));
    assert_false(bin_give(&bin, &objects[0]));
    assert_int_equal(objects_of(&bin), 0);
    assert_false(magazine_is_real(loaded));
    assert_int_equal(magazine_count(magazine_nothing()), 0);
}

static void with_magazines(void) {
    loaded = make();
    previous = make();
}

static void last_in_first_out_over_both_magazines(void **state) {
    (void)state;
    with_magazines();
    for (unsigned i = 0; i < 2 * CAPACITY; i++) {
        assert_true(bin_give(&bin, &objects[i]));
        assert_int_equal(objects_of(&bin), i + 1);
    }
    for (unsigned i = 2 * CAPACITY; i-- > 0;) {
        assert_ptr_equal(bin_take(&bin), &objects[i]);
    }
    assert_null(bin_take(&bin));
}

static void a_full_bin_refuses_and_keeps_all(void **state) {
    (void)state;
    with_magazines();
    for (unsigned i = 0; i < 2 * CAPACITY; i++) {
        assert_true(bin_give(&bin, &objects[i]));
    }
    assert_false(bin_give(&bin, &objects[63]));
    assert_int_equal(objects_of(&bin), 2 * CAPACITY);
    for (unsigned i = 0; i < 2 * CAPACITY; i++) {
        assert_ptr_not_equal(bin_take(&bin), &objects[63]);
    }
    assert_null(bin_take(&bin));
}

static void on_the_edge_the_depot_is_not_needed(void **state) {
    (void)state;
    with_magazines();
    for (unsigned i = 0; i < CAPACITY; i++) {
        bin_give(&bin, &objects[i]);
    }
    for (unsigned round = 0; round < 10; round++) {
        assert_true(bin_give(&bin, &objects[10]));
        assert_true(bin_give(&bin, &objects[11]));
        assert_non_null(bin_take(&bin));
        assert_non_null(bin_take(&bin));
    }
    assert_int_equal(objects_of(&bin), CAPACITY);
}

static void an_empty_depot_has_nothing(void **state) {
    (void)state;
    assert_false(depot_load(&depot, &bin));
    assert_false(depot_unload(&depot, &bin));
    assert_null(depot_get_full(&depot));
    assert_null(depot_get_empty(&depot));
    assert_int_equal(depot.count_full + depot.count_empty, 0);
}

static void the_depot_counts_objects_and_magazines(void **state) {
    (void)state;
    struct magazine *full = make(), *part = make(), *empty = make();
    for (unsigned i = 0; i < CAPACITY; i++) {
        magazine_push(full, &objects[i]);
    }
    magazine_push(part, &objects[10]);
    depot_put(&depot, full);
    depot_put(&depot, part);
    depot_put(&depot, empty);
    assert_int_equal(depot.count_full, 2);
    assert_int_equal(depot.count_empty, 1);
    assert_int_equal(depot.objects, CAPACITY + 1);
    assert_true(depot_load(&depot, &bin));
    assert_ptr_equal(loaded, part);
    assert_int_equal(depot.objects, CAPACITY);
    assert_true(depot_unload(&depot, &bin));
    assert_ptr_equal(loaded, empty);
    assert_ptr_equal(previous, part);
    assert_int_equal(depot.count_empty, 0);
}

static void loading_pushes_what_was_previous_back(void **state) {
    (void)state;
    with_magazines();
    struct magazine *old_loaded = loaded, *full = make();
    magazine_push(full, &objects[0]);
    depot_put(&depot, full);
    assert_true(depot_load(&depot, &bin));
    assert_ptr_equal(loaded, full);
    assert_ptr_equal(previous, old_loaded);
    assert_int_equal(depot.count_empty, 1);
    assert_ptr_equal(bin_take(&bin), &objects[0]);
}

static void the_least_full_is_remembered(void **state) {
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct magazine *full = make();
        magazine_push(full, &objects[i]);
        depot_put(&depot, full);
    }
    depot.least_full = depot.count_full;
    struct magazine *one = depot_get_full(&depot);
    struct magazine *two = depot_get_full(&depot);
    depot_put(&depot, one);
    depot_put(&depot, two);
    assert_int_equal(depot.count_full, 3);
    assert_int_equal(depot.least_full, 1);
}

static void a_full_magazine_takes_and_an_empty_one_gives_nothing(void **state) {
    (void)state;
    void *object = &objects[9];
    with_magazines();
    for (unsigned i = 0; i < CAPACITY; i++) {
        assert_true(magazine_push(loaded, &objects[i]));
    }
    assert_false(magazine_push(loaded, &objects[9]));
    assert_int_equal(magazine_count(loaded), CAPACITY);
    for (unsigned i = CAPACITY; i-- > 0;) {
        assert_true(magazine_pop(loaded, &object));
        assert_ptr_equal(object, &objects[i]);
    }
    assert_false(magazine_pop(loaded, &object));
    assert_int_equal(magazine_count(loaded), 0);
}

/* What a fill finds fewer of than it asked for lies next to what was there, the first on top. */
static void filling_leaves_no_gap(void **state) {
    (void)state;
    void *object;
    with_magazines();
    magazine_push(loaded, &objects[9]);
    void **gap = magazine_gap(loaded, 3);
    gap[0] = &objects[0];
    gap[1] = &objects[1];
    magazine_fill(loaded, 3, 2);
    assert_int_equal(magazine_count(loaded), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(magazine_pop(loaded, &object));
        assert_ptr_equal(object, &objects[i < 2 ? i : 9]);
    }
    assert_false(magazine_pop(loaded, &object));
    magazine_fill(loaded, 3, 0);
    assert_int_equal(magazine_count(loaded), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_bin_is_empty_and_full, setup, teardown),
        cmocka_unit_test_setup_teardown(last_in_first_out_over_both_magazines, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_bin_refuses_and_keeps_all, setup, teardown),
        cmocka_unit_test_setup_teardown(on_the_edge_the_depot_is_not_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_depot_has_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_depot_counts_objects_and_magazines, setup, teardown),
        cmocka_unit_test_setup_teardown(loading_pushes_what_was_previous_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_full_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(filling_leaves_no_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_magazine_takes_and_an_empty_one_gives_nothing, setup,
                                        teardown),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
