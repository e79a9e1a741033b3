/* kerneltest.h: tests that run inside the kernel, on the machine it booted on.
 *
 * Boot with larder.test=NAMES or type "test NAMES": names with commas between, BEGINNING*, or all.
 * Results are TAP on the UART. A test that ends the machine on purpose (its name begins with
 * "fatal-") is not part of "all": whoever boots it compares the report.
 */
#ifndef SHELL_KERNELTEST_H
#define SHELL_KERNELTEST_H

#include "kernel.h"

struct kerneltest {
    const char *name;
    void (*run)(void);
};

/* The tables, each in its own file, ended by an entry without a name. */
extern const struct kerneltest frame_tests[], object_tests[], smp_tests[], machine_tests[],
    window_tests[], process_tests[], fatal_tests[];

/* The i-th name, or NULL. */
const char *kerneltest_name(unsigned i);

/* In a test: one thing that must hold. The first that does not is reported with its numbers, as a
 * comment of TAP, and makes the test fail; the test goes on. Result: ok. */
bool kerneltest_expect(bool ok, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define EXPECT(condition) kerneltest_expect((condition), __FILE__, __LINE__, "%s", #condition)

/* a == b; both are shown otherwise. */
bool kerneltest_equal(uint64_t a, uint64_t b, const char *file, int line, const char *a_text,
                      const char *b_text);

#define EXPECT_EQUAL(a, b)                                                                         \
    kerneltest_equal((uint64_t)(a), (uint64_t)(b), __FILE__, __LINE__, #a, #b)

/* In a test: it does not apply to this machine. */
void kerneltest_skip(const char *why);

/* A comment line of TAP. */
void kerneltest_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
