/* background.h: a thread that gives memory back while the program is idle.
 *
 * It exists only in processes that have grown large, and sleeps without a timeout while nothing is
 * free and dirty. LARDER_BACKGROUND=0: none; then memory goes back on slow paths only.
 */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <stdbool.h>

/* On slow paths, with no lock held: start the thread if this process has become large enough; wake
 * it if there is something to purge; or, without it, do its work when an interval is over. */
void background_notice_alloc(void);
void background_notice_free(void);

/* Is there such a thread; and let it look at once whether there is something to do. Both may be
 * called from a signal handler. */
bool background_is_running(void);
void background_wake(void);

/* In the child of a fork: it has no such thread, and starts one only when it has grown itself. */
void background_forget(void);

#endif
