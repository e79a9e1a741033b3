/* page_table.h: translation tables of arm64, 4 KiB granule.
 *
 * A tree of tables of 512 entries; the same code builds it with the MMU off (tables named by their
 * addresses) and on (reached through pointers). It knows nothing of what is mapped or why.
 *
 * Locks: none; the caller owns the tree (start-up, or mmu.c's lock).
 */
#ifndef PAGE_TABLE_H
#define PAGE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_TABLE_NONE UINT64_MAX

struct page_table {
    uint64_t root;                          /* address of the first table */
    uint64_t *(*pointer)(uint64_t address); /* where the running code sees a table */
    uint64_t (*take)(void);                 /* a zeroed page for a table, or PAGE_TABLE_NONE */
};

/* What a mapping permits and how it is cached: the bits of a leaf entry. MAIR_VALUE in cpu.h gives
 * the indices their meaning. Nothing is ever writable and executable: there is no such name here,
 * and SCTLR_EL1.WXN refuses it. */
#define PTE_VALID (1ul << 0)
#define PTE_TABLE (1ul << 1) /* a table, or at the last level a page */
#define PTE_MEMORY (0ul << 2)
#define PTE_DEVICE (1ul << 2)
#define PTE_UNCACHED (2ul << 2)
#define PTE_READ_ONLY (1ul << 7)
#define PTE_INNER_SHARED (3ul << 8)
#define PTE_ACCESSED (1ul << 10)
#define PTE_NO_EXECUTE (1ul << 53) /* at EL1 */
#define PTE_NO_USER_EXECUTE (1ul << 54)
#define PTE_ADDRESS 0x0000fffffffff000ul

#define PTE_COMMON (PTE_VALID | PTE_ACCESSED | PTE_INNER_SHARED | PTE_NO_USER_EXECUTE)
#define MAP_CODE (PTE_COMMON | PTE_MEMORY | PTE_READ_ONLY)
#define MAP_CONSTANT (PTE_COMMON | PTE_MEMORY | PTE_READ_ONLY | PTE_NO_EXECUTE)
#define MAP_DATA (PTE_COMMON | PTE_MEMORY | PTE_NO_EXECUTE)
#define MAP_DEVICE (PTE_COMMON | PTE_DEVICE | PTE_NO_EXECUTE)
#define MAP_UNCACHED (PTE_COMMON | PTE_UNCACHED | PTE_NO_EXECUTE)

/* Map pages, with the largest blocks that alignment allows. All three are multiples of a page and
 * nothing is mapped there yet. False iff there is no page for a table (part may be mapped) or
 * something is mapped there. The caller orders it with a barrier before the first use. */
bool page_table_map(const struct page_table *table, uint64_t virtual, uint64_t address,
                    uint64_t size_bytes, uint64_t attributes);

/* The leaf entry that maps this address and the bytes it covers; NULL iff none does. */
uint64_t *page_table_find(const struct page_table *table, uint64_t virtual, uint64_t *size_bytes);

/* The entry of exactly that level (0 is the root of a four-level tree, 3 the last), making the
 * tables above it. NULL iff there is no page for one or a block is in the way. */
uint64_t *page_table_entry(const struct page_table *table, uint64_t virtual, unsigned level);

/* The level of the root, and the bytes an entry of a level covers. */
unsigned page_table_root_level(void);
uint64_t page_table_span(unsigned level);

#endif
