/* watch.h: what is looked at now and then on slow paths, if an option asks for it: the soft limit,
 * peaks for the statistics, and snapshots on a signal.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

/* Set once at start: does any option ask for watch_look()? For statistics? */
extern bool watch_is_wanted __attribute__((visibility("hidden")));
extern bool watch_has_statistics __attribute__((visibility("hidden")));

/* After the options are read, with the limit of the cgroup. Allocates nothing. */
void watch_start(void);

/* Take the signal. From a constructor: the program may set a handler of its own later, and then
 * there are no snapshots. */
void watch_take_signal(void);
extern bool watch_has_signal __attribute__((visibility("hidden"))); /* it has been taken */

/* On a slow path, no lock held. */
void watch_look(void);

/* A signal has come and its snapshot has not been written. The first is the word on which the
 * purging thread waits. */
extern int watch_pending __attribute__((visibility("hidden")));
void watch_write_pending(void);

#endif
