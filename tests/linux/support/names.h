/* names.h: the operators of C++ by the names its compilers give them, and what C libraries' headers
 * lack of the family: for tests in C that call all of it. NULL without larder. */
#ifndef TESTS_LINUX_NAMES_H
#define TESTS_LINUX_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NAMED(name) __asm__(name) __attribute__((weak))

void *new_one(size_t size) NAMED("_Znwm");
void *new_array(size_t size) NAMED("_Znam");
void *new_one_nothrow(size_t size, const void *nothrow) NAMED("_ZnwmRKSt9nothrow_t");
void *new_array_nothrow(size_t size, const void *nothrow) NAMED("_ZnamRKSt9nothrow_t");
void *new_one_aligned(size_t size, size_t align) NAMED("_ZnwmSt11align_val_t");
void *new_array_aligned(size_t size, size_t align) NAMED("_ZnamSt11align_val_t");
void *new_one_aligned_nothrow(size_t size, size_t align, const void *nothrow)
    NAMED("_ZnwmSt11align_val_tRKSt9nothrow_t");
void *new_array_aligned_nothrow(size_t size, size_t align, const void *nothrow)
    NAMED("_ZnamSt11align_val_tRKSt9nothrow_t");

void delete_one(void *pointer) NAMED("_ZdlPv");
void delete_array(void *pointer) NAMED("_ZdaPv");
void delete_one_nothrow(void *pointer, const void *nothrow) NAMED("_ZdlPvRKSt9nothrow_t");
void delete_array_nothrow(void *pointer, const void *nothrow) NAMED("_ZdaPvRKSt9nothrow_t");
void delete_one_sized(void *pointer, size_t size) NAMED("_ZdlPvm");
void delete_array_sized(void *pointer, size_t size) NAMED("_ZdaPvm");
void delete_one_aligned(void *pointer, size_t align) NAMED("_ZdlPvSt11align_val_t");
void delete_array_aligned(void *pointer, size_t align) NAMED("_ZdaPvSt11align_val_t");
void delete_one_sized_aligned(void *pointer, size_t size, size_t align)
    NAMED("_ZdlPvmSt11align_val_t");
void delete_array_sized_aligned(void *pointer, size_t size, size_t align)
    NAMED("_ZdaPvmSt11align_val_t");
void delete_one_aligned_nothrow(void *pointer, size_t align, const void *nothrow)
    NAMED("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void delete_array_aligned_nothrow(void *pointer, size_t align, const void *nothrow)
    NAMED("_ZdaPvSt11align_val_tRKSt9nothrow_t");

void cfree(void *pointer) __attribute__((weak));
void free_sized(void *pointer, size_t size) __attribute__((weak));
void free_aligned_sized(void *pointer, size_t align, size_t size) __attribute__((weak));
int malloc_info(int flags, FILE *stream) __attribute__((weak));
int mallopt(int parameter, int value) __attribute__((weak));
bool larder_process_try_resize(void *pointer, size_t size) __attribute__((weak));

/* struct mallinfo2, under a name that is nobody's. */
struct names_mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
struct names_mallinfo2 mallinfo2_here(void) NAMED("mallinfo2");

#endif
