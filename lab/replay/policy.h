/* policy.h: what a replay asks of an allocator. One struct policy_kind per allocator, in a file of
 * its own; the list is in policy.c. */
#ifndef LAB_REPLAY_POLICY_H
#define LAB_REPLAY_POLICY_H

#include "replay.h"

/* Memory beside the footprint, and what is not held. */
struct policy_figures {
    uint64_t footprint_bytes, free_bytes, largest_free_bytes, free_pieces, metadata_bytes;
    unsigned order_count;
    uint64_t free_blocks[REPLAY_ORDERS];
    int index_permille[REPLAY_ORDERS];
};

/* One heap. Its kind puts more behind it. */
struct policy {
    const struct policy_kind *kind;
    const void *memory; /* where offsets count from */
};

struct policy_kind {
    const char *name;  /* for --policies */
    const char *title; /* for people */
    int variant;       /* the kind's own */

    /* As replay_open(). */
    struct policy *(*open)(const struct policy_kind *kind, uint64_t memory_bytes,
                           char what[REPLAY_WHAT_LENGTH]);
    void (*close)(struct policy *policy);

    /* Before a row of calls: several heaps may share a thread. NULL: nothing to do. */
    void (*enter)(struct policy *policy);

    /* Memory. size_bytes is never 0, align_bytes a power of two. NULL on failure. These are timed.
     * zeroed: NULL means that alloc serves. */
    void *(*alloc)(struct policy *policy, size_t size_bytes);
    void *(*zeroed)(struct policy *policy, size_t size_bytes);
    void *(*aligned)(struct policy *policy, size_t align_bytes, size_t size_bytes);
    void *(*resize)(struct policy *policy, void *pointer, size_t size_bytes);
    void (*free)(struct policy *policy, void *pointer);

    /* Memory that live blocks take, together; or, where the allocator keeps no such sum, NULL, and
     * block_bytes of one. O(1). */
    uint64_t (*held)(const struct policy *policy);
    uint64_t (*block_bytes)(struct policy *policy, const void *pointer);

    /* O(1) but for the heaps of replay_figures(). */
    void (*figures)(struct policy *policy, struct policy_figures *figures);
    uint64_t (*footprint)(const struct policy *policy); /* O(1) */

    /* Region heaps, see replay_chunks(): the pieces without their blocks. Else NULL. */
    bool (*walk)(struct policy *policy, bool (*visit)(void *context, const struct replay_chunk *),
                 void *context);
    /* Chunks looked at so far. Else NULL. */
    uint64_t (*looked)(void);
    /* The instance behind. Else NULL. */
    struct larder *(*core)(const struct policy *policy);
};

/* NULL iff there is none of that name, or beyond the last. */
const struct policy_kind *policy_kind_find(const char *name);
const struct policy_kind *policy_kind_at(unsigned index);

extern const struct policy_kind policy_first, policy_next, policy_best, policy_worst, policy_good,
    policy_buddies, policy_slab;

/* The malloc of this process; not in the list: see child.h. */
extern const struct policy_kind policy_malloc;

#endif
