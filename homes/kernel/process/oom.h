/* oom.h: memory has run out, and a process cannot go on without. */
#ifndef PROCESS_OOM_H
#define PROCESS_OOM_H

struct process;

/* After the first tries the caller only waits a moment: somebody may give memory back. Then the
 * process that holds the most is told to end, with a line on the console, unless one is about to
 * already. Does not return if it is the caller that ends. */
void oom_relieve(struct process *process, unsigned tries);

#endif
