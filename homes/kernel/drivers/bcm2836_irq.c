/* bcm2836_irq.c: the interrupt controllers of the Pi 3: one part per CPU (QA7 "ARM-local"
 * peripherals) for timers and mailboxes between CPUs, and behind it, as one of its inputs, the
 * VideoCore's for everything else (BCM2835 peripherals manual, chapter 7), sent to CPU 0.
 *
 * Numbers: 0..11 the local sources; 32 + n the VideoCore interrupt n (0..63).
 */
#include "cpu.h"
#include "io.h"
#include "irq.h"
#include "mmu.h"

#define LOCAL_BYTES 0x100u
#define TIMER_CONTROL 0x40   /* a word per CPU: bit n enables source n (0..3) */
#define MAILBOX_CONTROL 0x50 /* a word per CPU: bit n enables mailbox n */
#define SOURCE 0x60          /* a word per CPU: what is pending */
#define MAILBOX_SET 0x80     /* 16 bytes per CPU, four mailboxes */
#define MAILBOX_CLEAR 0xc0
#define SOURCE_PHYSICAL_TIMER 1u /* the non-secure EL1 one */
#define SOURCE_VIRTUAL_TIMER 3u
#define SOURCE_MAILBOX 4u
#define SOURCE_VIDEOCORE 8u
#define SOURCES 12u

#define VIDEOCORE_BYTES 0x28u
#define PENDING 0x04 /* two words */
#define ENABLE 0x10
#define DISABLE 0x1c
#define FIRST_VIDEOCORE 32u

static uintptr_t local;
static uintptr_t videocore;

static bool bcm2836_init(const uint64_t *address) {
    local = (uintptr_t)mmu_map_device(address[0], LOCAL_BYTES);
    videocore = (uintptr_t)mmu_map_device(address[1], VIDEOCORE_BYTES);
    io_write(videocore + DISABLE, UINT32_MAX);
    io_write(videocore + DISABLE + 4, UINT32_MAX);
    return true;
}

/* The local controller calls a CPU by its affinity. */
static unsigned local_number(unsigned cpu) {
    return (unsigned)(cpus[cpu].mpidr & 3);
}

static void bcm2836_cpu_init(unsigned cpu) {
    io_write(local + TIMER_CONTROL + 4 * local_number(cpu), 0);
    io_write(local + MAILBOX_CONTROL + 4 * local_number(cpu), 1);
}

static void bcm2836_enable(unsigned irq) {
    uintptr_t control = local + TIMER_CONTROL + 4 * local_number(cpu_this()->index);

    if (irq >= FIRST_VIDEOCORE)
        io_write(videocore + ENABLE + (irq - FIRST_VIDEOCORE) / 32 * 4, 1u << irq % 32);
    else
        io_write(control, io_read(control) | 1u << irq);
}

static void dispatch_videocore(void) {
    for (unsigned word = 0; word < 2; word++) {
        uint32_t pending = io_read(videocore + PENDING + 4 * word);

        for (; pending != 0; pending &= pending - 1)
            irq_handle(FIRST_VIDEOCORE + 32 * word + (unsigned)__builtin_ctz(pending));
    }
}

static void take_mailbox(void) {
    uintptr_t mailbox = local + MAILBOX_CLEAR + 16 * local_number(cpu_this()->index);

    io_write(mailbox, io_read(mailbox));
    cpu_take_requests();
}

static void bcm2836_dispatch(void) {
    uint32_t pending = io_read(local + SOURCE + 4 * local_number(cpu_this()->index));

    for (unsigned source = 0; source < SOURCES; source++) {
        if (!(pending & 1u << source))
            continue;
        if (source == SOURCE_MAILBOX)
            take_mailbox();
        else if (source == SOURCE_VIDEOCORE)
            dispatch_videocore();
        else
            irq_handle(source);
    }
}

static void bcm2836_signal(unsigned cpu) {
    __asm__ volatile("dsb ishst" ::: "memory"); /* the request is visible before the interrupt */
    io_write(local + MAILBOX_SET + 16 * local_number(cpu), 1);
}

const struct irq_controller bcm2836_irq = {
    .name = "BCM2836 local",
    .timer_irq = SOURCE_VIRTUAL_TIMER,
    .nap_irq = SOURCE_PHYSICAL_TIMER,
    .init = bcm2836_init,
    .cpu_init = bcm2836_cpu_init,
    .enable = bcm2836_enable,
    .dispatch = bcm2836_dispatch,
    .signal = bcm2836_signal,
};
