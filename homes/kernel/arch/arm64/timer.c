/* timer.c: see timer.h. Ticks come from the virtual timer, naps are ended by the physical one; EL1
 * may use both. */
#include "timer.h"

#include "cpu.h"
#include "event.h"
#include "irq.h"
#include "kernel.h"

#define TIMER_ON 1ul
#define NAP_US 50u
#define US_PER_SECOND 1000000ul

static uint64_t clock_hz;
static uint64_t clock_start;
static _Atomic(void (*)(void)) tick_hook;

static uint64_t counter(void) {
    uint64_t value;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

void timer_setup(void) {
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(clock_hz));
    if (clock_hz == 0)
        clock_hz = US_PER_SECOND;
    clock_start = counter();
}

uint64_t timer_hz(void) {
    return clock_hz;
}

/* Seconds and rest apart: the product stays below 2^64 for ever. */
uint64_t clock_us(void) {
    uint64_t elapsed = counter() - clock_start;

    return elapsed / clock_hz * US_PER_SECOND + elapsed % clock_hz * US_PER_SECOND / clock_hz;
}

void timer_delay_us(uint64_t us) {
    uint64_t start = clock_us();

    while (clock_us() - start < us)
        __asm__ volatile("yield");
}

/* The next tick is one interval after the last, not after now, so ticks do not drift; unless they
 * were late by more than one. */
static void set_next(void) {
    uint64_t interval = clock_hz / CONFIG_TICK_HZ;
    uint64_t now = counter();
    uint64_t next;

    __asm__ volatile("mrs %0, cntv_cval_el0" : "=r"(next));
    next += interval;
    if ((int64_t)(next - now) <= 0)
        next = now + interval;
    __asm__ volatile("msr cntv_cval_el0, %0\n\tisb" ::"r"(next));
}

/* `in_hook` is set before the hook is read and both are sequentially consistent: whoever replaced
 * the hook and then sees `in_hook` false knows that this CPU runs the old one no more. */
static void tick(void) {
    struct cpu *cpu = cpu_this();
    uint64_t ticks = atomic_load_explicit(&cpu->ticks, memory_order_relaxed);
    void (*hook)(void);

    set_next();
    cpu->turn_over = true;
    atomic_store_explicit(&cpu->ticks, ticks + 1, memory_order_relaxed);
    atomic_store(&cpu->in_hook, true);
    hook = atomic_load(&tick_hook);
    if (hook != NULL)
        hook();
    atomic_store(&cpu->in_hook, false);
}

void tick_hook_set(void (*hook)(void)) {
    atomic_store(&tick_hook, hook);
    for (unsigned i = 0; i < cpu_count(); i++)
        while (&cpus[i] != cpu_this() && atomic_load(&cpus[i].in_hook))
            __asm__ volatile("yield");
}

/* ---- Naps ------------------------------------------------------------------------------------ */

static void nap_timer(uint64_t control) {
    __asm__ volatile("msr cntp_ctl_el0, %0\n\tisb" ::"r"(control));
}

/* A nap that ended while interrupts were on: timer_nap() turns the timer off before that, so this
 * is a race of the interrupt controller at most. */
static void nap_over(void) {
    nap_timer(0);
}

/* With interrupts masked, as in all locks: a pending interrupt ends the sleep all the same. */
void timer_nap(void) {
    uintptr_t state = irq_save();

    if (cpu_this()->can_nap) {
        __asm__ volatile("msr cntp_tval_el0, %0" ::"r"(clock_hz / US_PER_SECOND * NAP_US));
        nap_timer(TIMER_ON);
        interrupt_wait();
        nap_timer(0);
    }
    irq_restore(state);
}

void timer_start(void) {
    uint64_t first = counter() + clock_hz / CONFIG_TICK_HZ;

    __asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb" ::"r"(first),
                     "r"(TIMER_ON));
    nap_timer(0);
    irq_register(irq_timer(), tick);
    irq_register(irq_nap(), nap_over);
    cpu_this()->can_nap = true;
}
