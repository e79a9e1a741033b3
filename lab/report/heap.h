/* heap.h: the recorded program once more, on larder's own heap: where each block would lie, what is
 * free, and why it is not given back.
 *
 * A replayed process is an instance of the core set up as the Linux home does it: one reservation
 * that grows by donating, a slot per thread, a tick when an interval has passed. Contents are never
 * touched, so replaying a heap of gigabytes takes what its metadata takes.
 */
#ifndef REPORT_HEAP_H
#define REPORT_HEAP_H

#include "trace/event.h"

#include "larder/larder.h"

#include <stddef.h>

/* A live block of the recorded program. */
struct heap_block {
    unsigned char *pointer; /* on the replayed heap; NULL: there was no memory for it */
    uint64_t size_bytes;    /* as asked for */
    uint64_t usable_bytes;  /* as given */
    uint64_t born;          /* when, in the time of heap_apply(); a realloc is no birth */
    uint32_t site;          /* where it was made, or resized last */
    uint32_t thread;
    bool is_live;
};

/* Where every byte of the heap is. resident = live + cached + in_slabs + free_backed + metadata: as
 * if every byte that was given out had been written. */
struct heap_amounts {
    uint64_t requested;   /* by the program */
    uint64_t live;        /* with the program: requested, and rounding up to classes and frames */
    uint64_t cached;      /* in magazines and depots, for the next request of a thread */
    uint64_t in_slabs;    /* free slots beside live ones, and what does not make a slot */
    uint64_t free_backed; /* free frames that were not given back yet */
    uint64_t metadata;    /* slots, magazines, descriptors */
    uint64_t given_back;  /* free frames that the system does not back */
    uint64_t blocks;      /* live ones */
};

struct heap {
    struct larder_storage *storage; /* the instance is in it */
    struct larder *larder;
    unsigned char *base; /* of the reservation */
    uint64_t reserved_bytes;
    uint64_t usable_bytes; /* a prefix of the reservation */
    uint64_t used_bytes;   /* end of what was ever given out */
    uint64_t *backed;      /* a bit per frame: given out since it was last given back */
    size_t backed_words;
    uint64_t backed_frames;       /* its set bits */
    struct heap_block *block;     /* by id */
    size_t block_room, block_end; /* entries made; 1 + the highest id ever live */
    struct larder_slot **slot;    /* by thread */
    size_t slot_room;
    struct larder_slot **parked; /* of threads that ended, the warmest last */
    size_t parked_count, slot_count;
    uint64_t requested_bytes, live_blocks;
    uint64_t unplaced; /* allocations there was no memory for */
    uint64_t ticked_ms;
};

/* Address space of a heap. Looking at free blocks takes time by it, so most traces get the small
 * one.
 */
#define HEAP_ROOM ((uint64_t)32 << 30)
#define HEAP_ROOM_LARGE ((uint64_t)1 << 40)

/* False iff there is no address space or no memory for it. One is open at a time. */
bool heap_open(struct heap *heap, uint64_t room_bytes);
void heap_close(struct heap *heap);

/* It is `now_ms`: what the purging thread would have done by now. */
void heap_clock(struct heap *heap, uint64_t now_ms);

/* What the event says. `now` is what blocks are born at, in the caller's unit. */
void heap_apply(struct heap *heap, const struct trace_event *event, uint64_t now);

/* The live block of an id; NULL iff there is none. */
const struct heap_block *heap_find(const struct heap *heap, uint32_t id);

/* Cost: O(caches × threads). */
struct heap_amounts heap_amounts(struct heap *heap);

/* Does the system back this frame, counted from the base? */
static inline bool heap_is_backed(const struct heap *heap, uint64_t frame) {
    return frame / 64 < heap->backed_words && (heap->backed[frame / 64] >> frame % 64 & 1) != 0;
}

#endif
