/* space_fault.c: what a fault in an address space means, and how it is mended. See space.h.
 *
 *   entry      region says          then
 *   0          fresh memory         a zeroed frame; or a block, if all of it is free and memory
 * plenty 0          a page of the file   not writable: the kernel image's own page, borrowed
 *                                   writable: a frame with a copy
 *   read-only  may be written       others use the frame, or it is borrowed: a copy
 *                                   nobody else does: made writable
 */
#include "barrier.h"
#include "cache.h"
#include "kernel.h"
#include "mmu.h"
#include "page_copy.h"
#include "space.h"
#include "user_frame.h"

#include "asid.h"

#include "larder/frames.h"

#define PLENTY 8u /* blocks only while more than 1/PLENTY of memory is free */

static uint64_t page_of(uint64_t address) {
    return address / PAGE_BYTES * PAGE_BYTES;
}

/* An entry that named a frame names another: never both at once, for any TLB. */
static void replace(const struct space *space, const struct user_leaf *leaf, uint64_t entry) {
    *(volatile uint64_t *)leaf->entry = 0;
    asid_forget_page(space->asid, leaf->address);
    *(volatile uint64_t *)leaf->entry = entry;
    barrier_tables();
}

/* ---- Fresh memory ---------------------------------------------------------------------------- */

/* Page `offset` bytes into the file: is there anything of the file in it? */
static bool is_from_file(const struct region *region, uint64_t offset) {
    return region->source != NULL && offset < region->source_bytes;
}

static enum space_fault borrow_page(struct space *space, const struct region *region,
                                    uint64_t page) {
    uint64_t *entry = user_table_page(&space->table, page);

    if (entry == NULL)
        return SPACE_FAULT_NO_MEMORY;
    *(volatile uint64_t *)entry = mmu_address(region->source + (page - region->start)) |
                                  space_attributes(region->protection) | PTE_TABLE | PTE_BORROWED;
    barrier_tables();
    return SPACE_FAULT_MENDED;
}

static void fill_page(const struct region *region, uint64_t page, unsigned char *to) {
    uint64_t offset = page - region->start;
    uint64_t bytes = region->source_bytes - offset;

    if (bytes >= PAGE_BYTES) {
        page_copy(to, region->source + offset, PAGE_BYTES);
        return;
    }
    memcpy(to, region->source + offset, bytes);
    memset(to + bytes, 0, PAGE_BYTES - bytes);
}

static enum space_fault fresh_page(struct space *space, const struct region *region,
                                   uint64_t page) {
    bool from_file = is_from_file(region, page - region->start);
    uint64_t *entry = user_table_page(&space->table, page);
    uint64_t frame = entry != NULL ? user_frame_take(space->owner, 0, !from_file) : UINT64_MAX;

    if (frame == UINT64_MAX) {
        user_table_trim(&space->table, page, page + PAGE_BYTES);
        asid_forget(space->asid);
        return SPACE_FAULT_NO_MEMORY;
    }
    if (from_file)
        fill_page(region, page, mmu_pointer(frame));
    if (region->protection & REGION_EXECUTE)
        cache_sync_instructions(mmu_pointer(frame), PAGE_BYTES);
    *(volatile uint64_t *)entry = frame | space_attributes(region->protection) | PTE_TABLE;
    space_count_in(space, PAGE_BYTES);
    barrier_tables();
    return SPACE_FAULT_MENDED;
}

static bool memory_is_plenty(void) {
    struct larder_frames_stats stats;

    larder_frames_stats(kernel_larder, &stats);
    return stats.free > stats.usable / PLENTY;
}

/* True iff a block could be put there. */
static bool fresh_block(struct space *space, const struct region *region, uint64_t address) {
    uint64_t start = address / USER_BLOCK_BYTES * USER_BLOCK_BYTES;
    uint64_t *entry, block;

    if (region->start > start || region->end < start + USER_BLOCK_BYTES || region->source != NULL ||
        !(region->protection & REGION_WRITE) || !memory_is_plenty())
        return false;
    entry = user_table_block(&space->table, address);
    if (entry == NULL || *entry != 0)
        return false;
    block = user_frame_take(space->owner, USER_BLOCK_ORDER, true);
    if (block == UINT64_MAX)
        return false;
    *(volatile uint64_t *)entry = block | space_attributes(region->protection);
    space_count_in(space, USER_BLOCK_BYTES);
    barrier_tables();
    return true;
}

