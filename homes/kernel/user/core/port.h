/* port.h: the port of a process of our own kernel: one thread is the machine. Nobody shares its
 * slot, nobody waits for its locks, and memory comes by mmap.
 */
#ifndef USER_CORE_PORT_H
#define USER_CORE_PORT_H

#include "larder/larder.h"

#define LARDER_PORT_CAN_RESERVE 1

extern struct larder_slot *larder_port_only_slot; /* larder_slot_none until it is attached */

typedef struct {
    bool held; /* for assertions only */
} larder_port_lock_t;

static inline void larder_port_lock_acquire(larder_port_lock_t *lock) {
    lock->held = true;
}

static inline void larder_port_lock_release(larder_port_lock_t *lock) {
    lock->held = false;
}

static inline bool larder_port_lock_is_held(const larder_port_lock_t *lock) {
    return lock->held;
}

static inline uintptr_t larder_port_slot_enter(void) {
    return 0;
}

static inline void larder_port_slot_leave(uintptr_t state) {
    (void)state;
}

static inline struct larder_slot *larder_port_slot(struct larder *larder) {
    (void)larder;
    return larder_port_only_slot;
}

static inline void larder_port_relax(void) {
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
