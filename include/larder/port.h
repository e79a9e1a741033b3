/* larder/port.h: what a home provides. Eighteen functions, and nothing else.
 *
 * A home is a folder with a header `larder_port_home.h` on its include path (or another name in
 * LARDER_PORT_HEADER). That header defines the type, the capability and the functions of the
 * CPU half as `static inline`; the others are ordinary functions of the home. The core calls them
 * as written here and never reaches below them; a home never touches a struct of the core.
 * docs/porting.md writes one step by step.
 *
 * Each line says: may the core call it with one of its locks held (L)? with interrupts off (I)?
 * before larder_init() has returned (B)? in the child of a fork (F)?
 */
#ifndef LARDER_PORT_H
#define LARDER_PORT_H

#include "larder/larder.h"

#ifdef LARDER_PORT_HEADER
#include LARDER_PORT_HEADER
#else
#include "larder_port_home.h"
#endif

/* Capability. 1: larder_port_reserve() can hand out address space at run time and
 * larder_port_purge() gives memory back (a process). 0: ranges are given (a kernel). */
#ifndef LARDER_PORT_CAN_RESERVE
#error "larder: the home's port header must define LARDER_PORT_CAN_RESERVE as 0 or 1"
#endif

/* ---- CPU half ---- Defined inline by the home's header; the compiler compares it with these.
 * NOLINTBEGIN(readability-redundant-declaration): being declared twice is the point. */

/* `larder_port_lock_t` is a type that is free when all zero; any spinlock, fair or not, that is
 * correct when it is taken with the slot entered. Acquire ordering, release ordering. L I B F. */
static inline void larder_port_lock_acquire(larder_port_lock_t *lock);
static inline void larder_port_lock_release(larder_port_lock_t *lock);

/* Held by anyone? For assertions only. */
static inline bool larder_port_lock_is_held(const larder_port_lock_t *lock);

/* Exclusive use of this slot: between enter and leave the caller cannot be moved to another slot,
 * and nothing else that uses the same slot runs (kernel: interrupts off; Linux thread: nothing to
 * do; sim: told to the schedule). Nests: enter returns the state to restore. L I B F. */
static inline uintptr_t larder_port_slot_enter(void);
static inline void larder_port_slot_leave(uintptr_t state);

/* The slot of the calling CPU or thread in that instance, as larder_slot_attach() returned it, or
 * larder_slot_none. Called between enter and leave. L I B F. */
static inline struct larder_slot *larder_port_slot(struct larder *larder);

/* Called in every round of a loop that waits for another slot. L I B F. */
static inline void larder_port_relax(void);

/* Fault injection: true makes the internal allocation called `site`, a string constant, fail. A
 * shipped home returns a constant false and pays nothing; sim counts. L I F. */
static inline bool larder_port_should_fail(const char *site);

/* An event of the slow paths, for traces; `what` is a string constant such as "split", "merge",
 * "slab+", "slab-", "reclaim". May be empty; must not call the core. L I F. */
static inline void larder_port_trace(const char *what, const void *pointer, size_t value);

/* NOLINTEND(readability-redundant-declaration) */

/* ---- System half ----------------------------------------------------------------------------- */

/* Address space for metadata or, where LARDER_PORT_CAN_RESERVE, for frames. It reads as zero
 * everywhere from the start, also where it was never committed (the core reads records of holes);
 * writing needs a commit. `size_bytes` and `align_bytes` are multiples of the frame size, alignment
 * a power of two. NULL iff there is none. No lock held. B. */
void *larder_port_reserve(size_t size_bytes, size_t align_bytes);

/* Give back a whole reservation. No lock held. */
void larder_port_release(void *pointer, size_t size_bytes);

/* Make part of a reservation writable; it reads as zero, or as what was written if it was committed
 * already (overlapping commits are allowed: neighbours share pages). Any alignment; the home rounds
 * outward to its page size. False iff there is no memory. No lock held. B. */
bool larder_port_commit(void *pointer, size_t size_bytes);

/* The contents of these frames are no longer needed; they may read as zero or as before from now
 * on. True iff every byte reads as zero. No lock held. Where there is nothing below: false. */
bool larder_port_purge(void *pointer, size_t size_bytes);

/* Page size of the system, in bytes, read at run time. Multiples of a frame. L I B F. */
size_t larder_port_page_bytes(void);

/* 64 unpredictable bits. L I B F. */
uint64_t larder_port_entropy(void);

/* A clock that never goes back, in ms. May be coarse. L I B F. */
uint64_t larder_port_clock_ms(void);

/* Say what is wrong and stop this program, CPU or machine. Does not return, does not allocate. L I
 * B F. larder_fatal_write() in larder/stats.h formats the report. */
_Noreturn void larder_port_fatal(const struct larder_fatal *fatal);

/* Memory has run out: make every other attached slot call larder_reclaim_slot() on itself soon (a
 * kernel: an inter-processor interrupt), and wait for it for a bounded time if the context allows
 * to wait. May do nothing. No lock held. */
void larder_port_empty_slots(struct larder *larder);

#endif
