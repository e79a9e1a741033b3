/* lock.h: a ticket spinlock (Mellor-Crummey and Scott 1991): fair, four bytes, all zero when free.
 *
 * A CPU draws a ticket and sleeps in wfe until it is served (lock.c). Its load is exclusive, so the
 * store that releases the lock ends the reservation and is itself the event: no sev is needed.
 * Interrupts are the caller's business: larder enters its slot first, drivers use irq_save().
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ticket_lock {
    _Atomic uint16_t next;    /* the ticket the next CPU draws */
    _Atomic uint16_t serving; /* the ticket that holds the lock; equal to next: free */
};

/* The slow half: returns when the ticket is served. */
void ticket_lock_wait(struct ticket_lock *lock, uint16_t ticket);

static inline void ticket_lock_acquire(struct ticket_lock *lock) {
    uint16_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

    if (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
        ticket_lock_wait(lock, ticket);
}

static inline void ticket_lock_release(struct ticket_lock *lock) {
    uint16_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);

    atomic_store_explicit(&lock->serving, (uint16_t)(serving + 1), memory_order_release);
}

static inline bool ticket_lock_is_held(const struct ticket_lock *lock) {
    return atomic_load_explicit(&lock->next, memory_order_relaxed) !=
           atomic_load_explicit(&lock->serving, memory_order_relaxed);
}

#endif
