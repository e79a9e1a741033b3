/* memory.c: from the range table to the allocator.
 *
 * Order: mark what start-up uses; map RAM into the linear map, lowest first, taking frames for
 * tables out of RAM that is mapped already; let larder build its frame map and its buddies; attach
 * the first slot. What is DONATED in the table (init code, first stack, identity map, device tree)
 * is described by the frame map but in use until memory_donate().
 */
#include "memory.h"

#include "boot.h"
#include "cpu.h"
#include "early.h"
#include "kernel.h"
#include "mmu.h"

#include "larder/frames.h"

struct larder_storage kernel_larder_storage;

static uint64_t linear_limit; /* RAM below is in the linear map */

const struct larder_ranges *memory_ranges(void) {
    return &memory_table;
}

uint64_t memory_take(uint64_t size_bytes, uint64_t align_bytes) {
    uint64_t address;

    if (memory_table.closed) {
        unsigned order = (unsigned)__builtin_ctzl(size_bytes / PAGE_BYTES);
        void *frames = larder_frames_alloc(kernel_larder, order, LARDER_ZERO);

        return frames != NULL ? larder_frames_address(kernel_larder, frames) : LARDER_ADDRESS_NONE;
    }
    address = larder_ranges_take(&memory_table, size_bytes, align_bytes, linear_limit,
                                 LARDER_RANGE_RESERVED);
    if (address != LARDER_ADDRESS_NONE)
        memset(mmu_pointer(address), 0, size_bytes);
    return address;
}

void memory_give(uint64_t address) {
    const struct larder_range *range = larder_ranges_find(&memory_table, address);

    if (memory_table.closed && range->kind != LARDER_RANGE_RESERVED)
        larder_frames_free(kernel_larder, mmu_pointer(address));
}

/* Stronger kinds stay: a device or a reservation does not become donated. */
static void mark(uint64_t address, uint64_t size_bytes, enum larder_range_kind kind) {
    if (larder_ranges_add(&memory_table, address, size_bytes, kind) != LARDER_OK)
        panic("the memory map has too many pieces");
}

void memory_reserve(uint64_t address, uint64_t size_bytes) {
    const struct larder_range *range = larder_ranges_find(&memory_table, address);

    if (range != NULL && range->kind == LARDER_RANGE_USABLE)
        mark(address, size_bytes, LARDER_RANGE_RESERVED);
}

static bool is_ram(const struct larder_range *range) {
    return range->kind != LARDER_RANGE_DEVICE;
}

/* Beyond mem= the tree is read where it lies, and is none of our memory. */
static bool is_in_ram(uint64_t address) {
    const struct larder_range *range = larder_ranges_find(&memory_table, address);

    return range != NULL && is_ram(range);
}

static void mark_image(void) {
    uint64_t init = mmu_address(init_start);

    mark(boot_info.image_address, (uint64_t)(init_start - image_start), LARDER_RANGE_RESERVED);
    mark(init, (uint64_t)(init_end - init_start), LARDER_RANGE_DONATED);
    mark(mmu_address(init_end), (uint64_t)(image_end - init_end), LARDER_RANGE_RESERVED);
    if (boot_info.dtb_address != 0 && is_in_ram(boot_info.dtb_address))
        mark(boot_info.dtb_address / PAGE_BYTES * PAGE_BYTES, boot_info.dtb_bytes,
             LARDER_RANGE_DONATED);
}

/* ---- The linear map -------------------------------------------------------------------------- */

/* Parts of the image that nobody may write through the linear map either. */
static bool is_constant(uint64_t address) {
    return (address >= boot_info.image_address && address < mmu_address(init_text_end)) ||
           (address >= mmu_address(symbols_start) && address < mmu_address(symbols_end));
}

/* The first boundary behind `from` where permissions may change, at most `to`. */
static uint64_t next_boundary(uint64_t from, uint64_t to) {
    const unsigned char *const boundary[] = {image_start, init_start, init_text_end, symbols_start,
                                             symbols_end};

    for (size_t i = 0; i < sizeof boundary / sizeof *boundary; i++) {
        uint64_t address = mmu_address(boundary[i]);

        if (address > from && address < to)
            return address;
    }
    return to;
}

static void map_run(uint64_t from, uint64_t end) {
    while (from < end) {
        uint64_t to = next_boundary(from, end);

        mmu_map_linear(from, to - from, !is_constant(from));
        from = to;
    }
}

