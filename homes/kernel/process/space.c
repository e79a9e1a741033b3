/* space.c: see space.h: life of an address space, and its regions. */
#include "space.h"

#include "asid.h"
#include "cache.h"
#include "cpu.h"
#include "kernel.h"
#include "mmu.h"
#include "objects.h"
#include "page_copy.h"
#include "user_frame.h"

static bool is_private(const struct region *region) {
    return region->kind != REGION_GUARD &&
           (region->kind != REGION_IMAGE || (region->protection & REGION_WRITE));
}

static uint64_t region_bytes(const struct region *region) {
    return region->end - region->start;
}

static unsigned order_of(uint64_t span) {
    return span == USER_BLOCK_BYTES ? USER_BLOCK_ORDER : 0;
}

/* ---- Counting -------------------------------------------------------------------------------- */

void space_count_in(struct space *space, uint64_t span) {
    uint64_t resident =
        atomic_load_explicit(&space->resident, memory_order_relaxed) + span / PAGE_BYTES;

    atomic_store_explicit(&space->resident, resident, memory_order_relaxed);
    if (resident > space->resident_peak)
        space->resident_peak = resident;
    space->blocks += span == USER_BLOCK_BYTES;
}

void space_count_out(struct space *space, uint64_t span) {
    atomic_fetch_sub_explicit(&space->resident, span / PAGE_BYTES, memory_order_relaxed);
    space->blocks -= span == USER_BLOCK_BYTES;
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Without any protection the entry stays, for us to know the frame, and is not valid. */
uint64_t space_attributes(unsigned protection) {
    uint64_t attributes = USER_COMMON;

    if (protection == 0)
        attributes &= ~PTE_VALID;
    if (!(protection & REGION_WRITE))
        attributes |= PTE_READ_ONLY;
    if (!(protection & REGION_EXECUTE))
        attributes |= PTE_NO_USER_EXECUTE;
    return attributes;
}

static void drop_leaf(struct space *space, const struct user_leaf *leaf) {
    uint64_t entry = *leaf->entry;

    *(volatile uint64_t *)leaf->entry = 0;
    if (entry & PTE_BORROWED)
        return;
    space_count_out(space, leaf->span);
    user_frame_leave(entry & PTE_ADDRESS, order_of(leaf->span));
}

/* The TLB first: a frame is somebody else's once it was given back. */
static void drop_range(struct space *space, uint64_t start, uint64_t end) {
    struct user_leaf leaf;

    for (uint64_t at = start; user_table_next(&space->table, at, end, &leaf);
         at = leaf.address + leaf.span) {
        *(volatile uint64_t *)leaf.entry &= ~PTE_VALID;
    }
    asid_forget(space->asid);
    for (uint64_t at = start; user_table_next(&space->table, at, end, &leaf);
         at = leaf.address + leaf.span)
        drop_leaf(space, &leaf);
    user_table_trim(&space->table, start, end);
    asid_forget(space->asid);
}

static void copy_block(const uint64_t *page_table, uint64_t block) {
    for (unsigned i = 0; i < USER_BLOCK_BYTES / PAGE_BYTES; i++) {
        void *page = mmu_pointer(page_table[i] & PTE_ADDRESS);

        page_copy(page, mmu_pointer(block + i * PAGE_BYTES), PAGE_BYTES);
        if (!(page_table[i] & PTE_NO_USER_EXECUTE))
            cache_sync_instructions(page, PAGE_BYTES);
    }
}

/* False iff there are not enough frames; then none is taken. */
static bool fill_table(struct space *space, uint64_t *page_table, uint64_t attributes) {
    for (unsigned i = 0; i < USER_BLOCK_BYTES / PAGE_BYTES; i++) {
        uint64_t frame = user_frame_take(space->owner, 0, false);

        if (frame == UINT64_MAX) {
            while (i-- > 0)
                user_frame_leave(page_table[i] & PTE_ADDRESS, 0);
            return false;
        }
        page_table[i] = frame | attributes | PTE_TABLE;
    }
    return true;
}

/* Copied, not cut: a block goes back to the buddies as it came. */
bool space_break_block(struct space *space, const struct user_leaf *leaf) {
    const struct region *region = region_find(&space->regions, leaf->address);
    uint64_t block = *leaf->entry & PTE_ADDRESS;
    uint64_t *page_table = user_table_take(&space->table);

    if (page_table == NULL)
        return false;
    if (!fill_table(space, page_table, space_attributes(region->protection))) {
        memset(page_table, 0, PAGE_BYTES);
        user_table_give(&space->table, page_table);
        return false;
    }
    copy_block(page_table, block);
    *(volatile uint64_t *)leaf->entry = 0;
    asid_forget(space->asid);
    *(volatile uint64_t *)leaf->entry = mmu_address(page_table) | PTE_TABLE | PTE_VALID;
    asid_forget(space->asid);
    space->blocks--;
    user_frame_leave(block, USER_BLOCK_ORDER);
    return true;
}

/* ---- Life ------------------------------------------------------------------------------------ */

struct space *space_create(uint32_t owner, uint64_t limit_bytes) {
    struct space *space = object_take(OBJECT_SPACE);

    if (space == NULL)
        return NULL;
    *space = (struct space){.owner = owner, .limit_bytes = limit_bytes, .cpu = CPU_NONE};
    region_list_init(&space->regions);
    space->asid = asid_take();
    if (space->asid == ASID_NONE)
        goto give_space;
    if (user_table_init(&space->table))
        return space;
    asid_give(space->asid);
give_space:
    object_give(OBJECT_SPACE, space);
    return NULL;
}

/* Leaves are in regions only: the rest need not be looked at. */
void space_destroy(struct space *space) {
    struct user_leaf leaf;
    struct region *region;

    while ((region = region_from(&space->regions, 0)) != NULL) {
        for (uint64_t at = region->start; user_table_next(&space->table, at, region->end, &leaf);
             at = leaf.address + leaf.span)
            drop_leaf(space, &leaf);
        region_remove(&space->regions, region);
    }
    user_table_fini(&space->table);
    asid_give(space->asid);
    object_give(OBJECT_SPACE, space);
}

/* The same frame for both, read-only for both. */
static bool share_leaf(struct space *child, const struct user_leaf *leaf) {
    uint64_t *entry = leaf->span == PAGE_BYTES ? user_table_page(&child->table, leaf->address)
                                               : user_table_block(&child->table, leaf->address);

    if (entry == NULL)
        return false;
    if (!(*leaf->entry & PTE_BORROWED)) {
        *(volatile uint64_t *)leaf->entry |= PTE_READ_ONLY;
        user_frame_share(*leaf->entry & PTE_ADDRESS);
        space_count_in(child, leaf->span);
    }
    *(volatile uint64_t *)entry = *leaf->entry;
    return true;
}

static bool share_leaves(struct space *space, struct space *child) {
    const struct region *region = region_from(&space->regions, 0);
    struct user_leaf leaf;
    bool shared = true;

    for (; shared && region != NULL; region = region_next(&space->regions, region))
        for (uint64_t at = region->start;
             shared && user_table_next(&space->table, at, region->end, &leaf);
             at = leaf.address + leaf.span)
            shared = share_leaf(child, &leaf);
    asid_forget(space->asid);
    return shared;
}

static bool copy_regions(const struct space *space, struct space *child) {
    const struct region *region = region_from(&space->regions, 0);

    for (; region != NULL; region = region_next(&space->regions, region))
        if (region_add(&child->regions, region) == NULL)
            return false;
    child->reserved_bytes = space->reserved_bytes;
    child->heap_start = space->heap_start;
    child->heap_end = space->heap_end;
    return true;
}

struct space *space_fork(struct space *space, uint32_t owner) {
    struct space *child = space_create(owner, space->limit_bytes);

    if (child == NULL)
        return NULL;
    if (copy_regions(space, child) && share_leaves(space, child))
        return child;
    space_destroy(child);
    return NULL;
}

void space_enter(struct space *space) {
    struct cpu *cpu = cpu_this();

    if (space == NULL) {
        cpu->user_table = cpu->no_user_table;
        return;
    }
    if (space->cpu != cpu->index)
        asid_forget(space->asid);
    space->cpu = cpu->index;
    cpu->user_table = mmu_address(space->table.root) | (uint64_t)space->asid << 48;
}

/* ---- Regions --------------------------------------------------------------------------------- */

static bool is_range(uint64_t address, uint64_t bytes) {
    return address % PAGE_BYTES == 0 && bytes != 0 && bytes <= USER_END && address < USER_END &&
           address + bytes <= USER_END;
}

static uint64_t whole_pages(uint64_t bytes) {
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* What may be written or executed may be read. False iff there is no such protection. */
static bool complete_protection(unsigned *protection) {
    if (*protection != 0)
        *protection |= REGION_READ;
    return *protection <= (REGION_READ | REGION_WRITE | REGION_EXECUTE) &&
           (*protection & (REGION_WRITE | REGION_EXECUTE)) != (REGION_WRITE | REGION_EXECUTE);
}

int64_t space_add(struct space *space, const struct region *region) {
    uint64_t bytes = is_private(region) ? region_bytes(region) : 0;

    if (!is_range(region->start, region_bytes(region)) || region->end % PAGE_BYTES != 0 ||
        !region_is_hole(&space->regions, region->start, region->end))
        return -ERROR_INVALID;
    if (bytes > space->limit_bytes - space->reserved_bytes)
        return -ERROR_NO_MEMORY;
    if (region_add(&space->regions, region) == NULL)
        return -ERROR_NO_MEMORY;
    space->reserved_bytes += bytes;
    region_merge(&space->regions, region->start, region->end);
    return 0;
}

int64_t space_map(struct space *space, uint64_t address, uint64_t bytes, unsigned protection) {
    struct region region = {.kind = REGION_MAP};
    int64_t status;

    if (bytes == 0 || bytes > USER_END || !complete_protection(&protection))
        return -ERROR_INVALID;
    bytes = whole_pages(bytes);
    if (address == 0)
        address = region_hole(&space->regions, MAP_START, USER_END, bytes,
                              bytes >= USER_BLOCK_BYTES ? USER_BLOCK_BYTES : PAGE_BYTES);
    if (address == 0)
        return -ERROR_NO_MEMORY;
    if (address < MAP_START)
        return -ERROR_INVALID;
    region.start = address;
    region.end = address + bytes;
    region.protection = protection;
    status = space_add(space, &region);
    return status == 0 ? (int64_t)address : status;
}

/* Boundaries at both ends, of regions and of blocks. False iff there is no memory. */
static bool carve_at(struct space *space, uint64_t address) {
    struct user_leaf leaf;

    if (address < USER_END && user_table_find(&space->table, address, &leaf) && *leaf.entry != 0 &&
        leaf.address != address && !space_break_block(space, &leaf))
        return false;
    return region_split(&space->regions, address);
}

static void remove_regions(struct space *space, uint64_t start, uint64_t end) {
    struct region *region;

    while ((region = region_from(&space->regions, start)) != NULL && region->start < end) {
        if (is_private(region))
            space->reserved_bytes -= region_bytes(region);
        region_remove(&space->regions, region);
    }
}

int64_t space_unmap(struct space *space, uint64_t address, uint64_t bytes) {
    bytes = bytes <= USER_END ? whole_pages(bytes) : 0;
    if (!is_range(address, bytes))
        return -ERROR_INVALID;
    if (region_is_hole(&space->regions, address, address + bytes))
        return 0;
    if (!carve_at(space, address) || !carve_at(space, address + bytes))
        return -ERROR_NO_MEMORY;
    drop_range(space, address, address + bytes);
    remove_regions(space, address, address + bytes);
    return 0;
}

/* ---- Protection ------------------------------------------------------------------------------ */

/* Regions without a gap, none of them a guard; *growth: bytes that become private by it. */
static bool is_covered(const struct space *space, uint64_t start, uint64_t end, unsigned protection,
                       uint64_t *growth) {
    *growth = 0;
    while (start < end) {
        const struct region *region = region_find(&space->regions, start);
        struct region after;

        if (region == NULL || region->kind == REGION_GUARD)
            return false;
        after = *region;
        after.protection = protection;
        if (is_private(&after) && !is_private(region))
            *growth += (region->end < end ? region->end : end) - start;
        start = region->end;
    }
    return true;
}

/* What was written before can be executed. */
static void protect_leaf(const struct user_leaf *leaf, unsigned protection) {
    uint64_t kept = *leaf->entry & (PTE_ADDRESS | PTE_TABLE | PTE_BORROWED);
    uint64_t entry = kept | space_attributes(protection);

    if (kept & PTE_BORROWED || user_frame_is_shared(kept & PTE_ADDRESS))
        entry |= PTE_READ_ONLY;
    *(volatile uint64_t *)leaf->entry = entry;
    if (protection & REGION_EXECUTE)
        cache_sync_instructions(mmu_pointer(kept & PTE_ADDRESS), leaf->span);
}

static void protect_regions(struct space *space, uint64_t start, uint64_t end,
                            unsigned protection) {
    struct region *region = region_from(&space->regions, start);

    for (; region != NULL && region->start < end; region = region_next(&space->regions, region)) {
        uint64_t before = is_private(region) ? region_bytes(region) : 0;

        region->protection = protection;
        space->reserved_bytes += (is_private(region) ? region_bytes(region) : 0) - before;
    }
}

int64_t space_protect(struct space *space, uint64_t address, uint64_t bytes, unsigned protection) {
    struct user_leaf leaf;
    uint64_t end, growth;

    bytes = bytes <= USER_END ? whole_pages(bytes) : 0;
    if (!is_range(address, bytes) || !complete_protection(&protection))
        return -ERROR_INVALID;
    end = address + bytes;
    if (!is_covered(space, address, end, protection, &growth))
        return -ERROR_INVALID;
    if (growth > space->limit_bytes - space->reserved_bytes || !carve_at(space, address) ||
        !carve_at(space, end))
        return -ERROR_NO_MEMORY;
    for (uint64_t at = address; user_table_next(&space->table, at, end, &leaf);
         at = leaf.address + leaf.span)
        protect_leaf(&leaf, protection);
    asid_forget(space->asid);
    protect_regions(space, address, end, protection);
    region_merge(&space->regions, address, end);
    return 0;
}

static bool is_writable(const struct space *space, uint64_t start, uint64_t end) {
    const struct region *region;

    for (; start < end; start = region->end) {
        region = region_find(&space->regions, start);
        if (region == NULL || !(region->protection & REGION_WRITE))
            return false;
    }
    return true;
}

int64_t space_purge(struct space *space, uint64_t address, uint64_t bytes) {
    uint64_t end;
    bool is_carved;

    bytes = bytes <= USER_END ? whole_pages(bytes) : 0;
    end = address + bytes;
    if (!is_range(address, bytes) || !is_writable(space, address, end))
        return -ERROR_INVALID;
    is_carved = carve_at(space, address) && carve_at(space, end);
    if (is_carved)
        drop_range(space, address, end);
    region_merge(&space->regions, address, end);
    return is_carved ? 0 : -ERROR_NO_MEMORY;
}

/* ---- The heap -------------------------------------------------------------------------------- */

uint64_t space_set_heap_end(struct space *space, uint64_t end) {
    uint64_t from = whole_pages(space->heap_end);
    struct region grown = {.kind = REGION_HEAP, .protection = REGION_READ | REGION_WRITE};

    if (end < space->heap_start || end > MAP_START)
        return space->heap_end;
    grown.start = from;
    grown.end = whole_pages(end);
    if (grown.end > from && space_add(space, &grown) != 0)
        return space->heap_end;
    if (grown.end < from && space_unmap(space, grown.end, from - grown.end) != 0)
        return space->heap_end;
    space->heap_end = end;
    return end;
}

/* ---- Evidence -------------------------------------------------------------------------------- */

static const char *check_leaf(const struct space *space, const struct user_leaf *leaf) {
    const struct region *region = region_find(&space->regions, leaf->address);
    uint64_t entry = *leaf->entry;

    if (region == NULL || leaf->address + leaf->span > region->end)
        return "a leaf lies in no region";
    if (region->kind == REGION_GUARD)
        return "something is mapped in a guard";
    if ((entry & PTE_VALID) && region->protection == 0)
        return "a leaf is valid where nothing is permitted";
    if (!(entry & PTE_READ_ONLY) && !(region->protection & REGION_WRITE))
        return "a leaf is writable and its region is not";
    if (!(entry & PTE_READ_ONLY) && user_frame_is_shared(entry & PTE_ADDRESS))
        return "a shared frame is writable";
    if (!(entry & PTE_NO_USER_EXECUTE) && !(entry & PTE_READ_ONLY))
        return "a leaf is writable and executable";
    return NULL;
}

const char *space_check(const struct space *space) {
    const struct region *region = region_from(&space->regions, 0);
    uint64_t resident = 0, reserved = 0;
    const char *wrong = NULL;
    struct user_leaf leaf;

    for (uint64_t at = 0; wrong == NULL && user_table_next(&space->table, at, USER_END, &leaf);
         at = leaf.address + leaf.span) {
        wrong = check_leaf(space, &leaf);
        resident += *leaf.entry & PTE_BORROWED ? 0 : leaf.span / PAGE_BYTES;
    }
    for (; region != NULL; region = region_next(&space->regions, region))
        reserved += is_private(region) ? region_bytes(region) : 0;
    if (wrong == NULL && resident != atomic_load(&space->resident))
        wrong = "resident is not what is mapped";
    if (wrong == NULL && reserved != space->reserved_bytes)
        wrong = "reserved is not what the regions add up to";
    return wrong;
}
