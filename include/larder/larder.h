/* larder/larder.h: one memory service, and the words every part of it shares.
 *
 * Everything hangs off one `struct larder`. A kernel has one, a process has one, a test has
 * thousands. There are no globals. Unless a function says otherwise it may be called on any slot,
 * with interrupts on or off, and from an interrupt handler; it takes only locks of the core, for
 * bounded time, and never holds one over a call of the port's memory functions, a constructor or a
 * callback.
 */
#ifndef LARDER_LARDER_H
#define LARDER_LARDER_H

#include "larder/config.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define LARDER_VERSION "0.1.0"

struct larder;        /* the instance */
struct larder_slot;   /* what one CPU or thread owns of it */
struct larder_cache;  /* an object cache */
struct larder_ranges; /* larder/ranges.h */

#define LARDER_FRAME_BYTES ((size_t)1 << LARDER_FRAME_SHIFT)

/* The storage of an instance. Its address may be a link-time constant, so that fast paths load
 * nothing to find it. */
#define LARDER_STORAGE_BYTES (224u * 1024u)
struct larder_storage {
    alignas(128) unsigned char bytes[LARDER_STORAGE_BYTES];
};

/* Results of functions that do not return memory. */
enum larder_status {
    LARDER_OK = 0,
    LARDER_NO_MEMORY,     /* nothing left after reclaim; nothing was changed */
    LARDER_BAD_SIZE,      /* zero, too large, or not a multiple of what it must be */
    LARDER_BAD_ALIGNMENT, /* not a power of two, or larger than supported */
    LARDER_BAD_RANGE,     /* wraps, is empty after rounding, or is not RAM of this instance */
    LARDER_BAD_NAME,      /* missing, empty, or longer than the limit */
    LARDER_BAD_OPTION,    /* unknown flag or debug option; or flags that exclude each other */
    LARDER_TOO_MANY,      /* a table of fixed size is full (its limit is in config.h) */
    LARDER_BUSY,          /* part of it is in use; nothing was changed */
};

/* A short English sentence for a status; never NULL. */
const char *larder_status_text(enum larder_status status);

/* Request flags, common to frames, caches and the heap. They start above the small orders, so that
 * a fast path tests both with one compare. */
typedef uint32_t larder_flags;
#define LARDER_ZERO 0x04u        /* the memory reads as zero */
#define LARDER_USE_RESERVE 0x08u /* may dip below the watermark: for callers that must not fail */
#define LARDER_NO_RECLAIM 0x10u  /* fail rather than reclaim: for callers inside reclaim */
#define LARDER_PANIC 0x20u       /* failure is fatal: LARDER_FATAL_NO_MEMORY instead of NULL */
#define LARDER_ZONE_SHIFT 8u     /* LARDER_ZONE(z): only zones 0..z; without it, any zone, */
#define LARDER_ZONE(z) (((larder_flags)(z) + 1u) << LARDER_ZONE_SHIFT) /* highest first */
#define LARDER_FLAGS_ALL 0xf3cu /* every bit above; any other bit is LARDER_BAD_OPTION or NULL */

/* The caller's mistakes, recognised from metadata. Each is reported once through
 * larder_port_fatal(), which does not return. Always on. */
enum larder_fatal_kind {
    LARDER_FATAL_DOUBLE_FREE,   /* the block, object or run is free already */
    LARDER_FATAL_INTERIOR_FREE, /* inside a block, object or run, not at its start */
    LARDER_FATAL_FOREIGN_FREE,  /* not memory of this instance */
    LARDER_FATAL_RESERVED_FREE, /* memory that was never given out: reserved, device, hole, metadata
                                 */
    LARDER_FATAL_WRONG_CACHE,   /* an object given back to a cache it was not taken from */
    LARDER_FATAL_WRONG_ORDER, /* a block given back with another order or size than it was taken */
    LARDER_FATAL_WRONG_ZONE,  /* a run given back whose end is not in the zone of its start */
    LARDER_FATAL_CACHE_DESTROYED, /* a call on a cache after its destruction */
    LARDER_FATAL_RED_ZONE,        /* debug Z: bytes next to the object were overwritten */
    LARDER_FATAL_POISON,          /* debug P: the object was written after it was freed */
    LARDER_FATAL_NO_MEMORY,       /* LARDER_PANIC and nothing left */
    LARDER_FATAL_CORRUPT,         /* the validator found an equation that does not hold */
    LARDER_FATAL_LOCK,            /* assertion builds: lock order, ownership or interrupt state */
    LARDER_FATAL_ASSERTION,       /* assertion builds: our own mistake */
    LARDER_FATAL_KINDS
};

