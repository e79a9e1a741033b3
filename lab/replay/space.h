/* space.h: memory for a policy, and for the tool's own tables: straight from the system, never from
 * a malloc, which may be the thing that is measured. */
#ifndef LAB_REPLAY_SPACE_H
#define LAB_REPLAY_SPACE_H

#include <stddef.h>
#include <stdint.h>

/* Address space that costs nothing until it is touched, at a multiple of SPACE_ALIGN. `wanted` is
 * halved until the system gives it, down to `least`; *bytes is what it gave, in whole pages. NULL
 * iff not even that. */
#define SPACE_ALIGN ((size_t)1 << 30)
void *space_take(size_t wanted, size_t least, size_t *bytes);
void space_give(void *space, size_t bytes);

/* A table of `from` bytes becomes one of `to` bytes, whose new part reads as zero; NULL, 0: a new
 * one. NULL iff there is no memory; the old one is unchanged then. */
void *space_stretch(void *table, size_t from, size_t to);

/* Bytes of memory that this process may use without harm to others: what the system says is
 * available now. */
uint64_t space_available(void);

#endif