/* A tree may report memory that is not there; better said now than found out later. */
static void probe_run(uint64_t from, uint64_t end) {
    const uint64_t last = end - PAGE_BYTES;

    if (!fault_probe_read((uintptr_t)mmu_pointer(from)) ||
        !fault_probe_read((uintptr_t)mmu_pointer(last)))
        panic("memory from %#lx to %#lx is reported but does not answer", from, end);
}

static uint64_t physical_limit(void) {
    static const unsigned char bits[] = {32, 36, 40, 42, 44, 48, 48, 48};
    uint64_t features, limit;

    __asm__("mrs %0, id_aa64mmfr0_el1" : "=r"(features));
    limit = 1ul << bits[features & 7];
    return limit < LINEAR_BYTES ? limit : LINEAR_BYTES;
}

/* Ranges that touch are one run, whatever their kinds, so blocks stay large. A page that is not RAM
 * as a whole stays out. */
static void map_ram(void) {
    const struct larder_ranges table = memory_table; /* taking frames changes the table */

    for (unsigned i = 0; i < table.count;) {
        uint64_t from = (table.range[i].address + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        uint64_t end = table.range[i].address;

        for (; i < table.count && is_ram(&table.range[i]) && table.range[i].address == end; i++)
            end += table.range[i].size_bytes;
        if (i < table.count && !is_ram(&table.range[i]))
            i++;
        end = end / PAGE_BYTES * PAGE_BYTES;
        if (end > physical_limit())
            panic("memory ends at %#lx: this core addresses %#lx bytes", end, physical_limit());
        if (from >= end)
            continue;
        map_run(from, end);
        probe_run(from, end);
        linear_limit = end;
    }
}

/* ---- larder ---------------------------------------------------------------------------------- */

static void start_larder(void) {
    const struct larder_range *last = &memory_table.range[memory_table.count - 1];
    struct larder_config config = {
        .ranges = &memory_table,
        .linear_offset = LINEAR_BASE,
        .zone = {{.name = "dma", .limit_address = machine_dma_limit()},
                 {.name = "normal", .limit_address = UINT64_MAX}},
        .zone_count = last->address + last->size_bytes > machine_dma_limit() ? 2 : 1,
        .slot_count = CONFIG_CPU_MAX,
        .reserve_frames = 256,
        .debug = machine_bootarg("larder.debug"),
    };
    enum larder_status status;

    if (config.zone_count == 1)
        config.zone[0].limit_address = UINT64_MAX;
    if (larder_init(&kernel_larder_storage, &config, &status) == NULL)
        panic("larder does not start: %s", larder_status_text(status));
    struct larder_slot *slot = larder_slot_attach(kernel_larder, cpu_self());
    if (slot == NULL)
        panic("no memory for the slot of CPU %u", cpu_self());
    cpu_set_slot(slot);
}

void memory_start(void) {
    mark_image();
    map_ram();
    metadata_setup();
    start_larder();
}

uintptr_t stack_alloc(void) {
    uint64_t address = memory_take(STACK_BYTES, STACK_BYTES);

    if (address == LARDER_ADDRESS_NONE)
        panic("no memory for a stack");
    return (uintptr_t)mmu_map_window(address, STACK_BYTES, MAP_DATA);
}

/* ---- Giving start-up memory back ------------------------------------------------------------- */

/* The rest of the mappings of what is donated: after this only the linear map reaches it. */
static void retire_mappings(void) {
    uint64_t window = boot_info.dtb_bytes;

    mmu_unmap(init_start, (uint64_t)(init_end - init_start));
    if (window != 0)
        mmu_unmap((const void *)EARLY_DTB_WINDOW, window);
    mmu_protect(mmu_pointer(mmu_address(init_start)), (uint64_t)(init_text_end - init_start),
                MAP_DATA);
}

void memory_donate(void) {
    uint64_t total = larder_ranges_bytes(&memory_table, LARDER_RANGE_DONATED);

    retire_mappings();
    for (unsigned i = 0; i < memory_table.count; i++) {
        const struct larder_range *range = &memory_table.range[i];
        enum larder_status status;

        if (range->kind != LARDER_RANGE_DONATED)
            continue;
        status = larder_frames_donate(kernel_larder, range->address, range->size_bytes);
        if (status != LARDER_OK)
            log_line(LOG_WARNING, "start-up memory at %#lx stays: %s", range->address,
                     larder_status_text(status));
    }
    log_line(LOG_INFO, "start-up memory given back: %lu KiB", total >> 10);
}
