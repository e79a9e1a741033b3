/* tap.c: see tap.h. */
#include "tap.h"

#include <stdlib.h>

jmp_buf tap_mistake_jump;
bool tap_catching;

static jmp_buf failure_jump;
static char failure[256];
static const char *skipped; /* why */
static enum larder_fit_mistake seen_mistake;
static const void *seen_pointer;

static _Noreturn void fail(void) {
    longjmp(failure_jump, 1);
}

void tap_expect(bool good, const char *what, const char *file, int line) {
    if (!good) {
        (void)snprintf(failure, sizeof failure, "%s:%d: %s", file, line, what);
        fail();
    }
}

/* ---- Hooks of config/hooks.h ----------------------------------------------------------------- */

struct hooks_trace hooks_trace_last;
unsigned long hooks_looked;
static const void *locked;

void hooks_fatal(unsigned mistake, const void *pointer) {
    locked = NULL;
    seen_mistake = (enum larder_fit_mistake)mistake;
    seen_pointer = pointer;
    if (tap_catching) {
        longjmp(tap_mistake_jump, 1);
    }
    (void)snprintf(failure, sizeof failure, "mistake: %s", larder_fit_mistake_text(seen_mistake));
    fail();
}

void hooks_assert(const char *what) {
    tap_expect(false, what, "assertion", 0);
}

void hooks_lock(const void *heap) {
    tap_expect(locked == NULL, "the lock is not nested", __FILE__, __LINE__);
    locked = heap;
}

void hooks_unlock(const void *heap) {
    tap_expect(locked == heap, "the lock is held by this heap", __FILE__, __LINE__);
    locked = NULL;
}

void hooks_trace(const void *heap, unsigned event, const void *pointer, size_t bytes) {
    tap_expect(locked == NULL, "the trace is outside the lock", __FILE__, __LINE__);
    hooks_trace_last.heap = heap;
    hooks_trace_last.event = event;
    hooks_trace_last.pointer = pointer;
    hooks_trace_last.bytes = bytes;
    hooks_trace_last.count++;
}

void tap_expect_mistake(enum larder_fit_mistake mistake, const void *pointer, const char *file,
                        int line) {
    if (seen_mistake != mistake) {
        (void)snprintf(failure, sizeof failure, "%s:%d: %s, expected: %s", file, line,
                       larder_fit_mistake_text(seen_mistake), larder_fit_mistake_text(mistake));
        fail();
    }
    tap_expect(pointer == NULL || seen_pointer == pointer, "the mistake is about that pointer",
               file, line);
}

_Noreturn void tap_skip(const char *why) {
    skipped = why;
    fail();
}

bool tap_try(void (*body)(void *context), void *context) {
    jmp_buf outer;
    memcpy(outer, failure_jump, sizeof outer);
    volatile bool good = false;
    if (setjmp(failure_jump) == 0) {
        body(context);
        good = true;
    }
    memcpy(failure_jump, outer, sizeof outer);
    return good;
}

const char *tap_last_failure(void) {
    return failure;
}

#define DEFAULT_SEED UINT64_C(20260921)

uint64_t tap_seed(void) {
#ifdef __AVR__ /* no environment, and no strtoull() */
    return DEFAULT_SEED;
#else
    const char *text = getenv("LARDER_SEED");
    return text != NULL ? strtoull(text, NULL, 0) : DEFAULT_SEED;
#endif
}

uint64_t tap_random(uint64_t *state) {
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static void run_one(void *context) {
    const struct tap_test *test = context;
    test->run();
}

int tap_run(const struct tap_test *tests, size_t count) {
    int failed = 0;
    printf("1..%u\n", (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        struct tap_test test = tests[i];
        skipped = NULL;
        bool good = tap_try(run_one, &test);
        if (skipped != NULL) {
            printf("ok %u - %s # SKIP %s\n", (unsigned)i + 1, test.name, skipped);
            continue;
        }
        printf("%sok %u - %s\n", good ? "" : "not ", (unsigned)i + 1, test.name);
        if (!good) {
            printf("# %s\n", failure);
            failed = 1;
        }
        (void)fflush(stdout);
    }
    return failed;
}
