/* The whole family against a model (support/family_model.h), at random: one thread, or four that
 * hand blocks to each other.
 *
 *     fuzz [CASES]        a test; more cases for a longer run (make fuzz-family)
 *
 * A case is a list of numbers, each of them a call. It runs in a process of its own; one that fails
 * or dies is made shorter as long as it still does, and printed. tests/fuzz/family.c has cases that
 * are led by what they reach. */
#include "family_model.h"
#include "tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 600, THREADS = 4, CASES = 32 };

/* A thread's share of a case: every `step`th call. */
struct share {
    struct model model;
    const uint64_t *call;
    unsigned count, first, step;
};

static struct share shares[THREADS];

static void *run_calls(void *context) {
    struct share *share = context;
    for (unsigned i = share->first; i < share->count; i += share->step)
        model_call(&share->model, share->call[i]);
    model_end(&share->model);
    return NULL;
}

static _Noreturn void run_case(const uint64_t *call, unsigned count, unsigned threads) {
    pthread_t thread[THREADS];
    (void)alarm(30);
    for (unsigned i = 0; i < threads; i++)
        shares[i] = (struct share){{.is_alone = threads == 1}, call, count, i, threads};
    for (unsigned i = 1; i < threads; i++) {
        if (pthread_create(&thread[i], NULL, run_calls, &shares[i]) != 0)
            _exit(2);
    }
    (void)run_calls(&shares[0]);
    for (unsigned i = 1; i < threads; i++)
        (void)pthread_join(thread[i], NULL);
    model_end_shared();
    _exit(0);
}

static bool is_good(const uint64_t *call, unsigned count, unsigned threads) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0)
        run_case(call, count, threads);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Leave out what can be left out: halves first, single calls in the end. Returns how many stay. */
static unsigned shrink(uint64_t *call, unsigned count, unsigned threads) {
    uint64_t shorter[CALLS];
    for (unsigned part = count / 2; part > 0; part /= 2) {
        for (unsigned at = 0; at + part <= count;) {
            memcpy(shorter, call, at * sizeof *call);
            memcpy(shorter + at, call + at + part, (count - at - part) * sizeof *call);
            if (is_good(shorter, count - part, threads)) {
                at += part;
            } else {
                count -= part;
                memcpy(call, shorter, count * sizeof *call);
            }
        }
    }
    return count;
}

static unsigned cases = CASES;

static void the_family_does_what_the_model_does(void) {
    static uint64_t call[CALLS];
    uint64_t random = tap_seed();
    for (unsigned number = 0; number < cases; number++) {
        const unsigned threads = number % 4 == 3 ? THREADS : 1;
        for (unsigned i = 0; i < CALLS; i++)
            call[i] = tap_random(&random);
        if (is_good(call, CALLS, threads))
            continue;
        const unsigned left = shrink(call, CALLS, threads);
        tap_note("case %u, %u threads: these %u calls are enough", number, threads, left);
        for (unsigned i = 0; i < left; i++)
            tap_note("  0x%016llx", (unsigned long long)call[i]);
        EXPECT(!"the family and the model agree");
        return;
    }
}

static const struct tap_test tests[] = {TAP_TEST(the_family_does_what_the_model_does)};

int main(int argc, char **argv) {
    if (argc > 1)
        cases = (unsigned)strtoul(argv[1], NULL, 10);
    return tap_main(argv, tests, 1);
}
