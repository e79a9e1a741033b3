/* Words for every status and kind, and fatals that arrive whole. */
#include "harness.h"

#include "check.h"

static void every_status_has_its_own_words(void **state) {
    (void)state;
    for (int i = LARDER_OK; i <= LARDER_BUSY; i++) {
        const char *text = larder_status_text((enum larder_status)i);
        assert_non_null(text);
        assert_string_not_equal(text, "unknown status");
        for (int j = LARDER_OK; j < i; j++) {
            assert_string_not_equal(text, larder_status_text((enum larder_status)j));
        }
    }
    assert_string_equal(larder_status_text((enum larder_status)(LARDER_BUSY + 1)),
                        "unknown status");
    assert_string_equal(larder_status_text((enum larder_status) - 1), "unknown status");
}

static void every_fatal_has_its_own_words(void **state) {
    (void)state;
    for (int i = 0; i < LARDER_FATAL_KINDS; i++) {
        const char *text = larder_fatal_text((enum larder_fatal_kind)i);
        assert_non_null(text);
        assert_string_not_equal(text, "unknown");
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(text, larder_fatal_text((enum larder_fatal_kind)j));
        }
    }
    assert_string_equal(larder_fatal_text(LARDER_FATAL_KINDS), "unknown");
    assert_string_equal(larder_fatal_text((enum larder_fatal_kind) - 1), "unknown");
}

static void a_fatal_carries_what_it_is_about(void **state) {
    (void)state;
    int here;
    sim_expect_fatal(LARDER_FATAL_WRONG_ZONE,
                     fatal_raise(LARDER_FATAL_WRONG_ZONE, &here, "zone dma", "too high"));
    assert_ptr_equal(sim_fatal_last.fatal.pointer, &here);
    assert_string_equal(sim_fatal_last.owner, "zone dma");
    assert_string_equal(sim_fatal_last.detail, "too high");
    assert_null(sim_fatal_last.fatal.file);
}

static void a_failed_assertion_says_where(void **state) {
    (void)state;
    sim_expect_fatal(LARDER_FATAL_ASSERTION, assertion_failed("a == b", "file.c", 42));
    assert_string_equal(sim_fatal_last.detail, "a == b");
    assert_string_equal(sim_fatal_last.fatal.file, "file.c");
    assert_int_equal(sim_fatal_last.fatal.line, 42);
}

static void an_assertion_that_holds_does_nothing(void **state) {
    (void)state;
    int evaluated = 0;
    ASSERT(++evaluated == 1);
    assert_int_equal(evaluated, LARDER_ASSERTIONS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_own_words),
        cmocka_unit_test(every_fatal_has_its_own_words),
        cmocka_unit_test(a_fatal_carries_what_it_is_about),
        cmocka_unit_test(a_failed_assertion_says_where),
        cmocka_unit_test(an_assertion_that_holds_does_nothing),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
