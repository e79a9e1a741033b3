/* replay.h: one policy on one trace, event by event, and what can be seen between two events.
 *
 *   struct replay *replay = replay_open(&(struct replay_config){.policy = "first"}, what);
 *   while (trace_reader_next(reader, &event) && replay_event(replay, &event)) {
 *       if (it is time to look)
 *           replay_figures(replay, &figures);
 *   }
 *   replay_close(replay);
 *
 * Who drives decides when to look: every so many events, at certain times, at the end. Any number
 * of replays may be open at once, all driven by one thread. Memory grows with the blocks that live
 * at once, not with the events.
 *
 * In-process policies, in the order of the list:
 *
 *   first next best worst good   the region heap (larder/fit.h) in one region
 *   buddies                      frames of an instance of the core, each request rounded up to a
 *                                power of two of at least one frame, as in the textbooks
 *   slab                         the core's heap: object caches on top of the buddies
 *
 * A malloc of a library is replayed in a process of its own: child.h.
 *
 * FOOTPRINT is the memory a policy has been given. Without a limit it is given more whenever it
 * would fail, as little as serves: a region heap to the byte, buddies by blocks, slab by 64 KiB;
 * and nothing is taken away, so it is also what the memory of such a machine must have been.
 *
 *   footprint = held + cached + free        live ≤ held
 *
 *   live     what the program asked for and has not freed
 *   held     what that takes: chunks with their headers, blocks, objects of a size class
 *   cached   neither held nor free: slots of slabs and of magazines, frames in bins, descriptors
 *   free     what could serve any request that fits
 *
 * INTERNAL waste is held − live, EXTERNAL fragmentation the share of free memory that lies outside
 * the largest free piece.
 */
#ifndef LAB_REPLAY_REPLAY_H
#define LAB_REPLAY_REPLAY_H

#include "larder/config.h"
#include "trace/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct larder;
struct replay;

/* The name of policy `index`, as above; NULL beyond the last. And what a person calls it: "first
 * fit"; NULL iff there is no policy of that name. */
const char *replay_policy_name(unsigned index);
const char *replay_policy_title(const char *name);

struct replay_config {
    const char *policy;
    uint64_t memory_bytes; /* all it ever gets; 0: more whenever it needs it */
    bool is_unchecked;     /* do not write into blocks, nor look whether it is still there */
    bool is_untimed;       /* do not look at the clock */
};

enum { REPLAY_WHAT_LENGTH = 160 };

/* An empty heap under that policy. NULL iff there is no such policy, or memory_bytes is too little
 * for it to begin, or no memory: then `what` is a sentence that says which. */
struct replay *replay_open(const struct replay_config *config, char what[REPLAY_WHAT_LENGTH]);
void replay_close(struct replay *replay);

/* Do what the program did. A request that fails is counted; what the trace does with its block from
 * then on does nothing, but a realloc tries again. False iff the policy was caught at a mistake
 * (replay_fault()): a block that is misaligned, or whose contents another one has overwritten; then
 * nothing more can be replayed. Cost: the policy's, plus O(size) to check contents. */
bool replay_event(struct replay *replay, const struct trace_event *event);

/* A sentence on the mistake; NULL: none so far. */
const char *replay_fault(const struct replay *replay);

/* ---- Figures --------------------------------------------------------------------------------- */

/* Of one kind of operation, around the allocator's call alone. Within 3 %. 0 if untimed. */
struct replay_times {
    uint64_t count, median_ns, p99_ns, max_ns, total_ns;
};

enum { REPLAY_ORDERS = LARDER_ORDER_MAX + 1 };

struct replay_figures {
    /* The trace so far. */
    uint64_t events;
    uint64_t allocs, reallocs, frees; /* asked of the policy, met or not */
    uint64_t failures;                /* allocs and reallocs that got NULL */
    uint64_t time_ns;                 /* of the last event */
    uint64_t live_blocks, live_blocks_peak;
    uint64_t live_bytes, live_bytes_peak; /* of requests that were met */

    /* Memory, see above; the peaks are exact. */
    uint64_t footprint_bytes, footprint_peak_bytes;
    uint64_t held_bytes;     /* now */
    uint64_t cached_bytes;   /* now */
    uint64_t free_bytes;     /* now */
    uint64_t metadata_bytes; /* control structures beside the footprint, now */
    uint64_t largest_free_bytes;
    uint64_t free_pieces;                            /* chunks; for frames blocks */
    uint64_t held_at_peak_bytes, live_at_peak_bytes; /* when live_bytes was at its peak */

    /* Chunks that were looked at to serve an alloc or realloc; 0 but for the region heap. */
    uint64_t searches, searched, searched_max;

    struct replay_times alloc, realloc, free, all;

    /* buddies and slab only; else order_count is 0. */
    unsigned order_count;
    uint64_t free_blocks[REPLAY_ORDERS]; /* of exactly that order */
    int index_permille[REPLAY_ORDERS];   /* Linux's fragmentation index; −1000: one is free */
};

/* Cost: O(chunks) for the region heap, O(2 MiB page blocks) for the others. */
void replay_figures(struct replay *replay, struct replay_figures *figures);

/* Both in thousandths, 0 of nothing: the definitions of the top of this file. Internal: at the peak
 * of live bytes, as a share of held. */
unsigned replay_external_permille(const struct replay_figures *figures);
unsigned replay_internal_permille(const struct replay_figures *figures);

/* ---- The heap itself ------------------------------------------------------------------------- */

/* A block that lives. */
struct replay_block {
    uint32_t id, site, thread;
    const void *pointer;
    uint64_t offset_bytes; /* from the start of the policy's memory */
    uint64_t size_bytes;   /* asked for */
    uint64_t born_event;   /* number of the event that made it, from 1; a realloc does not */
    uint64_t born_ns;
};

/* Every live block, by id, until `visit` returns false. Cost: O(most blocks that ever lived). */
void replay_blocks(const struct replay *replay,
                   bool (*visit)(void *context, const struct replay_block *block), void *context);

/* A piece of a region heap: chunks lie one behind the other, from offset 0 to the footprint. */
struct replay_chunk {
    uint64_t offset_bytes; /* of the chunk's header */
    uint64_t size_bytes;   /* header included */
    bool is_used;
    struct replay_block block; /* used: the block in it */
};

/* Every chunk by address, until `visit` returns false. False iff the policy is no region heap, or
 * there is no memory for it. Cost: O(chunks + blocks log blocks). */
bool replay_chunks(struct replay *replay,
                   bool (*visit)(void *context, const struct replay_chunk *chunk), void *context);

/* For everything in larder/stats.h (larder_map_read, larder_whatis, larder_cache_…): the instance
 * behind buddies and slab, NULL for the others. Addresses are pointers: its RAM begins at
 * replay_memory() and is as long as the footprint. Do not allocate from it. Calls that want a slot
 * find the replay's. */
struct larder *replay_core(const struct replay *replay);
const void *replay_memory(const struct replay *replay);

#endif
