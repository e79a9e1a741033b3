/* key_map.c: see key_map.h. */
#include "trace/key_map.h"

#include "trace/memory.h"

#include <stdlib.h>

enum { ENTRIES_MIN = 64 };

void key_map_free(struct key_map *map) {
    free(map->entries);
    *map = (struct key_map){.count_used = 0};
}

/* Multiplicative hashing: the high bits of a product with 2^64 / golden ratio (Knuth, 6.4). */
static size_t home_of(const struct key_map *map, uint64_t key) {
    return (size_t)((key ^ key >> 32) * 0x9e3779b97f4a7c15u >> map->shift);
}

void key_map_prefetch(const struct key_map *map, uint64_t key) {
    if (map->count_entries > 0)
        __builtin_prefetch(&map->entries[home_of(map, key)]);
}

struct key_map_entry *key_map_find(const struct key_map *map, uint64_t key) {
    if (map->count_entries == 0)
        return NULL;
    const size_t mask = map->count_entries - 1;
    for (size_t at = home_of(map, key); map->entries[at].is_used; at = (at + 1) & mask) {
        if (map->entries[at].key == key)
            return &map->entries[at];
    }
    return NULL;
}

static void insert(struct key_map *map, uint64_t key, uint32_t value) {
    size_t at = home_of(map, key);
    while (map->entries[at].is_used)
        at = (at + 1) & (map->count_entries - 1);
    map->entries[at] = (struct key_map_entry){key, value, 1};
}

static void grow(struct key_map *map) {
    struct key_map_entry *old = map->entries;
    const size_t count_old = map->count_entries;
    map->count_entries = count_old ? count_old * 2 : ENTRIES_MIN;
    map->shift = 64 - (unsigned)__builtin_ctzll(map->count_entries);
    map->entries = memory_zeroed(map->count_entries, sizeof *map->entries);
    for (size_t i = 0; i < count_old; i++) {
        if (old[i].is_used)
            insert(map, old[i].key, old[i].value);
    }
    free(old);
}

void key_map_put(struct key_map *map, uint64_t key, uint32_t value) {
    if ((map->count_used + 1) * 2 > map->count_entries)
        grow(map);
    insert(map, key, value);
    map->count_used++;
}

/* Close the gap: whatever lies behind it and did not begin there moves forward. */
void key_map_remove(struct key_map *map, struct key_map_entry *entry) {
    const size_t mask = map->count_entries - 1;
    size_t gap = (size_t)(entry - map->entries);
    for (size_t at = (gap + 1) & mask; map->entries[at].is_used; at = (at + 1) & mask) {
        const size_t home = home_of(map, map->entries[at].key);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            map->entries[gap] = map->entries[at];
            gap = at;
        }
    }
    map->entries[gap].is_used = 0;
    map->count_used--;
}
