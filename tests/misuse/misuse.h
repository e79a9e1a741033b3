/* misuse.h: one mistake per test. The call must end in the fatal of that name, and its report must
 * be the expected text to the last byte; then the instance must be sound and nothing lost.
 *
 * The machine has one of everything that may not be freed:
 *
 *     1 GiB + 0        32 MiB   RAM, in it
 *           + 4 MiB     1 MiB   the kernel, reserved
 *           + 6 MiB + 2 KiB     4 KiB reserved: two frames that are RAM only in part
 *           + 8 MiB    64 KiB   the device tree, to be donated later
 *           + 12 MiB    1 MiB   registers of a device
 *           + 32 MiB   16 MiB   nothing
 *           + 48 MiB   16 MiB   RAM
 */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include "harness.h"

#define RAM_AT GIB
#define KERNEL_AT (RAM_AT + 4 * MIB)
#define PART_AT (RAM_AT + 6 * MIB)
#define TREE_AT (RAM_AT + 8 * MIB)
#define DEVICE_AT (RAM_AT + 12 * MIB)
#define HOLE_AT (RAM_AT + 32 * MIB)
#define HIGH_AT (RAM_AT + 48 * MIB)
#define END_AT (RAM_AT + 64 * MIB)

#define RULE "=============================================================================\n"
#define BUG(line) RULE "BUG " line "\n" RULE
#define AT "0x%016lx"

static struct sim *sim;
static struct larder *larder;
static uint64_t idle;

static inline void start(const char *debug) {
    static const struct larder_range ranges[] = {
        {RAM_AT, 32 * MIB, LARDER_RANGE_USABLE},
        {KERNEL_AT, MIB, LARDER_RANGE_RESERVED},
        {PART_AT + 2 * KIB, FRAME, LARDER_RANGE_RESERVED},
        {TREE_AT, 64 * KIB, LARDER_RANGE_DONATED},
        {DEVICE_AT, MIB, LARDER_RANGE_DEVICE},
        {HIGH_AT, 16 * MIB, LARDER_RANGE_USABLE},
    };
    sim = sim_start(
        &(struct sim_config){.range = ranges, .range_count = COUNT(ranges), .debug = debug});
    assert_non_null(sim->larder);
    larder = sim->larder;
    larder_reclaim(larder);
    idle = frames_idle(sim);
    sim_validate(sim);
}

static inline int setup(void **state) {
    (void)state;
    start(NULL);
    return 0;
}

static inline int teardown(void **state) {
    (void)state;
    if (sim) {
        expect_nothing_leaked(sim, idle);
        sim_stop(sim);
        sim = NULL;
    }
    return 0;
}

/* Another machine, with debug options. */
static inline void restart(const char *debug) {
    sim_stop(sim);
    start(debug);
}

/* The mistake broke the instance, as it must: nothing to look at any more. */
static inline void abandon(void) {
    sim_abandon(sim);
    sim = NULL;
}

static inline __attribute__((format(printf, 1, 2))) void expect_report(const char *format, ...) {
    static struct text text;
    char expected[4096];
    struct larder_sink sink = text_sink(&text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    larder_fatal_write(&sim_fatal_last.fatal, &sink);
    assert_string_equal(text.bytes, expected);
}

/* The statement is the mistake `kind`; the rest is the whole report, as for printf. */
#define MISTAKE(kind, statement, ...)                                                              \
    do {                                                                                           \
        sim_expect_fatal(kind, statement);                                                         \
        expect_report(__VA_ARGS__);                                                                \
        sim_validate(sim);                                                                         \
    } while (0)

/* The same where the instance is not sound any more: the damage was done before it was noticed. */
#define LATE_MISTAKE(kind, statement, ...)                                                         \
    do {                                                                                           \
        sim_expect_fatal(kind, statement);                                                         \
        expect_report(__VA_ARGS__);                                                                \
        abandon();                                                                                 \
    } while (0)

static inline uintptr_t number(const void *pointer) {
    return (uintptr_t)pointer;
}

#endif
