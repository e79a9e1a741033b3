/* kernel.h: what the bare-metal kernel offers to the programs that run on it: the shell, the
 * demonstration and the in-kernel tests.
 *
 * One instance of larder, some CPUs, a clock, a console. CPU 0 runs kernel programs; the others
 * sit in an idle loop that takes calls. Interrupts are on everywhere unless a line says otherwise.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "larder/larder.h"
#include "larder/ranges.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Memory ---------------------------------------------------------------------------------- */

/* The instance; its address is a link-time constant. Ready when a kernel program starts. */
extern struct larder_storage kernel_larder_storage;
#define kernel_larder ((struct larder *)&kernel_larder_storage)

/* The range table as larder_init() left it: a record of what the machine reported and of what
 * start-up took. Constant by now. */
const struct larder_ranges *memory_ranges(void);

/* ---- The machine ----------------------------------------------------------------------------- */

/* "Raspberry Pi 4 Model B" or so, from the device tree or the board revision; never NULL. */
const char *machine_name(void);

/* Value of the word NAME=VALUE on the kernel command line; "" for the bare word NAME; NULL iff it
 * is absent. The text lives for ever. */
const char *machine_bootarg(const char *name);

/* Where the map came from: "device tree" or "mailbox". */
const char *machine_memory_source(void);

/* End the run. machine_exit() is for runs with a verdict: with `larder.exit=semihosting` on the
 * command line QEMU ends with this code, otherwise the machine is switched off. Other CPUs are
 * stopped first. */
_Noreturn void machine_exit(int code);
_Noreturn void machine_reboot(void);
_Noreturn void machine_poweroff(void);

/* ---- CPUs ------------------------------------------------------------------------------------ */

struct cpu_info {
    bool online;
    const char *core;     /* "Cortex-A72" */
    uint64_t mpidr;       /* affinity, as in the device tree */
    unsigned entry_level; /* exception level at which it entered: 1, 2 or 3 */
    const char *start;    /* "boot", "spin table", "psci", "parked" */
    uint64_t ticks;       /* timer interrupts so far */
    uint64_t interrupts;  /* all interrupts so far */
    uint64_t calls;       /* cpu_call()s it has finished */
};

/* CPUs that are online; they are numbered 0 .. cpu_count() - 1. */
unsigned cpu_count(void);

/* The CPU this runs on. */
unsigned cpu_self(void);

/* False iff there is no such CPU. */
bool cpu_info(unsigned cpu, struct cpu_info *info);

/* Run fn(arg) on that CPU, in normal context (interrupts on, its own stack of 32 KiB), by its idle
 * loop. Returns at once; if the CPU still runs an earlier call, waits for that one first. On the
 * calling CPU itself fn runs before this returns. Calls from one CPU are ordered: what was written
 * before cpu_call() is visible to fn, what fn wrote is visible after cpu_call_wait(). Not from
 * interrupt context. */
void cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg);

/* Wait until that CPU has finished the call given last (returns at once if there is none). */
void cpu_call_wait(unsigned cpu);

/* ---- Time ------------------------------------------------------------------------------------ */

/* Microseconds since start; the same on every CPU. */
uint64_t clock_us(void);

/* Called in timer-interrupt context (interrupts off) on every CPU at every tick, 100 times a
 * second; NULL: nothing. When this returns, every CPU has finished with the hook set before. */
void tick_hook_set(void (*hook)(void));

/* Sleep in low power until the next interrupt of this CPU. */
void cpu_wait_for_interrupt(void);

/* ---- Console --------------------------------------------------------------------------------- */

/* Next byte typed; waits, asleep. CR arrives as '\r'. */
int console_read(void);

/* The same, but -1 if there is none. */
int console_poll(void);

/* Output; '\n' becomes "\r\n". One call is not interleaved with another CPU's. */
void console_write(const char *text, size_t length);

/* Formats: % c s d i u x X p, flags - 0 + space #, width and precision also as *, lengths hh h l ll
 * z j t. Returns the number of bytes. A call is written in one piece if it is shorter than 256
 * bytes. */
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
int snprintf(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* ---- Log ------------------------------------------------------------------------------------- */

enum log_level {
    LOG_ERROR,   /* something does not work */
    LOG_WARNING, /* it works, but not as one would expect */
    LOG_INFO,    /* what the machine is, what was done */
    LOG_DEBUG,   /* kept only, not printed */
};

/* Add a line, without its newline, to the log. The last 128 are kept with their time and CPU (shell
 * "log"), cut after 117 bytes; all but LOG_DEBUG are printed: "[   0.012345] warning: text". Any
 * context. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What stands before the text: "error: ", "warning: ", "" or "debug: ". */
const char *log_level_prefix(unsigned level);

/* Read the log: start with *number 0. Line *number, or the oldest after it that is kept; *number
 * becomes the one behind it. False iff there is none yet. */
struct log_entry; /* lib/log_ring.h */
bool log_read(uint64_t *number, struct log_entry *entry);

/* ---- Panic ----------------------------------------------------------------------------------- */

/* Say what is wrong with a stack trace, stop every CPU, end the run with code 1. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Looking at addresses -------------------------------------------------------------------- */

/* Name of the function that holds a code address, and the offset into it; NULL iff unknown. */
const char *symbol_find(uintptr_t address, size_t *offset);

/* Try an access to one byte (or to run the instruction found there, which must be a `ret`). True
 * iff it did not fault. A write stores the value that was there. Any context. */
bool fault_probe_read(uintptr_t address);
bool fault_probe_write(uintptr_t address);
bool fault_probe_execute(uintptr_t address);

/* ---- What the kernel calls: homes/kernel/shell ----------------------------------------------- */

/* The prompt. Does not return. */
_Noreturn void shell_run(void);

/* Bootarg larder.demo=1. True iff everything it claims was computed to hold. */
bool demonstration_run(void);

/* Bootarg larder.test=NAMES, a comma-separated list, "BEGINNING*" or "all". Prints TAP. True iff
 * all passed. */
bool kerneltest_run(const char *names);

/* Bootarg larder.run=PROGRAM: a process with this program and no arguments. Its exit code; 128 iff
 * it did not end by itself, 127 iff it did not begin. */
int program_run(const char *name);

/* From lib/string.c, the part of <string.h> that the kernel has. */
void *memset(void *to, int byte, size_t count);
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
int memcmp(const void *a, const void *b, size_t count);
void *memchr(const void *text, int byte, size_t count);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t limit);
char *strchr(const char *text, int byte);
char *strrchr(const char *text, int byte);
unsigned long strtoul(const char *text, char **end, int base);

#endif
