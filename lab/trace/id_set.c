/* id_set.c: see id_set.h. */
#include "trace/id_set.h"

#include "trace/memory.h"

#include <stdlib.h>
#include <string.h>

void id_set_free(struct id_set *set) {
    for (int level = 0; level < ID_SET_LEVELS; level++)
        free(set->words[level]);
    *set = (struct id_set){.count_ids = 0};
}

/* Down from the top: at each level the first word with a clear bit. What is not there is clear. */
uint32_t id_set_lowest(const struct id_set *set) {
    uint64_t index = 0;
    for (int level = ID_SET_LEVELS - 1; level >= 0; level--) {
        if (index >= set->count_words[level])
            index *= 64;
        else
            index = index * 64 + (unsigned)__builtin_ctzll(~set->words[level][index]);
    }
    return (uint32_t)index;
}

static void grow(struct id_set *set, int level, uint32_t word) {
    const uint32_t old = set->count_words[level];
    if (word < old)
        return;
    const uint32_t count = word + 1 > old + old / 2 ? word + 1 : old + old / 2;
    set->words[level] = memory_resize(set->words[level], count, sizeof(uint64_t));
    memset(set->words[level] + old, 0, (count - old) * sizeof(uint64_t));
    set->count_words[level] = count;
}

void id_set_add(struct id_set *set, uint32_t id) {
    set->count_live++;
    if (id >= set->count_ids)
        set->count_ids = id + 1;
    uint32_t bit = id;
    for (int level = 0; level < ID_SET_LEVELS; level++, bit /= 64) {
        grow(set, level, bit / 64);
        set->words[level][bit / 64] |= (uint64_t)1 << bit % 64;
        if (~set->words[level][bit / 64] != 0)
            break;
    }
}

void id_set_remove(struct id_set *set, uint32_t id) {
    set->count_live--;
    uint32_t bit = id;
    for (int level = 0; level < ID_SET_LEVELS; level++, bit /= 64) {
        const bool was_full = ~set->words[level][bit / 64] == 0;
        set->words[level][bit / 64] &= ~((uint64_t)1 << bit % 64);
        if (!was_full)
            break;
    }
}
