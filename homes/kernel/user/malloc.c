/* malloc.c: C's functions on the heap that the program chose. */
#include "user.h"

static const struct heap *chosen = &heap_region;

void heap_choose(const struct heap *heap) {
    chosen = heap;
}

void *malloc(size_t bytes) {
    return chosen->take(bytes);
}

void *calloc(size_t count, size_t bytes) {
    size_t total;
    void *pointer = __builtin_mul_overflow(count, bytes, &total) ? NULL : malloc(total);

    if (pointer != NULL)
        memset(pointer, 0, total);
    return pointer;
}

void *realloc(void *pointer, size_t bytes) {
    if (pointer == NULL)
        return malloc(bytes);
    if (bytes == 0) {
        free(pointer);
        return NULL;
    }
    return chosen->resize(pointer, bytes);
}

void free(void *pointer) {
    if (pointer != NULL)
        chosen->give(pointer);
}

void heap_trim(void) {
    chosen->trim();
}

void heap_look(struct heap_account *account) {
    chosen->account(account);
}
