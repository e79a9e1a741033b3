/* irq.c: from the exception vector to a handler. See irq.h. The table is written at start-up,
 * before the interrupts it names are let through, and read without a lock. */
#include "irq.h"

#include "cpu.h"
#include "kernel.h"

static const struct irq_controller *controller;
static void (*handlers[IRQ_MAX])(void);

bool irq_init(const struct irq_controller *chosen, const uint64_t *address) {
    if (!chosen->init(address))
        return false;
    controller = chosen;
    return true;
}

void irq_cpu_init(void) {
    controller->cpu_init(cpu_self());
}

void irq_register(unsigned irq, void (*handler)(void)) {
    if (irq >= IRQ_MAX)
        panic("interrupt %u: the largest number is %u", irq, IRQ_MAX - 1);
    handlers[irq] = handler;
    controller->enable(irq);
}

void irq_handle(unsigned irq) {
    if (irq >= IRQ_MAX || handlers[irq] == NULL)
        panic("interrupt %u has no handler", irq);
    handlers[irq]();
}

void irq_dispatch(void) {
    struct cpu *cpu = cpu_this();
    uint64_t count = atomic_load_explicit(&cpu->interrupts, memory_order_relaxed);

    cpu->interrupt_depth++;
    atomic_store_explicit(&cpu->interrupts, count + 1, memory_order_relaxed);
    controller->dispatch();
    cpu->interrupt_depth--;
}

void irq_signal(unsigned cpu) {
    if (controller != NULL)
        controller->signal(cpu);
}

unsigned irq_timer(void) {
    return controller->timer_irq;
}

unsigned irq_nap(void) {
    return controller->nap_irq;
}
