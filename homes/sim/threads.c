/* threads.c: with SIM_THREADS virtual CPUs are real threads, and nothing is scheduled. */
#ifdef SIM_THREADS
#include "internal.h"

#include <sched.h>
#include <stdlib.h>

void schedule_point(enum sim_event event, const char *what) {
    (void)event;
    (void)what;
}

void schedule_wait(larder_port_lock_t *lock) {
    (void)lock;
    sched_yield();
}

void schedule_relax(void) {
    sched_yield();
}

bool schedule_is_running(void) {
    return false;
}

bool schedule_has_interrupts(void) {
    return false;
}

bool schedule_can_stop_others(void) {
    return false;
}

void schedule_fail(const char *message) {
    (void)message;
    abort();
}

void sim_yield(void) {
    sched_yield();
}

#endif
