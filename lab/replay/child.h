/* child.h: any malloc, in a process of its own that has it preloaded.
 *
 * The parent reads the trace and hands the events over through a pipe, so that nothing but the
 * trace's own requests reaches the malloc that is measured; tables and buffers of the child are not
 * malloc's. One thread replays all threads of the trace. Footprint is what is resident of the
 * process beyond what was before the first event and what the lab's own table takes; it is looked
 * at at each sample, and whenever live memory has grown by 3 %. */
#ifndef LAB_REPLAY_CHILD_H
#define LAB_REPLAY_CHILD_H

#include "result.h"

struct child;

/* The name of the subcommand of `larder` that the child is; no user calls it. */
#define CHILD_COMMAND "replay-child"

/* Start it. library: as for LD_PRELOAD; a name without a slash is also looked for beside this
 * program, in linux/ and in ../lib; NULL: none. NULL iff it cannot be started: result->what. */
struct child *child_start(const char *library, const struct replay_config *config,
                          uint64_t count_events, struct result *result);

/* False iff it has ended: child_end() tells why. */
bool child_event(struct child *child, const struct trace_event *event);

/* Wait for its result; a child that does not answer is ended after ten seconds if the user has
 * interrupted. */
void child_end(struct child *child, struct result *result);

#endif
