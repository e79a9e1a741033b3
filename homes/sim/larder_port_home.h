/* larder_port_home.h of the simulated home: the CPU half of the port.
 *
 * Everything here is one call into cpu.c: each is a place where the schedule of a test may switch
 * to another virtual CPU or run an interrupt handler, and where sim checks how the core uses the
 * port (a lock taken twice by one CPU, a slot left that was not entered, and so on).
 * See sim.h for what a test can do with it.
 */
#ifndef LARDER_PORT_HOME_H
#define LARDER_PORT_HOME_H

#define LARDER_PORT_CAN_RESERVE 1

/* Who holds it: 0 for nobody, else the number of the virtual CPU (of the thread) plus one. */
typedef struct {
    _Atomic uint32_t holder;
} larder_port_lock_t;

#pragma GCC visibility push(default)
void sim_lock_acquire(larder_port_lock_t *lock);
void sim_lock_release(larder_port_lock_t *lock);
bool sim_lock_is_held(const larder_port_lock_t *lock);
uintptr_t sim_slot_enter(void);
void sim_slot_leave(uintptr_t state);
struct larder_slot *sim_slot(struct larder *larder);
void sim_relax(void);
bool sim_is_interrupt(void);
bool sim_should_fail(const char *site);
void sim_trace(const char *what);
#pragma GCC visibility pop

static inline void larder_port_lock_acquire(larder_port_lock_t *lock) {
    sim_lock_acquire(lock);
}

static inline void larder_port_lock_release(larder_port_lock_t *lock) {
    sim_lock_release(lock);
}

static inline bool larder_port_lock_is_held(const larder_port_lock_t *lock) {
    return sim_lock_is_held(lock);
}

static inline uintptr_t larder_port_slot_enter(void) {
    return sim_slot_enter();
}

static inline void larder_port_slot_leave(uintptr_t state) {
    sim_slot_leave(state);
}

static inline struct larder_slot *larder_port_slot(struct larder *larder) {
    return sim_slot(larder);
}

static inline void larder_port_relax(void) {
    sim_relax();
}

static inline bool larder_port_should_fail(const char *site) {
    return sim_should_fail(site);
}

static inline void larder_port_trace(const char *what, const void *pointer, size_t value) {
    (void)pointer;
    (void)value;
    sim_trace(what);
}

#endif
