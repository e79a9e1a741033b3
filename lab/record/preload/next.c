/* next.c: see next.h. dlsym() may allocate, and there is nothing yet to allocate from (trap 33): a
 * small array serves until it has answered. */
#include "next.h"

#include <dlfcn.h>
#include <string.h>

enum { EARLY_BYTES = 64 << 10 };

struct next next;
static _Alignas(64) char early[EARLY_BYTES];
static size_t early_used;
/* dlsym() is declared to call nothing of ours back, so the compiler would not store this before it.
 */
static volatile bool is_finding;

void *early_alloc(size_t size_bytes, size_t align_bytes) {
    align_bytes = align_bytes < 16 ? 16 : align_bytes;
    const size_t start =
        (((uintptr_t)early + early_used + align_bytes - 1) & ~(align_bytes - 1)) - (uintptr_t)early;
    if (start > EARLY_BYTES || size_bytes > EARLY_BYTES - start)
        return NULL;
    early_used = start + size_bytes;
    return early + start;
}

bool is_early(const void *pointer) {
    return (const char *)pointer >= early && (const char *)pointer < early + EARLY_BYTES;
}

size_t early_left(const void *pointer) {
    return (size_t)(early + EARLY_BYTES - (const char *)pointer);
}

void *next_symbol(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

/* Functions as objects, as POSIX has dlsym() do. */
static void find(void *function, const char *name) {
    void *symbol = next_symbol(name);
    memcpy(function, &symbol, sizeof symbol);
}

bool next_find(void) {
    struct next found;
    if (is_finding)
        return false;
    is_finding = true;
    find(&found.malloc, "malloc");
    find(&found.calloc, "calloc");
    find(&found.realloc, "realloc");
    find(&found.reallocarray, "reallocarray");
    find(&found.posix_memalign, "posix_memalign");
    find(&found.aligned_alloc, "aligned_alloc");
    find(&found.memalign, "memalign");
    find(&found.valloc, "valloc");
    find(&found.pvalloc, "pvalloc");
    find(&found.free_sized, "free_sized");
    find(&found.free_aligned_sized, "free_aligned_sized");
    find(&found.free, "free");
    next = found;
    is_finding = false;
    return true;
}
