/* user_table.c: see user_table.h. Tables are objects of the cache "page-table", which reads as
 * zero. */
#include "user_table.h"

#include "mmu.h"
#include "objects.h"

#define LEVEL_ROOT 1u
#define LEVEL_BLOCK 2u
#define LEVEL_PAGE 3u
#define ENTRIES 512u

static bool is_table(uint64_t entry, unsigned level) {
    return level < LEVEL_PAGE && (entry & (PTE_VALID | PTE_TABLE)) == (PTE_VALID | PTE_TABLE);
}

static uint64_t *below(uint64_t entry) {
    return mmu_pointer(entry & PTE_ADDRESS);
}

static unsigned index_of(uint64_t address, unsigned level) {
    return (unsigned)(address / page_table_span(level) % ENTRIES);
}

uint64_t *user_table_take(struct user_table *table) {
    uint64_t *taken = object_take(OBJECT_TABLE);

    table->tables += taken != NULL;
    return taken;
}

void user_table_give(struct user_table *table, uint64_t *page_table) {
    object_give(OBJECT_TABLE, page_table);
    table->tables--;
}

bool user_table_init(struct user_table *table) {
    table->tables = 0;
    table->root = user_table_take(table);
    return table->root != NULL;
}

static bool is_empty(const uint64_t *page_table) {
    for (unsigned i = 0; i < ENTRIES; i++)
        if (page_table[i] != 0)
            return false;
    return true;
}

/* ---- Looking --------------------------------------------------------------------------------- */

/* Down to the leaf at `address`, or to where the way ends: *level says where. */
static uint64_t *walk(const struct user_table *table, uint64_t address, unsigned *level) {
    uint64_t *entry = &table->root[index_of(address, LEVEL_ROOT)];

    for (*level = LEVEL_ROOT; is_table(*entry, *level);)
        entry = &below(*entry)[index_of(address, ++*level)];
    return entry;
}

static struct user_leaf leaf_at(uint64_t *entry, uint64_t address, unsigned level) {
    uint64_t span = page_table_span(level);

    return (struct user_leaf){.entry = entry, .address = address / span * span, .span = span};
}

bool user_table_find(const struct user_table *table, uint64_t address, struct user_leaf *leaf) {
    unsigned level;
    uint64_t *entry = walk(table, address, &level);

    if (level == LEVEL_ROOT)
        return false;
    *leaf = leaf_at(entry, address, level);
    return true;
}

/* The next entry of the same table from this one on, below `end`, that is not 0: its address; or
 * where the table ends. */
static uint64_t skip_empty(const uint64_t *entry, uint64_t address, uint64_t end, unsigned level) {
    uint64_t span = page_table_span(level);
    uint64_t stop = (address / (span * ENTRIES) + 1) * (span * ENTRIES);

    stop = stop < end ? stop : end;
    do {
        entry++;
        address += span;
    } while (address < stop && *entry == 0);
    return address;
}

bool user_table_next(const struct user_table *table, uint64_t from, uint64_t end,
                     struct user_leaf *leaf) {
    while (from < end) {
        unsigned level;
        uint64_t *entry = walk(table, from, &level);

        *leaf = leaf_at(entry, from, level);
        if (*entry != 0)
            return true;
        from = skip_empty(entry, leaf->address, end, level);
    }
    return false;
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* The entry of `level` at this address; NULL iff no memory, or a block is in the way. */
static uint64_t *make(struct user_table *table, uint64_t address, unsigned level) {
    unsigned at;
    uint64_t *entry;

    while (entry = walk(table, address, &at), at < level) {
        uint64_t *page_table = *entry == 0 ? user_table_take(table) : NULL;

        if (page_table == NULL)
            return NULL;
        *(volatile uint64_t *)entry = mmu_address(page_table) | PTE_TABLE | PTE_VALID;
    }
    return at == level ? entry : NULL;
}

uint64_t *user_table_page(struct user_table *table, uint64_t address) {
    return make(table, address, LEVEL_PAGE);
}

uint64_t *user_table_block(struct user_table *table, uint64_t address) {
    return make(table, address, LEVEL_BLOCK);
}

/* ---- Giving back ----------------------------------------------------------------------------- */

static void give_below(struct user_table *table, uint64_t *entry) {
    uint64_t *page_table = below(*entry);

    *(volatile uint64_t *)entry = 0;
    user_table_give(table, page_table);
}

static void give_gigabyte(struct user_table *table, uint64_t *root_entry) {
    uint64_t *blocks = below(*root_entry);

    for (unsigned i = 0; i < ENTRIES; i++)
        if (is_table(blocks[i], LEVEL_BLOCK))
            give_below(table, &blocks[i]);
    give_below(table, root_entry);
}

/* The tables under one entry of the root. */
static void trim_gigabyte(struct user_table *table, uint64_t *root_entry, uint64_t from,
                          uint64_t end) {
    uint64_t *blocks = below(*root_entry);

    for (uint64_t at = from / USER_BLOCK_BYTES * USER_BLOCK_BYTES; at < end;
         at += USER_BLOCK_BYTES) {
        uint64_t *entry = &blocks[index_of(at, LEVEL_BLOCK)];

        if (is_table(*entry, LEVEL_BLOCK) && is_empty(below(*entry)))
            give_below(table, entry);
    }
    if (is_empty(blocks))
        give_below(table, root_entry);
}

void user_table_trim(struct user_table *table, uint64_t from, uint64_t end) {
    uint64_t gigabyte = page_table_span(LEVEL_ROOT);

    for (uint64_t at = from; at < end; at = at / gigabyte * gigabyte + gigabyte) {
        uint64_t *entry = &table->root[index_of(at, LEVEL_ROOT)];
        uint64_t limit = at / gigabyte * gigabyte + gigabyte;

        if (is_table(*entry, LEVEL_ROOT))
            trim_gigabyte(table, entry, at, limit < end ? limit : end);
    }
}

void user_table_fini(struct user_table *table) {
    for (unsigned i = 0; i < ENTRIES; i++)
        if (is_table(table->root[i], LEVEL_ROOT))
            give_gigabyte(table, &table->root[i]);
    user_table_give(table, table->root);
    table->root = NULL;
}
