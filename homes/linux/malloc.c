/* malloc.c: the C library's allocation family on the process's instance.
 *
 * Each function tries the fast path of the core first, which needs nothing to be ready: before
 * start-up, and in a thread without a slot, it finds nothing. All that is missing is made up for in
 * the slow path: the instance, the slot, more memory, errno. Contracts: C23 7.24.3, POSIX, and
 * glibc's manual for the rest.
 */
#include "family.h"

#include "larder/heap.h"
#include "larder/port.h"

#include "background.h"
#include "guests.h"
#include "libc.h"
#include "options.h"
#include "process.h"
#include "remap.h"
#include "requested.h"
#include "resize.h"
#include "statistics.h"
#include "thread.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define SLOW __attribute__((noinline, cold))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define HEAP_ALIGN ((size_t)16)
#define SMALL_BYTES ((size_t)1024)

/* Who called this function: for debug U. Where an exported function ends by calling a slow path,
 * that is jumped to, and its caller is the program; so the fast paths need not carry it. */
#define CALLER() ((uintptr_t)__builtin_return_address(0))

uint64_t malloc_foreign_frees;

/* ---- slow paths ---- */

static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

/* Whatever the fast path did not find. Growing comes before reclaiming: addresses are cheap. */
static SLOW void *alloc_from(size_t align_bytes, size_t size_bytes, larder_flags flags,
                             uintptr_t site) {
    const size_t wanted = size_bytes ? size_bytes : 1; /* malloc(0) is a pointer of its own */
    size_t seen;
    void *memory;
    if (!process_start())
        return libc_alloc(align_bytes, size_bytes, (flags & LARDER_ZERO) != 0);
    const uint64_t began_ns = statistics_slow_begin();
    (void)thread_attach();
    do {
        seen = process_usable_bytes();
        memory = larder_aligned_from(PROCESS, align_bytes, wanted, flags | LARDER_NO_RECLAIM, site);
    } while (!memory && larder_good_size(wanted) && process_grow(seen, wanted, align_bytes));
    if (!memory) {
        /* Under a hard limit small requests may have the last of it: to report, to unwind. */
        flags |= wanted <= SMALL_BYTES ? LARDER_USE_RESERVE : 0;
        memory = larder_aligned_from(PROCESS, align_bytes, wanted, flags, site);
    }
    statistics_slow_end(began_ns);
    background_notice_alloc();
    if (!memory)
        return no_memory();
    requested_note(wanted);
    return memory;
}

static SLOW void *alloc_slow(size_t align_bytes, size_t size_bytes, larder_flags flags) {
    return alloc_from(align_bytes, size_bytes, flags, CALLER());
}

SLOW void *malloc_slow_from(size_t align_bytes, size_t size_bytes, uintptr_t site) {
    return alloc_from(align_bytes, size_bytes, 0, site);
}

/* Hardened, nothing is taken on trust. */
static void note_foreign(void *pointer) {
    if (!process_is_started())
        return;
    if (options.hardened)
        larder_free(PROCESS, pointer); /* names the mistake and stops */
    __atomic_add_fetch(&malloc_foreign_frees, 1, __ATOMIC_RELAXED);
}

/* Memory that the C library gave out before we came, or because the program opted out. */
static SLOW void free_foreign(void *pointer) {
    note_foreign(pointer);
    libc_free(pointer);
}

/* errno is the guest's affair but for free(), which leaves it alone. */
static SLOW void free_in(struct larder_guest *guest, void *pointer) {
    const int saved = errno;
    guest->free(guest, pointer);
    errno = saved;
}

static SLOW void free_slow(void *pointer) {
    if (!pointer)
        return;
    struct larder_guest *const guest = guests_find(pointer);
    if (guest) {
        free_in(guest, pointer);
        return;
    }
    if (!process_owns(pointer)) {
        free_foreign(pointer);
        return;
    }
    const int saved = errno; /* POSIX: free() leaves it alone */
    const uint64_t began_ns = statistics_slow_begin();
    (void)thread_attach();
    if (!remap_free(pointer))
        larder_free_from(PROCESS, pointer, CALLER());
    statistics_slow_end(began_ns);
    background_notice_free();
    errno = saved;
}

