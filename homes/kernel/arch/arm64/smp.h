/* smp.h: start the other CPUs, one at a time. */
#ifndef SMP_H
#define SMP_H

#include "cpu.h"

/* For the CPU that is being started: read with its MMU off, so written through to memory. */
struct secondary {
    uint64_t mpidr;         /* the only CPU that may come in; any other goes to sleep */
    uint64_t stack_top;     /* for programs */
    uint64_t exception_top; /* for exceptions and interrupts */
    uint64_t cpu;           /* pointer to its struct cpu */
};

/* Start the CPUs of the machine, at most `limit` in all. False iff one was called and did not come:
 * it may yet, so the code it enters through must stay. */
bool smp_start(unsigned limit);

/* From entry.S: address where a CPU with its MMU off enters. */
extern unsigned char secondary_entry[];

/* Word in which parked CPUs look for their own MPIDR. */
extern volatile uint64_t park_release;

/* First C function of a secondary, on its program stack. */
_Noreturn void secondary_start(struct cpu *cpu, uint64_t entry_level);

#endif
