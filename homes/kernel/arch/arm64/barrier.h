/* barrier.h: order between this CPU and others, devices, and its own instruction stream. */
#ifndef BARRIER_H
#define BARRIER_H

/* Everything before is complete, also for the table walker and devices, before anything after. */
static inline void barrier_complete(void) {
    __asm__ volatile("dsb sy" ::: "memory");
}

/* The same, for memory shared by the CPUs only. */
static inline void barrier_complete_shared(void) {
    __asm__ volatile("dsb ish" ::: "memory");
}

/* Stores before become visible to the other CPUs' table walkers. */
static inline void barrier_tables(void) {
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

/* Memory accesses before are ordered with those after, devices included; they need not complete. */
static inline void barrier_order(void) {
    __asm__ volatile("dmb sy" ::: "memory");
}

/* Instructions after are fetched again: needed after writing system registers. */
static inline void barrier_instructions(void) {
    __asm__ volatile("isb" ::: "memory");
}

#endif
