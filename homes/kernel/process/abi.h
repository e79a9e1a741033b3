/* abi.h: what the kernel and the programs of processes agree about.
 *
 * A system call is `svc #0` with its number in x8 and up to three arguments in x0..x2. Its result
 * is in x0; from -ERROR_MAX to -1 it is an error. All other registers are kept. Every pointer is
 * checked: one that the process itself could not use is ERROR_FAULT, and nothing was done with it.
 */
#ifndef PROCESS_ABI_H
#define PROCESS_ABI_H

#include <stdint.h>

enum syscall_number {
    SYSCALL_EXIT,   /* (code 0..255) does not return */
    SYSCALL_WRITE,  /* (text, bytes) to the console; bytes written */
    SYSCALL_READ,   /* (buffer, bytes) what was typed; waits for at least one; 0: the end */
    SYSCALL_GETPID, /* () this process's number */
    SYSCALL_YIELD,  /* () somebody else's turn */
    SYSCALL_SLEEP,  /* (microseconds) at least so long */
    SYSCALL_FORK,   /* () a copy of this process; its number, 0 in the copy */
    SYSCALL_EXEC,   /* (program name, arguments ended by NULL) become that program */
    SYSCALL_WAIT,   /* (process or 0 for any child, int32_t *status) wait for its end; its number */
    SYSCALL_KILL,   /* (process) end it */
    SYSCALL_BRK,    /* (new end of the heap, or 0) where it is now; short of memory: unchanged */
    SYSCALL_MMAP,   /* (address or 0, bytes, PROTECTION_…) fresh memory; where it is */
    SYSCALL_MUNMAP, /* (address, bytes) whole pages; what is not there is no error */
    SYSCALL_MPROTECT, /* (address, bytes, PROTECTION_…) all of it must be there */
    SYSCALL_PURGE,    /* (address, bytes) all of it must be there, writable: its frames go back, it
                         reads as when it was mapped; short of memory: unchanged */
    SYSCALL_MEMINFO,  /* (struct meminfo *) */
    SYSCALL_COUNT
};

/* Numbers as on other systems. */
enum syscall_error {
    ERROR_NOT_FOUND = 2,   /* no such program */
    ERROR_NO_PROCESS = 3,  /* no such process, or not one to kill */
    ERROR_TOO_LONG = 7,    /* more arguments than there is room for */
    ERROR_BAD_PROGRAM = 8, /* not a program for this kernel */
    ERROR_NO_CHILD = 10,
    ERROR_NO_MEMORY = 12, /* none left, or the process's limit */
    ERROR_FAULT = 14,     /* a pointer that does not hold */
    ERROR_INVALID = 22,   /* an argument that makes no sense */
    ERROR_NO_CALL = 38,   /* no system call has this number */
    ERROR_MAX = 255
};

/* Writable memory is never executable; what may be written or executed
 * may be read. */
#define PROTECTION_NONE 0u
#define PROTECTION_READ 1u
#define PROTECTION_WRITE 2u
#define PROTECTION_EXECUTE 4u

/* How a process ended: its exit code, 0..255, or one of these. */
enum death {
    DEATH_KILLED = -1,  /* by a person or another process */
    DEATH_FAULT = -2,   /* an address it may not use */
    DEATH_ILLEGAL = -3, /* an instruction it may not execute */
    DEATH_MEMORY = -4,  /* memory ran out, and it held the most */
    DEATH_MAX = -4
};

#define ARGUMENTS_MAX 8u        /* of a program, its name included */
#define ARGUMENT_BYTES_MAX 512u /* all of them together, with their NULs */
#define PROGRAM_NAME_BYTES 24u  /* with the NUL */

struct meminfo {
    uint64_t total_bytes; /* of the machine: what the kernel gives out */
    uint64_t free_bytes;
    uint64_t resident_bytes; /* of the process: frames it can reach, shared ones included */
    uint64_t peak_bytes;     /* the most resident_bytes ever was */
    uint64_t reserved_bytes; /* what its regions may come to hold */
    uint64_t limit_bytes;    /* the most reserved_bytes may become */
    uint64_t table_bytes;    /* translation tables */
    uint64_t object_bytes;   /* the kernel's own objects for it */
    uint64_t block_count;    /* 2 MiB blocks among its mappings */
};

#endif
