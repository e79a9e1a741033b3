/* family.c: the malloc family as the recorded program sees it: each call is passed on to the
 * allocator behind this library, and told to the collector.
 *
 * The times make one order out of all threads: a free is told before it is done and an allocation
 * after, so nobody can be given a block before its free was told. A realloc does both and is told
 * twice.
 */
#include "next.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

EXPORT void *reallocarray(void *pointer, size_t count, size_t size_bytes);
EXPORT int posix_memalign(void **pointer, size_t align_bytes, size_t size_bytes);
EXPORT void *aligned_alloc(size_t align_bytes, size_t size_bytes);
EXPORT void *memalign(size_t align_bytes, size_t size_bytes);
EXPORT void *valloc(size_t size_bytes);
EXPORT void *pvalloc(size_t size_bytes);
EXPORT void *malloc(size_t size_bytes);
EXPORT void *calloc(size_t count, size_t size_bytes);
EXPORT void *realloc(void *pointer, size_t size_bytes);
EXPORT void free(void *pointer);
EXPORT void free_sized(void *pointer, size_t size_bytes);
EXPORT void free_aligned_sized(void *pointer, size_t align_bytes, size_t size_bytes);

static inline void told(struct thread *thread, unsigned kind, void *pointer, size_t size_bytes,
                        size_t align_bytes, const void *caller) {
    if (align_bytes & (align_bytes - 1))
        align_bytes = 0;
    recorder_event(thread, pointer ? kind : (unsigned)TRACE_FAILED, pointer, size_bytes,
                   align_bytes, caller);
    thread->depth--;
}

void *malloc(size_t size_bytes) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(!next_is_known()))
        return early_alloc(size_bytes, 0);
    if (UNLIKELY(thread->depth > 0))
        return next.malloc(size_bytes);
    thread->depth++;
    void *pointer = next.malloc(size_bytes);
    told(thread, TRACE_MALLOC, pointer, size_bytes, 0, CALLER);
    return pointer;
}

void *calloc(size_t count, size_t size_bytes) {
    struct thread *thread = &recorder_thread;
    size_t product;
    if (__builtin_mul_overflow(count, size_bytes, &product))
        product = SIZE_MAX;
    if (UNLIKELY(!next_is_known()))
        return early_alloc(product, 0); /* zeros: nothing there is used twice */
    if (UNLIKELY(thread->depth > 0))
        return next.calloc(count, size_bytes);
    thread->depth++;
    void *pointer = next.calloc(count, size_bytes);
    told(thread, TRACE_CALLOC, pointer, product, 0, CALLER);
    return pointer;
}

/* ---- Freeing --------------------------------------------------------------------------------- */

static inline bool is_told(const struct thread *thread, const void *pointer) {
    return pointer && thread->depth == 0 && !is_early(pointer);
}

void free(void *pointer) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(is_early(pointer) || !next_is_known()))
        return;
    if (is_told(thread, pointer)) {
        thread->depth++;
        recorder_event(thread, TRACE_FREE, pointer, 0, 0, NULL);
        next.free(pointer);
        thread->depth--;
    } else {
        next.free(pointer);
    }
}

void free_sized(void *pointer, size_t size_bytes) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(is_early(pointer) || !next_is_known()))
        return;
    const bool tells = is_told(thread, pointer);
    thread->depth++;
    if (tells)
        recorder_event(thread, TRACE_FREE_SIZED, pointer, size_bytes, 0, NULL);
    if (next.free_sized)
        next.free_sized(pointer, size_bytes);
    else
        next.free(pointer);
    thread->depth--;
}

void free_aligned_sized(void *pointer, size_t align_bytes, size_t size_bytes) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(is_early(pointer) || !next_is_known()))
        return;
    const bool tells = is_told(thread, pointer);
    thread->depth++;
    if (tells)
        recorder_event(thread, TRACE_FREE_SIZED, pointer, size_bytes, 0, NULL);
    if (next.free_aligned_sized)
        next.free_aligned_sized(pointer, align_bytes, size_bytes);
    else
        next.free(pointer);
    thread->depth--;
}

/* ---- Resizing -------------------------------------------------------------------------------- */

static void *realloc_early(void *pointer, size_t size_bytes) {
    void *moved = malloc(size_bytes);
    if (moved) {
        const size_t left = early_left(pointer);
        memcpy(moved, pointer, size_bytes < left ? size_bytes : left);
    }
    return moved;
}

