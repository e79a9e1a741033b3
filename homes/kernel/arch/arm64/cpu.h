/* cpu.h: what belongs to one CPU, reached through TPIDR_EL1.
 *
 * larder_port_home.h includes this for the fast path: the current slot is one system register away.
 */
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include "config.h"
#include "context.h"
#include "larder/larder.h"

#include <stdatomic.h>

/* How a CPU came, or will come, to life. */
enum cpu_start {
    CPU_START_BOOT,       /* the first one */
    CPU_START_SPIN_TABLE, /* waits in the firmware for an address to be written */
    CPU_START_PSCI,       /* is off; the firmware starts it on request */
    CPU_START_PARKED,     /* entered the image with the others and waits there (EL3) */
};

/* What another CPU may ask for with an inter-processor interrupt: bits of cpu.requests. */
#define CPU_REQUEST_WAKE 1u       /* look at `call`; the interrupt itself does it */
#define CPU_REQUEST_STOP 2u       /* stop for ever: the machine ends */
#define CPU_REQUEST_EMPTY_SLOT 4u /* give the slot's magazines back */

struct process;
struct exception_frame;

struct cpu {
    struct larder_slot *slot;       /* as cpu_slot() says: for whoever comes back from a process */
    unsigned index;                 /* 0 .. CONFIG_CPU_MAX - 1; constant */
    unsigned interrupt_depth;       /* above 0 in an interrupt handler; this CPU only */
    uintptr_t stack_low;            /* for programs; constant after start */
    uintptr_t exception_low;        /* for exceptions and interrupts; constant after start */
    uint64_t mpidr;                 /* affinity; constant */
    uint64_t midr;                  /* which core it is; constant after start */
    unsigned entry_level;           /* exception level at its entry; constant after start */
    enum cpu_start start;           /* constant */
    bool can_nap;                   /* timer_nap() has an interrupt to wake it; this CPU only */
    atomic_bool online;             /* set once by the CPU itself, release */
    atomic_bool stopped;            /* set once by the CPU itself */
    _Atomic uint32_t requests;      /* set by anybody, taken by this CPU */
    _Atomic uint64_t ticks;         /* written by this CPU, read by anybody, relaxed */
    _Atomic uint64_t interrupts;    /* the same */
    _Atomic uint64_t calls;         /* the same */
    atomic_bool in_hook;            /* this CPU may be in the tick hook; sequentially consistent */
    _Atomic(void (*)(void *)) call; /* set by the caller (release), cleared when done (release) */
    void *call_argument;            /* guarded by `call` */
    unsigned caller;                /* who waits for it, perhaps; guarded by `call` */
    struct process *process;        /* whose turn it is; NULL: the CPU's own program; this CPU */
    struct context home;            /* the CPU's own program, while a process runs */
    struct exception_frame *user_frame; /* where the process's registers go; this CPU only */
    uint64_t user_table;                /* its TTBR0; this CPU only */
    uint64_t no_user_table;             /* TTBR0 while the kernel runs; constant after start */
    bool turn_over;                     /* the timer says: somebody else's turn; this CPU only */
    unsigned char emergency[1024];      /* stack for the report when the others are no good */
} __attribute__((aligned(128)));

extern struct cpu cpus[CONFIG_CPU_MAX];

/* This CPU's; the same for as long as interrupts are off or the caller cannot migrate, which no
 * program in this kernel does. Not volatile: the compiler may keep the answer. */
static inline struct cpu *cpu_this(void) {
    struct cpu *cpu;

    __asm__("mrs %0, tpidr_el1" : "=r"(cpu));
    return cpu;
}

/* The same, read anew each time: a process may be on another CPU after each switch. */
static inline struct cpu *cpu_this_now(void) {
    struct cpu *cpu;

    __asm__ volatile("mrs %0, tpidr_el1" : "=r"(cpu));
    return cpu;
}

/* The slot of this CPU, larder_slot_none until it is attached. While the kernel runs it has a
 * register of its own; a process, which could read it, finds zero there. As for cpu_this(). */
static inline struct larder_slot *cpu_slot(void) {
    struct larder_slot *slot;

    __asm__("mrs %0, tpidrro_el0" : "=r"(slot));
    return slot;
}

/* It has this one from now on. */
static inline void cpu_set_slot(struct larder_slot *slot) {
    cpu_this()->slot = slot;
    __asm__ volatile("msr tpidrro_el0, %0" ::"r"(slot) : "memory");
}

/* Mask interrupts and say how they were. */
static inline uintptr_t irq_save(void) {
    uintptr_t state;

    __asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(state)::"memory");
    return state;
}

/* As irq_save() found it. */
static inline void irq_restore(uintptr_t state) {
    __asm__ volatile("msr daif, %0" ::"r"(state) : "memory");
}

static inline void irq_enable(void) {
    __asm__ volatile("msr daifclr, #2" ::: "memory");
}

/* Errors that the bus reports late (SError) are taken from now on, and end the run. */
static inline void serror_enable(void) {
    __asm__ volatile("msr daifclr, #4" ::: "memory");
}

static inline bool irq_is_enabled(void) {
    uintptr_t state;

    __asm__ volatile("mrs %0, daif" : "=r"(state));
    return (state & 0x80) == 0;
}

/* Set up the calling CPU's own part: per-CPU register, vectors. Interrupts stay off. */
void cpu_setup(struct cpu *cpu);

/* What kind of core this identification register names. */
const char *cpu_core_name(uint64_t midr);

/* Ask that CPU for something; it answers in its interrupt handler. */
void cpu_request(unsigned cpu, uint32_t request);

/* The interrupt handler of cpu_request(). */
void cpu_take_requests(void);

/* Ask all other CPUs to stop, and wait a moment for it. Any context. */
void cpu_stop_others(void);

/* Stop this CPU for ever. */
_Noreturn void cpu_halt(void);

/* Run calls and processes for ever: what CPUs 1.. do. */
_Noreturn void cpu_idle(void);

#endif
