/* Words, numbers, sizes and the printing of them. */
#include "../../homes/kernel/shell/out.h"
#include "../../homes/kernel/shell/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void splits(void **state) {
    (void)state;
    char line[] = "  cache  create one 40 ";
    char *word[WORDS_MAX];
    assert_int_equal(words_split(line, word), 4);
    assert_string_equal(word[0], "cache");
    assert_string_equal(word[1], "create");
    assert_string_equal(word[2], "one");
    assert_string_equal(word[3], "40");
    char empty[] = "", blank[] = "    ";
    assert_int_equal(words_split(empty, word), 0);
    assert_int_equal(words_split(blank, word), 0);
}

static void splits_at_most_so_many(void **state) {
    (void)state;
    char eight[] = "1 2 3 4 5 6 7 8  ", nine[] = "1 2 3 4 5 6 7 8 9";
    char *word[WORDS_MAX];
    assert_int_equal(words_split(eight, word), WORDS_MAX);
    assert_int_equal(words_split(nine, word), WORDS_MAX + 1);
    assert_string_equal(word[WORDS_MAX - 1], "8");
}

static void compares(void **state) {
    (void)state;
    assert_true(words_equal("map", "map") && words_equal("", ""));
    assert_false(words_equal("map", "ma") || words_equal("ma", "map") || words_equal("a", "b"));
    assert_true(words_begins("cache", "ca") && words_begins("a", "") && words_begins("a", "a"));
    assert_false(words_begins("ca", "cache") || words_begins("abc", "ac"));
}

static void assert_number(const char *text, uint64_t expected) {
    uint64_t value = 0;
    assert_true(words_number(text, &value));
    assert_true(value == expected);
}

static void reads_numbers(void **state) {
    (void)state;
    uint64_t value;
    assert_number("0", 0);
    assert_number("007", 7);
    assert_number("0x1F", 31);
    assert_number("18446744073709551615", UINT64_MAX);
    assert_number("0xFFFFffffFFFFffff", UINT64_MAX);
    const char *const bad[] = {"",
                               "x",
                               "-1",
                               "+1",
                               "1 ",
                               "1K",
                               "0x",
                               "0xg",
                               "12a",
                               "1.5",
                               "18446744073709551616",
                               "0x10000000000000000",
                               "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(words_number(bad[i], &value));
}

static void assert_size(const char *text, uint64_t expected) {
    uint64_t bytes = 0;
    assert_true(words_size(text, &bytes));
    assert_true(bytes == expected);
}

static void reads_sizes(void **state) {
    (void)state;
    uint64_t bytes;
    assert_size("100", 100);
    assert_size("64K", 65536);
    assert_size("64k", 65536);
    assert_size("2MiB", 2 << 20);
    assert_size("0x10g", (uint64_t)16 << 30);
    assert_size("17179869183G", 17179869183u * ((uint64_t)1 << 30));
    const char *const bad[] = {"", "K", "1KK", "1B", "1Ki", "17179869184G", "1T", "-1K", "1 K"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(words_size(bad[i], &bytes));
    assert_true(words_unit("K") == 1024 && words_unit("mib") == 1 << 20);
    assert_true(words_unit("") == 0 && words_unit("x") == 0 && words_unit("KM") == 0);
}

static void suggests(void **state) {
    (void)state;
    assert_int_equal(words_distance("map", "map"), 0);
    assert_int_equal(words_distance("mpa", "map"), 2);
    assert_int_equal(words_distance("mapp", "map"), 1);
    assert_int_equal(words_distance("", "abc"), 3);
    assert_int_equal(words_distance("abc", ""), 3);
    assert_int_equal(words_distance("kitten", "sitting"), 3);
    char wide[300];
    memset(wide, 'x', sizeof(wide));
    wide[299] = '\0';
    assert_true(words_distance(wide, "map") > 100);
    assert_true(words_distance("map", wide) > 100);
}

/* ---- Printing -------------------------------------------------------------------------------- */

static char text[512];

static void append(void *context, const char *bytes, size_t length) {
    (void)context;
    strncat(text, bytes, length);
}

static const struct larder_sink sink = {append, NULL};

static void assert_text(const char *expected) {
    assert_string_equal(text, expected);
    text[0] = '\0';
}

static void prints_numbers(void **state) {
    (void)state;
    out_number(&sink, 0, 0);
    out_number(&sink, 42, 5);
    out_number(&sink, UINT64_MAX, 3);
    assert_text("0   4218446744073709551615");
    out_hex(&sink, 0x40000000, 9);
    out_text(&sink, " ");
    out_hex(&sink, UINT64_MAX, 1);
    out_text(&sink, " ");
    out_hex(&sink, 0, 0);
    assert_text("0x040000000 0xffffffffffffffff 0x0");
    out_padded(&sink, "ab", 4);
    out_padded(&sink, "abcde", 4);
    out_repeat(&sink, '-', 3);
    assert_text("ab  abcde---");
}

static void prints_sizes(void **state) {
    (void)state;
    out_size(&sink, 0);
    out_size(&sink, 1023);
    assert_text("0 B1023 B");
    out_size(&sink, 1024);
    out_size(&sink, 3 << 20);
    out_size(&sink, (3 << 20) + 1024);
    assert_text("1 KiB3 MiB3073 KiB");
    out_size(&sink, (uint64_t)1 << 44);
    assert_text("16384 GiB");
}

static void prints_bars(void **state) {
    (void)state;
    out_bar(&sink, 0, 100, 4);
    out_bar(&sink, 1, 100, 4);
    out_bar(&sink, 50, 100, 4);
    out_bar(&sink, 99, 100, 4);
    out_bar(&sink, 100, 100, 4);
    assert_text("[....][#...][##..][###.][####]");
    out_bar(&sink, 0, 0, 2);
    assert_text("[..]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),         cmocka_unit_test(splits_at_most_so_many),
        cmocka_unit_test(compares),       cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_sizes),    cmocka_unit_test(suggests),
        cmocka_unit_test(prints_numbers), cmocka_unit_test(prints_sizes),
        cmocka_unit_test(prints_bars),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
