/* inject.h: let allocations for processes fail, to see what becomes of it. */
#ifndef PROCESS_INJECT_H
#define PROCESS_INJECT_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the `first`-th allocation (1: the next) fails, and each `every`-th after it if
 * `every` is not 0. Of all CPUs together. */
void inject_failures(uint64_t first, uint64_t every);

/* No more. The count stays. */
void inject_stop(void);

/* Asked once for each allocation: must it fail? */
bool inject_fails(void);

/* Allocations that were made to fail since inject_failures(). */
uint64_t inject_count(void);

#endif