/* The kind as a person reads it ("double free"); never NULL. */
const char *larder_fatal_text(enum larder_fatal_kind kind);

struct larder_fatal {
    enum larder_fatal_kind kind;
    const void *pointer; /* what the caller passed, or where the damage is; may be NULL */
    const char *owner;   /* name of the cache or of the kind of memory it belongs to; never NULL */
    const char *detail;  /* one more fact in words, or NULL; for an assertion the expression */
    const char *file;    /* assertion: where; otherwise NULL */
    unsigned line;
    /* Debug caches only (zero otherwise): */
    const void *object;  /* start of the object */
    size_t object_bytes; /* its size */
    size_t offset_bytes; /* of the first damaged byte, from the object's start; may wrap below it */
    unsigned char expected;     /* what that byte should hold */
    unsigned char found;        /* what it holds */
    uintptr_t alloc_site;       /* return address of the last allocation, U */
    uintptr_t free_site;        /* return address of the last free, U */
    uint64_t alloc_ms, free_ms; /* when, in larder_port_clock_ms() time */
    unsigned alloc_slot, free_slot;
};

/* How a range or a zone is described at start. See larder/ranges.h for the table itself. */
struct larder_zone_config {
    const char *name;       /* kept by reference */
    uint64_t limit_address; /* first address beyond the zone; a multiple of 2 MiB; ascending */
};

/* Hardening of an instance against programs whose memory errors are exploited: objects come from
 * random places of their slabs, freed ones are wiped and stay out of use for a while, double frees
 * are fatal at once, and slabs and runs of the heap have guard pages. Every request takes the slow
 * path. For caches that have a constructor: no wiping; with LARDER_CACHE_NO_DEBUG: none of it. */
struct larder_hardening {
    /* Make whole pages of the system inaccessible, or accessible again with what they hold. False
     * iff that cannot be done: the instance goes on without. Called with no lock held. NULL: no
     * guards, and freed runs are not kept. */
    bool (*protect)(void *start, size_t size_bytes, bool is_accessible);
    uint64_t guarded_blocks_max; /* slabs and runs with guards; those beyond have none */
    uint64_t quarantine_frames;  /* freed runs that are kept inaccessible, in all, at most */
};

struct larder_config {
    struct larder_ranges
        *ranges; /* what is RAM; start-up may still be taking from it (see larder_init) */
    uintptr_t linear_offset; /* pointer = (void *)(address + linear_offset), modulo 2^64. Whole
                                frames; whole largest blocks if pointers are to be aligned as
                                addresses are */
    struct larder_zone_config
        zone[LARDER_ZONES_MAX]; /* ascending; the last one's limit may be UINT64_MAX */
    unsigned zone_count;        /* 0: one zone named "normal" */
    unsigned slot_count;        /* slots that may be attached: 1..LARDER_SLOTS_MAX */
    uint64_t reserve_frames;    /* kept back for LARDER_USE_RESERVE; 0 is allowed. Slots that ask at
                                   one moment in different GiB may be given the same of it */
    unsigned interval_ms;       /* the working-set interval of larder_tick(); 0: 1000 */
    bool is_reserved; /* RAM comes from larder_port_reserve(): it reads as zero when it is handed
                         over, and free memory is purged through the port */
    bool storage_is_zero;   /* the storage was never written: it need not be touched to clear it */
    bool has_no_frame_bins; /* slots keep no blocks of frames, for callers who seldom ask for any */
    const char *debug;      /* debug options for caches yet to be made, larder/stats.h; or NULL */
    const struct larder_hardening *hardening; /* copied; NULL: none */
};

/* Make an instance in `storage`.
 * Order of things: the caller fills a range table; larder_init() reserves the frame map through the
 * port, asks the port to commit the parts that describe RAM (a kernel takes the frames for that out
 * of the same range table), then rounds what is left of each usable range inward to frames and
 * gives it to the buddies. From then on the table is a record: taking from it is a mistake
 * (larder_ranges_take() returns LARDER_ADDRESS_NONE). Result: the instance, at the address of
 * `storage`; or NULL with *status set, iff the configuration does not hold (BAD_RANGE: no usable
 * frame, or a span beyond 16 TiB; BAD_OPTION; TOO_MANY) or the map cannot be reserved or committed
 * (NO_MEMORY). `status` may be NULL. Context: once, before any other call, on one slot. Cost:
 * O(ranges + GiB of RAM). */
