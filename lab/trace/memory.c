/* memory.c: see memory.h. */
#include "trace/memory.h"

#include "command.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

static void *or_end(void *memory) {
    if (memory)
        return memory;
    say_error("out of memory");
    exit(EXIT_TROUBLE);
}

void *memory_resize(void *old, size_t count, size_t item_bytes) {
    return or_end(reallocarray(old, count ? count : 1, item_bytes));
}

void *memory_zeroed(size_t count, size_t item_bytes) {
    return or_end(calloc(count ? count : 1, item_bytes));
}

void *memory_reserve(void *array, size_t *capacity, size_t wanted, size_t item_bytes) {
    if (wanted <= *capacity)
        return array;
    size_t room = *capacity + *capacity / 2;
    room = room < wanted ? wanted : room;
    *capacity = room < 16 ? 16 : room;
    return memory_resize(array, *capacity, item_bytes);
}

char *memory_text(const char *text, size_t count) {
    char *copy = memory_resize(NULL, count + 1, 1);
    memcpy(copy, text, count);
    copy[count] = '\0';
    return copy;
}
