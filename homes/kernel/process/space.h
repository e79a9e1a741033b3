/* space.h: the address space of a process: its regions, its translation tables, its frames.
 *
 *   0x0000000000          nothing, so that null pointers fault
 *   STACK_GUARD           a page that is never there
 *   STACK_START           the stack; it grows down from STACK_END
 *   IMAGE_START           the program, and behind it the heap, up to
 *   MAP_START             what mmap gives out, lowest hole first, up to
 *   USER_END
 *
 * Stack and program share one table of pages, so a small process has three tables.
 *
 * Frames come when they are touched. A fork shares them all, for reading only; who writes first
 * gets a copy, unless nobody else is left. Aligned stretches of 2 MiB get a block while memory is
 * plenty. Invariants, checked by space_check(): every leaf lies in a region and permits no more
 * than it; resident is the number of frames mapped; tables is the number of tables.
 *
 * Locks: none. An address space is changed by its own process in the kernel, by the one that makes
 * it, or by the one that ends it.
 */
#ifndef PROCESS_SPACE_H
#define PROCESS_SPACE_H

#include "abi.h"
#include "region.h"
#include "user_table.h"

#include <stdatomic.h>

#define STACK_END 0x300000ul
#define STACK_BYTES_USER 0x80000ul
#define STACK_START (STACK_END - STACK_BYTES_USER)
#define STACK_GUARD (STACK_START - PAGE_BYTES)
#define IMAGE_START STACK_END
#define MAP_START (64ul << 30)

struct space {
    struct user_table table;
    struct region_list regions;
    uint16_t asid;
    unsigned cpu;            /* whose TLB may know it; CPU_NONE: nobody's */
    uint32_t owner;          /* process number */
    uint64_t reserved_bytes; /* of regions that may hold frames of their own; ≤ limit_bytes */
    uint64_t limit_bytes;
    uint64_t heap_start;       /* page behind the image; 0: no image yet */
    uint64_t heap_end;         /* as brk says, to the byte */
    _Atomic uint64_t resident; /* frames mapped; written by its process, read by anybody */
    uint64_t resident_peak;
    uint64_t blocks;
};

#define CPU_NONE UINT32_MAX

/* An empty one. NULL iff there is no memory or no identifier. */
struct space *space_create(uint32_t owner, uint64_t limit_bytes);

/* Everything in it goes back. Not on a CPU that has entered it. */
void space_destroy(struct space *space);

/* A copy that shares all frames. NULL iff there is no memory or no identifier; then *space is as it
 * was, but for frames that are private and read-only until they are written. */
struct space *space_fork(struct space *space, uint32_t owner);

/* The processes of this CPU run in there from now on (NULL: in none). Interrupts masked. */
void space_enter(struct space *space);

/* ---- Regions. Results are 0 or -ERROR_…; on an error nothing has changed that can be seen. ----
 */

/* A region of this kind; kinds other than MAP only where they belong. INVALID iff it is not whole
 * pages below USER_END, wraps, or is taken; NO_MEMORY iff none is left or the limit is reached. */
int64_t space_add(struct space *space, const struct region *region);

/* mmap: the address. `address` 0: the lowest hole, aligned to a block if it holds one. */
int64_t space_map(struct space *space, uint64_t address, uint64_t bytes, unsigned protection);
int64_t space_unmap(struct space *space, uint64_t address, uint64_t bytes);
int64_t space_protect(struct space *space, uint64_t address, uint64_t bytes, unsigned protection);

/* What was written there goes, with its frames; the regions stay. INVALID iff not all of it is
 * there and writable. */
int64_t space_purge(struct space *space, uint64_t address, uint64_t bytes);

/* brk: where the heap ends afterwards. */
uint64_t space_set_heap_end(struct space *space, uint64_t end);

/* ---- Faults (space_fault.c) -------------------------------------------------------------------
 */

enum space_fault {
    SPACE_FAULT_MENDED,    /* the access can be tried again */
    SPACE_FAULT_NOTHING,   /* no region there */
    SPACE_FAULT_GUARD,     /* the stack is full */
    SPACE_FAULT_FORBIDDEN, /* the region does not permit it */
    SPACE_FAULT_NO_MEMORY,
};

/* Make the byte at `address` accessible as REGION_READ, WRITE or EXECUTE asks. */
enum space_fault space_fault(struct space *space, uint64_t address, unsigned access);

/* Where the kernel sees that byte, mended if need be; NULL with *fault set iff it cannot be. Right
 * until the process runs again. */
void *space_pointer(struct space *space, uint64_t address, unsigned access,
                    enum space_fault *fault);

/* ---- Shared between space.c and space_fault.c ---------------------------------------------------
 */

/* Attributes of a leaf that permits this. */
uint64_t space_attributes(unsigned protection);

/* Put `frames` at this leaf's entry, or take them away. */
void space_count_in(struct space *space, uint64_t span);
void space_count_out(struct space *space, uint64_t span);

/* The block at this leaf becomes 512 pages of its own. False iff there is no memory. */
bool space_break_block(struct space *space, const struct user_leaf *leaf);

/* ---- Evidence ----------------------------------------------------------------------------------
 */

/* The invariants above. NULL iff all hold, else which does not. The process must not run. */
const char *space_check(const struct space *space);

#endif
