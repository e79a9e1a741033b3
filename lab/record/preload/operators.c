/* operators.c: operator new and delete. Libraries that bring their own (jemalloc, tcmalloc, ours)
 * would otherwise be called past us; and where they end in malloc, the caller of that is of no
 * interest.
 *
 * The C++ run-time library may come after this one, by dlopen(): then there is nothing behind us
 * yet, and malloc is what it would have called.
 */
#include "next.h"

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

/* An exception may pass through. */
static void leave(struct thread **thread) {
    (*thread)->depth--;
}
#define ENTER_UNTIL_RETURN                                                                         \
    struct thread *entered __attribute__((cleanup(leave))) = &recorder_thread;                     \
    entered->depth++

static void *find(void **cached, const char *name) {
    void *symbol = __atomic_load_n(cached, __ATOMIC_RELAXED);
    if (!symbol) {
        symbol = next_symbol(name);
        __atomic_store_n(cached, symbol, __ATOMIC_RELAXED);
    }
    return symbol;
}

static void *made(struct thread *thread, void *pointer, size_t size_bytes, size_t align_bytes,
                  const void *caller) {
    if (thread->depth == 1)
        recorder_event(thread,
                       !pointer      ? (unsigned)TRACE_FAILED
                       : align_bytes ? (unsigned)TRACE_ALIGNED
                                     : (unsigned)TRACE_MALLOC,
                       pointer, size_bytes, align_bytes, caller);
    return pointer;
}

static void told(struct thread *thread, enum trace_kind kind, void *pointer, size_t size_bytes) {
    if (thread->depth == 1 && pointer && !is_early(pointer))
        recorder_event(thread, kind, pointer, size_bytes, 0, NULL);
}

/* new: NAME(size), NAME(size, nothrow) */
#define NEW(name, parameters, arguments, types, align_bytes, otherwise)                            \
    EXPORT void *name parameters;                                                                  \
    void *name parameters {                                                                        \
        static void *cached;                                                                       \
        void *(*const function)types = (void *(*)types)find(&cached, #name);                       \
        ENTER_UNTIL_RETURN;                                                                        \
        void *pointer = function ? function arguments : (otherwise);                               \
        return made(entered, pointer, size, align_bytes, CALLER);                                  \
    }

/* Without a run-time library there is nobody who could throw. */
static void *plain(size_t size) {
    void *pointer = next_is_known() ? next.malloc(size ? size : 1) : NULL;
    if (!pointer)
        abort();
    return pointer;
}

static void *plain_aligned(size_t size, size_t align) {
    void *pointer = next_is_known() ? next.memalign(align, size ? size : 1) : NULL;
    if (!pointer)
        abort();
    return pointer;
}

NEW(_Znwm, (size_t size), (size), (size_t), 0, plain(size))
NEW(_Znam, (size_t size), (size), (size_t), 0, plain(size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), (size_t, const void *), 0,
    plain(size))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag), (size_t, const void *), 0,
    plain(size))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t align), (size, align), (size_t, size_t), align,
    plain_aligned(size, align))
NEW(_ZnamSt11align_val_t, (size_t size, size_t align), (size, align), (size_t, size_t), align,
    plain_aligned(size, align))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
    (size, align, tag), (size_t, size_t, const void *), align, plain_aligned(size, align))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t align, const void *tag),
    (size, align, tag), (size_t, size_t, const void *), align, plain_aligned(size, align))

#define DELETE(name, parameters, arguments, types, kind, size_bytes)                               \
    EXPORT void name parameters;                                                                   \
    void name parameters {                                                                         \
        static void *cached;                                                                       \
        void(*const function) types = (void(*) types)find(&cached, #name);                         \
        ENTER_UNTIL_RETURN;                                                                        \
        told(entered, kind, pointer, size_bytes);                                                  \
        if (function)                                                                              \
            function arguments;                                                                    \
        else if (next_is_known())                                                                  \
            next.free(pointer);                                                                    \
    }

DELETE(_ZdlPv, (void *pointer), (pointer), (void *), TRACE_FREE, 0)
DELETE(_ZdaPv, (void *pointer), (pointer), (void *), TRACE_FREE, 0)
DELETE(_ZdlPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag),
       (void *, const void *), TRACE_FREE, 0)
DELETE(_ZdaPvRKSt9nothrow_t, (void *pointer, const void *tag), (pointer, tag),
       (void *, const void *), TRACE_FREE, 0)
DELETE(_ZdlPvSt11align_val_t, (void *pointer, size_t align), (pointer, align), (void *, size_t),
       TRACE_FREE, 0)
DELETE(_ZdaPvSt11align_val_t, (void *pointer, size_t align), (pointer, align), (void *, size_t),
       TRACE_FREE, 0)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t align, const void *tag),
       (pointer, align, tag), (void *, size_t, const void *), TRACE_FREE, 0)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *pointer, size_t align, const void *tag),
       (pointer, align, tag), (void *, size_t, const void *), TRACE_FREE, 0)
DELETE(_ZdlPvm, (void *pointer, size_t size), (pointer, size), (void *, size_t), TRACE_FREE_SIZED,
       size)
DELETE(_ZdaPvm, (void *pointer, size_t size), (pointer, size), (void *, size_t), TRACE_FREE_SIZED,
       size)
DELETE(_ZdlPvmSt11align_val_t, (void *pointer, size_t size, size_t align), (pointer, size, align),
       (void *, size_t, size_t), TRACE_FREE_SIZED, size)
DELETE(_ZdaPvmSt11align_val_t, (void *pointer, size_t size, size_t align), (pointer, size, align),
       (void *, size_t, size_t), TRACE_FREE_SIZED, size)
