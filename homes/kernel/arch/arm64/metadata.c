/* metadata.c: address space that reads as zero until it is committed.
 *
 * larder keeps one record per frame in an array as wide as the span of RAM, holes included, and
 * reads records of holes. So the whole metadata region is mapped from the start: every entry of its
 * part of the root leads through one shared table per level to one shared page of zeros, read-only.
 * A commit makes the tables on its path private, copy on write, and puts frames in:
 *
 *   root -> shared L1 -> shared L2 -> shared L3 -> zero page      (all 512 entries of each alike)
 *   root -> own L1 ---> own L2 ----> own L3 ----> frame           after a commit of one page
 *                             \----> frame of 2 MiB               after a commit of a whole block
 *
 * An entry that is replaced is first made invalid (the architecture demands it), so another CPU can
 * take a fault in between: exception_is_spurious() waits for the lock and lets it try again.
 * Locks: metadata_lock around each replacement; frames are taken outside it, because whoever holds
 * a lock of larder may be the one that takes such a fault.
 */
#include "barrier.h"
#include "cpu.h"
#include "exception.h"
#include "kernel.h"
#include "lock.h"
#include "memory.h"
#include "mmu.h"

#include "larder/port.h"

#define TABLE_ENTRIES 512u
#define LEVEL_BLOCK 2u
#define LEVEL_PAGE 3u

static const unsigned char zero_page[4096] __attribute__((aligned(4096)));
static uint64_t shared_entry[LEVEL_PAGE + 1]; /* what a level's entries are before a commit */
static struct ticket_lock metadata_lock;
static uintptr_t metadata_next = METADATA_BASE; /* guarded by metadata_lock */

static uint64_t table_make(uint64_t entry) {
    uint64_t address = memory_take(PAGE_BYTES, PAGE_BYTES);

    if (address != PAGE_TABLE_NONE)
        for (unsigned i = 0; i < TABLE_ENTRIES; i++)
            ((uint64_t *)mmu_pointer(address))[i] = entry;
    return address;
}

void metadata_setup(void) {
    unsigned root_level = page_table_root_level();

    shared_entry[LEVEL_PAGE] = mmu_address(zero_page) | MAP_CONSTANT | PTE_TABLE;
    for (unsigned level = LEVEL_PAGE; level > root_level; level--) {
        uint64_t table = table_make(shared_entry[level]);

        if (table == PAGE_TABLE_NONE)
            panic("no memory for the frame map's tables");
        shared_entry[level - 1] = table | PTE_TABLE | PTE_VALID;
    }
    for (uint64_t at = 0; at < METADATA_BYTES; at += page_table_span(root_level))
        *page_table_entry(mmu_tables(), METADATA_BASE + at, root_level) = shared_entry[root_level];
    barrier_tables();
}

bool exception_is_spurious(uint64_t address) {
    bool is_readable;

    if (address - METADATA_BASE >= METADATA_BYTES)
        return false;
    /* Looked at under the lock: behind one replacement on the way to a page comes the next. */
    ticket_lock_acquire(&metadata_lock);
    is_readable = mmu_is_readable(address);
    ticket_lock_release(&metadata_lock);
    return is_readable;
}

/* False iff the entry is not the shared one any more: somebody else was faster. */
static bool replace(volatile uint64_t *slot, uint64_t shared, uint64_t entry) {
    uintptr_t state = irq_save();
    bool won;

    ticket_lock_acquire(&metadata_lock);
    won = *slot == shared;
    if (won) {
        *slot = 0;
        mmu_flush();
        *slot = entry;
        barrier_tables();
    }
    ticket_lock_release(&metadata_lock);
    irq_restore(state);
    return won;
}

/* Replace the shared entry of one level; false iff there is no memory. */
static bool privatize(uint64_t *slot, unsigned level, uint64_t span) {
    bool is_leaf = level == LEVEL_PAGE || span != 0;
    uint64_t bytes = span != 0 ? span : PAGE_BYTES;
    uint64_t address = is_leaf ? memory_take(bytes, bytes) : table_make(shared_entry[level + 1]);
    uint64_t attributes = level == LEVEL_PAGE ? MAP_DATA | PTE_TABLE
                          : is_leaf           ? MAP_DATA
                                              : PTE_TABLE | PTE_VALID;

    if (address == PAGE_TABLE_NONE)
        return false;
    if (!replace(slot, shared_entry[level], address | attributes))
        memory_give(address);
    return true;
}

