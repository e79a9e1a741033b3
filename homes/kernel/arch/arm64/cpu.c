/* cpu.c: per-CPU data, calls and requests between CPUs. See cpu.h and kernel.h. */
#include "cpu.h"

#include "event.h"
#include "irq.h"
#include "kernel.h"
#include "registers.h"
#include "scheduler.h"
#include "timer.h"

#define STOP_WAIT_US 200000u

struct cpu cpus[CONFIG_CPU_MAX];

/* Privileged access never: a second fence beside the empty TTBR0 (vectors.S), where there is one.
 */
static void set_pan(void) {
    uint64_t features, control;

    __asm__("mrs %0, id_aa64mmfr1_el1" : "=r"(features));
    if ((features >> MMFR1_PAN_SHIFT & 0xf) == 0)
        return;
    __asm__ volatile("mrs %0, sctlr_el1" : "=r"(control));
    __asm__ volatile("msr sctlr_el1, %0\n\t.inst 0xd500419f /* msr pan, #1 */\n\tisb" ::"r"(
        control & ~SCTLR_SPAN));
}

void cpu_setup(struct cpu *cpu) {
    extern unsigned char vectors[];

    set_pan();
    __asm__("mrs %0, midr_el1" : "=r"(cpu->midr));
    __asm__("mrs %0, mpidr_el1" : "=r"(cpu->mpidr));
    cpu->mpidr &= MPIDR_AFFINITY;
    __asm__ volatile("msr vbar_el1, %0\n\tmsr tpidr_el1, %1\n\tisb" ::"r"(vectors), "r"(cpu)
                     : "memory");
    cpu_set_slot(larder_slot_none);
}

const char *cpu_core_name(uint64_t midr) {
    switch ((midr >> MIDR_PART_SHIFT) & ((1u << MIDR_PART_BITS) - 1)) {
    case MIDR_CORTEX_A53:
        return "Cortex-A53";
    case 0xd07:
        return "Cortex-A57";
    case MIDR_CORTEX_A72:
        return "Cortex-A72";
    case 0xd0b:
        return "Cortex-A76";
    default:
        return "unknown core";
    }
}

unsigned cpu_self(void) {
    return cpu_this()->index;
}

/* CPUs are numbered in the order in which they came up. */
unsigned cpu_count(void) {
    unsigned count = 0;

    while (count < CONFIG_CPU_MAX &&
           atomic_load_explicit(&cpus[count].online, memory_order_acquire))
        count++;
    return count;
}

bool cpu_info(unsigned index, struct cpu_info *info) {
    static const char *const starts[] = {"boot", "spin table", "psci", "parked"};
    const struct cpu *cpu = &cpus[index];

    if (index >= cpu_count())
        return false;
    *info = (struct cpu_info){
        .online = true,
        .core = cpu_core_name(cpu->midr),
        .mpidr = cpu->mpidr,
        .entry_level = cpu->entry_level,
        .start = starts[cpu->start],
        .ticks = atomic_load_explicit(&cpu->ticks, memory_order_relaxed),
        .interrupts = atomic_load_explicit(&cpu->interrupts, memory_order_relaxed),
        .calls = atomic_load_explicit(&cpu->calls, memory_order_relaxed),
    };
    return true;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void count_call(struct cpu *cpu) {
    uint64_t calls = atomic_load_explicit(&cpu->calls, memory_order_relaxed);

    atomic_store_explicit(&cpu->calls, calls + 1, memory_order_relaxed);
}

void cpu_call(unsigned index, void (*fn)(void *arg), void *arg) {
    struct cpu *cpu = &cpus[index];

    if (index >= cpu_count())
        panic("cpu_call: there is no CPU %u", index);
    if (cpu == cpu_this()) {
        fn(arg);
        count_call(cpu);
        return;
    }
    cpu_call_wait(index);
    cpu->call_argument = arg;
    cpu->caller = cpu_self();
    atomic_store_explicit(&cpu->call, fn, memory_order_release);
    cpu_request(index, CPU_REQUEST_WAKE);
}

static bool is_calling(const struct cpu *cpu) {
    return atomic_load_explicit(&cpu->call, memory_order_acquire) != NULL;
}

/* The look and the sleep are one step for interrupts: the one that says it is done is not missed.
 */
void cpu_call_wait(unsigned index) {
    struct cpu *cpu = &cpus[index];

    if (index >= cpu_count() || cpu == cpu_this())
        return;
    while (is_calling(cpu)) {
        uintptr_t state = irq_save();

        if (is_calling(cpu))
            interrupt_wait();
        irq_restore(state);
    }
}

static void take_call(struct cpu *cpu) {
    void (*fn)(void *) = atomic_load_explicit(&cpu->call, memory_order_acquire);
    unsigned caller = cpu->caller;

    if (fn == NULL)
        return;
    fn(cpu->call_argument);
    count_call(cpu);
    atomic_store_explicit(&cpu->call, NULL, memory_order_release);
    cpu_request(caller, CPU_REQUEST_WAKE);
}

void cpu_wait_for_interrupt(void) {
    interrupt_wait();
}

/* As in cpu_call_wait(). */
_Noreturn void cpu_idle(void) {
    struct cpu *cpu = cpu_this();

    for (;;) {
        uintptr_t state = irq_save();

        if (atomic_load_explicit(&cpu->call, memory_order_relaxed) == NULL)
            scheduler_lend();
        irq_restore(state);
        take_call(cpu);
        larder_tick(kernel_larder);
    }
}

/* ---- Requests -------------------------------------------------------------------------------- */

void cpu_request(unsigned index, uint32_t request) {
    atomic_fetch_or_explicit(&cpus[index].requests, request, memory_order_release);
    irq_signal(index);
}

void cpu_take_requests(void) {
    struct cpu *cpu = cpu_this();
    uint32_t requests = atomic_exchange_explicit(&cpu->requests, 0, memory_order_acquire);

    if (requests & CPU_REQUEST_STOP)
        cpu_halt();
    if ((requests & CPU_REQUEST_EMPTY_SLOT) && cpu->slot != larder_slot_none)
        larder_reclaim_slot(kernel_larder, cpu->slot);
}

_Noreturn void cpu_halt(void) {
    irq_save();
    atomic_store_explicit(&cpu_this()->stopped, true, memory_order_release);
    for (;;)
        interrupt_wait();
}

static bool others_stopped(void) {
    for (unsigned i = 0; i < cpu_count(); i++)
        if (&cpus[i] != cpu_this() && !atomic_load_explicit(&cpus[i].stopped, memory_order_acquire))
            return false;
    return true;
}

/* A CPU that spins with interrupts off does not hear us: it is left alone after a while. */
void cpu_stop_others(void) {
    uint64_t start = clock_us();

    for (unsigned i = 0; i < cpu_count(); i++)
        if (&cpus[i] != cpu_this())
            cpu_request(i, CPU_REQUEST_STOP);
    while (!others_stopped() && clock_us() - start < STOP_WAIT_US)
        __asm__ volatile("yield");
}
