/* The physical limit. A file of its own, so that nothing of it can be inlined into a loop. */
#include "peers.h"

#include "bench.h"

#include <stdlib.h>

static _Thread_local struct {
    uint32_t count;
    void *object[LIMIT_OBJECTS];
} stack;

void *limit_get(void) {
    return stack.object[--stack.count];
}

void limit_put(void *object) {
    stack.object[stack.count++] = object;
}

void limit_fill(void *memory, size_t stride_bytes, uint32_t count) {
    if (count > LIMIT_OBJECTS)
        die("the limit's array has %d entries", LIMIT_OBJECTS);
    for (stack.count = 0; stack.count < count; stack.count++)
        stack.object[stack.count] = (char *)memory + stride_bytes * stack.count;
}

/* ---- Many arrays ----------------------------------------------------------------------------- */

enum { ARRAY_OBJECTS = 62 };
struct array {
    uint32_t count;
    void *object[ARRAY_OBJECTS];
};
static struct array *arrays;

void *limit_get_of(uint32_t array) {
    struct array *a = &arrays[array];
    return a->object[--a->count];
}

void limit_put_of(uint32_t array, void *object) {
    struct array *a = &arrays[array];
    a->object[a->count++] = object;
}

void limit_arrays(uint32_t count, uint32_t objects_each) {
    free(arrays);
    arrays = count ? calloc(count, sizeof *arrays) : NULL;
    if (count && (!arrays || objects_each > ARRAY_OBJECTS))
        die("no memory for %u arrays", count);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < objects_each; j++)
            limit_put_of(i, &arrays[i].object[j]);
}
