/* lock.h: a ticket spinlock (Mellor-Crummey and Scott 1991): fair, four bytes, all zero when free.
 *
 * A CPU draws a ticket and sleeps in wfe until it is served. Its load is exclusive, so the store
 * that releases the lock ends the reservation and is itself the event: no sev is needed.
 * Interrupts are the caller's business: larder enters its slot first, drivers use irq_save().
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include "event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ticket_lock {
    _Atomic uint16_t next;    /* the ticket the next CPU draws */
    _Atomic uint16_t serving; /* the ticket that holds the lock; equal to next: free */
};

/* Acquire ordering, and a reservation on the word that a store by another CPU will end. */
static inline uint16_t ticket_lock_watch(struct ticket_lock *lock) {
    uint32_t serving;

    __asm__ volatile("ldaxrh %w0, %1" : "=r"(serving) : "Q"(lock->serving) : "memory");
    return (uint16_t)serving;
}

static inline void ticket_lock_acquire(struct ticket_lock *lock) {
    uint16_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);

    if (ticket_lock_watch(lock) == ticket)
        return;
    event_send_self();
    do
        event_wait();
    while (ticket_lock_watch(lock) != ticket);
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
