/* user.h: what a program of a process can call: the kernel, a heap, some of C's library.
 *
 * printf and the string functions are the kernel's own source (lib/), compiled once more.
 */
#ifndef USER_H
#define USER_H

#include "process/abi.h"

#include "larder/fit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- The kernel: results as in abi.h -----------------------------------------------------------
 */

int64_t system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c);

_Noreturn void end(int code);

static inline int64_t write_text(const void *text, size_t bytes) {
    return system_call(SYSCALL_WRITE, (uint64_t)text, bytes, 0);
}
static inline int64_t read_text(void *buffer, size_t bytes) {
    return system_call(SYSCALL_READ, (uint64_t)buffer, bytes, 0);
}
static inline uint32_t getpid(void) {
    return (uint32_t)system_call(SYSCALL_GETPID, 0, 0, 0);
}
static inline void yield(void) {
    system_call(SYSCALL_YIELD, 0, 0, 0);
}
static inline void sleep_us(uint64_t us) {
    system_call(SYSCALL_SLEEP, us, 0, 0);
}
static inline int64_t fork(void) {
    return system_call(SYSCALL_FORK, 0, 0, 0);
}
static inline int64_t exec(const char *name, char *const *arguments) {
    return system_call(SYSCALL_EXEC, (uint64_t)name, (uint64_t)arguments, 0);
}
static inline int64_t wait(uint32_t pid, int32_t *status) {
    return system_call(SYSCALL_WAIT, pid, (uint64_t)status, 0);
}
static inline int64_t kill(uint32_t pid) {
    return system_call(SYSCALL_KILL, pid, 0, 0);
}
static inline uint64_t brk(uint64_t heap_end) {
    return (uint64_t)system_call(SYSCALL_BRK, heap_end, 0, 0);
}
static inline int64_t meminfo(struct meminfo *info) {
    return system_call(SYSCALL_MEMINFO, (uint64_t)info, 0, 0);
}
static inline int64_t munmap(void *pointer, size_t bytes) {
    return system_call(SYSCALL_MUNMAP, (uint64_t)pointer, bytes, 0);
}
static inline int64_t purge(void *pointer, size_t bytes) {
    return system_call(SYSCALL_PURGE, (uint64_t)pointer, bytes, 0);
}
static inline int64_t mprotect(void *pointer, size_t bytes, unsigned protection) {
    return system_call(SYSCALL_MPROTECT, (uint64_t)pointer, bytes, protection);
}

/* Fresh memory to read and write. NULL iff there is none. */
void *map(size_t bytes);

/* ---- The heap: one of two, chosen by the program ----------------------------------------------
 */

struct heap_account {
    size_t capacity_bytes; /* what it got from the kernel to give out */
    size_t free_bytes;     /* of that, what no request has a part in */
    size_t largest_bytes;  /* the largest free piece */
    size_t pieces;         /* free chunks; free blocks of the buddies */
};

/* Sizes are not zero, pointers not NULL, but results may be. */
struct heap {
    const char *name;
    void *(*take)(size_t bytes);
    void *(*resize)(void *pointer, size_t bytes);
    void (*give)(void *pointer);
    void (*trim)(void);
    void (*account)(struct heap_account *account);
};

/* The region heap of fit/ on brk, which moves up in steps of 64 KiB (heap.c); the core's heap on
 * mmap (core/heap.c), which only programs that name it carry along. */
extern const struct heap heap_region, heap_core;

/* Before the first malloc(); heap_region unless chosen. */
void heap_choose(const struct heap *heap);

/* Of heap_region: which chunk serves a request; before the first malloc(). GOOD fit unless chosen.
 */
void heap_policy(enum larder_fit_policy policy);

/* As in C; malloc(0) may be NULL. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *pointer, size_t bytes);
void free(void *pointer);

/* Give free memory back to the kernel, as far as the heap can. */
void heap_trim(void);

void heap_look(struct heap_account *account);

/* ---- The library -------------------------------------------------------------------------------
 */

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
unsigned long strtoul(const char *text, char **end, int base);

/* 100, 64K, 2M: bytes; 0 iff it is no size. */
size_t size_of_text(const char *text);

/* A number of this sequence; *state is any number to begin with. */
uint64_t random_next(uint64_t *state);

int main(int argc, char **argv);

#endif
