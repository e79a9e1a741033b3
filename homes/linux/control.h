/* control.h: a socket where tools ask this process about its heap while it runs. LARDER_CONTROL
 * asks for it; docs/control.md has the requests and their answers.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "larder/stats.h"

/* Listen, if the options ask for it and this process does not yet. At start-up, and on slow paths
 * of allocations, with no lock held. Costs a load once it is decided. */
void control_start(void);

/* In the child of a fork: the socket is the parent's. */
void control_forget(void);

/* control_answers.c: one line, without its end, and the answer as JSON. Allocates nothing. */
void control_answer(const char *request, const struct larder_sink *sink);

#endif
