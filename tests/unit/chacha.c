/* The numbers of ChaCha8, and that keys and streams do not meet. */
#include "harness.h"

#include "chacha.h"

static const uint64_t nothing[CHACHA_KEY_WORDS / 2];

/* Test vector 1 of draft-strombergson-chacha-test-vectors: key and nonce of zeroes, eight rounds.
 */
static void the_known_stream(void **state) {
    static const uint8_t expected[64] = {
        0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f,
        0x09, 0xa5, 0xa1, 0x2c, 0x84, 0x0e, 0xc3, 0xce, 0x9a, 0x7f, 0x3b, 0x18, 0x1b,
        0xe1, 0x88, 0xef, 0x71, 0x1a, 0x1e, 0x98, 0x4c, 0xe1, 0x72, 0xb9, 0x21, 0x6f,
        0x41, 0x9f, 0x44, 0x53, 0x67, 0x45, 0x6d, 0x56, 0x19, 0x31, 0x4a, 0x42, 0xa3,
        0xda, 0x86, 0xb0, 0x01, 0x38, 0x7b, 0xfd, 0xb8, 0x0e, 0x0c, 0xfe, 0x42};
    struct chacha_key key = {.epoch = 0};
    struct chacha random;
    (void)state;
    chacha_key_set(&key, nothing);
    chacha_init(&random, 0);
    for (unsigned i = 0; i < sizeof expected; i += 4) {
        uint32_t word = chacha_next(&random, &key);
        for (unsigned byte = 0; byte < 4; byte++) {
            assert_int_equal(word >> 8 * byte & 0xff, expected[i + byte]);
        }
    }
}

static void streams_and_keys_differ(void **state) {
    struct chacha_key key = {.epoch = 0};
    struct chacha one, other, again;
    unsigned equal = 0;
    (void)state;
    chacha_key_set(&key, nothing);
    chacha_init(&one, 1);
    chacha_init(&other, 2);
    for (unsigned i = 0; i < 100; i++) {
        equal += chacha_next(&one, &key) == chacha_next(&other, &key);
    }
    again = one; /* as a fork copies it: half a block in store */
    chacha_key_set(&key, (const uint64_t[]){1, 2, 3, 4});
    struct chacha_key old = {.epoch = 1};
    for (unsigned i = 0; i < 100; i++) {
        equal += chacha_next(&one, &key) == chacha_next(&again, &old);
    }
    assert_true(equal <= 1);
}

static void numbers_stay_below_and_reach_all(void **state) {
    struct chacha_key key = {.epoch = 0};
    struct chacha random;
    unsigned seen[7] = {0};
    (void)state;
    chacha_key_set(&key, nothing);
    chacha_init(&random, 9);
    for (unsigned i = 0; i < 7000; i++) {
        uint32_t number = chacha_below(&random, &key, 7);
        assert_true(number < 7);
        seen[number]++;
    }
    for (unsigned i = 0; i < 7; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    assert_int_equal(chacha_below(&random, &key, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_stream),
        cmocka_unit_test(streams_and_keys_differ),
        cmocka_unit_test(numbers_stay_below_and_reach_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
