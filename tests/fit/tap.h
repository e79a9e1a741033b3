/* tap.h: a test program in a few lines, for machines that have no test library: 32-bit hosts and
 * bare microcontrollers. Prints TAP; a failed expectation ends its test, not the program. */
#ifndef TESTS_FIT_TAP_H
#define TESTS_FIT_TAP_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "larder/fit.h"

struct tap_test {
    const char *name;
    void (*run)(void);
};

#define TAP_TEST(function)                                                                         \
    { #function, function }

#define EXPECT(condition) tap_expect((condition), #condition, __FILE__, __LINE__)

/* The statement must make this mistake, about this pointer, and no other. */
#define EXPECT_MISTAKE(mistake, pointer, statement)                                                \
    do {                                                                                           \
        tap_catching = true;                                                                       \
        if (setjmp(tap_mistake_jump) == 0) {                                                       \
            statement;                                                                             \
            tap_catching = false;                                                                  \
            tap_expect(false, "no mistake was found by " #statement, __FILE__, __LINE__);          \
        }                                                                                          \
        tap_catching = false;                                                                      \
        tap_expect_mistake((mistake), (pointer), __FILE__, __LINE__);                              \
    } while (0)

extern jmp_buf tap_mistake_jump;
extern bool tap_catching;

void tap_expect(bool good, const char *what, const char *file, int line);
void tap_expect_mistake(enum larder_fit_mistake mistake, const void *pointer, const char *file,
                        int line);

/* End the running test; it counts as skipped. */
_Noreturn void tap_skip(const char *why);

/* Run `body`; true iff it met all expectations. For searches that go on after a failure. */
bool tap_try(void (*body)(void *context), void *context);
const char *tap_last_failure(void);

/* Prints "# ..." and the seed of this run: LARDER_SEED, or a fixed one. */
uint64_t tap_seed(void);
uint64_t tap_random(uint64_t *state); /* splitmix64 (Steele, Lea, Flood 2014) */

int tap_run(const struct tap_test *tests, size_t count);

#define TAP_MAIN(tests)                                                                            \
    int main(void) {                                                                               \
        return tap_run(tests, sizeof(tests) / sizeof((tests)[0]));                                 \
    }

#endif
