/* process.h: processes: an address space, a kernel stack, a place in the family.
 *
 *   NEW ──▶ READY ⇄ RUNNING ──▶ ENDED ──collected──▶ gone
 *             ▲        │
 *             └── SLEEPING, WAITING (for a child), READING (for input) ◀┘
 *
 * A process runs on its own kernel stack whenever it is in the kernel, and gives its CPU away only
 * in the kernel, by scheduler_leave(). Kernel code is not preempted: an interrupt that finds a
 * process in the kernel returns to it; one that finds it outside may end its turn. So what is this
 * CPU's stays this CPU's between two scheduler_leave()s.
 *
 * A process that has ended gives its memory back itself; its kernel stack goes when the CPU has
 * left it; the structure stays until the parent has asked how it ended. Without a parent it goes at
 * once, unless the kernel waits for it.
 *
 * Locks: process_lock (one) guards the fields marked so. Interrupts off, held for O(processes) at
 * most, nothing of larder is called under it.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "abi.h"
#include "context.h"
#include "core/list.h"

#include <stdatomic.h>

enum process_state {
    PROCESS_NEW,
    PROCESS_READY,    /* in the queue, or will be when its CPU has left it */
    PROCESS_RUNNING,  /* on a CPU */
    PROCESS_SLEEPING, /* until wake_us */
    PROCESS_WAITING,  /* for a child to end */
    PROCESS_READING,  /* for input */
    PROCESS_ENDED,
};

struct exception_frame;
struct space;

struct process {
    struct context context;        /* its kernel program, while it does not run */
    struct exception_frame *frame; /* at the top of its stack; constant */
    unsigned char *stack;          /* constant until it has ended */
    struct space *space;           /* replaced under process_lock by its own process */
    uint32_t pid;                  /* never used twice; constant */
    char name[PROGRAM_NAME_BYTES]; /* of its program; as space */
    enum process_state state;      /* process_lock, as are the following */
    bool on_cpu;                   /* a CPU has not left its stack yet */
    bool quiet;                    /* what it writes is dropped; inherited; constant once started */
    bool awaited;                  /* by the kernel: process_collect() will come */
    struct list queue;             /* ready queue, or those that sleep */
    struct list all;               /* every process, by pid */
    struct process *parent;        /* NULL: the kernel */
    struct list children;          /* by `sibling` */
    struct list sibling;
    uint64_t wake_us;
    int32_t status;            /* ENDED: exit code, or enum death */
    unsigned cpu;              /* where it runs, or ran last */
    _Atomic int32_t doom;      /* enum death; 0: none. Set once, by anybody under process_lock: it
                                  ends before it is outside the kernel again */
    _Atomic uint64_t turns;    /* on a CPU; written by that CPU, relaxed */
    uint64_t faults, syscalls; /* written by the process itself */
};

/* Make the caches and the records. Once, by CPU 0, when larder works. */
void processes_setup(void);

/* ---- Making and ending -------------------------------------------------------------------------
 */

/* A process with the program `name` and these arguments (argv[0] is its name by custom), with no
 * parent, not yet started. NULL with *status -ERROR_… set iff there is no such program
 * (NOT_FOUND), it does not hold (BAD_PROGRAM), the arguments are too long (TOO_LONG), or there is
 * no memory (NO_MEMORY). `limit_bytes` 0: as much as there is RAM. */
struct process *process_create(const char *name, unsigned count, const char *const *arguments,
                               uint64_t limit_bytes, int64_t *status);

/* Let it run; afterwards it may be gone at any time, unless it is `awaited`. */
void process_start(struct process *process, bool awaited);

/* A copy of the process, which is the caller or does not run: its pid, or -ERROR_NO_MEMORY. The
 * copy's call returns 0. */
int64_t process_fork(struct process *process);

/* Become another program. On success the registers are its first ones; on an error nothing has
 * changed. As process_create(). */
int64_t process_exec(struct process *process, const char *name, unsigned count,
                     const char *const *arguments);

/* The calling process ends. */
_Noreturn void process_end(int32_t status);

/* Have it end, soon, in this way: false iff no living process has this number. Any context. */
bool process_kill(uint32_t pid, enum death how);

/* It, and all that descend from it through living parents. */
void process_kill_family(const struct process *process);

/* Every process. */
void process_kill_all(void);

/* The calling process waits for a child (0: any) to end: its number, with how it ended in *status;
 * -ERROR_NO_CHILD iff there is none; does not return if it is to end itself. */
int64_t process_wait(uint32_t pid, int32_t *status);

/* The calling process is to end. */
bool process_is_doomed(const struct process *process);

/* The kernel's program waits for an awaited process, lending its CPU to processes; `poll` is called
 * now and then and may kill it. How it ended; the process is gone. */
int32_t process_collect(struct process *process, void (*poll)(struct process *process));

/* A process that was never started goes as if it had ended. */
void process_discard(struct process *process);

/* ---- Looking -----------------------------------------------------------------------------------
 */

/* The process that runs on this CPU; NULL: none does. */
struct process *process_current(void);

struct process_info {
    uint32_t pid, parent;
    char name[PROGRAM_NAME_BYTES];
    enum process_state state;
    unsigned cpu;
    uint64_t turns;
    uint64_t resident, peak, blocks, limit_bytes, reserved_bytes; /* frames; bytes */
    uint64_t tables, object_bytes;
};

/* The process with the lowest number above *pid; *pid becomes it. False iff there is none. Cost:
 * O(processes). */
bool process_info_next(uint32_t *pid, struct process_info *info);

const char *process_state_text(enum process_state state);

/* "killed", "memory ran out" … for enum death; "exit" for a code. */
const char *process_status_text(int32_t status);

/* Processes that have ended and left their CPU, ever. */
uint64_t processes_ended(void);

/* Processes there are, those that have ended but are not collected included. */
unsigned process_count(void);

/* While no process runs (scheduler_freeze()): walk them all. Each address space is sound; every
 * frame is used by as many of them as its record says; objects and frames in use are those found.
 * NULL iff all holds, else what does not. Cost: O(processes² · frames). */
const char *processes_check(void);

/* The same moment: frames that all processes and the slabs of what the kernel keeps for them
 * occupy. */
uint64_t processes_frames(void);

/* Kernel objects of a process, in bytes: what `ps` and meminfo say. */
uint64_t process_object_bytes(const struct process *process);

/* ---- Between process.c and its neighbours
 * -------------------------------------------------------- */

extern struct ticket_lock process_lock;
extern struct list process_all; /* guarded by process_lock */

/* From vectors.S, on the process's kernel stack with interrupts masked. */
void process_exception(struct exception_frame *frame);
void process_interrupt(struct exception_frame *frame);
void process_first(struct exception_frame *frame);

/* A CPU has left the stack of a process that has ended. */
void process_bury(struct process *process);

/* Under process_lock: have a living process end. */
void process_doom(struct process *process, enum death how);

#endif
