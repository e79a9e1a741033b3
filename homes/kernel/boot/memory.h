/* memory.h: from what the machine reported to an allocator, and pages for the kernel itself. */
#ifndef MEMORY_H
#define MEMORY_H

#include "larder/ranges.h"

/* The table: filled by machine_detect(), closed by larder_init(). */
extern struct larder_ranges memory_table;

/* From the board's table: zone "dma" ends here. */
uint64_t machine_dma_limit(void);

/* Mark what is in use, so far as it is RAM. Before memory_start(). Fatal if the table is full. */
void memory_reserve(uint64_t address, uint64_t size_bytes);

/* Zeroed memory; both are a page times a power of two, alignment up to the size. From the range
 * table while it is open, then from larder. Its address, or UINT64_MAX. */
uint64_t memory_take(uint64_t size_bytes, uint64_t align_bytes);

/* Give it back. What was taken from the range table stays reserved. */
void memory_give(uint64_t address);

#endif
