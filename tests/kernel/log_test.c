/* The ring that keeps the last lines of the kernel's log. */
#include "../../homes/kernel/lib/log_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct log_ring ring;

static int empty(void **state) {
    (void)state;
    memset(&ring, 0, sizeof ring);
    return 0;
}

static void put_number(unsigned number) {
    char text[32];
    snprintf(text, sizeof text, "line %u", number);
    log_ring_put(&ring, 1000 + number, number % 4, number % 3, text);
}

static void expect_number(unsigned number) {
    struct log_entry entry;
    char text[32];
    snprintf(text, sizeof text, "line %u", number);
    assert_true(log_ring_get(&ring, number, &entry));
    assert_string_equal(entry.text, text);
    assert_int_equal(entry.us, 1000 + number);
    assert_int_equal(entry.cpu, number % 4);
    assert_int_equal(entry.level, number % 3);
}

static void nothing_was_put(void **state) {
    struct log_entry entry;
    (void)state;
    assert_int_equal(log_ring_oldest(&ring), 0);
    assert_false(log_ring_get(&ring, 0, &entry));
    assert_false(log_ring_get(&ring, UINT64_MAX, &entry));
}

static void all_are_kept_until_it_is_full(void **state) {
    struct log_entry entry;
    (void)state;
    for (unsigned i = 0; i < LOG_RING_LINES; i++) {
        put_number(i);
    }
    assert_int_equal(log_ring_oldest(&ring), 0);
    for (unsigned i = 0; i < LOG_RING_LINES; i++) {
        expect_number(i);
    }
    assert_false(log_ring_get(&ring, LOG_RING_LINES, &entry));
}

static void then_the_oldest_goes(void **state) {
    struct log_entry entry;
    (void)state;
    for (unsigned i = 0; i < 3 * LOG_RING_LINES + 5; i++) {
        put_number(i);
        uint64_t oldest = i < LOG_RING_LINES ? 0 : i + 1 - LOG_RING_LINES;
        assert_int_equal(log_ring_oldest(&ring), oldest);
        expect_number((unsigned)oldest);
        expect_number(i);
        assert_true(oldest == 0 || !log_ring_get(&ring, oldest - 1, &entry));
        assert_false(log_ring_get(&ring, i + 1, &entry));
    }
}

/* Cut where it no longer fits, and never read beyond: the last one has no end. */
static void texts_of_every_length(void **state) {
    static char text[2 * LOG_TEXT_BYTES];
    struct log_entry entry;
    (void)state;
    memset(text, 'x', sizeof text);
    for (unsigned length = 0; length <= sizeof text; length++) {
        char *end = length < sizeof text ? &text[length] : NULL;
        if (end) {
            *end = '\0';
        }
        log_ring_put(&ring, length, 0, 0, text);
        if (end) {
            *end = 'x';
        }
        assert_true(log_ring_get(&ring, length, &entry));
        size_t kept = length < LOG_TEXT_BYTES ? length : LOG_TEXT_BYTES - 1;
        assert_int_equal(strlen(entry.text), kept);
        assert_memory_equal(entry.text, text, kept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_was_put, empty),
        cmocka_unit_test_setup(all_are_kept_until_it_is_full, empty),
        cmocka_unit_test_setup(then_the_oldest_goes, empty),
        cmocka_unit_test_setup(texts_of_every_length, empty),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
