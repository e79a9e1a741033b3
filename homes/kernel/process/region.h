/* region.h: what a process may do where: stretches of its address space that are alike.
 *
 * The regions of an address space are a list by ascending address, disjoint. A region says what a
 * fault in it means: fresh memory, a page of the program's file, or a mistake.
 *
 * Locks: none; a list belongs to one process.
 */
#ifndef PROCESS_REGION_H
#define PROCESS_REGION_H

#include "core/list.h"

#include <stdbool.h>
#include <stdint.h>

enum region_kind {
    REGION_IMAGE, /* the program: backed by its file, zero behind the file's end */
    REGION_HEAP,  /* grown and shrunk by brk */
    REGION_MAP,   /* by mmap */
    REGION_STACK,
    REGION_GUARD, /* below the stack: nothing ever */
};

/* Never WRITE and EXECUTE at once. All include READ but 0, which permits nothing. */
#define REGION_READ 1u
#define REGION_WRITE 2u
#define REGION_EXECUTE 4u

struct region {
    struct list link;
    uint64_t start, end; /* whole pages */
    enum region_kind kind;
    unsigned protection; /* REGION_… */
    const unsigned char
        *source;           /* IMAGE: the file's bytes for `start`, page-aligned; may be NULL */
    uint64_t source_bytes; /* how many there are; the rest reads as zero */
};

struct region_list {
    struct list head;
    unsigned count;
};

void region_list_init(struct region_list *list);

/* Add a copy of *region, which overlaps none. The new one; NULL iff there is no memory. */
struct region *region_add(struct region_list *list, const struct region *region);

void region_remove(struct region_list *list, struct region *region);

/* The region that holds this address; NULL iff none does. Cost: O(regions). */
struct region *region_find(const struct region_list *list, uint64_t address);

/* The first region that ends above this address; NULL iff there is none. */
struct region *region_from(const struct region_list *list, uint64_t address);

/* The one after it; NULL iff it is the last. */
struct region *region_next(const struct region_list *list, const struct region *region);

/* Nothing is in [start, end). */
bool region_is_hole(const struct region_list *list, uint64_t start, uint64_t end);

/* The lowest hole of that size and alignment in [from, end): first fit. 0 iff there is none. */
uint64_t region_hole(const struct region_list *list, uint64_t from, uint64_t end,
                     uint64_t size_bytes, uint64_t align_bytes);

/* Cut the region that holds this address in two there, if it is not a boundary. False iff there is
 * no memory. */
bool region_split(struct region_list *list, uint64_t address);

/* Make one of neighbours that are alike, of those that touch [start, end). */
void region_merge(struct region_list *list, uint64_t start, uint64_t end);

#endif