/* realloc(pointer, 0): a free, and with some allocators a new block of nothing. */
static void *realloc_to_nothing(struct thread *thread, void *pointer, const void *caller) {
    thread->depth++;
    recorder_event(thread, TRACE_FREE, pointer, 0, 0, NULL);
    void *moved = next.realloc(pointer, 0);
    if (moved)
        recorder_event(thread, TRACE_MALLOC, moved, 0, 0, caller);
    thread->depth--;
    return moved;
}

static void *resize(void *pointer, size_t size_bytes, const void *caller) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(!next_is_known()))
        return early_alloc(size_bytes, 0);
    if (UNLIKELY(is_early(pointer)))
        return realloc_early(pointer, size_bytes);
    if (UNLIKELY(thread->depth > 0))
        return next.realloc(pointer, size_bytes);
    if (pointer && size_bytes == 0)
        return realloc_to_nothing(thread, pointer, caller);
    thread->depth++;
    if (pointer)
        recorder_event(thread, ENTRY_REALLOC_BEGIN, pointer, 0, 0, NULL);
    void *moved = next.realloc(pointer, size_bytes);
    if (pointer && !moved)
        recorder_event(thread, ENTRY_REALLOC_FAILED, pointer, size_bytes, 0, caller);
    else
        recorder_event(thread,
                       !moved    ? (unsigned)TRACE_FAILED
                       : pointer ? (unsigned)TRACE_REALLOC
                                 : (unsigned)TRACE_MALLOC,
                       moved, size_bytes, 0, caller);
    thread->depth--;
    return moved;
}

void *realloc(void *pointer, size_t size_bytes) {
    return resize(pointer, size_bytes, CALLER);
}

void *reallocarray(void *pointer, size_t count, size_t size_bytes) {
    size_t product;
    if (__builtin_mul_overflow(count, size_bytes, &product)) {
        errno = ENOMEM;
        return NULL;
    }
    return resize(pointer, product, CALLER);
}

/* ---- Aligned --------------------------------------------------------------------------------- */

int posix_memalign(void **result, size_t align_bytes, size_t size_bytes) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(!next_is_known())) {
        *result = early_alloc(size_bytes, align_bytes);
        return *result ? 0 : ENOMEM;
    }
    if (UNLIKELY(thread->depth > 0))
        return next.posix_memalign(result, align_bytes, size_bytes);
    thread->depth++;
    const int status = next.posix_memalign(result, align_bytes, size_bytes);
    told(thread, TRACE_ALIGNED, status == 0 ? *result : NULL, size_bytes, align_bytes, CALLER);
    return status;
}

/* The others are alike: a function of alignment and size. */
static inline void *aligned(void *(*function)(size_t, size_t), size_t align_bytes,
                            size_t size_bytes, const void *caller) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(thread->depth > 0))
        return function(align_bytes, size_bytes);
    thread->depth++;
    void *pointer = function(align_bytes, size_bytes);
    told(thread, TRACE_ALIGNED, pointer, size_bytes, align_bytes, caller);
    return pointer;
}

void *aligned_alloc(size_t align_bytes, size_t size_bytes) {
    return next_is_known() ? aligned(next.aligned_alloc, align_bytes, size_bytes, CALLER)
                           : early_alloc(size_bytes, align_bytes);
}

void *memalign(size_t align_bytes, size_t size_bytes) {
    return next_is_known() ? aligned(next.memalign, align_bytes, size_bytes, CALLER)
                           : early_alloc(size_bytes, align_bytes);
}

static void *whole_pages(void *(*function)(size_t), size_t size_bytes, const void *caller) {
    struct thread *thread = &recorder_thread;
    if (UNLIKELY(thread->depth > 0))
        return function(size_bytes);
    thread->depth++;
    void *pointer = function(size_bytes);
    told(thread, TRACE_ALIGNED, pointer, size_bytes, (size_t)sysconf(_SC_PAGESIZE), caller);
    return pointer;
}

void *valloc(size_t size_bytes) {
    return next_is_known() ? whole_pages(next.valloc, size_bytes, CALLER) : NULL;
}

void *pvalloc(size_t size_bytes) {
    return next_is_known() ? whole_pages(next.pvalloc, size_bytes, CALLER) : NULL;
}
