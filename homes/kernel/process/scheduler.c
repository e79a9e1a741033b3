/* scheduler.c: see scheduler.h.
 *
 * A process that goes to sleep is still on its stack when another CPU finds it woken. So who wakes
 * it only changes its state; it joins the queue when its CPU has left it (on_cpu), there or here.
 */
#include "scheduler.h"

#include "cpu.h"
#include "event.h"
#include "exception.h"
#include "kernel.h"
#include "lock.h"
#include "objects.h"
#include "space.h"
#include "timer.h"

#define STACK_MARK 0x6b63617473ul /* the lowest word of a kernel stack: "stack" */

struct ticket_lock process_lock;

static struct list ready = {&ready, &ready};          /* guarded by process_lock */
static struct list sleepers = {&sleepers, &sleepers}; /* the same; by wake_us */
static unsigned running;   /* processes on CPUs; guarded by process_lock */
static atomic_bool frozen; /* set by CPU 0, or a process that ends; cleared by CPU 0 */
static atomic_bool one_by_one;
static _Atomic uint32_t idle_cpus; /* a bit for each; set before the last look at the queue */

/* ---- Becoming ready -------------------------------------------------------------------------- */

void scheduler_make_ready(struct process *process) {
    if (process->state == PROCESS_SLEEPING && list_is_linked(&process->queue))
        list_unlink(&process->queue);
    process->state = PROCESS_READY;
    if (!process->on_cpu)
        list_push_back(&ready, &process->queue);
}

void scheduler_wake_cpu(void) {
    uint32_t idle = atomic_load(&idle_cpus) & ~(1u << cpu_self());

    if (idle != 0)
        cpu_request((unsigned)__builtin_ctz(idle), CPU_REQUEST_WAKE);
}

static void wake_sleepers(void) {
    uint64_t now = list_is_empty(&sleepers) ? 0 : clock_us();

    while (!list_is_empty(&sleepers)) {
        struct process *first = LIST_ENTRY(sleepers.next, struct process, queue);

        if (first->wake_us > now)
            return;
        scheduler_make_ready(first);
    }
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static struct process *take_ready(void) {
    struct process *process = NULL;
    struct list *link;

    ticket_lock_acquire(&process_lock);
    wake_sleepers();
    link = atomic_load(&frozen) ? NULL : list_pop_front(&ready);
    if (link != NULL) {
        running++;
        process = LIST_ENTRY(link, struct process, queue);
        process->state = PROCESS_RUNNING;
        process->on_cpu = true;
        process->cpu = cpu_self();
    }
    ticket_lock_release(&process_lock);
    return process;
}

/* The sleepers before it wake earlier, or at the same time. */
static void queue_sleeper(struct process *process) {
    struct list *next = sleepers.next;

    while (next != &sleepers &&
           LIST_ENTRY(next, struct process, queue)->wake_us <= process->wake_us)
        next = next->next;
    list_insert_between(&process->queue, next->prev, next);
}

/* Its stack is free: where it belongs from now on. */
static void put_back(struct process *process) {
    bool has_ended;

    if (*(uint64_t *)process->stack != STACK_MARK)
        panic("the kernel stack of process %u is full", process->pid);
    ticket_lock_acquire(&process_lock);
    running--;
    has_ended = process->state == PROCESS_ENDED;
    if (!has_ended) {
        process->on_cpu = false;
        if (process->state == PROCESS_READY)
            list_push_back(&ready, &process->queue);
        if (process->state == PROCESS_SLEEPING)
            queue_sleeper(process);
    }
    ticket_lock_release(&process_lock);
    if (has_ended)
        process_bury(process);
}

bool scheduler_turn(void) {
    struct cpu *cpu = cpu_this();
    struct process *process = take_ready();
    uint64_t turns;

    if (process == NULL)
        return false;
    *(uint64_t *)process->stack = STACK_MARK;
    turns = atomic_load_explicit(&process->turns, memory_order_relaxed);
    atomic_store_explicit(&process->turns, turns + 1, memory_order_relaxed);
    cpu->process = process;
    cpu->user_frame = process->frame;
    cpu->turn_over = false;
    space_enter(process->space);
    context_switch(&cpu->home, &process->context);
    cpu->process = NULL;
    space_enter(NULL);
    put_back(process);
    return true;
}

static bool any_is_ready(void) {
    bool any;

    ticket_lock_acquire(&process_lock);
    any = !list_is_empty(&ready) && !atomic_load(&frozen);
    ticket_lock_release(&process_lock);
    return any;
}

/* The bit is set before the look, so whoever makes a process ready after it sees the bit. */
void scheduler_lend(void) {
    uint32_t bit = 1u << cpu_self();
    uintptr_t state = irq_save();

    if (!scheduler_turn()) {
        atomic_fetch_or(&idle_cpus, bit);
        if (!any_is_ready())
            interrupt_wait();
        atomic_fetch_and(&idle_cpus, ~bit);
    }
    irq_restore(state);
}

/* ---- Standing still -------------------------------------------------------------------------- */

static void come_home(void *nothing) {
    (void)nothing;
}

static bool none_runs(void) {
    uintptr_t state = irq_save();
    bool none;

    ticket_lock_acquire(&process_lock);
    none = running == 0;
    ticket_lock_release(&process_lock);
    irq_restore(state);
    return none;
}

/* A process that ends is buried after `running` was counted down; its CPU answers no call before.
 */
void scheduler_freeze(void) {
    atomic_store(&frozen, true);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        cpu_request(cpu, CPU_REQUEST_WAKE);
    while (!none_runs())
        timer_nap();
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++)
        cpu_call(cpu, come_home, NULL);
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++)
        cpu_call_wait(cpu);
}

