/* event.h: the event register of arm64: wait in low power until somebody says that something
 * changed. A wait may end for no reason, so it always stands in a loop. */
#ifndef KERNEL_EVENT_H
#define KERNEL_EVENT_H

/* Wait for an event: a sev on any CPU, the end of an exclusive reservation, an interrupt. */
static inline void event_wait(void) {
    __asm__ volatile("wfe" ::: "memory");
}

/* Send an event to every CPU; what was stored before is visible to those that wake. */
static inline void event_send(void) {
    __asm__ volatile("dsb ishst\n\tsev" ::: "memory");
}

/* Set the event register of this CPU only: the next wait ends at once. */
static inline void event_send_self(void) {
    __asm__ volatile("sevl" ::: "memory");
}

/* Wait for an interrupt, also while interrupts are masked: then it stays pending. */
static inline void interrupt_wait(void) {
    __asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

#endif
