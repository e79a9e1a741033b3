/* cpu.c: the CPU half of the port: locks, slots, interrupts, fatals.
 *
 * The lock is a word with its holder's number, so that wrong use is seen when it happens and not
 * when it hurts. With SIM_THREADS the same word is a spinlock between real threads.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_cpu cpus[SIM_CPUS_MAX];

#ifdef SIM_THREADS
/* A thread that is no CPU has one of its own, attached to nothing. */
static _Thread_local struct sim_cpu own;
static atomic_uint threads_seen;
#endif

static SIM_LOCAL struct sim_cpu *now;

struct sim_cpu *cpu_get(unsigned id) {
    if (id >= SIM_CPUS_MAX) {
        sim_fail("there is no virtual CPU %u", id);
    }
    cpus[id].id = id;
    return &cpus[id];
}

struct sim_cpu *cpu_now(void) {
    if (now) {
        return now;
    }
#ifdef SIM_THREADS
    own.id = SIM_CPUS_MAX + atomic_fetch_add(&threads_seen, 1);
    now = &own;
#else
    now = cpu_get(0);
#endif
    return now;
}

void cpu_switch(struct sim_cpu *cpu) {
    now = cpu;
}

void sim_be(unsigned cpu) {
    cpu_switch(cpu_get(cpu));
}

unsigned sim_cpu(void) {
    return cpu_now()->id;
}

/* ---- Failures ---- */

static void failed_default(const char *message) {
    fprintf(stderr, "sim: %s\n", message);
    abort();
}

void (*sim_failed)(const char *message) = failed_default;

void sim_fail(const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (schedule_is_running()) {
        schedule_fail(message);
    }
    sim_failed(message);
    abort();
}

struct sim_fatal sim_fatal_last;

static void fatal_keep(const struct larder_fatal *fatal) {
    struct sim_fatal *last = &sim_fatal_last;
    last->fatal = *fatal;
    snprintf(last->owner, sizeof last->owner, "%s", fatal->owner ? fatal->owner : "(null)");
    snprintf(last->detail, sizeof last->detail, "%s", fatal->detail ? fatal->detail : "");
    last->fatal.owner = last->owner;
    last->fatal.detail = fatal->detail ? last->detail : NULL;
}

void cpu_drop_locks(struct sim_cpu *cpu) {
    while (cpu->held_count) {
        atomic_store(&cpu->held[--cpu->held_count]->holder, 0);
    }
    cpu->entered = 0;
    cpu->in_interrupt = false;
}

void (*sim_forgive)(struct larder *larder);

/* After a fatal the core's books still say what this CPU held. */
static void forgive(const struct sim_cpu *cpu) {
    for (unsigned i = 0; sim_forgive && i < cpu->attached_count; i++) {
        sim_forgive(cpu->attached[i].larder);
    }
}

void sim_reset(void) {
    for (unsigned id = 0; id < SIM_CPUS_MAX; id++) {
        cpu_drop_locks(&cpus[id]);
        cpus[id].armed = NULL;
    }
    sim_be(0);
}

void larder_port_fatal(const struct larder_fatal *fatal) {
    struct sim_cpu *cpu = cpu_now();
    fatal_keep(fatal);
    jmp_buf *jump = cpu->armed;
    if (!jump) {
        sim_fail("fatal: %s, pointer %p, owner %s, %s%s%s:%u", larder_fatal_text(fatal->kind),
                 fatal->pointer, sim_fatal_last.owner, sim_fatal_last.detail,
                 fatal->file ? " at " : "", fatal->file ? fatal->file : "", fatal->line);
    }
    cpu->armed = NULL;
    cpu_drop_locks(cpu);
    forgive(cpu);
    longjmp(*jump, 1);
}

void sim_fatal_arm(jmp_buf *jump) {
    memset(&sim_fatal_last, 0, sizeof sim_fatal_last);
    cpu_now()->armed = jump;
}

void sim_fatal_missed(enum larder_fatal_kind kind, const char *what, const char *file, int line) {
    cpu_now()->armed = NULL;
    sim_fail("%s:%d: %s: expected fatal \"%s\", but it returned", file, line, what,
             larder_fatal_text(kind));
}

