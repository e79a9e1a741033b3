/* gic_v2.c: Arm Generic Interrupt Controller, version 2 (IHI 0048): GIC-400 of the Pi 4, virt.
 *
 * INTID 0..15 are signals between CPUs (one is used), 16..31 private to a CPU (its timer), from 32
 * on shared (sent to CPU 0). Level-triggered as the reset leaves them; all of one priority, so none
 * is let through while another is handled, except the one that ends naps (timer_nap() may be called
 * in a handler).
 */
#include "cpu.h"
#include "io.h"
#include "irq.h"
#include "mmu.h"

#define DISTRIBUTOR_BYTES 0x1000u
#define DISTRIBUTOR_CONTROL 0x000
#define DISTRIBUTOR_TYPE 0x004
#define GROUP 0x080    /* a bit per interrupt */
#define ENABLE 0x100   /* a bit per interrupt, writing 1 sets */
#define DISABLE 0x180  /* the same, clears */
#define PRIORITY 0x400 /* a byte per interrupt */
#define TARGET 0x800   /* a byte per interrupt, a bit per CPU */
#define SIGNAL 0xf00
#define SIGNAL_TARGET_SHIFT 16u

#define CPU_BYTES 0x2000u
#define CPU_CONTROL 0x000
#define CPU_PRIORITY_MASK 0x004
#define CPU_BINARY_POINT 0x008
#define CPU_ACKNOWLEDGE 0x00c
#define CPU_END 0x010

#define INTID_BITS 0x3ffu
#define INTID_SPURIOUS 1020u /* and above */
#define INTID_SIGNAL 0u
#define INTID_VIRTUAL_TIMER 27u
#define INTID_PHYSICAL_TIMER 30u /* the non-secure EL1 one */
#define INTID_SHARED 32u
#define PRIORITY_ALL 0xa0a0a0a0u
#define PRIORITY_NAP 0xa040a0a0u /* of the word with INTID 28 to 31 */

static uintptr_t distributor;
static uintptr_t cpu_interface;
static uint8_t cpu_bit[CONFIG_CPU_MAX]; /* how the GIC calls each CPU; written by itself */

static bool gic_init(const uint64_t *address) {
    unsigned lines;

    distributor = (uintptr_t)mmu_map_device(address[0], DISTRIBUTOR_BYTES);
    cpu_interface = (uintptr_t)mmu_map_device(address[1], CPU_BYTES);
    lines = 32 * ((io_read(distributor + DISTRIBUTOR_TYPE) & 0x1f) + 1);
    io_write(distributor + DISTRIBUTOR_CONTROL, 0);
    for (unsigned irq = INTID_SHARED; irq < lines; irq += 4) {
        io_write(distributor + PRIORITY + irq, PRIORITY_ALL);
        if (irq % 32 == 0)
            io_write(distributor + DISABLE + irq / 8, UINT32_MAX);
    }
    io_write(distributor + DISTRIBUTOR_CONTROL, 1);
    return lines > INTID_SHARED;
}

static void gic_cpu_init(unsigned cpu) {
    /* The targets of a private interrupt read as the CPU that reads. */
    cpu_bit[cpu] = (uint8_t)io_read(distributor + TARGET);
    if (cpu_bit[cpu] == 0)
        cpu_bit[cpu] = 1; /* a single-CPU GIC */
    io_write(distributor + DISABLE, 0xffff0000u);
    for (unsigned irq = 0; irq < INTID_SHARED; irq += 4)
        io_write(distributor + PRIORITY + irq, PRIORITY_ALL);
    io_write(distributor + PRIORITY + INTID_PHYSICAL_TIMER / 4 * 4, PRIORITY_NAP);
    io_write(distributor + ENABLE, 1u << INTID_SIGNAL);
    io_write(cpu_interface + CPU_PRIORITY_MASK, 0xff);
    io_write(cpu_interface + CPU_BINARY_POINT, 0);
    io_write(cpu_interface + CPU_CONTROL, 1);
}

static void gic_enable(unsigned irq) {
    if (irq >= INTID_SHARED) {
        uintptr_t word = distributor + TARGET + irq / 4 * 4;
        unsigned shift = irq % 4 * 8;
        uint32_t others = io_read(word) & ~(0xffu << shift);

        io_write(word, others | (uint32_t)cpu_bit[0] << shift);
    }
    io_write(distributor + ENABLE + irq / 32 * 4, 1u << irq % 32);
}

static void gic_dispatch(void) {
    for (;;) {
        uint32_t acknowledged = io_read(cpu_interface + CPU_ACKNOWLEDGE);
        unsigned irq = acknowledged & INTID_BITS;

        if (irq >= INTID_SPURIOUS)
            return;
        if (irq != INTID_SIGNAL)
            irq_handle(irq);
        io_write(cpu_interface + CPU_END, acknowledged);
        if (irq == INTID_SIGNAL)
            cpu_take_requests(); /* may not return */
    }
}

static void gic_signal(unsigned cpu) {
    __asm__ volatile("dsb ishst" ::: "memory"); /* the request is visible before the interrupt */
    io_write(distributor + SIGNAL, (uint32_t)cpu_bit[cpu] << SIGNAL_TARGET_SHIFT | INTID_SIGNAL);
}

const struct irq_controller gic_v2 = {
    .name = "GICv2",
    .timer_irq = INTID_VIRTUAL_TIMER,
    .nap_irq = INTID_PHYSICAL_TIMER,
    .init = gic_init,
    .cpu_init = gic_cpu_init,
    .enable = gic_enable,
    .dispatch = gic_dispatch,
    .signal = gic_signal,
};
