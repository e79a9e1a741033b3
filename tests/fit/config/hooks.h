/* What every test configuration adds: mistakes and assertions end the test by name, the lock must
 * be taken and dropped in pairs, the trace is kept. */
#ifndef TESTS_FIT_HOOKS_H
#define TESTS_FIT_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

struct hooks_trace {
    const void *heap;
    unsigned event;
    const void *pointer;
    size_t bytes;
    unsigned long count;
};
extern struct hooks_trace hooks_trace_last;
extern unsigned long hooks_looked; /* chunks, by all searches so far */

#ifdef __cplusplus
extern "C" {
#endif
void hooks_fatal(unsigned mistake, const void *pointer);
void hooks_assert(const char *what);
void hooks_lock(const void *heap);
void hooks_unlock(const void *heap);
void hooks_trace(const void *heap, unsigned event, const void *pointer, size_t bytes);
#ifdef __cplusplus
}
#endif

#define LARDER_FIT_FATAL(mistake, pointer) hooks_fatal((unsigned)(mistake), (pointer))
/* In the builds with assertions, as in core/: the coverage has no branches for them. */
#ifdef LARDER_ASSERTIONS
#define LARDER_FIT_ASSERT(expression) ((expression) ? (void)0 : hooks_assert(#expression))
#endif
#define LARDER_FIT_LOOK(chunk) ((void)(chunk), hooks_looked++)
#define LARDER_FIT_LOCK(heap) hooks_lock(heap)
#define LARDER_FIT_UNLOCK(heap) hooks_unlock(heap)
#define LARDER_FIT_TRACE(heap, event, pointer, bytes)                                              \
    hooks_trace((heap), (unsigned)(event), (pointer), (bytes))

#endif
