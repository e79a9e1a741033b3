/* The range table: any order, overlap, adjacency and size; the early allocator; bad input. */
#include "harness.h"

#include "range.h"

static struct larder_ranges table;

static int setup(void **state) {
    (void)state;
    memset(&table, 0xa5, sizeof table);
    larder_ranges_init(&table);
    return 0;
}

static void expect(const struct larder_range *want, unsigned count) {
    assert_int_equal(table.count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(table.range[i].address, want[i].address);
        assert_int_equal(table.range[i].size_bytes, want[i].size_bytes);
        assert_int_equal(table.range[i].kind, want[i].kind);
    }
}

static void add(uint64_t address, uint64_t size_bytes, enum larder_range_kind kind) {
    assert_int_equal(larder_ranges_add(&table, address, size_bytes, kind), LARDER_OK);
}

#define EXPECT(...)                                                                                \
    expect((const struct larder_range[]){__VA_ARGS__},                                             \
           COUNT(((const struct larder_range[]){__VA_ARGS__})))
#define U LARDER_RANGE_USABLE
#define D LARDER_RANGE_DONATED
#define R LARDER_RANGE_RESERVED
#define V LARDER_RANGE_DEVICE

static void a_new_table_is_empty_and_open(void **state) {
    (void)state;
    assert_int_equal(table.count, 0);
    assert_false(table.closed);
    assert_null(larder_ranges_find(&table, 0));
    assert_int_equal(larder_ranges_bytes(&table, U), 0);
}

static void ranges_sort_themselves(void **state) {
    (void)state;
    add(300, 10, U);
    add(100, 10, U);
    add(200, 10, R);
    EXPECT({100, 10, U}, {200, 10, R}, {300, 10, U});
}

static void equal_neighbours_merge(void **state) {
    (void)state;
    add(100, 100, U);
    add(300, 100, U);
    add(200, 100, U);
    EXPECT({100, 300, U});
    add(400, 10, R);
    add(410, 10, R);
    EXPECT({100, 300, U}, {400, 20, R});
}

static void two_halves_of_a_frame_make_a_frame(void **state) {
    (void)state;
    add(FRAME, FRAME / 2, U);
    add(FRAME + FRAME / 2, FRAME / 2, U);
    uint64_t first, end;
    range_round_inward(&table.range[0], &first, &end);
    assert_int_equal(first, FRAME);
    assert_int_equal(end, 2 * FRAME);
}

static void the_stronger_kind_holds_in_any_order(void **state) {
    for (int order = 0; order < 2; order++) {
        setup(state);
        if (order == 0) {
            add(0, 1000, U);
            add(200, 300, R);
            add(400, 200, V);
            add(100, 200, D);
        } else {
            add(100, 200, D);
            add(400, 200, V);
            add(200, 300, R);
            add(0, 1000, U);
        }
        EXPECT({0, 100, U}, {100, 100, D}, {200, 200, R}, {400, 200, V}, {600, 400, U});
    }
}

static void one_range_may_cover_many_entries_and_gaps(void **state) {
    (void)state;
    add(100, 10, V);
    add(200, 10, R);
    add(300, 10, U);
    add(50, 400, U);
    EXPECT({50, 50, U}, {100, 10, V}, {110, 90, U}, {200, 10, R}, {210, 240, U});
    add(0, 500, V);
    EXPECT({0, 500, V});
}

static void an_empty_range_changes_nothing(void **state) {
    (void)state;
    add(100, 0, U);
    assert_int_equal(table.count, 0);
    add(UINT64_MAX, 0, V);
    add(0, 0, R);
    assert_int_equal(table.count, 0);
}

static void the_same_range_twice_changes_nothing(void **state) {
    (void)state;
    add(100, 50, U);
    add(100, 50, U);
    add(110, 10, U);
    EXPECT({100, 50, U});
}

