/* channel.h: the memory that the recorder's library, inside the recorded programs, and `larder
 * record` share: one file in memory, made by the latter and mapped by every process it records.
 *
 *   control page | heads of all rings | ring 0 | ring 1 | …
 *
 * A ring belongs to one thread of one program: the thread puts entries in, the collector takes them
 * out. No system call, no lock, and what a killed program has put in is there. A ring has one
 * writer for each of its words:
 *
 *   FREE --thread, CAS--> CLAIMED --thread--> OPEN --thread, at its end--> ENDED --collector-->
 * FREE
 *                                              `--collector, the program is dead-----------------^
 */
#ifndef LAB_RECORD_CHANNEL_H
#define LAB_RECORD_CHANNEL_H

#include <stdint.h>

enum {
    CHANNEL_VERSION = 1,
    CHANNEL_COUNT_RINGS = 1024,
    CHANNEL_COUNT_ENTRIES = 16384, /* of a ring; a power of two */
    CHANNEL_STACK_MAX = 60,        /* addresses of one stack */
    CHANNEL_COMMAND_BYTES = 256,
};

/* In the environment of the recorded programs: the path of the file. */
#define CHANNEL_VARIABLE "LARDER_RECORD_CHANNEL"

enum channel_clock { CHANNEL_CLOCK_NS, CHANNEL_CLOCK_CYCLES };
enum channel_stacks {
    CHANNEL_STACKS_NONE,
    CHANNEL_STACKS_CALLER,
    CHANNEL_STACKS_FRAMES,
    CHANNEL_STACKS_UNWIND,
};

/* What an entry says. The first are enum trace_kind. */
enum channel_entry_kind {
    ENTRY_REALLOC_BEGIN = 32, /* pointer: of the block that is about to be moved */
    ENTRY_REALLOC_FAILED,     /* pointer: the same, it is still there; size */
    ENTRY_STACK,              /* four addresses, part of the stack of the next event */
    ENTRY_MAPS,               /* up to 24 bytes of /proc/self/maps; size_bytes has their number */
    ENTRY_MAPS_END,
};

struct channel_entry {
    uint64_t ticks;
    uint64_t pointer;
    uint64_t size_bytes;
    uint64_t caller : 48; /* return address, 0: unknown */
    uint64_t align_log2 : 8;
    uint64_t kind : 8;
};

/* ENTRY_STACK and ENTRY_MAPS use the first 24 bytes, and where they need one, `caller` for a count.
 */
enum { CHANNEL_STACK_PER_ENTRY = 3, CHANNEL_MAPS_PER_ENTRY = 24 };

enum channel_ring_state { RING_FREE, RING_CLAIMED, RING_OPEN, RING_ENDED };

struct channel_ring {
    /* The thread's. head: entries ever put in; is_inside: it may be about to put in one that is as
     * old as it likes. */
    _Alignas(64) uint64_t head;
    uint32_t is_inside;
    uint32_t state;
    uint32_t pid;
    uint32_t image;  /* which program: an exec makes a new one */
    uint32_t thread; /* number in its process, from 0 */
    uint32_t unused;
    uint64_t count_lost; /* events that were not recorded: the collector was gone */
    /* The collector's: entries ever taken out. */
    _Alignas(64) uint64_t tail;
    /* The thread's, before it opens the ring: the command line of its program, cut off, a blank
     * between words; "" iff unknown. For programs that have ended before the collector looks. */
    _Alignas(64) char command[CHANNEL_COMMAND_BYTES];
};

struct channel {
    uint32_t version;
    uint32_t collector_pid;
    uint32_t is_closed;          /* the collector has ended, or will not record more */
    uint32_t clock;              /* enum channel_clock */
    uint32_t stacks;             /* enum channel_stacks */
    uint32_t sample_every;       /* the stack of one allocation in so many; 1: of all */
    uint32_t only_pid;           /* no other process is recorded; 0: all are */
    uint32_t next_image;         /* atomic: the number of the next program */
    uint32_t count_without_ring; /* atomic: threads that found none free */
    _Alignas(4096) struct channel_ring rings[CHANNEL_COUNT_RINGS];
};

#define CHANNEL_RING_BYTES (CHANNEL_COUNT_ENTRIES * sizeof(struct channel_entry))
#define CHANNEL_RINGS_OFFSET ((sizeof(struct channel) + 65535) & ~(uint64_t)65535)
#define CHANNEL_BYTES (CHANNEL_RINGS_OFFSET + CHANNEL_COUNT_RINGS * CHANNEL_RING_BYTES)

#endif
