/* mmu.h: the kernel's address space. layout.h says what is where. */
#ifndef MMU_H
#define MMU_H

#include "layout.h"
#include "page_table.h"

#include <stddef.h>

/* Take over the tables that early.c made. First thing in C. */
void mmu_setup(void);

/* The tree of the upper half, for metadata.c. */
const struct page_table *mmu_tables(void);

/* Between addresses and pointers. A pointer into the image or the linear map has an address; an
 * address of RAM has a pointer into the linear map. */
uint64_t mmu_address(const void *pointer);
static inline void *mmu_pointer(uint64_t address) {
    return (void *)(address + LINEAR_BASE);
}

/* Map RAM into the linear map, read-only or writable, never executable. Whole pages. Start-up
 * only. Out of memory for tables is fatal. */
void mmu_map_linear(uint64_t address, uint64_t size_bytes, bool writable);

/* Change what a mapped stretch permits, page by page as it was mapped. Fatal if part of it is
 * mapped by a block that reaches beyond it. */
void mmu_protect(const void *pointer, uint64_t size_bytes, uint64_t attributes);

/* Take a stretch out of the address space; the same limits. */
void mmu_unmap(const void *pointer, uint64_t size_bytes);

/* A new mapping in the window region with an unmapped page on both sides, for any address and
 * length; the pointer has the same offset in its page. Never given back. Fatal if out of memory. */
void *mmu_map_window(uint64_t address, uint64_t size_bytes, uint64_t attributes);

/* Registers of a device. */
static inline void *mmu_map_device(uint64_t address, uint64_t size_bytes) {
    return mmu_map_window(address, size_bytes, MAP_DEVICE);
}

/* Could this byte be read? By the hardware's own translation. Any context. */
bool mmu_is_readable(uintptr_t virtual);

/* Every translation of every CPU is looked up again. */
void mmu_flush(void);

/* From here on there are other CPUs; until then a flush is this one's business. */
void mmu_share(void);

/* The identity map is gone for this CPU, its translations forgotten: the lower half belongs to
 * processes from now on, and is empty until one runs. */
void mmu_retire_identity(void);

/* metadata.c: larder's windows. Once, after mmu_setup() and before the first reservation. */
void metadata_setup(void);

#endif
