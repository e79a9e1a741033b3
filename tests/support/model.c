#include "model.h"

#include <time.h>

#define SHRINK_SECONDS 20
#define PRINT_MAX 200u

static jmp_buf failed_at;
static char failure[2048];

static void on_failure(const char *message) {
    snprintf(failure, sizeof failure, "%s", message);
    longjmp(failed_at, 1);
}

/* The sanitizers and the counters of coverage cost a factor of ten and more. */
unsigned model_scale(void) {
    const char *variant = getenv("LARDER_VARIANT");
    bool is_slow = variant && strcmp(variant, "plain") != 0;
    return (unsigned)harness_number("LARDER_MODEL_SCALE", is_slow ? 8 : 100);
}

static uint64_t round_seed(uint64_t seed, uint64_t round) {
    struct random random = {seed ^ round * 0xda942042e4dd58b5u};
    return random_next(&random);
}

/* Operations from one random state; the world from another, so that shrinking keeps the world. */
static void make_ops(const struct model *model, uint64_t seed, struct op *ops, unsigned count) {
    struct random random = {seed + 1};
    for (unsigned i = 0; i < count; i++) {
        uint64_t x = random_next(&random), y = random_next(&random);
        ops[i] = (struct op){(uint32_t)(x % model->kinds), (uint32_t)(x >> 32), (uint32_t)y,
                             (uint32_t)(y >> 32)};
    }
}

/* Run a sequence in a fresh world; false iff something failed. *done: operations that began. */
static bool run(const struct model *model, uint64_t seed, const struct op *ops, unsigned count,
                unsigned *done) {
    void (*outer)(const char *) = sim_failed;
    volatile unsigned at = 0;
    volatile bool ok = false;
    sim_failed = on_failure;
    if (setjmp(failed_at) == 0) {
        struct random random = {seed};
        model->start(&random);
        while (at < count) {
            at++;
            model->apply(&ops[at - 1]);
        }
        model->finish();
        ok = true;
    } else {
        sim_reset();
        model->abandon();
    }
    sim_failed = outer;
    *done = at;
    return ok;
}

/* ops without [first, first + gone) still fail: keep them so. */
static bool try_without(const struct model *model, uint64_t seed, struct op *ops, unsigned *count,
                        unsigned first, unsigned gone) {
    unsigned left = *count - gone, done;
    struct op *shorter = malloc((left + 1) * sizeof *shorter);
    memcpy(shorter, ops, first * sizeof *ops);
    memcpy(shorter + first, ops + first + gone, (left - first) * sizeof *ops);
    bool fails = !run(model, seed, shorter, left, &done);
    if (fails) {
        memcpy(ops, shorter, done * sizeof *ops);
        *count = done;
    }
    free(shorter);
    return fails;
}

/* Delta debugging (Zeller and Hildebrandt 2002), by halves. */
static void shrink(const struct model *model, uint64_t seed, struct op *ops, unsigned *count) {
    time_t end = time(NULL) + SHRINK_SECONDS;
    for (unsigned gone = *count / 2; gone > 0 && time(NULL) < end;) {
        bool any = false;
        for (unsigned first = 0; first + gone <= *count && time(NULL) < end;) {
            if (try_without(model, seed, ops, count, first, gone)) {
                any = true;
            } else {
                first += gone;
            }
        }
        if (!any || gone > *count) {
            gone = gone > *count ? *count / 2 : gone / 2;
        }
    }
}

static void print_sequence(const struct model *model, const struct op *ops, unsigned count) {
    char text[256];
    printf("# %s fails after these %u operations:\n", model->name, count);
    for (unsigned i = 0; i < count && i < PRINT_MAX; i++) {
        model->print(text, sizeof text, &ops[i]);
        printf("#   %s\n", text);
    }
    if (count > PRINT_MAX) {
        printf("#   … and %u more\n", count - PRINT_MAX);
    }
}

void model_run(const struct model *model, uint64_t operations, unsigned round_length) {
    uint64_t seed = harness_seed();
    uint64_t wanted = operations * model_scale() / 100, ran = 0;
    struct op *ops = malloc(round_length * sizeof *ops);
    for (uint64_t round = 0; ran < wanted; round++, ran += round_length) {
        uint64_t of_round = round_seed(seed, round);
        unsigned done;
        make_ops(model, of_round, ops, round_length);
        if (!run(model, of_round, ops, round_length, &done)) {
            printf("# %s, round %llu: %s\n", model->name, (unsigned long long)round, failure);
            shrink(model, of_round, ops, &done);
            print_sequence(model, ops, done);
            free(ops);
            fail_msg("LARDER_SEED=%llu: %s", (unsigned long long)seed, failure);
        }
    }
    free(ops);
    printf("# %s: %llu operations\n", model->name, (unsigned long long)ran);
}
