/* engine.h: what replay.c shows to figures.c and to the process that replays a malloc. */
#ifndef LAB_REPLAY_ENGINE_H
#define LAB_REPLAY_ENGINE_H

#include "blocks.h"
#include "policy.h"
#include "times.h"

struct replay {
    struct policy *policy;
    struct blocks blocks;
    bool is_checked, is_timed;
    uint64_t overhead_ns;
    uint64_t write_budget_bytes, written_bytes; /* contents: never more than the system can spare */
    uint64_t unwritten_blocks;                  /* that the budget did not allow */
    uint64_t held_bytes;                        /* where the policy keeps no sum */
    struct replay_figures so_far;               /* counters and peaks */
    struct times alloc, resize, free;
    bool is_at_fault;
    char fault[REPLAY_WHAT_LENGTH];
};

/* replay_open() for a kind that need not be in the list. */
struct replay *replay_open_kind(const struct policy_kind *kind, const struct replay_config *config,
                                char what[REPLAY_WHAT_LENGTH]);

uint64_t replay_held(const struct replay *replay);

#endif
