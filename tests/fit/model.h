/* model.h: a plain account of what a heap holds, and the policies by their definitions. */
#ifndef TESTS_FIT_MODEL_H
#define TESTS_FIT_MODEL_H

#include "tap.h"

#ifndef MODEL_ARENA
#define MODEL_ARENA 16384u
#endif
#define MODEL_SLOTS 48u
#define MODEL_REGIONS 3u

/* One step: which call, on which slot, with which numbers. */
struct model_step {
    uint8_t call;
    uint8_t slot;
    uint16_t a;
    uint16_t b;
};

/* Make a heap of `policy` with 1 to 3 regions, laid out by `seed`, and do the steps; every
 * invariant and the policy's choice are checked around each call. An expectation that is not met
 * ends the test with *at on that step. */
void model_run(enum larder_fit_policy policy, uint64_t seed, const struct model_step *steps,
               size_t count, size_t *at);

/* The step as a person would write it. */
void model_print(const struct model_step *step);

bool model_has_policy(enum larder_fit_policy policy);

#endif