void scheduler_thaw(void) {
    atomic_store(&frozen, false);
    for (unsigned cpu = 1; cpu < cpu_count(); cpu++)
        cpu_request(cpu, CPU_REQUEST_WAKE);
}

void scheduler_end_one_by_one(bool on) {
    atomic_store(&one_by_one, on);
    if (!on)
        scheduler_thaw();
}

/* Who stops the turns itself is the only one. */
void scheduler_await_end(void) {
    while (atomic_load(&one_by_one) && atomic_exchange(&frozen, true))
        scheduler_yield();
}

/* Whoever counts may sleep on CPU 0. */
void scheduler_tell_end(void) {
    if (atomic_load_explicit(&one_by_one, memory_order_relaxed))
        cpu_request(0, CPU_REQUEST_WAKE);
}

bool scheduler_is_frozen(void) {
    return atomic_load_explicit(&frozen, memory_order_relaxed);
}

/* ---- Leaving --------------------------------------------------------------------------------- */

/* Another CPU may go on with this: nothing of a CPU is kept over the switch. */
void scheduler_leave(void) {
    uintptr_t state = irq_save();
    struct process *process = process_current();

    context_switch(&process->context, &cpu_this_now()->home);
    irq_restore(state);
}

/* ---- Giving it away -------------------------------------------------------------------------- */

void scheduler_yield(void) {
    struct process *process = process_current();
    uintptr_t state = irq_save();

    ticket_lock_acquire(&process_lock);
    process->state = PROCESS_READY;
    ticket_lock_release(&process_lock);
    scheduler_leave();
    irq_restore(state);
}

void scheduler_sleep(uint64_t us) {
    struct process *process = process_current();
    uint64_t now = clock_us();
    uintptr_t state = irq_save();

    ticket_lock_acquire(&process_lock);
    process->wake_us = us < UINT64_MAX - now ? now + us : UINT64_MAX;
    process->state = process_is_doomed(process) ? PROCESS_READY : PROCESS_SLEEPING;
    ticket_lock_release(&process_lock);
    scheduler_leave();
    irq_restore(state);
}
