/* event.h: one thing that a recorded program did with memory.
 *
 * A trace is a sequence of events of one process in the order in which they happened. Blocks have
 * dense ids: the lowest number that no live block has, so an array indexed by id is as long as the
 * most blocks that ever lived at once, not as the trace. Threads and call sites are dense too, from
 * 0 and 1.
 *
 * Who reads a trace may rely on this, because trace_order (order.h) has made it true:
 *   - an id is live from the event that allocated it to the one that freed it; no event names an id
 *     that is not live, and none allocates one that is
 *   - time never goes back
 */
#ifndef LAB_TRACE_EVENT_H
#define LAB_TRACE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum trace_kind {
    TRACE_MALLOC,     /* id, size */
    TRACE_CALLOC,     /* id, size: the product */
    TRACE_ALIGNED,    /* id, size, align: memalign, posix_memalign, aligned_alloc … */
    TRACE_REALLOC,    /* id, size: the new one; the block keeps its id, wherever it lies now */
    TRACE_FREE,       /* id */
    TRACE_FREE_SIZED, /* id, size: what the program said */
    TRACE_FAILED, /* size, align: an allocation that got NULL; a realloc that did left its block */
    TRACE_THREAD_START, /* thread */
    TRACE_THREAD_END,   /* thread */
    TRACE_RESIDENT,     /* size: resident memory of the process */
};

struct trace_event {
    enum trace_kind kind;
    uint32_t thread;     /* who did it; 0 is the first */
    uint32_t site;       /* call site, see trace_site(); 0: not recorded */
    uint32_t id;         /* of the block */
    uint64_t time_ns;    /* since the start of the recording; 0 throughout where no time is known */
    uint64_t size_bytes; /* as asked for */
    uint64_t align_bytes; /* a power of two; 0: whatever malloc aligns to */
};

/* Does the event make a block (or a failed attempt at none)? */
static inline bool trace_is_alloc(enum trace_kind kind) {
    return kind == TRACE_MALLOC || kind == TRACE_CALLOC || kind == TRACE_ALIGNED;
}

static inline bool trace_is_free(enum trace_kind kind) {
    return kind == TRACE_FREE || kind == TRACE_FREE_SIZED;
}

#endif
