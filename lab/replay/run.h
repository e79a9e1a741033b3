/* run.h: a trace file through one policy, from its beginning to its end. */
#ifndef LAB_REPLAY_RUN_H
#define LAB_REPLAY_RUN_H

#include "result.h"
#include "trace/reader.h"

#include <signal.h>

struct run {
    const char *path;      /* of the trace; read anew by each run, so not "-" */
    const char *policy;    /* of replay.h's list; or RUN_MALLOC */
    const char *library;   /* RUN_MALLOC: what is preloaded; NULL: the system's malloc */
    uint64_t memory_bytes; /* as in replay_config; RUN_MALLOC ignores it */
    bool is_unchecked, is_untimed;
};

#define RUN_MALLOC "malloc"

/* *result says how it went. Shows a progress bar. False iff the trace cannot be opened or is
 * damaged: then *error says where; what came before has been replayed. */
bool run(const struct run *run, struct result *result, struct trace_error *error);

/* Set by whoever handles SIGINT: the run ends with what it has. */
extern volatile sig_atomic_t run_is_interrupted;

#endif