struct larder *larder_init(struct larder_storage *storage, const struct larder_config *config,
                           enum larder_status *status);

/* Give the frame map back to the port. Every object, frame and cache of the instance is gone with
 * it. For instances that end (tests, heaps in a region); kernels never call it. */
void larder_fini(struct larder *larder);

/* Attach the calling CPU or thread as slot `index` (0 .. slot_count-1).
 * Result: the slot, to be handed back by larder_port_slot() from now on; NULL iff the index is out
 * of range, attached already, or there is no memory for it. Until then, and after a failure, every
 * call still works: without a slot it takes the slow path each time. Cost: 16 bytes for each of
 * LARDER_CACHES_MAX, and about 5 KiB. */
struct larder_slot *larder_slot_attach(struct larder *larder, unsigned index);

/* Give everything the slot holds back to the depots and free the slot. On Linux: at thread exit.
 * larder_slot_none does nothing; anything else that is no attached slot of this instance is fatal:
 * DOUBLE_FREE inside its memory (it was detached already), FOREIGN_FREE outside. */
void larder_slot_detach(struct larder *larder, struct larder_slot *slot);

/* The slot that has none: always empty, always full, shared by all, never written.
 * larder_port_slot() returns it for CPUs and threads that are not attached; its address is a
 * constant, so a thread-local pointer can start as it. */
extern const struct larder_slot larder_slot_nobody;
#define larder_slot_none ((struct larder_slot *)&larder_slot_nobody)

/* Index of a slot, 0-based; UINT_MAX for larder_slot_none. */
unsigned larder_slot_index(const struct larder_slot *slot);

/* Give back what nobody used: empty slabs to the buddies by the working-set rule (the least number
 * that stayed unused over a whole interval), and free memory that is one to two intervals old to
 * the system below (larder_config.is_reserved). Call it now and then, also when idle; more often
 * than the interval is harmless. Returns frames given back to the buddies. Cost: O(caches + purged
 * page blocks) once per interval, else O(1). */
uint64_t larder_tick(struct larder *larder);

/* Give all free memory back to the system below, at once. Returns frames purged. Cost: O(dirty
 * page blocks), the port's calls included. */
uint64_t larder_purge(struct larder *larder);

/* True iff a later larder_tick() has something to purge: who ticks may sleep until then. */
bool larder_is_dirty(struct larder *larder);

/* Give back everything that is not in use: this slot's magazines, every depot, every empty slab,
 * and every other slot's magazines at its next slow path (a slot that sleeps is emptied by
 * larder_reclaim_slot() from whoever can make sure that it does). Returns frames given back. */
uint64_t larder_reclaim(struct larder *larder);

/* Empty the magazines of a slot that provably runs no larder code meanwhile (its CPU is parked, its
 * thread is stopped or gone), or of the caller's own. Fatal as for larder_slot_detach(). */
void larder_reclaim_slot(struct larder *larder, struct larder_slot *slot);

/* Empty the magazines of a slot whose thread may wake up at any time, in two steps. Withdraw: the
 * slot finds no magazines from now on. Then the caller makes sure that the thread has been outside
 * larder at some moment since (it was seen blocked in the system, or it is gone). Settle: what was
 * withdrawn goes back to the slabs. Without a settle, the slot settles by itself on its next slow
 * path; until then the objects count as live. Only for homes whose larder_port_slot_enter() lets
 * other slots run. Cost: O(caches). */
void larder_slot_withdraw(struct larder *larder, struct larder_slot *slot);
void larder_slot_settle(struct larder *larder, struct larder_slot *slot);

/* Take every lock of the instance, in the order of their ranks; and let go of them. Around fork():
 * the child then has a whole instance, in which the slots of threads that are gone may be emptied
 * by larder_reclaim_slot() or used by others. Nothing of larder may be called in between. */
void larder_lock_all(struct larder *larder);
void larder_unlock_all(struct larder *larder);

/* New random numbers for the instance's hardening, out of the port's entropy: in the child of a
 * fork, which would draw the same as its parent otherwise. Nothing else may run meanwhile. */
void larder_reseed(struct larder *larder);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
