/* libc.h: the malloc of the C library below us, for programs that opt out.
 *
 * LARDER_DISABLE=1 opts out, and so does a process that may reserve no address space. glibc has
 * its malloc under names of its own, which are found without any look-up. musl has none: there,
 * and in a program that is linked statically, LARDER_DISABLE is refused with a warning.
 */
#ifndef LIBC_H
#define LIBC_H

#include <stdbool.h>
#include <stddef.h>

/* Is there such a malloc? */
bool libc_has_malloc(void);

/* As aligned_alloc(), malloc() and calloc() of the C library; NULL and ENOMEM without one. */
void *libc_alloc(size_t align_bytes, size_t size_bytes, bool is_zero);

/* NULL, and ENOMEM, without one. */
void *libc_realloc(void *pointer, size_t size_bytes);

/* Memory that it did not give out is lost, quietly, where it has none. */
void libc_free(void *pointer);

/* A function of that name behind this library; NULL iff there is none. Not for start-up. */
void *libc_function(const char *name);

#endif
