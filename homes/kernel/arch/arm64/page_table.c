/* page_table.c: see page_table.h. Compiled so that it also runs with the MMU off, where memory is
 * Device memory: aligned accesses only, and no calls of memset (see kernel.mk). */
#include "page_table.h"

#include "layout.h"

#include <stddef.h>

#define LEVEL_LAST 3u
#define LEVEL_BITS 9u
#define TABLE_ENTRIES (1u << LEVEL_BITS)

unsigned page_table_root_level(void) {
    return LEVEL_LAST + 1 - (CONFIG_VA_BITS - CONFIG_PAGE_SHIFT + LEVEL_BITS - 1) / LEVEL_BITS;
}

uint64_t page_table_span(unsigned level) {
    return 1ul << (CONFIG_PAGE_SHIFT + LEVEL_BITS * (LEVEL_LAST - level));
}

static bool is_table(uint64_t entry, unsigned level) {
    return (entry & (PTE_VALID | PTE_TABLE)) == (PTE_VALID | PTE_TABLE) && level < LEVEL_LAST;
}

static uint64_t *slot_of(const struct page_table *table, uint64_t address, uint64_t virtual,
                         unsigned level) {
    return table->pointer(address) + (virtual / page_table_span(level)) % TABLE_ENTRIES;
}

/* The table below this entry, made if there is none. */
static uint64_t descend(const struct page_table *table, volatile uint64_t *slot, unsigned level) {
    uint64_t address;

    if (is_table(*slot, level))
        return *slot & PTE_ADDRESS;
    if (*slot & PTE_VALID)
        return PAGE_TABLE_NONE;
    address = table->take();
    if (address != PAGE_TABLE_NONE)
        *slot = address | PTE_TABLE | PTE_VALID;
    return address;
}

uint64_t *page_table_entry(const struct page_table *table, uint64_t virtual, unsigned level) {
    uint64_t address = table->root;

    for (unsigned at = page_table_root_level(); at < level; at++) {
        address = descend(table, slot_of(table, address, virtual, at), at);
        if (address == PAGE_TABLE_NONE)
            return NULL;
    }
    return slot_of(table, address, virtual, level);
}

/* The highest level whose blocks fit here. Blocks exist from level 1 on. */
static unsigned level_that_fits(uint64_t virtual, uint64_t address, uint64_t size_bytes) {
    unsigned level = 1;

    while (level < LEVEL_LAST && (((virtual | address) & (page_table_span(level) - 1)) != 0 ||
                                  size_bytes < page_table_span(level)))
        level++;
    return level;
}

bool page_table_map(const struct page_table *table, uint64_t virtual, uint64_t address,
                    uint64_t size_bytes, uint64_t attributes) {
    while (size_bytes != 0) {
        unsigned level = level_that_fits(virtual, address, size_bytes);
        volatile uint64_t *slot = page_table_entry(table, virtual, level);

        if (slot == NULL || (*slot & PTE_VALID))
            return false;
        *slot = address | attributes | (level == LEVEL_LAST ? PTE_TABLE : 0);
        virtual += page_table_span(level);
        address += page_table_span(level);
        size_bytes -= page_table_span(level);
    }
    return true;
}

uint64_t *page_table_find(const struct page_table *table, uint64_t virtual, uint64_t *size_bytes) {
    uint64_t address = table->root;

    for (unsigned level = page_table_root_level(); level <= LEVEL_LAST; level++) {
        uint64_t *slot = slot_of(table, address, virtual, level);

        if (!(*slot & PTE_VALID))
            return NULL;
        if (!is_table(*slot, level)) {
            *size_bytes = page_table_span(level);
            return slot;
        }
        address = *slot & PTE_ADDRESS;
    }
    return NULL;
}
