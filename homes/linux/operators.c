/* operators.c: every operator new and delete of C++17, by the names of the Itanium C++ ABI for
 * 64-bit Linux (m: size_t is unsigned long).
 *
 * In liblarder.a this is a member of its own, which only C++ programs draw in, and which makes them
 * draw in the two functions of the C++ runtime that new.c refers to weakly. C programs need no C++
 * runtime. OPERATORS_NEED_RUNTIME is defined for that member.
 */
#include "family.h"
#include "new.h"

#ifndef __LP64__
#error "larder: operator new is mangled for a size_t of 64 bits"
#endif

#ifdef OPERATORS_NEED_RUNTIME
extern void get_new_handler(void) NEW_GET_HANDLER;
extern void throw_bad_alloc(void) NEW_THROW_BAD_ALLOC;
__attribute__((used)) static void (*const runtime[])(void) = {get_new_handler, throw_bad_alloc};
#endif

#define OPERATOR(mangled) __asm__(mangled) __attribute__((visibility("default")))

void *new_one(size_t size_bytes) OPERATOR("_Znwm");
void *new_array(size_t size_bytes) OPERATOR("_Znam");
void *new_one_nothrow(size_t size_bytes, const void *nothrow) OPERATOR("_ZnwmRKSt9nothrow_t");
void *new_array_nothrow(size_t size_bytes, const void *nothrow) OPERATOR("_ZnamRKSt9nothrow_t");
void *new_one_aligned(size_t size_bytes, size_t align_bytes) OPERATOR("_ZnwmSt11align_val_t");
void *new_array_aligned(size_t size_bytes, size_t align_bytes) OPERATOR("_ZnamSt11align_val_t");
void *new_one_aligned_nothrow(size_t size_bytes, size_t align_bytes, const void *nothrow)
    OPERATOR("_ZnwmSt11align_val_tRKSt9nothrow_t");
void *new_array_aligned_nothrow(size_t size_bytes, size_t align_bytes, const void *nothrow)
    OPERATOR("_ZnamSt11align_val_tRKSt9nothrow_t");

void delete_one(void *pointer) OPERATOR("_ZdlPv");
void delete_array(void *pointer) OPERATOR("_ZdaPv");
void delete_one_nothrow(void *pointer, const void *nothrow) OPERATOR("_ZdlPvRKSt9nothrow_t");
void delete_array_nothrow(void *pointer, const void *nothrow) OPERATOR("_ZdaPvRKSt9nothrow_t");
void delete_one_sized(void *pointer, size_t size_bytes) OPERATOR("_ZdlPvm");
void delete_array_sized(void *pointer, size_t size_bytes) OPERATOR("_ZdaPvm");
void delete_one_aligned(void *pointer, size_t align_bytes) OPERATOR("_ZdlPvSt11align_val_t");
void delete_array_aligned(void *pointer, size_t align_bytes) OPERATOR("_ZdaPvSt11align_val_t");
void delete_one_sized_aligned(void *pointer, size_t size_bytes, size_t align_bytes)
    OPERATOR("_ZdlPvmSt11align_val_t");
void delete_array_sized_aligned(void *pointer, size_t size_bytes, size_t align_bytes)
    OPERATOR("_ZdaPvmSt11align_val_t");
void delete_one_aligned_nothrow(void *pointer, size_t align_bytes, const void *nothrow)
    OPERATOR("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void delete_array_aligned_nothrow(void *pointer, size_t align_bytes, const void *nothrow)
    OPERATOR("_ZdaPvSt11align_val_tRKSt9nothrow_t");

void *new_one(size_t size_bytes) {
    return larder_new(size_bytes);
}

void *new_array(size_t size_bytes) {
    return larder_new(size_bytes);
}

void *new_one_nothrow(size_t size_bytes, const void *nothrow) {
    return larder_new_nothrow(size_bytes, nothrow);
}

void *new_array_nothrow(size_t size_bytes, const void *nothrow) {
    return larder_new_nothrow(size_bytes, nothrow);
}

void *new_one_aligned(size_t size_bytes, size_t align_bytes) {
    return larder_new_aligned(size_bytes, align_bytes);
}

void *new_array_aligned(size_t size_bytes, size_t align_bytes) {
    return larder_new_aligned(size_bytes, align_bytes);
}

void *new_one_aligned_nothrow(size_t size_bytes, size_t align_bytes, const void *nothrow) {
    return larder_new_aligned_nothrow(size_bytes, align_bytes, nothrow);
}

void *new_array_aligned_nothrow(size_t size_bytes, size_t align_bytes, const void *nothrow) {
    return larder_new_aligned_nothrow(size_bytes, align_bytes, nothrow);
}

void delete_one(void *pointer) {
    free(pointer);
}

void delete_array(void *pointer) {
    free(pointer);
}

void delete_one_nothrow(void *pointer, const void *nothrow) {
    (void)nothrow;
    free(pointer);
}

void delete_array_nothrow(void *pointer, const void *nothrow) {
    (void)nothrow;
    free(pointer);
}

/* The sizes are compared where debugging asks for it. */
void delete_one_sized(void *pointer, size_t size_bytes) {
    free_sized(pointer, size_bytes);
}

void delete_array_sized(void *pointer, size_t size_bytes) {
    free_sized(pointer, size_bytes);
}

void delete_one_aligned(void *pointer, size_t align_bytes) {
    (void)align_bytes;
    free(pointer);
}

void delete_array_aligned(void *pointer, size_t align_bytes) {
    (void)align_bytes;
    free(pointer);
}

void delete_one_sized_aligned(void *pointer, size_t size_bytes, size_t align_bytes) {
    free_aligned_sized(pointer, align_bytes, size_bytes);
}

void delete_array_sized_aligned(void *pointer, size_t size_bytes, size_t align_bytes) {
    free_aligned_sized(pointer, align_bytes, size_bytes);
}

void delete_one_aligned_nothrow(void *pointer, size_t align_bytes, const void *nothrow) {
    (void)nothrow;
    (void)align_bytes;
    free(pointer);
}

void delete_array_aligned_nothrow(void *pointer, size_t align_bytes, const void *nothrow) {
    (void)nothrow;
    (void)align_bytes;
    free(pointer);
}
