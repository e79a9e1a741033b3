/* start.c: what happens once in a process: registering for forks and for the ends of threads.
 *
 * The constructor may run after the first malloc, and long after on a static link with other
 * constructors before it; nothing in malloc depends on it but what is said here. A second thread
 * cannot exist before it in a program that is linked with or preloads the library.
 */
#include "larder/larder.h"

#include "background.h"
#include "control.h"
#include "guests.h"
#include "process.h"
#include "remap.h"
#include "thread.h"
#include "watch.h"

#include <pthread.h>

/* Rank order: threads, process (growth donates frames under it), then the core's own. */
static void before_fork(void) {
    thread_lock();
    process_lock();
    remap_lock();
    guests_lock();
    if (process_is_started())
        larder_lock_all(PROCESS);
}

static void in_parent(void) {
    if (process_is_started())
        larder_unlock_all(PROCESS);
    guests_unlock();
    remap_unlock();
    process_unlock();
    thread_unlock();
}

static void in_child(void) {
    in_parent();
    thread_become_only();
    if (process_is_started())
        larder_reseed(PROCESS);
    background_forget();
    control_forget();
}

__attribute__((constructor(101))) static void larder_start(void) {
    if (process_start()) {
        thread_start();
        watch_take_signal();
        (void)pthread_atfork(before_fork, in_parent, in_child);
        control_start();
    }
}