static void the_end_of_the_address_space(void **state) {
    (void)state;
    add(UINT64_MAX - 99, 99, U);
    EXPECT({UINT64_MAX - 99, 99, U});
    assert_int_equal(larder_ranges_add(&table, UINT64_MAX - 99, 101, R), LARDER_BAD_RANGE);
    assert_int_equal(larder_ranges_add(&table, 1, UINT64_MAX, R), LARDER_BAD_RANGE);
    assert_int_equal(larder_ranges_add(&table, UINT64_MAX, UINT64_MAX, R), LARDER_BAD_RANGE);
    EXPECT({UINT64_MAX - 99, 99, U});
    assert_non_null(larder_ranges_find(&table, UINT64_MAX - 1));
    assert_null(larder_ranges_find(&table, UINT64_MAX));
    setup(state);
    add(0, UINT64_MAX, U);
    EXPECT({0, UINT64_MAX, U});
    assert_int_equal(larder_ranges_bytes(&table, U), UINT64_MAX);
}

static void unknown_kinds_are_refused(void **state) {
    (void)state;
    for (int kind = -1; kind < 8; kind++) {
        bool known = kind >= (int)U && kind <= (int)LARDER_RANGE_ABSENT;
        enum larder_status status =
            larder_ranges_add(&table, (uint64_t)(kind + 1) * 10, 1, (enum larder_range_kind)kind);
        assert_int_equal(status, known ? LARDER_OK : LARDER_BAD_OPTION);
    }
    assert_int_equal(table.count, 5);
}

static void a_full_table_stays_as_it_is(void **state) {
    (void)state;
    for (uint64_t i = 0; i < LARDER_RANGES_MAX; i++) {
        add(i * 10, 5, U);
    }
    struct larder_ranges before = table;
    assert_int_equal(larder_ranges_add(&table, 10000000, 5, U), LARDER_TOO_MANY);
    assert_int_equal(larder_ranges_add(&table, 1, 1, R), LARDER_TOO_MANY);
    assert_int_equal(larder_ranges_add(&table, 16, 1, R), LARDER_TOO_MANY);
    assert_memory_equal(&table, &before, sizeof table);
    add(1000, 5, U); /* merges, so it fits */
    add(5, 5, U);
    assert_int_equal(table.count, LARDER_RANGES_MAX - 1);
}

static void a_closed_table_is_a_record(void **state) {
    (void)state;
    add(0, MIB, U);
    table.closed = true;
    assert_int_equal(larder_ranges_add(&table, 2 * MIB, MIB, U), LARDER_BAD_RANGE);
    assert_true(larder_ranges_take(&table, FRAME, FRAME, UINT64_MAX, R) == LARDER_ADDRESS_NONE);
    EXPECT({0, MIB, U});
}

static void take_prefers_high_memory_below_the_limit(void **state) {
    (void)state;
    add(0, 16 * MIB, U);
    add(32 * MIB, 16 * MIB, U);
    assert_int_equal(larder_ranges_take(&table, MIB, FRAME, UINT64_MAX, R), 47 * MIB);
    assert_int_equal(larder_ranges_take(&table, MIB, FRAME, 40 * MIB, D), 39 * MIB);
    assert_int_equal(larder_ranges_take(&table, MIB, FRAME, 20 * MIB, R), 15 * MIB);
    assert_int_equal(larder_ranges_take(&table, MIB, FRAME, MIB, R), 0);
    assert_true(larder_ranges_take(&table, MIB, FRAME, MIB, R) == LARDER_ADDRESS_NONE);
    EXPECT({0, MIB, R}, {MIB, 14 * MIB, U}, {15 * MIB, MIB, R}, {32 * MIB, 7 * MIB, U},
           {39 * MIB, MIB, D}, {40 * MIB, 7 * MIB, U}, {47 * MIB, MIB, R});
    assert_int_equal(larder_ranges_bytes(&table, R), 3 * MIB);
    assert_int_equal(larder_ranges_bytes(&table, D), MIB);
}