static enum space_fault bring_in(struct space *space, const struct region *region,
                                 uint64_t address) {
    uint64_t page = page_of(address);

    if (!(region->protection & REGION_WRITE) && is_from_file(region, page - region->start))
        return borrow_page(space, region, page);
    if (fresh_block(space, region, address))
        return SPACE_FAULT_MENDED;
    return fresh_page(space, region, page);
}

/* ---- Copy on write --------------------------------------------------------------------------- */

/* False iff there is no memory for a copy of that size. */
static bool copy_leaf(struct space *space, const struct region *region,
                      const struct user_leaf *leaf) {
    unsigned order = leaf->span == USER_BLOCK_BYTES ? USER_BLOCK_ORDER : 0;
    uint64_t old = *leaf->entry, copy = user_frame_take(space->owner, order, false);

    if (copy == UINT64_MAX)
        return false;
    page_copy(mmu_pointer(copy), mmu_pointer(old & PTE_ADDRESS), leaf->span);
    replace(space, leaf,
            copy | space_attributes(region->protection) | (order == 0 ? PTE_TABLE : 0));
    if (old & PTE_BORROWED)
        space_count_in(space, PAGE_BYTES);
    else
        user_frame_leave(old & PTE_ADDRESS, order);
    return true;
}

static enum space_fault write_to(struct space *space, const struct region *region,
                                 const struct user_leaf *leaf) {
    uint64_t entry = *leaf->entry;

    if (!(entry & PTE_BORROWED) && !user_frame_is_shared(entry & PTE_ADDRESS)) {
        *(volatile uint64_t *)leaf->entry = entry & ~PTE_READ_ONLY;
        asid_forget_page(space->asid, leaf->address);
        user_frame_own(entry & PTE_ADDRESS, leaf->span == PAGE_BYTES ? 0 : USER_BLOCK_ORDER,
                       space->owner);
        return SPACE_FAULT_MENDED;
    }
    if (copy_leaf(space, region, leaf))
        return SPACE_FAULT_MENDED;
    if (leaf->span == USER_BLOCK_BYTES && space_break_block(space, leaf))
        return SPACE_FAULT_MENDED;
    return SPACE_FAULT_NO_MEMORY;
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static bool permits(uint64_t entry, unsigned access) {
    return (entry & PTE_VALID) && !((access & REGION_WRITE) && (entry & PTE_READ_ONLY)) &&
           !((access & REGION_EXECUTE) && (entry & PTE_NO_USER_EXECUTE));
}

enum space_fault space_fault(struct space *space, uint64_t address, unsigned access) {
    const struct region *region = region_find(&space->regions, address);
    struct user_leaf leaf;

    if (region == NULL)
        return SPACE_FAULT_NOTHING;
    if (region->kind == REGION_GUARD)
        return SPACE_FAULT_GUARD;
    if ((region->protection & access) != access)
        return SPACE_FAULT_FORBIDDEN;
    if (!user_table_find(&space->table, address, &leaf) || *leaf.entry == 0)
        return bring_in(space, region, address);
    if (!permits(*leaf.entry, access))
        return write_to(space, region, &leaf);
    asid_forget_page(space->asid, address); /* mended already: the TLB was behind */
    return SPACE_FAULT_MENDED;
}

void *space_pointer(struct space *space, uint64_t address, unsigned access,
                    enum space_fault *fault) {
    struct user_leaf leaf;

    *fault = SPACE_FAULT_MENDED;
    while (*fault == SPACE_FAULT_MENDED) {
        if (user_table_find(&space->table, address, &leaf) && permits(*leaf.entry, access))
            return mmu_pointer((*leaf.entry & PTE_ADDRESS) + (address - leaf.address));
        *fault = space_fault(space, address, access);
    }
    return NULL;
}
