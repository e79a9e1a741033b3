/* irq.h: interrupt controllers and who handles which interrupt.
 *
 * Numbers are the controller's own: on a GIC the INTID; on the Pi 3 the bit of the local
 * controller (0..11), or 32 + the number of a VideoCore interrupt.
 */
#ifndef IRQ_H
#define IRQ_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_MAX 256u
#define IRQ_NONE UINT32_MAX

struct irq_controller {
    const char *name;
    unsigned timer_irq;                    /* of the virtual timer; private */
    unsigned nap_irq;                      /* of the physical timer; private */
    bool (*init)(const uint64_t *address); /* once, on CPU 0; false iff it is not there */
    void (*cpu_init)(unsigned cpu);        /* on every CPU */
    void (*enable)(unsigned irq);          /* private: on this CPU; shared: sent to CPU 0 */
    void (*dispatch)(void);                /* handle what is pending on this CPU */
    void (*signal)(unsigned cpu);          /* inter-processor interrupt to that CPU */
};

extern const struct irq_controller gic_v2;      /* drivers/gic_v2.c; address: distributor, CPU */
extern const struct irq_controller bcm2836_irq; /* drivers/bcm2836_irq.c; local, VideoCore */

/* Choose and set up the controller. Once, on CPU 0. False iff it is not there. */
bool irq_init(const struct irq_controller *controller, const uint64_t *address);

/* On every CPU, after irq_init(). */
void irq_cpu_init(void);

/* Call `handler` for that interrupt, in interrupt context, and let it through; a private one on the
 * calling CPU only. */
void irq_register(unsigned irq, void (*handler)(void));

/* From a controller's dispatch. An interrupt without a handler is fatal. */
void irq_handle(unsigned irq);

/* From the exception vector. */
void irq_dispatch(void);

/* Inter-processor interrupt; arrives in cpu_take_requests(). Nothing before irq_init(). */
void irq_signal(unsigned cpu);

/* The virtual timer's interrupt, and the physical one's. */
unsigned irq_timer(void);
unsigned irq_nap(void);

#endif
