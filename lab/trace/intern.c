/* intern.c: see intern.h. */
#include "trace/intern.h"

#include "trace/memory.h"

#include <stdlib.h>
#include <string.h>

void intern_free(struct intern *intern) {
    free(intern->bytes);
    free(intern->starts);
    free(intern->slots);
    *intern = (struct intern){.count = 0};
}

/* FNV-1a, 64 bits, with a last mix: the low bits choose the slot. */
static uint64_t hash_of(const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

const char *intern_bytes(const struct intern *intern, uint32_t number, size_t *count) {
    const size_t start = intern->starts[number - 1];
    *count = intern->starts[number] - start - 1;
    return intern->bytes + start;
}

/* The slot that has it, or the empty one where it belongs. */
static uint32_t *slot_of(const struct intern *intern, const void *bytes, size_t count) {
    for (size_t at = hash_of(bytes, count);; at++) {
        uint32_t *slot = &intern->slots[at & (intern->count_slots - 1)];
        if (*slot == 0)
            return slot;
        size_t length;
        const char *old = intern_bytes(intern, *slot, &length);
        if (length == count && memcmp(old, bytes, count) == 0)
            return slot;
    }
}

static void grow(struct intern *intern) {
    if ((size_t)intern->count * 2 + 2 <= intern->count_slots)
        return;
    free(intern->slots);
    intern->count_slots = intern->count_slots ? intern->count_slots * 2 : 64;
    intern->slots = memory_zeroed(intern->count_slots, sizeof *intern->slots);
    for (uint32_t number = 1; number <= intern->count; number++) {
        size_t count;
        const char *bytes = intern_bytes(intern, number, &count);
        *slot_of(intern, bytes, count) = number;
    }
}

uint32_t intern_number(struct intern *intern, const void *bytes, size_t count, bool *is_new) {
    grow(intern);
    uint32_t *slot = slot_of(intern, bytes, count);
    *is_new = *slot == 0;
    if (!*is_new)
        return *slot;
    intern->bytes =
        memory_reserve(intern->bytes, &intern->bytes_capacity, intern->count_bytes + count + 1, 1);
    intern->starts = memory_reserve(intern->starts, &intern->starts_capacity,
                                    (size_t)intern->count + 2, sizeof *intern->starts);
    memcpy(intern->bytes + intern->count_bytes, bytes, count);
    intern->bytes[intern->count_bytes + count] = '\0';
    intern->starts[intern->count] = intern->count_bytes;
    intern->count_bytes += count + 1;
    intern->starts[++intern->count] = intern->count_bytes;
    return *slot = intern->count;
}
