/* larder/process.h: the instance behind malloc() in a Linux process that runs on larder.
 *
 * Declared for programs that link the library, or that ask whether it is there: weak references to
 * these names are NULL without it. Every function: any thread, no lock of the caller's matters.
 */
#ifndef LARDER_PROCESS_H
#define LARDER_PROCESS_H

#include "larder/larder.h"
#include "larder/stats.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* True iff malloc() of this process is larder's: false after LARDER_DISABLE=1, and where there was
 * no address space to reserve. Starts the instance if nothing has yet. */
bool larder_is_active(void);

/* The instance, for looking at it and for typed caches (larder/cache.h); NULL iff it is not active.
 * What it gives out may be passed to free(). Only malloc() and its family make it grow: memory
 * asked for in other ways comes from what is usable already, or fails. */
struct larder *larder_process(void);

/* realloc() that never moves. True iff malloc_usable_size(pointer) is at least `size_bytes`
 * afterwards, and the memory is not more than half unused; on false nothing has changed. Always
 * false for NULL, for size 0, and for memory that is not larder's. */
bool larder_process_try_resize(void *pointer, size_t size_bytes);

/* A heap of the caller's in memory of the caller's: a region heap (larder/fit.h), an instance of
 * the core in an arena, or any other. The process's free(), realloc(), malloc_usable_size() and
 * sized frees take its blocks too: one free() for all heaps. The three functions are called in the
 * thread that frees, with no lock held; whoever shares the heap between threads locks in them.
 * `realloc` gets no NULL and no size 0, and says by NULL that it cannot: errno becomes ENOMEM. */
struct larder_guest {
    void *memory;
    size_t size_bytes;
    void (*free)(struct larder_guest *guest, void *pointer);
    void *(*realloc)(struct larder_guest *guest, void *pointer, size_t size_bytes);
    size_t (*size_of)(struct larder_guest *guest, const void *pointer);
    void *context;             /* the caller's */
    struct larder_guest *next; /* ours */
};

/* Take blocks of this heap from now on. *guest stays the caller's and must outlive that. False, and
 * nothing changed, iff the heap is empty or its end wraps, it overlaps another guest, a function is
 * missing, or the memory was malloc()ed as less than LARDER_CLASS_MAX_BYTES + 1 bytes: blocks
 * inside an object of larder's cannot be told from it. Cost: O(guests); so is a free of a guest's
 * block. */
bool larder_process_adopt(struct larder_guest *guest);

/* No more. What is still allocated in it must not be given to free() any more. False iff the guest
 * is not adopted. */
bool larder_process_disown(struct larder_guest *guest);

/* Does nothing: `-Wl,-u,larder_malloc_is_linked` makes sure that a static link draws in the whole
 * family, and that a link with the shared library keeps it. */
void larder_malloc_is_linked(void);

/* Bytes, now and at their highest. Peaks are seen at certain moments only: about every 20 ms, and
 * whenever the heap has grown by a sixty-fourth, while the program allocates and statistics were
 * asked for (LARDER_STATS, _STATS_FILE, _SNAPSHOT_SIGNAL), else at purges; that of `resident` is
 * exact. `at_peak` is what it was when the heap had most memory that the system backs (usable −
 * purged), within a sixty-fourth; 0 for `resident`. */
struct larder_process_amount {
    uint64_t now, peak, at_peak;
};

/* Equation: usable = live + in_magazines + in_slabs + free_backed + purged + metadata, exact when
 * nothing else runs, also at_peak. Nothing is ever negative. `live` is larger than `requested` by
 * the rounding to size classes and whole frames. What a block was asked for as is not kept; the
 * ratio is that of the requests that took a slow path, size class by size class. */
struct larder_process_stats {
    struct larder_process_amount requested;    /* of what is live: an estimate, at most that */
    struct larder_process_amount live;         /* with the program, as size classes and frames */
    struct larder_process_amount in_magazines; /* free, in magazines of threads and in depots */
    struct larder_process_amount in_slabs;     /* free in slabs, and what does not make an object */
    struct larder_process_amount free_backed;  /* free frames that the system may still back */
    struct larder_process_amount purged;       /* free frames that it does not */
    struct larder_process_amount metadata;     /* slots, magazines, descriptors */
    struct larder_process_amount usable;       /* the sum: memory the heap works with */
    struct larder_process_amount mapped;       /* usable, and the frame map beside it */
    struct larder_process_amount resident;     /* of the whole process, as the kernel counts it */
    uint64_t reserved_bytes;                   /* address space; costs nothing */
    uint64_t mappings;                         /* of the whole process; the kernel allows 65530 */
    uint64_t foreign_frees; /* frees and reallocs of memory that larder did not give out */
    uint64_t slow_calls;    /* of the family, beyond the fast path; counted as peaks are */
    uint64_t slow_ns;       /* processor time in them, all threads together */
};

/* All zero iff it is not active. Cost: O(caches × threads + dirty page blocks), and two files of
 * /proc. */
void larder_process_stats(struct larder_process_stats *stats);

/* The same as text: for a person, in KiB; and as one JSON object with every size class. Allocates
 * nothing. */
void larder_process_write(const struct larder_sink *sink);
void larder_process_write_json(const struct larder_sink *sink);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
