/* The tables under the traces against the simplest thing that does the same: ids, pointers, texts.
 */
#include "lab_test.h"

#include "trace/id_set.h"
#include "trace/intern.h"
#include "trace/key_map.h"
#include "trace/utf8.h"
#include "trace/varint.h"

enum { COUNT_IDS = 5000, COUNT_KEYS = 300, STEPS = 100000 };

static void the_lowest_id_is_found(void **state) {
    (void)state;
    static bool live[COUNT_IDS + 1];
    struct id_set set = {.count_ids = 0};
    uint64_t random = 1;
    uint32_t count = 0, top = 0, limit = COUNT_IDS;
    for (int step = 0; step < STEPS; step++) {
        if (step % 10000 == 0)
            limit = (uint32_t)(random_next(&random) % COUNT_IDS) + 1;
        uint32_t lowest = 0;
        while (live[lowest])
            lowest++;
        assert_int_equal(id_set_lowest(&set), lowest);
        const uint32_t id = (uint32_t)(random_next(&random) % limit);
        assert_int_equal(id_set_has(&set, id), live[id]);
        if (live[id] && count > limit / 2) {
            id_set_remove(&set, id);
            live[id] = false;
            count--;
        } else if (lowest < COUNT_IDS) {
            id_set_add(&set, lowest);
            live[lowest] = true;
            top = lowest >= top ? lowest + 1 : top;
            count++;
        }
        assert_int_equal(set.count_live, count);
        assert_int_equal(set.count_ids, top);
    }
    assert_false(id_set_has(&set, UINT32_MAX));
    id_set_free(&set);
}

static void a_million_ids_need_four_levels(void **state) {
    (void)state;
    struct id_set set = {.count_ids = 0};
    for (uint32_t id = 0; id < 1000000; id++) {
        assert_int_equal(id_set_lowest(&set), id);
        id_set_add(&set, id);
    }
    id_set_remove(&set, 777777);
    id_set_remove(&set, 262144);
    assert_int_equal(id_set_lowest(&set), 262144);
    id_set_add(&set, 262144);
    assert_int_equal(id_set_lowest(&set), 777777);
    id_set_free(&set);
}

/* Keys that collide: few of them, and many that differ in high bits only. */
static uint64_t key_of(uint64_t number) {
    return number % 3 == 0 ? number << 48 : number % 3 == 1 ? number << 4 : ~number;
}

static void keys_are_kept_and_removed(void **state) {
    (void)state;
    static uint32_t values[COUNT_KEYS];
    struct key_map map = {.count_used = 0};
    uint64_t random = 2;
    assert_null(key_map_find(&map, 0));
    for (uint32_t step = 1; step < STEPS; step++) {
        const uint64_t number = random_next(&random) % COUNT_KEYS;
        struct key_map_entry *entry = key_map_find(&map, key_of(number));
        assert_int_equal(entry ? entry->value : 0, values[number]);
        if (entry) {
            key_map_remove(&map, entry);
            values[number] = 0;
        } else {
            key_map_put(&map, key_of(number), step);
            values[number] = step;
        }
    }
    for (uint64_t number = 0; number < COUNT_KEYS; number++) {
        const struct key_map_entry *entry = key_map_find(&map, key_of(number));
        assert_int_equal(entry ? entry->value : 0, values[number]);
    }
    key_map_free(&map);
}

static void equal_texts_have_equal_numbers(void **state) {
    (void)state;
    struct intern intern = {.count = 0};
    char text[16];
    bool is_new;
    size_t length;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 1000; i++) {
            (void)snprintf(text, sizeof text, "%u", i * 37);
            assert_int_equal(intern_number(&intern, text, strlen(text), &is_new), i + 1);
            assert_int_equal(is_new, round == 0);
        }
    }
    assert_string_equal(intern_bytes(&intern, 3, &length), "74");
    assert_int_equal(length, 2);
    assert_int_equal(intern_number(&intern, "", 0, &is_new), 1001);
    assert_int_equal(intern_number(&intern, "\0", 1, &is_new), 1002);
    assert_true(is_new);
    intern_free(&intern);
}

static void numbers_are_read_as_written(void **state) {
    (void)state;
    uint8_t bytes[VARINT_BYTES_MAX];
    for (unsigned bit = 0; bit < 64; bit++) {
        for (uint64_t i = 0; i < 3; i++) {
            const uint64_t value = ((uint64_t)1 << bit) + i - 1;
            struct varint_input input = {bytes, varint_put(bytes, value), false};
            assert_true(varint_get(&input) == value && !input.is_bad && input.at == input.end);
            assert_true(zigzag(zagzig(value)) == value);
            input = (struct varint_input){bytes, bytes + (input.end - bytes) - 1, false};
            assert_true(varint_get(&input) == 0 && input.is_bad);
        }
    }
    assert_int_equal(zigzag(-1), 1);
    assert_int_equal(zigzag(1), 2);
}

static void numbers_beyond_64_bits_are_bad(void **state) {
    (void)state;
    static const uint8_t long_one[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                      0x80, 0x80, 0x80, 0x80, 0x00};
    struct varint_input input = {long_one, long_one + sizeof long_one, false};
    (void)varint_get(&input);
    assert_true(input.is_bad);
    input = (struct varint_input){endless, endless + sizeof endless, false};
    (void)varint_get(&input);
    assert_true(input.is_bad);
}

static void what_is_no_text_becomes_text(void **state) {
    (void)state;
    static const struct {
        const char *from, *to;
        size_t count;
    } texts[] = {
        {"plain", "plain", 5},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9},
        {"a\0b", "a?b", 3},
        {"\xc0\x80", "??", 2},           /* overlong */
        {"\xed\xa0\x80", "???", 3},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????", 4}, /* beyond the last character */
        {"\xe2\x82", "??", 2},           /* cut off */
        {"\xffok", "?ok", 3},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        char *text = utf8_text(texts[i].from, texts[i].count);
        assert_string_equal(text, texts[i].to);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_id_is_found),
        cmocka_unit_test(a_million_ids_need_four_levels),
        cmocka_unit_test(keys_are_kept_and_removed),
        cmocka_unit_test(equal_texts_have_equal_numbers),
        cmocka_unit_test(numbers_are_read_as_written),
        cmocka_unit_test(numbers_beyond_64_bits_are_bad),
        cmocka_unit_test(what_is_no_text_becomes_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
