/* new.h: what the operators of operators.c call. */
#ifndef NEW_H
#define NEW_H

#include <stddef.h>

#pragma GCC visibility push(default)

/* The throwing forms: never NULL; std::bad_alloc, or what the program's new_handler throws. */
void *larder_new(size_t size_bytes);
void *larder_new_aligned(size_t size_bytes, size_t align_bytes);

/* The nothrow forms; `nothrow` is the C++ program's std::nothrow. */
void *larder_new_nothrow(size_t size_bytes, const void *nothrow);
void *larder_new_aligned_nothrow(size_t size_bytes, size_t align_bytes, const void *nothrow);

#pragma GCC visibility pop

/* Two functions of the C++ runtime, as its ABI mangles their names. */
#define NEW_GET_HANDLER __asm__("_ZSt15get_new_handlerv")
#define NEW_THROW_BAD_ALLOC __asm__("_ZSt17__throw_bad_allocv")

#endif
