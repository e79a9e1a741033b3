/* The port of the Linux home: a process is the machine, its threads are the slots.
 *
 * Nothing can interrupt a thread inside the core and use the same slot: a signal handler that
 * allocates is outside every malloc's contract. So entering a slot costs nothing, and the slot of a
 * thread is one thread-local pointer. There is one instance per thread at a time; a program with
 * several instances sets larder_port_thread_slot before it calls another one.
 *
 * Locks are test-and-set words: one atomic exchange to take, one plain store to give back. Who
 * waits spins for as long as a critical section of the core lasts, then lets go of the CPU.
 */
#ifndef LARDER_PORT_HOME_H
#define LARDER_PORT_HOME_H

#include "larder/larder.h"

#define LARDER_PORT_CAN_RESERVE 1

/* One word of static TLS, signal-safe; larder_slot_none until this thread is attached. In a program
 * it lies at a constant offset; in a shared library, which may be dlopened, one load finds the
 * offset. */
#ifdef LARDER_PORT_TLS
/* Said by the build: nothing, in a library that is opened when static TLS may be used up. */
#elif defined(__PIC__) && !defined(__PIE__)
#define LARDER_PORT_TLS __attribute__((tls_model("initial-exec")))
#else
#define LARDER_PORT_TLS __attribute__((tls_model("local-exec")))
#endif
extern _Thread_local struct larder_slot *larder_port_thread_slot LARDER_PORT_TLS;

typedef struct {
    uint32_t held; /* atomic: acquire on taking, release on giving back */
} larder_port_lock_t;

/* The slow half of acquire: returns when the caller owns the lock. */
void larder_port_lock_wait(larder_port_lock_t *lock);

static inline void larder_port_lock_acquire(larder_port_lock_t *lock) {
    if (__builtin_expect(__atomic_exchange_n(&lock->held, 1u, __ATOMIC_ACQUIRE) != 0, 0))
        larder_port_lock_wait(lock);
}

static inline void larder_port_lock_release(larder_port_lock_t *lock) {
    __atomic_store_n(&lock->held, 0u, __ATOMIC_RELEASE);
}

static inline bool larder_port_lock_is_held(const larder_port_lock_t *lock) {
    return __atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0;
}

static inline uintptr_t larder_port_slot_enter(void) {
    return 0;
}

static inline void larder_port_slot_leave(uintptr_t state) {
    (void)state;
}

static inline struct larder_slot *larder_port_slot(struct larder *larder) {
    (void)larder;
    return larder_port_thread_slot;
}

static inline void larder_port_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory"); /* waits about as long as x86's pause; yield does not */
#else
    __asm__ volatile("" ::: "memory");
#endif
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
