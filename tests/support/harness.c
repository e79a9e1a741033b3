#include "harness.h"

#include "instance.h"

#include <time.h>

/* What the broken test held must not break the next one. */
static void failed(const char *message) {
    sim_reset();
    fail_msg("%s", message);
}

/* After an expected fatal nobody holds anything. */
static void forgive(struct larder *larder) {
    lock_book_init(&larder->lock_book, larder);
#if LARDER_ASSERTIONS
    memset(larder->lock_book.held, 0, sizeof larder->lock_book.held);
#endif
}

void harness_begin(void) {
    const char *only = getenv("LARDER_TEST"); /* a pattern over the names of tests */
    if (only && *only) {
        cmocka_set_test_filter(only);
    }
    sim_failed = failed;
    sim_forgive = forgive;
}

uint64_t harness_number(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t harness_seed(void) {
    static uint64_t seed;
    static bool known;
    if (!known) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed =
            harness_number("LARDER_SEED", (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec);
        printf("# seed: LARDER_SEED=%llu\n", (unsigned long long)seed);
        known = true;
    }
    return seed;
}

uint64_t random_next(struct random *random) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound) {
    return random_next(random) % bound;
}

static void text_write(void *context, const char *bytes, size_t length) {
    struct text *text = context;
    assert_true(length < sizeof text->bytes - text->length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

struct larder_sink text_sink(struct text *text) {
    text->length = 0;
    text->bytes[0] = '\0';
    return (struct larder_sink){text_write, text};
}

bool text_has(const struct text *text, const char *part) {
    return strstr(text->bytes, part) != NULL;
}
