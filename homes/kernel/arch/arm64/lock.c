/* lock.c: waiting for a ticket. See lock.h.
 *
 * On real cores wfe sleeps until the lock's word changes. Under an emulator or a hypervisor it may
 * return at once, and the CPU whose turn it is may not be running at all because we are: four CPUs
 * of QEMU on two of the host passed a lock on a hundred times a second. So who has waited longer
 * than critical sections last lets go of its processor, and naps.
 */
#include "lock.h"

#include "event.h"
#include "timer.h"

#define WAITS_BEFORE_NAP 200u

/* Acquire ordering, and a reservation on the word that a store by another CPU will end. */
static uint16_t watch(struct ticket_lock *lock) {
    uint32_t serving;

    __asm__ volatile("ldaxrh %w0, %1" : "=r"(serving) : "Q"(lock->serving) : "memory");
    return (uint16_t)serving;
}

void ticket_lock_wait(struct ticket_lock *lock, uint16_t ticket) {
    unsigned waits = 0;

    event_send_self();
    do {
        if (++waits % WAITS_BEFORE_NAP == 0)
            timer_nap();
        event_wait();
    } while (watch(lock) != ticket);
}
