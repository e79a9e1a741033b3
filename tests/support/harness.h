/* harness.h: what every test program on the simulated home begins with. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka would rename malloc and free in here; its own allocator checks are not ours. */
#include <cmocka.h>

#include "sim.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)
#define FRAME ((uint64_t)LARDER_FRAME_BYTES)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every failure found by the simulated home fails the running cmocka test. */
void harness_begin(void);

/* The seed of this run: LARDER_SEED, or from the clock; printed once, as a TAP comment. */
uint64_t harness_seed(void);

/* A number from the environment, for tests that can run longer. */
uint64_t harness_number(const char *name, uint64_t otherwise);

/* splitmix64 (Steele, Lea, Flood 2014). */
struct random {
    uint64_t state;
};
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t bound); /* bound ≥ 1 */

/* A sink that keeps the last bytes as text. */
struct text {
    char bytes[1 << 16];
    size_t length;
};
struct larder_sink text_sink(struct text *text); /* empties it */
bool text_has(const struct text *text, const char *part);

/* Frames free and in bins: what nobody holds. */
uint64_t frames_idle(struct sim *sim);

/* Usable and free frames agree after everything was freed and reclaimed. */
void expect_nothing_leaked(struct sim *sim, uint64_t idle_before);

#define HARNESS_MAIN(tests)                                                                        \
    int main(void) {                                                                               \
        harness_begin();                                                                           \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
