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

#define MAGAZINE_CAPACITY_MAX 61u /* 61 pointers and the head are 512 bytes */

struct magazine {
    struct magazine *next; /* in a depot */
    size_t count;          /* objects in it, ≤ capacity; as wide as an index, so that the fast
                              path widens nothing */
    size_t capacity;       /* constant */
    void *object[];
};

struct bin {
    struct magazine *loaded;   /* never NULL: magazine_none if there is none */
    struct magazine *previous; /* either full or empty; never NULL */
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
extern const struct magazine magazine_none;

static inline struct magazine *magazine_nothing(void) {
    return (struct magazine *)(uintptr_t)&magazine_none;
}

static inline bool magazine_is_real(const struct magazine *magazine) {
    return magazine->capacity != 0;
}

static inline void bin_init(struct bin *bin) {
    bin->loaded = magazine_nothing();
    bin->previous = magazine_nothing();
}

static inline void bin_swap(struct bin *bin) {
    struct magazine *loaded = bin->loaded;
    bin->loaded = bin->previous;
    bin->previous = loaded;
}

/* The two moves of every fast path: false iff the magazine is empty / full. */
static inline bool magazine_pop(struct magazine *magazine, void **object) {
    size_t count = magazine->count;
    if (UNLIKELY(count == 0)) {
        return false;
    }
    *object = magazine->object[count - 1];
    magazine->count = count - 1;
    return true;
}

static inline bool magazine_push(struct magazine *magazine, void *object) {
    size_t count = magazine->count;
    if (UNLIKELY(count >= magazine->capacity)) {
        return false;
    }
    magazine->object[count] = object;
    magazine->count = count + 1;
    return true;
}

/* Object of a bin without leaving it: from `loaded`, else from `previous`; NULL iff both are empty.
 */
void *bin_take(struct bin *bin);

/* False iff both magazines are full. */
bool bin_give(struct bin *bin, void *object);

/* Exchange the bin's emptiness for a full magazine; false iff the depot has none. */
bool depot_load(struct depot *depot, struct bin *bin);

/* Exchange the bin's fullness for an empty magazine; false iff the depot has none. */
bool depot_unload(struct depot *depot, struct bin *bin);

/* Put any real magazine into the depot. */
void depot_put(struct depot *depot, struct magazine *magazine);

/* A magazine out of the depot; NULL iff there is none of that kind. */
struct magazine *depot_get_full(struct depot *depot);
struct magazine *depot_get_empty(struct depot *depot);

#endif
