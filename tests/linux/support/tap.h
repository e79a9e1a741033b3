/* tap.h: test programs for the malloc of the Linux home. Any of them also runs with the C library's
 * malloc, on arm64 in an emulator, statically linked, and on musl: so no test library is below it.
 *
 * A program starts itself again with build/linux/liblarder.so preloaded, unless something is
 * preloaded already or it is linked with the library (TAP_LINKED), and stops if its malloc is not
 * ours then. Expectations may fail on any thread; a test goes on after them.
 */
#ifndef TESTS_LINUX_TAP_H
#define TESTS_LINUX_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the family, what the headers of one C library or the other leave out: the library has it. */
int malloc_trim(size_t pad_bytes) __attribute__((weak));
void *pvalloc(size_t size_bytes) __attribute__((weak));

struct tap_test {
    const char *name;
    void (*run)(void);
};

#define TAP_TEST(function)                                                                         \
    { #function, function }

/* Evaluates to the condition. */
#define EXPECT(condition) tap_expect((condition), #condition, __FILE__, __LINE__)

bool tap_expect(bool good, const char *what, const char *file, int line);

/* The running test counts as skipped; it returns by itself. */
void tap_skip(const char *why);

/* Prints "# …" beside the results. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* splitmix64 (Steele, Lea, Flood 2014). The seed of this run is printed; LARDER_SEED is another. */
uint64_t tap_seed(void);
uint64_t tap_random(uint64_t *state);

/* Resident bytes of this process, and free memory of the machine, from /proc. Neither allocates. */
size_t tap_resident_bytes(void);
size_t tap_free_bytes(void);

void tap_sleep_ms(unsigned ms);

/* Asks a control socket one question; bytes of the answer. 0: nobody listens, or answers within
 * `patience_ms`; 0 is no limit. */
size_t tap_ask(const char *path, const char *question, unsigned patience_ms);

/* Is malloc() ours? By the sizes it gives out, which no C library's malloc has. */
bool tap_malloc_is_ours(void);

int tap_main(char **argv, const struct tap_test *tests, size_t count);

#define TAP_MAIN(tests)                                                                            \
    int main(int argc, char **argv) {                                                              \
        (void)argc;                                                                                \
        return tap_main(argv, tests, sizeof(tests) / sizeof((tests)[0]));                          \
    }

#endif
