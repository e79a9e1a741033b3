/* memory.h: memory for the tool itself. There is nothing sensible that a command could do without:
 * it says so and ends. */
#ifndef LAB_TRACE_MEMORY_H
#define LAB_TRACE_MEMORY_H

#include <stddef.h>

/* As realloc; never NULL. */
void *memory_resize(void *old, size_t count, size_t item_bytes);

/* As calloc; never NULL. */
void *memory_zeroed(size_t count, size_t item_bytes);

/* Room for at least `wanted` items in an array that has room for *capacity: grows by half. Returns
 * the array, and the new room in *capacity. */
void *memory_reserve(void *array, size_t *capacity, size_t wanted, size_t item_bytes);

/* A copy of `count` bytes with a zero behind it. */
char *memory_text(const char *text, size_t count);

#endif
