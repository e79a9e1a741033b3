/* user_table.h: the translation tables of one process: 39 bits, three levels.
 *
 *   root, 512 x 1 GiB -> 512 x 2 MiB (a block, or a table) -> 512 x 4 KiB (a page)
 *
 * Knows entries, not what they mean for frames: that is space.c's. An entry is either 0 (nothing
 * was ever there), valid, or *kept*: not valid for the hardware, but naming a frame that is still
 * the process's (memory with all access taken away).
 *
 * Locks: none; a tree belongs to one process, which changes it itself.
 */
#ifndef USER_TABLE_H
#define USER_TABLE_H

#include "layout.h"
#include "page_table.h"

#include <stddef.h>

#define USER_VA_BITS 39u
#define USER_END (1ul << USER_VA_BITS) /* first address that no process has */
#define USER_BLOCK_BYTES (2ul << 20)

/* Of a leaf entry, beside page_table.h's. */
#define PTE_USER (1ul << 6)        /* may be used at EL0 */
#define PTE_NOT_GLOBAL (1ul << 11) /* belongs to the identifier of the address space */
#define PTE_BORROWED (1ul << 55)   /* ours to note: part of the kernel image, not a frame */

/* Never executed by the kernel. The kernel reads it by no user address either: TTBR0. */
#define USER_COMMON                                                                                \
    (PTE_VALID | PTE_ACCESSED | PTE_INNER_SHARED | PTE_MEMORY | PTE_USER | PTE_NOT_GLOBAL |        \
     PTE_NO_EXECUTE)

struct user_table {
    uint64_t *root;  /* NULL: none */
    unsigned tables; /* of all levels, the root included */
};

/* One leaf: a page or a block. */
struct user_leaf {
    uint64_t *entry;
    uint64_t address; /* first user address it maps */
    uint64_t span;    /* bytes: PAGE_BYTES or USER_BLOCK_BYTES */
};

/* False iff there is no memory for the root. */
bool user_table_init(struct user_table *table);

/* Give all tables back; every leaf entry is 0 by then. */
void user_table_fini(struct user_table *table);

/* The first leaf in [from, end) whose entry is not 0; a block that reaches into it counts. False
 * iff there is none. Cost: O(tables passed). */
bool user_table_next(const struct user_table *table, uint64_t from, uint64_t end,
                     struct user_leaf *leaf);

/* The leaf at this address, also one whose entry is 0 if there is a table for it. False iff there
 * is none. */
bool user_table_find(const struct user_table *table, uint64_t address, struct user_leaf *leaf);

/* The entry of the page at this address, its tables made. NULL iff there is no memory for one or a
 * block is in the way. */
uint64_t *user_table_page(struct user_table *table, uint64_t address);

/* The entry of the block. NULL iff there is no memory for the table above it or pages of it have a
 * table. */
uint64_t *user_table_block(struct user_table *table, uint64_t address);

/* A table full of entries for the pages of a block, to be put in its place. NULL iff no memory. */
uint64_t *user_table_take(struct user_table *table);
void user_table_give(struct user_table *table, uint64_t *page_table);

/* Give back tables in which nothing is left, of those for [from, end). Forget the addresses in the
 * TLB afterwards. */
void user_table_trim(struct user_table *table, uint64_t from, uint64_t end);

#endif
