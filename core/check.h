/* check.h: the three kinds of failure, kept apart.
 *
 * Out of memory and bad sizes are values: a function returns NULL or a status. The caller's
 * mistakes are fatal by name, from metadata, always on. Our own mistakes are assertions, in builds
 * that ask for them. Nothing logs and continues.
 */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include "base.h"
#include "larder/larder.h"

/* Report the caller's mistake. `owner` names what the memory belongs to; `detail` may be NULL. */
_Noreturn void fatal_raise(enum larder_fatal_kind kind, const void *pointer, const char *owner,
                           const char *detail);

_Noreturn void assertion_failed(const char *expression, const char *file, unsigned line);

#if LARDER_ASSERTIONS
#define ASSERT(expression)                                                                         \
    ((expression) ? (void)0 : assertion_failed(#expression, __FILE__, __LINE__))
#else
#define ASSERT(expression) ((void)sizeof(!(expression)))
#endif

#endif
