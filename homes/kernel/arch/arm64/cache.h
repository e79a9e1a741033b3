/* cache.h: cache maintenance, for memory that somebody reads past this CPU's caches: a CPU whose
 * MMU is still off, the VideoCore, the instruction fetch. Works on whole lines. */
#ifndef CACHE_H
#define CACHE_H

#include "barrier.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes in the smallest data cache line of the machine. */
static inline size_t cache_line_bytes(void) {
    uint64_t type;

    __asm__("mrs %0, ctr_el0" : "=r"(type));
    return (size_t)4 << ((type >> 16) & 0xf);
}

#define CACHE_EACH_LINE(instruction, pointer, size_bytes)                                          \
    do {                                                                                           \
        size_t line = cache_line_bytes();                                                          \
        uintptr_t end = (uintptr_t)(pointer) + (size_bytes);                                       \
                                                                                                   \
        for (uintptr_t at = (uintptr_t)(pointer) & ~(line - 1); at < end; at += line)              \
            __asm__ volatile(instruction ", %0" ::"r"(at) : "memory");                             \
        barrier_complete();                                                                        \
    } while (0)

/* What was written here reaches memory. */
static inline void cache_clean(const volatile void *pointer, size_t size_bytes) {
    CACHE_EACH_LINE("dc cvac", pointer, size_bytes);
}

/* The same, and the next read comes from memory. */
static inline void cache_clean_invalidate(const volatile void *pointer, size_t size_bytes) {
    CACHE_EACH_LINE("dc civac", pointer, size_bytes);
}

/* The next read comes from memory; what was written here and not cleaned is lost. */
static inline void cache_invalidate(const volatile void *pointer, size_t size_bytes) {
    CACHE_EACH_LINE("dc ivac", pointer, size_bytes);
}

/* What was written here can be executed, on every CPU, after an isb there. */
static inline void cache_sync_instructions(const volatile void *pointer, size_t size_bytes) {
    CACHE_EACH_LINE("dc cvau", pointer, size_bytes);
    __asm__ volatile("ic ialluis" ::: "memory");
    barrier_complete_shared();
    barrier_instructions();
}

#endif
