/* user_copy.h: between the kernel and the memory of a process.
 *
 * An address that a process hands in is never used as a pointer: it is looked up in the process's
 * own tables, page by page, by the rules that hold for the process, and the bytes are reached
 * through the kernel's linear map. So there is nothing to catch, and no way to name memory of the
 * kernel. On an error part may have been copied.
 */
#ifndef PROCESS_USER_COPY_H
#define PROCESS_USER_COPY_H

#include "space.h"

#include <stddef.h>

/* Results: 0, -ERROR_FAULT, or -ERROR_NO_MEMORY (a page could not be brought in). */
int64_t user_copy_in(struct space *space, void *to, uint64_t from, size_t bytes);
int64_t user_copy_out(struct space *space, uint64_t to, const void *from, size_t bytes);

/* Afterwards user_copy_out() to there succeeds, until the process has run again. */
int64_t user_make_writable(struct space *space, uint64_t to, size_t bytes);

/* A text with its NUL into to[size]: its length; also -ERROR_TOO_LONG. */
int64_t user_copy_text(struct space *space, char *to, uint64_t from, size_t size);

#endif
