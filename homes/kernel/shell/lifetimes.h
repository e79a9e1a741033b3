/* lifetimes.h: processes live and die at random on all CPUs, and after each end all of memory is
 * accounted for, to the frame.
 *
 * A handful of programs run at a time; they fork, map, write, exit; random ones are killed at
 * random moments. They end one at a time: when one has ended no other gets a turn until everything
 * stands still, and
 *
 *   free frames + frames of living processes and of what the kernel keeps for them = free at first
 *
 * where the second is added up from the translation tables (processes_check()). After each hundred
 * some more live and end without being waited for, on several CPUs at once. Now and then, and when
 * the last of either has ended, all magazines are emptied before: then nothing of what was kept
 * for processes is left, and as many frames are free as at first.
 */
#ifndef SHELL_LIFETIMES_H
#define SHELL_LIFETIMES_H

#include "kernel.h"

struct lifetimes_config {
    uint64_t count; /* ends with at least so many lifetimes that were counted each by itself */
    uint64_t seed;
    bool (*stop)(void); /* asked now and then; may be NULL */
};

struct lifetimes_result {
    uint64_t lifetimes, kills, refused; /* refused: programs that could not be started */
    uint64_t checks;                    /* ends after which everything stood still and was counted,
                                           before any other process ended */
    uint64_t missed;                    /* ends that should have been counted and were not */
    uint64_t returned;                  /* times no process was alive and all frames were free */
    uint64_t lost_frames;               /* at the check that failed; 0: none did */
    const char *wrong;                  /* NULL: nothing */
    uint64_t elapsed_us;
};

/* Run on CPU 0, with no process alive. None is when this returns. */
void lifetimes_run(const struct lifetimes_config *config, struct lifetimes_result *result);

/* As two lines for people. */
void lifetimes_show(const struct lifetimes_result *result);

#endif