/* Commit what holds `virtual`, in one block if the commit covers it. Returns the bytes committed
 * from there on, or 0: no memory. */
static uint64_t commit_at(uintptr_t virtual, uintptr_t end) {
    unsigned root_level = page_table_root_level();
    uint64_t block = page_table_span(LEVEL_BLOCK);
    uint64_t span;

    for (unsigned level = root_level; level <= LEVEL_PAGE; level++) {
        uint64_t *slot = page_table_entry(mmu_tables(), virtual, level);
        bool whole = level == LEVEL_BLOCK && virtual % block == 0 && end - virtual >= block;

        if (slot == NULL) /* a block is in the way: committed */
            return block - virtual % block;
        if (*slot != shared_entry[level])
            continue;
        if (whole && privatize(slot, level, block))
            return block;
        if (!privatize(slot, level, 0))
            return 0;
    }
    page_table_find(mmu_tables(), virtual, &span);
    return span - virtual % span;
}

bool larder_port_commit(void *pointer, size_t size_bytes) {
    uintptr_t at = (uintptr_t)pointer / PAGE_BYTES * PAGE_BYTES;
    uintptr_t end = ((uintptr_t)pointer + size_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    while (at < end) {
        uint64_t done = commit_at(at, end);

        if (done == 0)
            return false;
        at += done;
    }
    return true;
}

void *larder_port_reserve(size_t size_bytes, size_t align_bytes) {
    uintptr_t state = irq_save();
    uintptr_t start;
    bool fits;

    ticket_lock_acquire(&metadata_lock);
    start = (metadata_next + align_bytes - 1) & ~(align_bytes - 1);
    fits = size_bytes <= METADATA_BASE + METADATA_BYTES - start;
    if (fits)
        metadata_next = start + size_bytes;
    ticket_lock_release(&metadata_lock);
    irq_restore(state);
    return fits ? (void *)start : NULL;
}

/* ---- Giving back ----------------------------------------------------------------------------- */

/* The entry becomes the shared one again; what it led to goes back. */
static void retire(uint64_t *slot, unsigned level) {
    uint64_t old = *slot;

    if (old != shared_entry[level] && replace(slot, old, shared_entry[level]))
        memory_give(old & PTE_ADDRESS);
}

/* [from, to) lies in one block. Its own table goes too if nobody else's pages are in it. */
static void release_in_block(uintptr_t from, uintptr_t to) {
    uint64_t *slot = page_table_entry(mmu_tables(), from, LEVEL_BLOCK);

    if ((*slot & PTE_TABLE) && *slot != shared_entry[LEVEL_BLOCK])
        for (uintptr_t at = from; at < to; at += PAGE_BYTES)
            retire(page_table_entry(mmu_tables(), at, LEVEL_PAGE), LEVEL_PAGE);
    if (to - from == page_table_span(LEVEL_BLOCK))
        retire(slot, LEVEL_BLOCK);
}

/* The addresses are used again if they are the last that were reserved; else there are enough. */
static void forget(uintptr_t start, uintptr_t end) {
    uintptr_t state = irq_save();

    ticket_lock_acquire(&metadata_lock);
    if (metadata_next == end)
        metadata_next = start;
    ticket_lock_release(&metadata_lock);
    irq_restore(state);
}

void larder_port_release(void *pointer, size_t size_bytes) {
    uintptr_t start = (uintptr_t)pointer;
    uintptr_t end = start + size_bytes;
    uint64_t block = page_table_span(LEVEL_BLOCK);

    for (uintptr_t at = start, to; at < end; at = to) {
        to = at - at % block + block;
        if (to > end)
            to = end;
        release_in_block(at, to);
    }
    forget(start, end);
}
