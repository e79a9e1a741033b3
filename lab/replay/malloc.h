/* malloc.h: the malloc of this process as a policy. Only in the child of child.h. */
#ifndef LAB_REPLAY_MALLOC_H
#define LAB_REPLAY_MALLOC_H

#include "blocks.h"

/* The file that malloc comes from; "" iff the loader does not say. */
const char *malloc_library(void);

/* What is resident now is where the footprint begins; `table` is the lab's own, and never counts.
 */
void malloc_begin(const struct blocks *table);

#endif
