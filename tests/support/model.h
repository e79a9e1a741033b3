/* model.h: random operations against a naive reference, with shrinking.
 *
 * A model makes operations out of random numbers alone and interprets them in whatever state it is
 * ("free the live block number a modulo live blocks"), so any part of a sequence is a sequence.
 * When a check fails, the sequence is shortened as long as it still fails, and printed.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include "harness.h"

struct op {
    uint32_t kind;
    uint32_t a, b, c;
};

struct model {
    const char *name;
    uint32_t kinds;                       /* kind is 0 … kinds - 1 */
    void (*start)(struct random *random); /* a fresh world, drawn from the seed */
    void (*apply)(const struct op *op);   /* fails through sim_check() or sim_fail() */
    void (*finish)(void);                 /* everything freed and checked */
    void (*abandon)(void);                /* the world is broken: drop it */
    void (*print)(char *text, size_t bytes, const struct op *op);
};

/* Run `operations` in rounds of `round_length`, LARDER_MODEL_SCALE hundredths of it if that is set.
 * Fails the test with the shortest sequence found. Prints how many were run. */
void model_run(const struct model *model, uint64_t operations, unsigned round_length);

/* How much work this build can do in the same time, in hundredths. */
unsigned model_scale(void);

#endif
