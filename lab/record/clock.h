/* clock.h: the clock that recorded programs read: a counter of the CPU where it is known to run
 * evenly on all of them, because reading it takes a fraction of what asking the system takes. */
#ifndef LAB_RECORD_CLOCK_H
#define LAB_RECORD_CLOCK_H

#include "record/preload/channel.h"

enum channel_clock clock_choose(void);
uint64_t clock_ticks(enum channel_clock clock);

/* Measures for some milliseconds. */
double clock_ns_per_tick(enum channel_clock clock);

#endif