/* ---- C and POSIX ---- */

static inline void *alloc(size_t size_bytes) {
    void *memory = larder_alloc_ready(PROCESS, size_bytes);
    return LIKELY(memory) ? memory : alloc_slow(HEAP_ALIGN, size_bytes, 0);
}

static inline void give(void *pointer) {
    if (!LIKELY(larder_free_ready(PROCESS, pointer)))
        free_slow(pointer);
}

EXPORT void *malloc(size_t size_bytes) {
    return alloc(size_bytes);
}

EXPORT void free(void *pointer) {
    give(pointer);
}

EXPORT void cfree(void *pointer) {
    give(pointer);
}

EXPORT void *calloc(size_t count, size_t size_bytes) {
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total))
        return no_memory();
    void *memory = larder_alloc_ready(PROCESS, total);
    return LIKELY(memory) ? memset(memory, 0, total) : alloc_slow(HEAP_ALIGN, total, LARDER_ZERO);
}

static void *realloc_foreign(void *pointer, size_t size_bytes) {
    note_foreign(pointer);
    return libc_realloc(pointer, size_bytes);
}

static void *realloc_in(struct larder_guest *guest, void *pointer, size_t size_bytes) {
    if (size_bytes == 0) {
        free_in(guest, pointer);
        return NULL;
    }
    void *memory = guest->realloc(guest, pointer, size_bytes);
    return memory ? memory : no_memory();
}

/* Pages can be moved only from and to where the system's pages begin. */
static size_t align_to_grow(size_t size_bytes) {
    return size_bytes >= REMAP_LEAST ? larder_port_page_bytes() : HEAP_ALIGN;
}

/* Runs get an eighth more when they grow, as classes do, so that growing by a few bytes at a time
 * copies each byte a bounded number of times (trap 34). */
static void *alloc_to_grow(size_t usable, size_t size_bytes, uintptr_t site) {
    if (size_bytes > usable && size_bytes > LARDER_CLASS_MAX_BYTES &&
        size_bytes <= (size_t)PTRDIFF_MAX / 2) {
        const size_t align_bytes = align_to_grow(size_bytes);
        void *roomy = alloc_from(align_bytes, size_bytes + size_bytes / 8, 0, site);
        if (roomy)
            return roomy;
    }
    void *memory = larder_alloc_ready(PROCESS, size_bytes);
    return LIKELY(memory) ? memory : alloc_from(HEAP_ALIGN, size_bytes, 0, site);
}

EXPORT void *realloc(void *pointer, size_t size_bytes) {
    if (!pointer)
        return alloc(size_bytes);
    struct larder_guest *const guest = guests_find(pointer);
    if (guest)
        return realloc_in(guest, pointer, size_bytes);
    if (!process_owns(pointer))
        return realloc_foreign(pointer, size_bytes);
    if (size_bytes == 0) {
        give(pointer); /* as glibc does; C23 leaves it undefined */
        return NULL;
    }
    if (resize_in_place(pointer, size_bytes))
        return pointer;
    const size_t usable = larder_size_of(PROCESS, pointer);
    if (usable == 0)
        larder_free(PROCESS, pointer); /* names the mistake and stops */
    void *moved = alloc_to_grow(usable, size_bytes, CALLER());
    if (!moved)
        return NULL;
    if (usable >= REMAP_LEAST && size_bytes > usable && !options.hardened)
        return remap_replace(moved, pointer, usable) ? moved : no_memory();
    memcpy(moved, pointer, usable < size_bytes ? usable : size_bytes);
    give(pointer);
    return moved;
}

EXPORT void *reallocarray(void *pointer, size_t count, size_t size_bytes) {
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total))
        return no_memory();
    return realloc(pointer, total);
}