void sim_fatal_verify(enum larder_fatal_kind kind, const char *what, const char *file, int line) {
    if (sim_fatal_last.fatal.kind != kind) {
        sim_fail("%s:%d: %s: expected fatal \"%s\", got \"%s\" (owner %s, %s)", file, line, what,
                 larder_fatal_text(kind), larder_fatal_text(sim_fatal_last.fatal.kind),
                 sim_fatal_last.owner, sim_fatal_last.detail);
    }
}

/* ---- Locks ---- */

static void lock_keep(struct sim_cpu *cpu, larder_port_lock_t *lock) {
    if (cpu->held_count == SIM_HELD_MAX) {
        sim_fail("CPU %u holds more than %u locks", cpu->id, SIM_HELD_MAX);
    }
    cpu->held[cpu->held_count++] = lock;
}

static void lock_forget(struct sim_cpu *cpu, const larder_port_lock_t *lock) {
    for (unsigned i = cpu->held_count; i-- > 0;) {
        if (cpu->held[i] == lock) {
            cpu->held[i] = cpu->held[--cpu->held_count];
            return;
        }
    }
    sim_fail("CPU %u releases a lock that it does not hold", cpu->id);
}

void sim_lock_acquire(larder_port_lock_t *lock) {
    struct sim_cpu *cpu = cpu_now();
    schedule_point(SIM_ACQUIRE, NULL);
    if (!cpu->entered && !schedule_has_interrupts()) {
        sim_fail("CPU %u takes a lock without its slot: an interrupt could deadlock", cpu->id);
    }
    for (;;) {
        uint32_t holder = 0;
        if (atomic_compare_exchange_weak_explicit(&lock->holder, &holder, cpu->id + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            break;
        }
        if (holder == cpu->id + 1) {
            sim_fail("self-deadlock: CPU %u takes a lock that it holds%s", cpu->id,
                     cpu->in_interrupt ? ", in an interrupt" : "");
        }
        schedule_wait(lock);
    }
    lock_keep(cpu, lock);
    schedule_point(SIM_TAKEN, NULL);
}

void sim_lock_release(larder_port_lock_t *lock) {
    struct sim_cpu *cpu = cpu_now();
    lock_forget(cpu, lock);
    atomic_store_explicit(&lock->holder, 0, memory_order_release);
    schedule_point(SIM_RELEASE, NULL);
}

bool sim_lock_is_held(const larder_port_lock_t *lock) {
    return atomic_load_explicit(&lock->holder, memory_order_relaxed) != 0;
}

/* ---- Slots ---- */

uintptr_t sim_slot_enter(void) {
    struct sim_cpu *cpu = cpu_now();
    uintptr_t state = cpu->entered++;
    if (state == 0) {
        schedule_point(SIM_ENTER, NULL);
    }
    return state;
}

void sim_slot_leave(uintptr_t state) {
    struct sim_cpu *cpu = cpu_now();
    if (cpu->entered != state + 1) {
        sim_fail("CPU %u leaves its slot to depth %zu from depth %u", cpu->id, (size_t)state,
                 cpu->entered);
    }
    if (state == 0 && cpu->held_count) {
        sim_fail("CPU %u leaves its slot with %u locks held", cpu->id, cpu->held_count);
    }
    cpu->entered = (unsigned)state;
    if (state == 0) {
        schedule_point(SIM_LEAVE, NULL);
    }
}

struct larder_slot *sim_slot(struct larder *larder) {
    struct sim_cpu *cpu = cpu_now();
    if (!cpu->entered) {
        sim_fail("CPU %u uses its slot without entering it", cpu->id);
    }
    for (unsigned i = 0; i < cpu->attached_count; i++) {
        if (cpu->attached[i].larder == larder) {
            return cpu->attached[i].slot;
        }
    }
    return larder_slot_none;
}

void sim_relax(void) {
    schedule_relax();
}

bool sim_is_interrupt(void) {
    return cpu_now()->in_interrupt;
}
