/* family.h: the allocation family of malloc.c, and what the other files of this home need of it.
 *
 * All of it is declared here, whatever the C library's headers leave out.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void cfree(void *pointer);
void *reallocarray(void *pointer, size_t count, size_t size_bytes);
int posix_memalign(void **result, size_t align_bytes, size_t size_bytes);
void *aligned_alloc(size_t align_bytes, size_t size_bytes);
void *memalign(size_t align_bytes, size_t size_bytes);
void *valloc(size_t size_bytes);
void *pvalloc(size_t size_bytes);
void free_sized(void *pointer, size_t size_bytes);
void free_aligned_sized(void *pointer, size_t align_bytes, size_t size_bytes);
size_t malloc_usable_size(void *pointer);
int malloc_trim(size_t pad_bytes);
int mallopt(int parameter, int value);

/* struct mallinfo and mallinfo2 of glibc's malloc.h, which is not there everywhere. */
struct family_mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct family_mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct family_mallinfo mallinfo(void);
struct family_mallinfo2 mallinfo2(void);
int malloc_info(int flags, FILE *stream);
void malloc_stats(void);

/* memalign() for a caller at `site` that has not found anything ready, with a power of two. */
void *malloc_slow_from(size_t align_bytes, size_t size_bytes, uintptr_t site)
    __attribute__((visibility("hidden")));

/* Frees of memory that is not ours: passed to the C library if it has __libc_free, else ignored. */
extern uint64_t malloc_foreign_frees __attribute__((visibility("hidden")));

#endif
