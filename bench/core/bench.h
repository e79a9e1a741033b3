/* The harness of the core benchmarks: contests between contestants, in interleaved rounds.
 *
 * A contest is one question ("alloc and free of a 64-byte object"). Its contestants answer it in
 * turns, A B C A B C …, so that whatever else the machine does hits all of them alike; a figure is
 * the median of the rounds, a ratio the median of the ratios within each round. This program only
 * measures and writes the raw rounds; bench/report computes. bench/METHOD.md says why.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Time and place -------------------------------------------------------------------------- */

/* CPU time of the calling thread: what others do in the meantime does not count. Equal to the time
 * on the wall where nobody else wants the CPU; the results say how far that was so. */
uint64_t clock_ns(void);
uint64_t wall_ns(void);

/* Pin the calling thread to the n-th CPU this process may use. */
void pin_to_cpu(unsigned n);
unsigned cpu_count(void);

/* The compiler must assume that `value` is used. */
static inline void keep(const void *value) {
    __asm__ volatile("" : : "r"(value) : "memory");
}

/* ---- Chance ---------------------------------------------------------------------------------- */

/* xorshift64*: the same sequence on every machine. */
struct chance {
    uint64_t state;
};
static inline uint64_t chance_next(struct chance *chance) {
    uint64_t x = chance->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    chance->state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* 0 .. below-1, without a division. */
static inline uint32_t chance_below(struct chance *chance, uint32_t below) {
    return (uint32_t)(((chance_next(chance) >> 32) * below) >> 32);
}

/* 0 .. count-1 in an order drawn from `seed`. */
void permutation(uint32_t *index, uint32_t count, uint64_t seed);

/* ---- Contests -------------------------------------------------------------------------------- */

/* Do `count` operations; return the nanoseconds they took. */
typedef double (*run_function)(void *state, uint64_t count);

struct contestant {
    const char *name;
    run_function run;
    void *state;
};

struct contest {
    const char *id;           /* "object-pair": what the report finds it by */
    const char *title;        /* a sentence */
    const char *unit;         /* "ns per pair" */
    uint64_t step;            /* counts are multiples of it; 0: 1 */
    uint64_t counts_per_unit; /* of `count` that make one of `unit`; 0: 1 */
    const struct contestant *contestant;
    unsigned contestants;
};

/* Run it and keep the rounds. */
void contest_run(const struct contest *contest);

/* Keep one figure of a series that is not a timed loop. */
void record(const char *id, const char *title, const char *unit, const char *name, double value);

/* True: fewer and shorter rounds, for trying things out. */
extern bool quick;
unsigned round_count(void);

/* Progress, on stderr. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Before anything else: pins this thread. */
void harness_start(void);

/* Everything recorded, as JSON. */
void results_write(const char *path);

/* A remark that belongs to the results, such as a peer that could not start. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- The second thread ----------------------------------------------------------------------- */

/* Run both at once, `left` here, `right` on a thread that lives as long as the program and is
 * pinned to another CPU; return the longer of the two times. */
double run_both(run_function left, void *left_state, run_function right, void *right_state,
                uint64_t count);

/* ---- The contests, by file ------------------------------------------------------------------- */

void bench_objects(void);
void bench_frames(void);
void bench_pipe(void);
void bench_churn(void);
void bench_growth(void);
void bench_startup(void);

#endif
