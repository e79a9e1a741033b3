/* key_map.h: numbers of 64 bits, pointers mostly, to numbers of 32. A hash table with linear
 * probing that moves entries back on removal, so that it needs no marks of removed ones (Knuth, 6.4
 * R). */
#ifndef LAB_TRACE_KEY_MAP_H
#define LAB_TRACE_KEY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_map_entry {
    uint64_t key;
    uint32_t value;
    uint32_t is_used;
};

/* One of zeros is empty. */
struct key_map {
    struct key_map_entry *entries; /* a power of two, at most half of them used */
    size_t count_entries, count_used;
    unsigned shift; /* 64 minus the logarithm of count_entries */
};

void key_map_free(struct key_map *map);

/* NULL iff there is none. Valid until something is put or removed. */
struct key_map_entry *key_map_find(const struct key_map *map, uint64_t key);

/* Bring what key_map_find() will look at first into the cache. */
void key_map_prefetch(const struct key_map *map, uint64_t key);

/* There is none with this key yet. */
void key_map_put(struct key_map *map, uint64_t key, uint32_t value);

/* An entry that was found. */
void key_map_remove(struct key_map *map, struct key_map_entry *entry);

#endif
