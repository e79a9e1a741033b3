/* internal.h: what the files of the simulated home share. */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "larder/port.h"
#include "sim.h"

#define SIM_HELD_MAX 256u /* larder_lock_all() takes that of every cache */
#define SIM_INSTANCES_MAX 8u

#ifdef SIM_THREADS
#define SIM_LOCAL _Thread_local
#else
#define SIM_LOCAL
#endif

/* A virtual CPU, or a thread. Only it writes here. */
struct sim_cpu {
    unsigned id;
    unsigned entered; /* depth of slot_enter() */
    bool in_interrupt;
    jmp_buf *armed; /* where a fatal that is expected goes */
    unsigned held_count;
    larder_port_lock_t *held[SIM_HELD_MAX];
    unsigned attached_count;
    struct sim_attachment {
        struct larder *larder;
        struct larder_slot *slot;
    } attached[SIM_INSTANCES_MAX];
};

/* cpu.c */
struct sim_cpu *cpu_now(void);
struct sim_cpu *cpu_get(unsigned id);
void cpu_switch(struct sim_cpu *cpu);     /* the schedule's */
void cpu_drop_locks(struct sim_cpu *cpu); /* after a fatal */

/* schedule.c, or threads.c */
void schedule_point(enum sim_event event, const char *what);
void schedule_wait(larder_port_lock_t *lock); /* until it is free, or longer */
void schedule_relax(void);
bool schedule_is_running(void);
bool schedule_has_interrupts(void);
bool schedule_can_stop_others(void);
_Noreturn void schedule_fail(const char *message); /* only while it is running */

/* fault.c */
bool fault_now(const char *site);
void fault_start(void);

/* memory.c */
void check_no_lock(const char *what); /* a call of the port that the core makes without locks */
extern struct sim *memory_machine;    /* new reservations belong to it */
unsigned memory_reservations(const struct sim *sim);
void memory_release_all(const struct sim *sim);
void *memory_map(size_t size_bytes, size_t align_bytes, bool readable);

#endif
