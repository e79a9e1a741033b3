/* schedule.c: virtual CPUs as coroutines on one thread.
 *
 * Each CPU has a stack of its own. It runs until its policy says at some event that it should stop,
 * until it must wait for a lock, or to its end; then the main stack asks the policy who is next.
 * So a run is a function of the policy's decisions alone, and can be repeated.
 */
#ifndef SIM_THREADS
#include "schedule.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES (256u << 10)
#define IDLE_ROUNDS_MAX 100000u

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifdef ASAN
#include <sanitizer/common_interface_defs.h>
#endif

struct fiber {
    ucontext_t context;
    void *stack;
    void *shadow; /* AddressSanitizer's */
    bool done;
    bool relaxing;               /* waits for another CPU without a lock */
    larder_port_lock_t *waiting; /* not NULL: cannot run while it is held */
};

static struct {
    bool running;
    bool failed;
    unsigned current;
    unsigned idle_rounds;
    const struct sim_race *race;
    const struct policy *policy;
    struct fiber fiber[SIM_FIBERS_MAX];
    ucontext_t main_context;
    void *main_shadow;
    const void *main_stack;
    size_t main_stack_bytes;
    char failure[1024];
} s;

bool schedule_is_running(void) {
    return s.running;
}

bool schedule_has_interrupts(void) {
    return s.running && s.race->interrupt;
}

bool schedule_can_stop_others(void) {
    return !s.running;
}

unsigned schedule_current(void) {
    return s.current;
}

/* ---- Switching ---- */

static void switch_begin(void **shadow, const void *stack, size_t bytes) {
#ifdef ASAN
    __sanitizer_start_switch_fiber(shadow, stack, bytes);
#else
    (void)shadow;
    (void)stack;
    (void)bytes;
#endif
}

static void switch_end(void *shadow, const void **stack, size_t *bytes) {
#ifdef ASAN
    __sanitizer_finish_switch_fiber(shadow, stack, bytes);
#else
    (void)shadow;
    (void)stack;
    (void)bytes;
#endif
}

static void to_main(void) {
    struct fiber *fiber = &s.fiber[s.current];
    switch_begin(fiber->done ? NULL : &fiber->shadow, s.main_stack, s.main_stack_bytes);
    swapcontext(&fiber->context, &s.main_context);
    switch_end(fiber->shadow, &s.main_stack, &s.main_stack_bytes);
}

static void to_fiber(unsigned cpu) {
    struct fiber *fiber = &s.fiber[cpu];
    s.current = cpu;
    s.running = true;
    cpu_switch(cpu_get(cpu));
    switch_begin(&s.main_shadow, fiber->stack, STACK_BYTES);
    swapcontext(&s.main_context, &fiber->context);
    switch_end(s.main_shadow, NULL, NULL);
    s.running = false;
}

static void fiber_main(void) {
    switch_end(NULL, &s.main_stack, &s.main_stack_bytes);
    struct fiber *fiber = &s.fiber[s.current];
    s.race->body[s.current](s.race->context);
    const struct sim_cpu *cpu = cpu_now();
    if (cpu->entered || cpu->held_count) {
        sim_fail("CPU %u ended with %u locks held and its slot entered %u times", cpu->id,
                 cpu->held_count, cpu->entered);
    }
    fiber->done = true;
    to_main();
}

static void fiber_make(struct fiber *fiber) {
    if (!fiber->stack) {
        fiber->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        sim_check(fiber->stack != MAP_FAILED);
    }
    fiber->done = fiber->relaxing = false;
    fiber->waiting = NULL;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, fiber_main, 0);
}

/* ---- What the port calls ---- */

void schedule_point(enum sim_event event, const char *what) {
    if (s.running && s.policy->at_point(event, what)) {
        to_main();
    }
}

void schedule_wait(larder_port_lock_t *lock) {
    if (!s.running) {
        sim_fail("deadlock: CPU %u waits for a lock of CPU %u, which does not run", sim_cpu(),
                 atomic_load(&lock->holder) - 1);
    }
    s.fiber[s.current].waiting = lock;
    to_main();
    s.fiber[s.current].waiting = NULL;
}

