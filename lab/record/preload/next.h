/* next.h: the allocator behind this library: whoever would have been called without it. */
#ifndef LAB_RECORD_PRELOAD_NEXT_H
#define LAB_RECORD_PRELOAD_NEXT_H

#include "recorder.h"

struct next {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*reallocarray)(void *, size_t, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    void (*free_sized)(void *, size_t);
    void (*free_aligned_sized)(void *, size_t, size_t);
};

extern HIDDEN struct next next;

/* Find them, once. False iff this is being done already (dlsym allocates): use early memory. */
HIDDEN bool next_find(void);

/* Whatever has that name behind this library. NULL iff nothing has. */
HIDDEN void *next_symbol(const char *name);

/* Memory while they are being looked for; it is never given back. */
HIDDEN void *early_alloc(size_t size_bytes, size_t align_bytes);
HIDDEN bool is_early(const void *pointer);
HIDDEN size_t early_left(const void *pointer); /* bytes from there to the end of it all */

static inline bool next_is_known(void) {
    return __builtin_expect(next.free != NULL, 1) || next_find();
}

#endif
