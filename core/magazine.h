/* magazine.h: magazines of objects, the bins that hold them, and the depot that exchanges them
 * (Bonwick 2001).
 *
 * A magazine is a stack of up to `capacity` object pointers. A bin is what one slot holds of one
 * cache: two magazines, so that a slot on the edge between full and empty does not go to the depot
 * each time. The depot is what a cache holds for all slots: full magazines and empty ones.
 * Magazines know neither slabs nor locks.
 *
 * Who guards what: a bin belongs to its slot and is touched only between slot_enter and slot_leave;
 * a depot is guarded by its cache's lock.
 */
#ifndef CORE_MAGAZINE_H
#define CORE_MAGAZINE_H

#include "check.h"

#define MAGAZINE_CAPACITY_MAX 60u /* 60 pointers and the head are 512 bytes */

/* It is filled from its end down to its start, and the number of its first object counts words from
 * its own: a push writes where the number it stores points, and a pop that runs out finds the NULL
 * beneath the first object. */
struct magazine {
    size_t first;   /* 1 … capacity + 1, which is none; this slot only */
    void *object[]; /* [first - 1 … capacity): newest first; [capacity]: NULL */
};

/* The memory of a magazine: what no fast path reads lies in front. */
struct magazine_block {
    struct magazine *next; /* in a depot, or among the withdrawn */
    size_t capacity;       /* constant */
    struct magazine magazine;
};

/* Where a slot keeps its two magazines of one cache. */
struct bin {
    struct magazine **loaded;   /* never NULL: magazine_none if there is none */
    struct magazine **previous; /* either full or empty; never NULL */
};

struct depot {
    struct magazine *full;  /* magazines with at least one object */
    struct magazine *empty; /* magazines with none */
    uint32_t count_full;
    uint32_t count_empty;
    uint32_t least_full; /* lowest count_full since the last tick: that many were not needed */
    uint64_t objects;    /* in the full magazines */
};

/* Always empty and always full: what a bin holds that has no magazine. Never written. */
extern const struct magazine_none {
    void *next;
    size_t capacity;
    size_t first; /* here the magazine begins: full */
    void *bottom; /* and empty */
} magazine_none;

static inline struct magazine *magazine_nothing(void) {
    return (struct magazine *)(uintptr_t)&magazine_none.first;
}

static inline bool magazine_is_real(const struct magazine *magazine) {
    return magazine != magazine_nothing();
}

static inline struct magazine_block *magazine_block(const struct magazine *magazine) {
    return CONTAINER_OF(magazine, struct magazine_block, magazine);
}

static inline size_t magazine_block_bytes(size_t capacity) {
    return sizeof(struct magazine_block) + (capacity + 1) * sizeof(void *);
}

/* An empty magazine in a block of so many bytes. */
static inline struct magazine *magazine_init(void *block, size_t capacity) {
    *(struct magazine_block *)block = (struct magazine_block){.capacity = capacity};
    struct magazine *magazine = &((struct magazine_block *)block)->magazine;
    magazine->first = capacity + 1;
    magazine->object[capacity] = NULL;
    return magazine;
}

static inline size_t magazine_capacity(const struct magazine *magazine) {
    return magazine_block(magazine)->capacity;
}

/* Objects that it still takes. */
static inline size_t magazine_room(const struct magazine *magazine) {
    return magazine->first - 1;
}

static inline size_t magazine_count(const struct magazine *magazine) {
    return magazine_capacity(magazine) - magazine_room(magazine);
}

static inline bool magazine_is_empty(const struct magazine *magazine) {
    return magazine_room(magazine) == magazine_capacity(magazine);
}

static inline bool magazine_is_full(const struct magazine *magazine) {
    return magazine_room(magazine) == 0;
}

/* The word of that number, 1 being the first object. (object[number - 1], as one that compilers
 * take for a reason to subtract.) */
static inline void **magazine_word(struct magazine *magazine, size_t number) {
    return (void **)(void *)magazine + number;
}

/* All of them, newest first. */
static inline void **magazine_objects(struct magazine *magazine) {
    return magazine_word(magazine, magazine->first);
}

static inline void magazine_clear(struct magazine *magazine) {
    magazine->first = magazine_capacity(magazine) + 1;
}

/* How many objects another slot's magazine held a moment ago; anything iff it is used for something
 * else by now. */
uint64_t magazine_glimpse_count(struct magazine *const *place);

/* `count` objects more, which were written to the room that is left, from magazine_gap(magazine,
 * of) on, where `of` ≥ count were asked for. The first of them will come out first. */
void **magazine_gap(struct magazine *magazine, size_t of);
void magazine_fill(struct magazine *magazine, size_t of, size_t count);

/* Take what real magazines a bin has out of it, loaded first; returns how many. `loaded` may be on
 * its way through another slot's fast path. */
unsigned bin_unload(const struct bin *bin, struct magazine *held[2]);

/* The two moves of every fast path: false iff the magazine is empty / full. */
static inline bool magazine_pop(struct magazine *magazine, void **object) {
    size_t first = magazine->first;
    *object = *magazine_word(magazine, first);
    if (UNLIKELY(*object == NULL)) {
        return false;
    }
    magazine->first = first + 1;
    return true;
}

static inline bool magazine_push(struct magazine *magazine, void *object) {
    size_t first = magazine->first - 1;
    if (UNLIKELY(first == 0)) {
        return false;
    }
    *magazine_word(magazine, first) = object;
    magazine->first = first;
    return true;
}

/* Object of a bin without leaving it: from `loaded`, else from `previous`; NULL iff both are empty.
 */
void *bin_take(const struct bin *bin);

/* False iff both magazines are full. */
bool bin_give(const struct bin *bin, void *object);

/* Exchange the bin's emptiness for a full magazine; false iff the depot has none. */
bool depot_load(struct depot *depot, const struct bin *bin);

/* Exchange the bin's fullness for an empty magazine; false iff the depot has none. */
bool depot_unload(struct depot *depot, const struct bin *bin);

/* Put any real magazine into the depot. */
void depot_put(struct depot *depot, struct magazine *magazine);

/* Let the full magazine that `at` links be the next one. */
void depot_bring_forward(struct depot *depot, struct magazine **at);

/* A magazine out of the depot; NULL iff there is none of that kind. */
struct magazine *depot_get_full(struct depot *depot);
struct magazine *depot_get_empty(struct depot *depot);

#endif
