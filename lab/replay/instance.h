/* instance.h: an instance of the core whose RAM grows at its end. Behind buddies and slab. */
#ifndef LAB_REPLAY_INSTANCE_H
#define LAB_REPLAY_INSTANCE_H

#include "policy.h"

#include "larder/larder.h"

struct instance {
    struct policy policy;
    struct larder *larder;
    struct larder_slot *slot;       /* larder_slot_none where the policy wants none */
    struct larder_storage *storage; /* space of its own, as is the RAM */
    unsigned char *space, *memory;
    size_t storage_bytes, space_bytes; /* space: from `memory` on */
    size_t
        lead_bytes; /* of the space, before `memory`: for descriptors; not part of the footprint */
    size_t given_bytes; /* behind that: the RAM so far */
    bool may_grow;
};

static inline struct instance *instance_of(struct policy *policy) {
    return (struct instance *)policy;
}

/* open and close of struct policy_kind. variant not 0: with a slot, so with magazines and bins. */
struct policy *instance_open(const struct policy_kind *kind, uint64_t memory_bytes,
                             char what[REPLAY_WHAT_LENGTH]);
void instance_close(struct policy *policy);

void instance_enter(struct policy *policy);

/* RAM up to the next multiple of `align_bytes` (a power of two of at least a frame), and `bytes`
 * more. False iff it may not grow, or so far. */
bool instance_grow(struct instance *instance, size_t align_bytes, size_t bytes);

/* The rest of struct policy_kind. */
uint64_t instance_footprint(const struct policy *policy);
void instance_figures(struct policy *policy, struct policy_figures *figures);
struct larder *instance_core(const struct policy *policy);

#endif
