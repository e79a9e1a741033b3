/* inject.c: see inject.h. Off, it is one load for each allocation. */
#include "inject.h"

#include <stdatomic.h>

static _Atomic uint64_t next_failure; /* relaxed: a test sets it while nothing else runs */
static _Atomic uint64_t asked, failed, period;

void inject_failures(uint64_t first, uint64_t every) {
    atomic_store(&asked, 0);
    atomic_store(&failed, 0);
    atomic_store(&period, every);
    atomic_store(&next_failure, first);
}

void inject_stop(void) {
    atomic_store(&next_failure, 0);
}

bool inject_fails(void) {
    uint64_t first = atomic_load_explicit(&next_failure, memory_order_relaxed);
    uint64_t every, number;

    if (first == 0)
        return false;
    number = atomic_fetch_add(&asked, 1) + 1;
    every = atomic_load(&period);
    if (number != first && (every == 0 || number < first || (number - first) % every != 0))
        return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

uint64_t inject_count(void) {
    return atomic_load(&failed);
}
