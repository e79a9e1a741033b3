/* shared.h: the page that a child and its parent share. */
#ifndef LAB_REPLAY_SHARED_H
#define LAB_REPLAY_SHARED_H

#include "result.h"

struct shared {
    /* The parent's. */
    bool is_unchecked, is_untimed, wants_library;
    uint64_t count_events;
    /* The child's. */
    volatile uint64_t events; /* begun so far: where it died */
    volatile bool is_done;    /* result is what came of it */
    struct result result;
};

#endif