static void take_rounds_to_frames_and_aligns(void **state) {
    (void)state;
    add(FRAME + 1, 10 * FRAME, U);
    assert_int_equal(larder_ranges_take(&table, 1, 1, UINT64_MAX, R), 10 * FRAME);
    assert_int_equal(larder_ranges_take(&table, FRAME + 1, 4 * FRAME, UINT64_MAX, R), 8 * FRAME);
    assert_int_equal(larder_ranges_take(&table, FRAME, 1, 7 * FRAME + 5, R), 6 * FRAME);
    assert_int_equal(larder_ranges_take(&table, 4 * FRAME, FRAME, UINT64_MAX, R), 2 * FRAME);
    assert_true(larder_ranges_take(&table, 2 * FRAME, FRAME, UINT64_MAX, R) == LARDER_ADDRESS_NONE);
    assert_int_equal(larder_ranges_take(&table, FRAME, FRAME, UINT64_MAX, R), 7 * FRAME);
    assert_true(larder_ranges_take(&table, 1, 1, UINT64_MAX, R) == LARDER_ADDRESS_NONE);
}

static void take_refuses_what_cannot_be(void **state) {
    (void)state;
    add(0, GIB, U);
    struct larder_ranges before = table;
    const struct {
        uint64_t size, align, limit;
        enum larder_range_kind kind;
    } bad[] = {
        {0, FRAME, UINT64_MAX, R},
        {FRAME, 0, UINT64_MAX, R},
        {FRAME, 3, UINT64_MAX, R},
        {FRAME, FRAME + 1, UINT64_MAX, R},
        {FRAME, UINT64_MAX, UINT64_MAX, R},
        {UINT64_MAX, FRAME, UINT64_MAX, R},
        {UINT64_MAX - FRAME + 1, FRAME, UINT64_MAX, R},
        {GIB + 1, FRAME, UINT64_MAX, R},
        {FRAME, FRAME, 0, R},
        {FRAME, FRAME, FRAME - 1, R},
        {FRAME, FRAME, UINT64_MAX, U},
        {FRAME, FRAME, UINT64_MAX, V},
        {FRAME, FRAME, UINT64_MAX, (enum larder_range_kind)0},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(larder_ranges_take(&table, bad[i].size, bad[i].align, bad[i].limit,
                                       bad[i].kind) == LARDER_ADDRESS_NONE);
        assert_memory_equal(&table, &before, sizeof table);
    }
    assert_int_equal(larder_ranges_take(&table, GIB, GIB, UINT64_MAX, R), 0);
}

static void take_fails_on_a_full_table_and_changes_nothing(void **state) {
    (void)state;
    for (uint64_t i = 0; i < LARDER_RANGES_MAX; i++) {
        add(i * 16 * FRAME, 8 * FRAME, U);
    }
    struct larder_ranges before = table;
    assert_true(larder_ranges_take(&table, FRAME, FRAME, UINT64_MAX, R) == LARDER_ADDRESS_NONE);
    assert_memory_equal(&table, &before, sizeof table);
    /* A whole entry changes its kind: no entry more. */
    assert_int_equal(larder_ranges_take(&table, 8 * FRAME, FRAME, UINT64_MAX, R),
                     (LARDER_RANGES_MAX - 1) * 16 * FRAME);
}

static void everything_can_be_taken_frame_by_frame(void **state) {
    (void)state;
    add(3 * FRAME - 7, 100 * FRAME + 14, U);
    uint64_t before = LARDER_ADDRESS_NONE;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t address = larder_ranges_take(&table, FRAME, FRAME, UINT64_MAX, i % 2 ? R : D);
        assert_true(address != LARDER_ADDRESS_NONE && address < before);
        before = address;
    }
    assert_true(larder_ranges_take(&table, FRAME, FRAME, UINT64_MAX, R) == LARDER_ADDRESS_NONE);
    assert_int_equal(larder_ranges_bytes(&table, U), 14);
}

static void find_knows_the_edges(void **state) {
    (void)state;
    add(100, 100, U);
    add(200, 100, R);
    assert_null(larder_ranges_find(&table, 99));
    assert_int_equal(larder_ranges_find(&table, 100)->kind, U);
    assert_int_equal(larder_ranges_find(&table, 199)->kind, U);
    assert_int_equal(larder_ranges_find(&table, 200)->kind, R);
    assert_null(larder_ranges_find(&table, 300));
}