void schedule_relax(void) {
    schedule_point(SIM_RELAX, NULL);
    if (!s.running) {
        return;
    }
    if (++s.idle_rounds > IDLE_ROUNDS_MAX) {
        sim_fail("livelock: CPU %u waits for ever", s.current);
    }
    s.fiber[s.current].relaxing = true;
    to_main();
    s.fiber[s.current].relaxing = false;
}

void sim_yield(void) {
    schedule_point(SIM_YIELD, NULL);
}

void schedule_fail(const char *message) {
    snprintf(s.failure, sizeof s.failure, "%s", message);
    s.failed = true;
    to_main();
    __builtin_unreachable();
}

/* ---- What policies ask ---- */

bool schedule_is_done(unsigned cpu) {
    return s.fiber[cpu].done;
}

bool schedule_can_run(unsigned cpu) {
    const struct fiber *fiber = &s.fiber[cpu];
    return cpu < s.race->cpus && !fiber->done &&
           !(fiber->waiting && atomic_load(&fiber->waiting->holder));
}

unsigned schedule_next_after(unsigned cpu) {
    unsigned relaxing = NOBODY;
    for (unsigned i = 1; i <= s.race->cpus; i++) {
        unsigned other = (cpu + i) % s.race->cpus;
        if (schedule_can_run(other) && !s.fiber[other].relaxing) {
            return other;
        }
        if (schedule_can_run(other) && relaxing == NOBODY) {
            relaxing = other;
        }
    }
    return relaxing;
}

unsigned schedule_helper_of(unsigned cpu) {
    for (unsigned i = 0; i < s.race->cpus && !schedule_can_run(cpu); i++) {
        cpu = atomic_load(&s.fiber[cpu].waiting->holder) - 1;
    }
    return cpu < s.race->cpus && schedule_can_run(cpu) ? cpu : NOBODY;
}

bool schedule_can_interrupt(void) {
    const struct sim_cpu *cpu = cpu_now();
    return s.race->interrupt && !cpu->entered && !cpu->in_interrupt;
}

void schedule_interrupt(void) {
    struct sim_cpu *cpu = cpu_now();
    cpu->in_interrupt = true;
    s.race->interrupt(s.race->context);
    if (cpu->entered) {
        sim_fail("an interrupt handler on CPU %u returned with its slot entered", cpu->id);
    }
    cpu->in_interrupt = false;
}

/* ---- One run ---- */

static bool all_done(void) {
    for (unsigned i = 0; i < s.race->cpus; i++) {
        if (!s.fiber[i].done) {
            return false;
        }
    }
    return true;
}

static void report(void) {
    char schedule[512] = "";
    s.policy->describe(schedule, sizeof schedule);
    s.failed = false;
    sim_fail("race %s, schedule [%s]: %s", s.race->name, schedule, s.failure);
}

static void run_all(void) {
    while (!s.failed && !all_done()) {
        unsigned next = s.policy->choose();
        if (s.failed) {
            break;
        }
        if (next == NOBODY) {
            snprintf(s.failure, sizeof s.failure, "deadlock: no CPU can run");
            s.failed = true;
            break;
        }
        to_fiber(next);
    }
}

/* A failed check after the run names the schedule too. */
static void (*failed_outer)(const char *message);

static void failed_in_check(const char *message) {
    sim_failed = failed_outer;
    snprintf(s.failure, sizeof s.failure, "%s", message);
    report();
}

void schedule_run(const struct sim_race *race, const struct policy *policy) {
    s.race = race;
    s.policy = policy;
    s.failed = false;
    s.idle_rounds = 0;
    sim_check(race->cpus >= 1 && race->cpus <= SIM_FIBERS_MAX);
    race->prepare(race->context);
    for (unsigned i = 0; i < race->cpus; i++) {
        fiber_make(&s.fiber[i]);
    }
    run_all();
    sim_be(0);
    if (s.failed) {
        report();
    }
    failed_outer = sim_failed;
    sim_failed = failed_in_check;
    if (race->check) {
        race->check(race->context);
    }
    sim_failed = failed_outer;
    if (race->clean) {
        race->clean(race->context);
    }
}

#endif