/* ---- aligned ---- */

static bool is_power_of_two(size_t value) {
    return value != 0 && (value & (value - 1)) == 0;
}

/* Up to a frame, the class of a size that is a multiple of the alignment is one too. */
static inline void *alloc_aligned(size_t align_bytes, size_t size_bytes) {
    void *memory = NULL;
    const size_t rounded = (size_bytes + (size_bytes == 0) + align_bytes - 1) & ~(align_bytes - 1);
    if (align_bytes <= HEAP_ALIGN)
        return alloc(size_bytes);
    if (align_bytes <= LARDER_FRAME_BYTES && rounded >= size_bytes)
        memory = larder_alloc_ready(PROCESS, rounded);
    return LIKELY(memory) ? memory : alloc_slow(align_bytes, size_bytes, 0);
}

static void *bad_alignment(void) {
    errno = EINVAL;
    return NULL;
}

EXPORT int posix_memalign(void **result, size_t align_bytes, size_t size_bytes) {
    if (!is_power_of_two(align_bytes) || align_bytes % sizeof(void *) != 0)
        return EINVAL;
    const int saved = errno; /* the status is the result; errno is not touched */
    void *memory = alloc_aligned(align_bytes, size_bytes);
    errno = saved;
    if (!memory)
        return ENOMEM;
    *result = memory;
    return 0;
}

EXPORT void *aligned_alloc(size_t align_bytes, size_t size_bytes) {
    return is_power_of_two(align_bytes) ? alloc_aligned(align_bytes, size_bytes) : bad_alignment();
}

/* As glibc: an alignment that is no power of two is rounded up to one. */
EXPORT void *memalign(size_t align_bytes, size_t size_bytes) {
    size_t align = HEAP_ALIGN;
    if (align_bytes > SIZE_MAX / 2 + 1)
        return bad_alignment();
    while (align < align_bytes)
        align *= 2;
    return alloc_aligned(align, size_bytes);
}

EXPORT void *valloc(size_t size_bytes) {
    return alloc_aligned(larder_port_page_bytes(), size_bytes);
}

EXPORT void *pvalloc(size_t size_bytes) {
    const size_t page_bytes = larder_port_page_bytes();
    if (size_bytes > (size_t)PTRDIFF_MAX)
        return no_memory();
    const size_t pages = size_bytes ? (size_bytes + page_bytes - 1) / page_bytes : 1;
    return alloc_aligned(page_bytes, pages * page_bytes);
}

/* ---- C23 sized frees; the sizes are compared where debugging asks for it ---- */

static SLOW void check_size(void *pointer, size_t size_bytes) {
    if (pointer && process_owns(pointer) && !guests_find(pointer) &&
        larder_good_size(size_bytes) != larder_good_size(larder_size_of(PROCESS, pointer)))
        larder_free_sized(PROCESS, pointer, size_bytes); /* names the mistake and stops */
}

EXPORT void free_sized(void *pointer, size_t size_bytes) {
    if (!LIKELY(!options.checks_sizes))
        check_size(pointer, size_bytes);
    give(pointer);
}

EXPORT void free_aligned_sized(void *pointer, size_t align_bytes, size_t size_bytes) {
    (void)align_bytes;
    if (!LIKELY(!options.checks_sizes))
        check_size(pointer, size_bytes);
    give(pointer);
}

/* ---- GNU: the rest is in info.c ---- */

EXPORT size_t malloc_usable_size(void *pointer) {
    struct larder_guest *const guest = guests_find(pointer);
    if (guest)
        return guest->size_of(guest, pointer);
    if (!pointer || process_owns(pointer))
        return pointer ? larder_size_of(PROCESS, pointer) : 0;
    size_t (*const other)(void *) =
        process_is_started() ? NULL
                             : (size_t(*)(void *))(uintptr_t)libc_function("malloc_usable_size");
    return other ? other(pointer) : 0;
}