static void assign_changes_even_the_stronger(void **state) {
    (void)state;
    add(0, 100, R);
    add(100, 100, U);
    assert_int_equal(range_assign(&table, 50, 150, U), LARDER_OK);
    EXPECT({0, 50, R}, {50, 150, U});
    table.closed = true; /* the map's own copy is closed and still changes */
    assert_int_equal(range_assign(&table, 0, 100, D), LARDER_OK);
    EXPECT({0, 100, D}, {100, 100, U});
    assert_true(table.closed);
}

static void is_all_looks_at_every_byte(void **state) {
    (void)state;
    unsigned usable = 1u << U, ram = usable | 1u << R;
    add(100, 100, U);
    add(200, 100, R);
    add(400, 100, U);
    assert_true(range_is_all(&table, 100, 200, usable));
    assert_true(range_is_all(&table, 100, 300, ram));
    assert_true(range_is_all(&table, 150, 250, ram));
    assert_true(range_is_all(&table, 123, 123, usable));
    assert_false(range_is_all(&table, 100, 201, usable));
    assert_false(range_is_all(&table, 99, 150, ram));
    assert_false(range_is_all(&table, 250, 401, ram));
    assert_false(range_is_all(&table, 450, 501, ram));
    assert_false(range_is_all(&table, 600, 700, ram));
}

static void rounding_inward_may_leave_nothing(void **state) {
    (void)state;
    const struct {
        uint64_t address, size, frames;
    } cases[] = {
        {0, 1, 0},
        {0, FRAME - 1, 0},
        {0, FRAME, 1},
        {1, FRAME, 0},
        {1, 2 * FRAME - 2, 0},
        {1, 2 * FRAME - 1, 1},
        {FRAME - 1, FRAME + 1, 1},
        {UINT64_MAX - 10, 10, 0},
        {UINT64_MAX - FRAME - 10, FRAME + 10, 0},
        {UINT64_MAX - 2 * FRAME + 1, 2 * FRAME - 1, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t first, end;
        struct larder_range range = {cases[i].address, cases[i].size, U};
        range_round_inward(&range, &first, &end);
        assert_int_equal(first < end ? (end - first) / FRAME : 0, cases[i].frames);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_table_is_empty_and_open, setup),
        cmocka_unit_test_setup(ranges_sort_themselves, setup),
        cmocka_unit_test_setup(equal_neighbours_merge, setup),
        cmocka_unit_test_setup(two_halves_of_a_frame_make_a_frame, setup),
        cmocka_unit_test_setup(the_stronger_kind_holds_in_any_order, setup),
        cmocka_unit_test_setup(one_range_may_cover_many_entries_and_gaps, setup),
        cmocka_unit_test_setup(an_empty_range_changes_nothing, setup),
        cmocka_unit_test_setup(the_same_range_twice_changes_nothing, setup),
        cmocka_unit_test_setup(the_end_of_the_address_space, setup),
        cmocka_unit_test_setup(unknown_kinds_are_refused, setup),
        cmocka_unit_test_setup(a_full_table_stays_as_it_is, setup),
        cmocka_unit_test_setup(a_closed_table_is_a_record, setup),
        cmocka_unit_test_setup(take_prefers_high_memory_below_the_limit, setup),
        cmocka_unit_test_setup(take_rounds_to_frames_and_aligns, setup),
        cmocka_unit_test_setup(take_refuses_what_cannot_be, setup),
        cmocka_unit_test_setup(take_fails_on_a_full_table_and_changes_nothing, setup),
        cmocka_unit_test_setup(everything_can_be_taken_frame_by_frame, setup),
        cmocka_unit_test_setup(find_knows_the_edges, setup),
        cmocka_unit_test_setup(assign_changes_even_the_stronger, setup),
        cmocka_unit_test_setup(is_all_looks_at_every_byte, setup),
        cmocka_unit_test_setup(rounding_inward_may_leave_nothing, setup),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
