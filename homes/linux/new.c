/* new.c: what operator new does, on the process's instance, without libstdc++.
 *
 * What only the C++ runtime can do, a new_handler and std::bad_alloc, is reached through weak
 * references: a program that calls operator new has a runtime. The names that a C++ compiler calls
 * are in operators.c.
 */
#include "new.h"

#include "family.h"

#include "larder/heap.h"
#include "larder/port.h"

#include "process.h"

#define SLOW __attribute__((noinline, cold))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)

typedef void (*new_handler)(void);
typedef void *new_function(size_t size_bytes, const void *nothrow);
typedef void *new_aligned_function(size_t size_bytes, size_t align_bytes, const void *nothrow);

extern new_handler get_new_handler(void) NEW_GET_HANDLER __attribute__((weak));
extern void throw_bad_alloc(void) NEW_THROW_BAD_ALLOC __attribute__((weak));
extern void *dlsym(void *handle, const char *name) __attribute__((weak));
#define NEW_ALIGN ((size_t)16)
#define NEXT ((void *)-1L) /* RTLD_NEXT: behind this library */

/* ---- running out ---- */

/* True iff the handler was called, which may have made room; it may also throw. */
static bool call_handler(void) {
    const new_handler handler = get_new_handler ? get_new_handler() : NULL;
    if (handler)
        handler();
    return handler != NULL;
}

static _Noreturn void out_of_memory(void) {
    const struct larder_fatal fatal = {.kind = LARDER_FATAL_NO_MEMORY,
                                       .owner = "operator new",
                                       .detail = "no C++ runtime to throw"};
    if (throw_bad_alloc)
        throw_bad_alloc();
    larder_port_fatal(&fatal);
}

static SLOW void *new_slow(size_t size_bytes) {
    const uintptr_t site = (uintptr_t)__builtin_return_address(0); /* jumped to: the program's */
    void *memory;
    while (!(memory = malloc_slow_from(NEW_ALIGN, size_bytes, site))) {
        if (!call_handler())
            out_of_memory();
    }
    return memory;
}

static SLOW void *new_aligned_slow(size_t size_bytes, size_t align_bytes) {
    void *memory;
    while (!(memory = memalign(align_bytes, size_bytes))) {
        if (!call_handler())
            out_of_memory();
    }
    return memory;
}

/* A handler may throw, which a nothrow form must turn into NULL, and C cannot catch: the runtime's
 * own form can. It calls the throwing form, which is ours. Linked statically there is no such form
 * to be found; then a handler that throws ends the program. */
static void *runtime_form(const char *name) {
    return dlsym && get_new_handler && get_new_handler() ? dlsym(NEXT, name) : NULL;
}

static SLOW void *new_nothrow_slow(size_t size_bytes, const void *nothrow) {
    void *memory = malloc(size_bytes);
    new_function *const next =
        memory ? NULL : (new_function *)(uintptr_t)runtime_form("_ZnwmRKSt9nothrow_t");
    if (next)
        return next(size_bytes, nothrow);
    while (!memory && call_handler())
        memory = malloc(size_bytes);
    return memory;
}

static SLOW void *new_aligned_nothrow_slow(size_t size_bytes, size_t align_bytes,
                                           const void *nothrow) {
    void *memory = memalign(align_bytes, size_bytes);
    new_aligned_function *const next =
        memory
            ? NULL
            : (new_aligned_function *)(uintptr_t)runtime_form("_ZnwmSt11align_val_tRKSt9nothrow_t");
    if (next)
        return next(size_bytes, align_bytes, nothrow);
    while (!memory && call_handler())
        memory = memalign(align_bytes, size_bytes);
    return memory;
}

/* ---- the fast paths ---- */

void *larder_new(size_t size_bytes) {
    void *memory = larder_alloc_ready(PROCESS, size_bytes);
    return LIKELY(memory) ? memory : new_slow(size_bytes);
}

void *larder_new_nothrow(size_t size_bytes, const void *nothrow) {
    void *memory = larder_alloc_ready(PROCESS, size_bytes);
    return LIKELY(memory) ? memory : new_nothrow_slow(size_bytes, nothrow);
}

void *larder_new_aligned(size_t size_bytes, size_t align_bytes) {
    return new_aligned_slow(size_bytes, align_bytes);
}

void *larder_new_aligned_nothrow(size_t size_bytes, size_t align_bytes, const void *nothrow) {
    return new_aligned_nothrow_slow(size_bytes, align_bytes, nothrow);
}
