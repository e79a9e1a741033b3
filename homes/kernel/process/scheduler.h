/* scheduler.h: whose turn it is.
 *
 * One queue of processes that are ready, for all CPUs; a turn lasts to the next tick of the timer.
 * Each CPU has a program of its own, which began before there was any process: the shell on CPU 0,
 * the idle loop on the others. It lends the CPU for a turn at a time and gets it back after each,
 * so calls between CPUs are never far away.
 */
#ifndef PROCESS_SCHEDULER_H
#define PROCESS_SCHEDULER_H

#include "process.h"

/* From a CPU's own program, interrupts masked: run a process for a turn. False iff none is ready.
 */
bool scheduler_turn(void);

/* The same; if none is ready, sleep until the next interrupt, or an earlier one that makes a
 * process ready. Interrupts on: the look and the sleep are one step for them. */
void scheduler_lend(void);

/* From a process: give the CPU back. Its state, set under process_lock before, says when it goes
 * on; READY: when its turn comes again. */
void scheduler_leave(void);

/* The calling process stays ready, but others come first. */
void scheduler_yield(void);

/* The calling process sleeps; returns early when killed. */
void scheduler_sleep(uint64_t us);

/* No process gets a turn until scheduler_thaw(); returns when none is on a CPU. What a process
 * holds stands still then: it gives its CPU away only between two changes. From CPU 0's own
 * program. */
void scheduler_freeze(void);
void scheduler_thaw(void);
bool scheduler_is_frozen(void);

/* From now on processes end one at a time: who begins to end stops all turns until
 * scheduler_thaw(), and who would end meanwhile waits for that; or no more, and all turns go on.
 * From CPU 0's own program. */
void scheduler_end_one_by_one(bool on);

/* The calling process is about to end: returns when it may. */
void scheduler_await_end(void);

/* A process has ended and left its CPU. */
void scheduler_tell_end(void);

/* ---- With process_lock held
 * ---------------------------------------------------------------------- */

/* It can go on, whatever it waited for. */
void scheduler_make_ready(struct process *process);

/* Wakes a CPU that sleeps, if there is one; after the lock was released. */
void scheduler_wake_cpu(void);

#endif
