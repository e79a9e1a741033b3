/* guests.h: heaps of the program whose blocks come to our free(). The contract is
 * include/larder/process.h. */
#ifndef GUESTS_H
#define GUESTS_H

#include "larder/process.h"

/* The guest in whose memory the pointer lies; NULL iff there is none. A load where nobody was ever
 * adopted. */
extern struct larder_guest *guests __attribute__((visibility("hidden")));
struct larder_guest *guests_find_slow(const void *pointer);

static inline struct larder_guest *guests_find(const void *pointer) {
    return __builtin_expect(__atomic_load_n(&guests, __ATOMIC_RELAXED) == NULL, 1)
               ? NULL
               : guests_find_slow(pointer);
}

/* Around fork(). A leaf: no other lock is taken under it. */
void guests_lock(void);
void guests_unlock(void);

#endif
