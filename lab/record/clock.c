/* clock.c: see clock.h. */
#include "record/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MEASURE_NS = 10000000 };

static uint64_t now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)
/* Is there a line of a file that has all these words? */
static bool file_has(const char *path, const char *first, const char *second) {
    char line[8192];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file))
        found = strstr(line, first) && strstr(line, second);
    if (file)
        (void)fclose(file);
    return found;
}

/* The kernel has compared the counters of all CPUs where its own clock is built on them. */
enum channel_clock clock_choose(void) {
    static const char source[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    return file_has("/proc/cpuinfo", " constant_tsc ", " nonstop_tsc ") &&
                   (file_has(source, "tsc", "") || file_has(source, "kvm-clock", ""))
               ? CHANNEL_CLOCK_CYCLES
               : CHANNEL_CLOCK_NS;
}

static uint64_t cycles(void) {
    return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
/* One counter for all CPUs, by the architecture. */
enum channel_clock clock_choose(void) {
    return CHANNEL_CLOCK_CYCLES;
}

static uint64_t cycles(void) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
enum channel_clock clock_choose(void) {
    return CHANNEL_CLOCK_NS;
}

static uint64_t cycles(void) {
    return now_ns();
}
#endif

uint64_t clock_ticks(enum channel_clock clock) {
    return clock == CHANNEL_CLOCK_CYCLES ? cycles() : now_ns();
}

double clock_ns_per_tick(enum channel_clock clock) {
    if (clock == CHANNEL_CLOCK_NS)
        return 1;
    const uint64_t start_ns = now_ns(), start = cycles();
    uint64_t end_ns;
    do {
        (void)nanosleep(&(struct timespec){.tv_nsec = MEASURE_NS / 4}, NULL);
        end_ns = now_ns();
    } while (end_ns - start_ns < MEASURE_NS);
    return (double)(end_ns - start_ns) / (double)(cycles() - start);
}
