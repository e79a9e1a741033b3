/* Every policy against the model, at random, from a printed seed; what fails is made short. */
#include "model.h"

#include <stdlib.h>

#ifndef RANDOM_RUNS
#define RANDOM_RUNS 60u
#endif
#ifndef RANDOM_STEPS
#define RANDOM_STEPS 250u
#endif

/* In halves: not every printf() knows 64 bits. */
#define SEED_FORMAT "0x%08lx%08lx"
#define SEED_WORDS(seed) (unsigned long)((seed) >> 32), (unsigned long)((seed)&0xffffffffu)

struct run {
    enum larder_fit_policy policy;
    uint64_t seed;
    size_t count;
    size_t at;
    struct model_step steps[RANDOM_STEPS];
};

static struct run run, shorter;

static void body(void *context) {
    struct run *one = context;
    model_run(one->policy, one->seed, one->steps, one->count, &one->at);
}

/* Leave out every step that can be left out; at most three rounds. */
static void shrink(void) {
    for (unsigned round = 0; round < 3; round++) {
        size_t before = run.count;
        for (size_t i = 0; i < run.count;) {
            shorter = run;
            memmove(&shorter.steps[i], &run.steps[i + 1],
                    (run.count - i - 1) * sizeof run.steps[0]);
            shorter.count--;
            if (tap_try(body, &shorter)) {
                i++;
            } else {
                run = shorter;
            }
        }
        if (run.count == before) {
            break;
        }
    }
}

static void report(uint64_t seed) {
    run.count = run.at < run.count ? run.at + 1 : run.count;
    shrink();
    (void)tap_try(body, &run);
    printf("# LARDER_SEED=" SEED_FORMAT ", %s, layout " SEED_FORMAT ": %u steps are enough\n",
           SEED_WORDS(seed), larder_fit_policy_text(run.policy), SEED_WORDS(run.seed),
           (unsigned)run.count);
    for (size_t i = 0; i < run.count; i++) {
        model_print(&run.steps[i]);
    }
    printf("# %s\n", tap_last_failure());
    EXPECT(tap_try(body, &run));
    tap_expect(false, "the failure went away when it was made short", __FILE__, __LINE__);
}

static void policy_keeps_its_word(enum larder_fit_policy policy) {
    uint64_t seed = tap_seed(), state = seed + (uint64_t)policy;
    if (!model_has_policy(policy)) {
        tap_skip("not compiled in");
    }
    printf("# %s: LARDER_SEED=" SEED_FORMAT ", %u runs of %u steps\n",
           larder_fit_policy_text(policy), SEED_WORDS(seed), RANDOM_RUNS, RANDOM_STEPS);
    for (unsigned i = 0; i < RANDOM_RUNS; i++) {
        run.policy = policy;
        run.seed = tap_random(&state);
        run.count = RANDOM_STEPS;
        for (size_t s = 0; s < RANDOM_STEPS; s++) {
            uint64_t bits = tap_random(&state);
            run.steps[s].call = (uint8_t)bits;
            run.steps[s].slot = (uint8_t)(bits >> 8);
            run.steps[s].a = (uint16_t)(bits >> 16);
            run.steps[s].b = (uint16_t)(bits >> 32);
        }
        if (!tap_try(body, &run)) {
            report(seed);
        }
    }
}

static void first_fit(void) {
    policy_keeps_its_word(LARDER_FIT_FIRST);
}

static void next_fit(void) {
    policy_keeps_its_word(LARDER_FIT_NEXT);
}

static void best_fit(void) {
    policy_keeps_its_word(LARDER_FIT_BEST);
}

static void worst_fit(void) {
    policy_keeps_its_word(LARDER_FIT_WORST);
}

static void good_fit(void) {
    policy_keeps_its_word(LARDER_FIT_GOOD);
}

static const struct tap_test tests[] = {TAP_TEST(first_fit), TAP_TEST(next_fit), TAP_TEST(best_fit),
                                        TAP_TEST(worst_fit), TAP_TEST(good_fit)};

TAP_MAIN(tests)
