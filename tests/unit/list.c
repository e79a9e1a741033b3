/* The embedded list: order, emptiness, removal while walking, poison on unlink. */
#include "harness.h"

#include "list.h"

struct item {
    int value;
    struct list link;
};

static struct item items[4];
static struct list head;

static int setup(void **state) {
    (void)state;
    list_init(&head);
    for (int i = 0; i < 4; i++) {
        items[i].value = i;
        list_link_init(&items[i].link);
    }
    return 0;
}

static void expect_order(const int *values, unsigned count) {
    unsigned seen = 0;
    LIST_EACH(link, &head) {
        assert_true(seen < count);
        assert_int_equal(LIST_ENTRY(link, struct item, link)->value, values[seen]);
        assert_ptr_equal(link->next->prev, link);
        assert_ptr_equal(link->prev->next, link);
        seen++;
    }
    assert_int_equal(seen, count);
}

static void a_new_list_is_empty(void **state) {
    (void)state;
    assert_true(list_is_empty(&head));
    assert_null(list_pop_front(&head));
    expect_order(NULL, 0);
}

static void a_new_link_is_on_no_list(void **state) {
    (void)state;
    assert_false(list_is_linked(&items[0].link));
    list_push_front(&head, &items[0].link);
    assert_true(list_is_linked(&items[0].link));
}

static void push_front_and_back_keep_order(void **state) {
    (void)state;
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    list_push_front(&head, &items[0].link);
    list_push_back(&head, &items[3].link);
    expect_order((int[]){0, 1, 2, 3}, 4);
    assert_false(list_is_empty(&head));
}

static void pop_front_takes_the_first(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        list_push_back(&head, &items[i].link);
    }
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(list_pop_front(&head), &items[i].link);
        assert_false(list_is_linked(&items[i].link));
    }
    assert_true(list_is_empty(&head));
}

static void unlink_takes_from_anywhere(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        list_push_back(&head, &items[i].link);
    }
    list_unlink(&items[2].link);
    expect_order((int[]){0, 1, 3}, 3);
    list_unlink(&items[0].link);
    expect_order((int[]){1, 3}, 2);
    list_unlink(&items[3].link);
    expect_order((int[]){1}, 1);
    list_unlink(&items[1].link);
    assert_true(list_is_empty(&head));
}

static void each_may_unlink_its_link(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        list_push_back(&head, &items[i].link);
    }
    LIST_EACH(link, &head) {
        if (LIST_ENTRY(link, struct item, link)->value % 2) {
            list_unlink(link);
        }
    }
    expect_order((int[]){0, 2}, 2);
}

static void unlink_poisons_both_links(void **state) {
    (void)state;
    list_push_back(&head, &items[0].link);
    list_unlink(&items[0].link);
    assert_ptr_equal(items[0].link.next, LIST_POISON);
    assert_ptr_equal(items[0].link.prev, LIST_POISON);
}

#if LARDER_ASSERTIONS
static void a_broken_neighbour_is_an_assertion(void **state) {
    (void)state;
    list_push_back(&head, &items[0].link);
    list_push_back(&head, &items[1].link);
    items[1].link.prev = &head;
    sim_expect_fatal(LARDER_FATAL_ASSERTION, list_unlink(&items[0].link));
    assert_non_null(strstr(sim_fatal_last.fatal.file, "list.h"));
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_list_is_empty, setup),
        cmocka_unit_test_setup(a_new_link_is_on_no_list, setup),
        cmocka_unit_test_setup(push_front_and_back_keep_order, setup),
        cmocka_unit_test_setup(pop_front_takes_the_first, setup),
        cmocka_unit_test_setup(unlink_takes_from_anywhere, setup),
        cmocka_unit_test_setup(each_may_unlink_its_link, setup),
        cmocka_unit_test_setup(unlink_poisons_both_links, setup),
#if LARDER_ASSERTIONS
        cmocka_unit_test_setup(a_broken_neighbour_is_an_assertion, setup),
#endif
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
