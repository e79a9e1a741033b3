/* schedule.h: between the machinery of coroutines (schedule.c) and who decides (policy.c). */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include "internal.h"

#define SIM_FIBERS_MAX 4u
#define NOBODY UINT32_MAX

/* Who decides. `at_point` is called on the running CPU at every event; true: stop running it.
 * `choose` is called when nobody runs: a CPU that can run, or NOBODY to fail as a deadlock. */
struct policy {
    bool (*at_point)(enum sim_event event, const char *what);
    unsigned (*choose)(void);
    void (*describe)(char *text, size_t bytes); /* this schedule, so that it can be repeated */
};

/* Run one race once, from prepare to clean; fails the test if anything is wrong. */
void schedule_run(const struct sim_race *race, const struct policy *policy);

/* For policies. */
unsigned schedule_current(void);
bool schedule_can_run(unsigned cpu); /* not ended, and not waiting for a lock that is held */
bool schedule_is_done(unsigned cpu);
unsigned schedule_next_after(unsigned cpu); /* round robin; NOBODY if none can run */
unsigned schedule_helper_of(unsigned cpu);  /* whom to run so that this one can */
bool schedule_can_interrupt(void);          /* the running CPU, now */
void schedule_interrupt(void);              /* do it */

#endif
