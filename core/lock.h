/* lock.h: a spinlock with a rank.
 *
 * Taking a lock enters the slot first, so whatever may interrupt the holder on this slot waits
 * until the lock is free again: no lock of the core can deadlock with an interrupt handler that
 * allocates. The state to restore is kept in the lock and guarded by it. Locks are taken in
 * ascending rank; with LARDER_ASSERTIONS a wrong order, a release without acquire and a lock held
 * twice are fatal (LARDER_FATAL_LOCK).
 */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include "base.h"
#include "larder/port.h"

/* Ascending: a lock may be taken while one of lower rank is held, never the reverse. The table with
 * reasons is in DESIGN.md. */
enum lock_rank {
    LOCK_RANK_REGISTRY, /* the instance: list and ids of caches, the range table, slots */
    LOCK_RANK_SLOT,     /* one slot: slow paths on its bins, against who withdraws its magazines */
    LOCK_RANK_CACHE,    /* one cache: its slabs and its depot */
    LOCK_RANK_AREA,     /* one area of a zone: its free blocks */
    LOCK_RANKS
};

/* Which ranks each attached slot of an instance holds; empty without assertions. */
struct lock_book {
#if LARDER_ASSERTIONS
    struct larder *larder;
    uint8_t held[LARDER_SLOTS_MAX]; /* a bit per rank; this slot only */
#else
    char unused;
#endif
};

struct lock {
    larder_port_lock_t port;
    uintptr_t slot_state; /* what slot_leave restores; guarded by this lock */
#if LARDER_ASSERTIONS
    struct lock_book *book; /* constant */
    enum lock_rank rank;    /* constant */
#endif
};

void lock_book_init(struct lock_book *book, struct larder *larder);
void lock_init(struct lock *lock, enum lock_rank rank, struct lock_book *book);

#if LARDER_ASSERTIONS

void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);
void lock_assert_held(const struct lock *lock);

#else

static inline void lock_acquire(struct lock *lock) {
    uintptr_t state = larder_port_slot_enter();
    larder_port_lock_acquire(&lock->port);
    lock->slot_state = state;
}

static inline void lock_release(struct lock *lock) {
    uintptr_t state = lock->slot_state;
    larder_port_lock_release(&lock->port);
    larder_port_slot_leave(state);
}

static inline void lock_assert_held(const struct lock *lock) {
    (void)lock;
}

#endif

#endif
