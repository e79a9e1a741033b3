/* result.h: what came of one policy on one trace: figures at the end, and on the way there.
 *
 * Plain data without pointers: a process that replays a malloc hands it over in shared memory. */
#ifndef LAB_REPLAY_RESULT_H
#define LAB_REPLAY_RESULT_H

#include "replay.h"

enum result_state {
    RESULT_WHOLE,       /* every event was replayed */
    RESULT_INTERRUPTED, /* by the user: figures are of the events before */
    RESULT_FAULTY,      /* the policy was caught at a mistake: likewise */
    RESULT_CRASHED,     /* its process died; no figures */
    RESULT_UNABLE,      /* it did not even begin; no figures */
};

struct result_sample {
    uint64_t event, time_ns;
    uint64_t live_bytes, footprint_bytes, held_bytes, cached_bytes, free_bytes, largest_free_bytes;
};

enum { RESULT_SAMPLES = 200, RESULT_NAME_LENGTH = 64 };

struct result {
    char name[RESULT_NAME_LENGTH];  /* "first"; of a malloc its library: "libjemalloc.so.2" */
    char title[RESULT_NAME_LENGTH]; /* "first fit" */
    bool is_process; /* a malloc in a process: footprint is resident memory, free is unknown */
    bool is_unchecked, is_untimed;
    enum result_state state;
    char what[REPLAY_WHAT_LENGTH]; /* unless WHOLE: a sentence */
    struct replay_figures figures;
    uint64_t unwritten_blocks; /* there was not memory enough to write into them too */

    /* External fragmentation over the samples, weighted with their distance in events. */
    unsigned external_mean_permille, external_max_permille;
    unsigned sample_count;
    struct result_sample sample[RESULT_SAMPLES];
};

/* Whether `figures` and samples say anything. */
static inline bool result_has_figures(const struct result *result) {
    return result->state <= RESULT_FAULTY;
}

/* Collects samples: about RESULT_SAMPLES / 2 or more of them, evenly; but a look at the heap costs
 * as much as its chunks are many, so never sooner than after an event for each eight blocks that
 * live. */
struct sampler {
    struct result *result;
    uint64_t step_events, next_event, last_event;
    double external_sum; /* of permille × events */
};

/* count_events: of the trace; 0: unknown. */
void sampler_begin(struct sampler *sampler, struct result *result, uint64_t count_events);
void sampler_event(struct sampler *sampler, struct replay *replay);

/* The last sample, and the figures of the end. */
void sampler_end(struct sampler *sampler, struct replay *replay);

#endif
