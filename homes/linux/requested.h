/* requested.h: how many bytes the program asked for, out of how many it got.
 *
 * What a single block was asked for as is not kept: that would cost memory in each, and time on the
 * fast path. Every request that goes the slow way is counted instead, asked for beside granted,
 * size class by size class. Which request finds a magazine empty does not depend on its size within
 * the class, so the ratio of these stands for all of them.
 */
#ifndef REQUESTED_H
#define REQUESTED_H

#include <stddef.h>
#include <stdint.h>

/* A request of `size_bytes` was met on a slow path. Any thread; O(1). */
void requested_note(size_t size_bytes);

/* Of `live_bytes` in blocks of `granted_bytes` each (more than LARDER_CLASS_MAX_BYTES: in runs of
 * frames of any length), so many were asked for: an estimate, at most live_bytes. All of them iff
 * no such request was noted. */
uint64_t requested_of(size_t granted_bytes, uint64_t live_bytes);

#endif
