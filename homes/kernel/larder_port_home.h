/* The port of the kernel home: a CPU is a slot, using it exclusively is masking interrupts, a lock
 * is a ticket lock.
 *
 * Programs do not migrate between CPUs, so a slot once read stays right. What else could use it is
 * an interrupt handler of the same CPU: enter masks interrupts, leave restores them, and both are
 * one instruction or two. There is one instance.
 */
#ifndef LARDER_PORT_HOME_H
#define LARDER_PORT_HOME_H

#include "arch/arm64/cpu.h"
#include "arch/arm64/lock.h"

#define LARDER_PORT_CAN_RESERVE 0

typedef struct ticket_lock larder_port_lock_t;

static inline void larder_port_lock_acquire(larder_port_lock_t *lock) {
    ticket_lock_acquire(lock);
}

static inline void larder_port_lock_release(larder_port_lock_t *lock) {
    ticket_lock_release(lock);
}

static inline bool larder_port_lock_is_held(const larder_port_lock_t *lock) {
    return ticket_lock_is_held(lock);
}

static inline uintptr_t larder_port_slot_enter(void) {
    return irq_save();
}

static inline void larder_port_slot_leave(uintptr_t state) {
    irq_restore(state);
}

static inline struct larder_slot *larder_port_slot(struct larder *larder) {
    (void)larder;
    return cpu_slot();
}

static inline void larder_port_relax(void) {
    __asm__ volatile("yield" ::: "memory");
}

static inline bool larder_port_should_fail(const char *site) {
    (void)site;
    return false;
}

static inline void larder_port_trace(const char *what, const void *pointer, size_t value) {
    (void)what;
    (void)pointer;
    (void)value;
}

#endif
