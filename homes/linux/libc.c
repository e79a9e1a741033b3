/* libc.c: see libc.h. */
#include "libc.h"

#include <errno.h>

extern void *__libc_malloc(size_t size_bytes) __attribute__((weak));
extern void *__libc_calloc(size_t count, size_t size_bytes) __attribute__((weak));
extern void *__libc_memalign(size_t align_bytes, size_t size_bytes) __attribute__((weak));
extern void *__libc_realloc(void *pointer, size_t size_bytes) __attribute__((weak));
extern void __libc_free(void *pointer) __attribute__((weak));
extern void *dlsym(void *handle, const char *name) __attribute__((weak));

#define NEXT ((void *)-1L) /* RTLD_NEXT */
#define PLAIN_ALIGN ((size_t)16)

bool libc_has_malloc(void) {
    return __libc_malloc && __libc_calloc && __libc_memalign && __libc_realloc && __libc_free;
}

void *libc_alloc(size_t align_bytes, size_t size_bytes, bool is_zero) {
    if (!libc_has_malloc()) {
        errno = ENOMEM;
        return NULL;
    }
    if (is_zero)
        return __libc_calloc(1, size_bytes);
    return align_bytes > PLAIN_ALIGN ? __libc_memalign(align_bytes, size_bytes)
                                     : __libc_malloc(size_bytes);
}

void *libc_realloc(void *pointer, size_t size_bytes) {
    if (__libc_realloc)
        return __libc_realloc(pointer, size_bytes);
    errno = ENOMEM;
    return NULL;
}

void libc_free(void *pointer) {
    if (__libc_free)
        __libc_free(pointer);
}

void *libc_function(const char *name) {
    return dlsym ? dlsym(NEXT, name) : NULL;
}
