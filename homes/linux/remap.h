/* remap.h: moving the pages of a large block, instead of copying what is in them.
 *
 * mremap() takes the system's pages along: a microsecond each at most, and none is touched. The
 * place they leave reads as zero and is backed by nothing (MREMAP_DONTUNMAP, Linux 5.7), so there
 * is no moment at which another mapping of the process could get in there.
 *
 * The kernel keeps moved pages in a mapping of their own, because they are numbered by where they
 * were first touched; and a process may have 65,530 mappings. So those are written down, no more
 * than REMAP_MAX exist at a time, and a block that has some gets a fresh mapping when it is freed.
 */
#ifndef REMAP_H
#define REMAP_H

#include <stdbool.h>
#include <stddef.h>

#define REMAP_MAX 256u
/* Bytes of a block. A place that a smaller one leaves is soon used again: the page faults there
 * would cost more than copying. */
#define REMAP_LEAST ((size_t)4 << 20)

/* Bring the contents of `from`, all `bytes` usable bytes of it, to the new block `to`, and free
 * `from`. False iff that cannot be: `from` is as it was; `to` may have lost its memory to the
 * system, is never freed, and must not be touched. */
bool remap_replace(void *to, void *from, size_t bytes);

/* Free a block in which pages were moved. False, with nothing done, iff it is none; that costs a
 * load where nothing was ever moved. Where the system refuses a mapping the block stays, and is
 * freed by a later call of these two. */
bool remap_free(void *block);

/* Around fork(). A leaf: no other lock is taken under it. */
void remap_lock(void);
void remap_unlock(void);

#endif
