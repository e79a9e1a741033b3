/* thread.h: the slot of each thread.
 *
 * A thread gets a slot on its first slow path. When it ends, the slot is parked with its magazines
 * full, and the next new thread takes it over warm; parked slots are emptied when they stayed
 * parked for an interval. So there are as many slots as threads lived at once, and 10,000 short
 * threads leave one behind.
 */
#ifndef THREAD_H
#define THREAD_H

#include <stdbool.h>

/* Register for the ends of threads. Once, at start-up, before a second thread can exist. */
void thread_start(void);

/* Start a detached thread of larder's own: a small stack, and no signal of the program's is its to
 * take. False iff the system has none. Not from a free (background.c says why). */
bool thread_create(const char *name, void *(*run)(void *unused));

/* Give the calling thread a slot if it has none and may have one: not when it is ending, or there
 * are too many threads. True iff it has one now that it had not before. */
bool thread_attach(void);

/* Empty the slots of ended threads, and of those that sleep; the caller's too. */
void thread_empty_all(void);

/* Empty those slots of ended threads that no thread took since the last call. */
void thread_empty_parked(void);

/* Around fork(): the lock; and in the child, which has only the calling thread. */
void thread_lock(void);
void thread_unlock(void);
void thread_become_only(void);

#endif
