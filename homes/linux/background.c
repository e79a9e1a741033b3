/* background.c: the purging thread. See background.h.
 *
 * pthread_create() takes locks of the C library, under some of which the C library itself frees
 * small objects (the stack of an ended thread). So the thread is started from an allocation, never
 * from a free.
 */
#include "background.h"

#include "larder/larder.h"
#include "larder/port.h"

#include "control.h"
#include "options.h"
#include "process.h"
#include "statistics.h"
#include "thread.h"
#include "watch.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LARGE_BYTES ((size_t)48 << 20) /* usable memory from which on a process gets the thread */

enum { NONE, STARTING, SLEEPING, WORKING, REFUSED };

static struct {
    int state;             /* atomic, and the futex it sleeps on */
    size_t baseline_bytes; /* usable when this process was forked */
} background;

/* ---- the thread ---- */

static void sleep_until_woken(void) {
    (void)syscall(SYS_futex, &background.state, FUTEX_WAIT_PRIVATE, SLEEPING, NULL, NULL, 0);
}

/* Or until a snapshot is asked for. */
static void sleep_an_interval(void) {
    const struct timespec pause = {.tv_sec = options.purge_ms / 1000,
                                   .tv_nsec = (long)(options.purge_ms % 1000) * 1000000 + 1000000};
    (void)syscall(SYS_futex, &watch_pending, FUTEX_WAIT_PRIVATE, 0, &pause, NULL, 0);
    watch_write_pending();
}

/* A few intervals after the last dirt, in which the caches let go of what they do not need. */
static void work(void) {
    for (unsigned quiet = 0; quiet < 4; quiet++) {
        sleep_an_interval();
        thread_empty_parked();
        statistics_sample();
        (void)larder_tick(PROCESS);
        if (larder_is_dirty(PROCESS))
            quiet = 0;
    }
}

static void *run(void *unused) {
    (void)unused;
    for (;;) {
        __atomic_store_n(&background.state, WORKING, __ATOMIC_SEQ_CST);
        work();
        __atomic_store_n(&background.state, SLEEPING, __ATOMIC_SEQ_CST);
        if (!larder_is_dirty(PROCESS) && !__atomic_load_n(&watch_pending, __ATOMIC_SEQ_CST))
            sleep_until_woken();
        watch_write_pending();
    }
    return NULL;
}

/* ---- starting it ---- */

static void start(void) {
    int none = NONE;
    if (!__atomic_compare_exchange_n(&background.state, &none, STARTING, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    if (!thread_create("larder", run))
        __atomic_store_n(&background.state, REFUSED, __ATOMIC_SEQ_CST);
}

void background_forget(void) {
    background.state = NONE;
    background.baseline_bytes = process_usable_bytes();
}

/* ---- from slow paths ---- */

static bool is_wanted(void) {
    return options.background &&
           (watch_has_signal || process_usable_bytes() >= background.baseline_bytes + LARGE_BYTES);
}

void background_notice_alloc(void) {
    const int state = __atomic_load_n(&background.state, __ATOMIC_RELAXED);
    if (__builtin_expect(watch_is_wanted, 0)) {
        watch_look();
        control_start();
    }
    if (state == NONE && is_wanted())
        start();
    else
        background_notice_free();
}

void background_notice_free(void) {
    const int state = __atomic_load_n(&background.state, __ATOMIC_RELAXED);
    if (__builtin_expect(watch_is_wanted, 0))
        watch_look();
    if (state == NONE || state == REFUSED)
        (void)larder_tick(PROCESS);
    else if (state == SLEEPING && larder_is_dirty(PROCESS))
        background_wake();
}

bool background_is_running(void) {
    const int state = __atomic_load_n(&background.state, __ATOMIC_SEQ_CST);
    return state == SLEEPING || state == WORKING;
}

void background_wake(void) {
    int sleeping = SLEEPING;
    if (__atomic_compare_exchange_n(&background.state, &sleeping, WORKING, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        (void)syscall(SYS_futex, &background.state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    else
        (void)syscall(SYS_futex, &watch_pending, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
