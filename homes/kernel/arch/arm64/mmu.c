/* mmu.c: see mmu.h. The tree is changed by CPU 0 during start-up, and later only by
 * mmu_map_window() and metadata.c, each under its own lock and in its own region; no two regions
 * share an entry of the root. */
#include "mmu.h"

#include "asid.h"
#include "barrier.h"
#include "boot.h"
#include "cpu.h"
#include "early.h"
#include "kernel.h"
#include "lock.h"
#include "memory.h"
#include "registers.h"
#include "user_table.h"

static struct page_table tables;
static struct ticket_lock window_lock;
static bool is_shared;        /* written once, before there is another CPU */
static uintptr_t window_next; /* guarded by window_lock */

/* Tables of start-up lie in .bss, which has no linear mapping at first. The rest of the image never
 * holds one, and its init part may: once it was given back, a frame of it is like any other. */
static bool is_in_bss(uint64_t address) {
    return address - mmu_address(bss_start) < (uint64_t)(bss_end - bss_start);
}

static uint64_t *table_pointer(uint64_t address) {
    if (is_in_bss(address))
        return (uint64_t *)(address - boot_info.image_address + IMAGE_BASE);
    return mmu_pointer(address);
}

static uint64_t table_take(void) {
    void *page = early_pool_take();

    return page != NULL ? mmu_address(page) : memory_take(PAGE_BYTES, PAGE_BYTES);
}

void mmu_setup(void) {
    tables.root = boot_info.table_root;
    tables.pointer = table_pointer;
    tables.take = table_take;
    window_next = EARLY_DTB_WINDOW + 2 * CONFIG_DTB_BYTES_MAX;
}

const struct page_table *mmu_tables(void) {
    return &tables;
}

uint64_t mmu_address(const void *pointer) {
    uintptr_t value = (uintptr_t)pointer;

    if (value >= IMAGE_BASE)
        return value - IMAGE_BASE + boot_info.image_address;
    return value - LINEAR_BASE;
}

void mmu_map_linear(uint64_t address, uint64_t size_bytes, bool writable) {
    if (!page_table_map(&tables, address + LINEAR_BASE, address, size_bytes,
                        writable ? MAP_DATA : MAP_CONSTANT))
        panic("linear map of %#lx: no memory for tables", address);
    barrier_tables();
}

void mmu_share(void) {
    is_shared = true;
}

void mmu_flush(void) {
    if (is_shared)
        __asm__ volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" ::: "memory");
    else
        __asm__ volatile("dsb nshst\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

/* Every leaf entry of a stretch becomes `entry`, with the address it had if `keep_address`. */
static void rewrite(const void *pointer, uint64_t size_bytes, uint64_t entry, bool keep_address) {
    uintptr_t at = (uintptr_t)pointer;
    uint64_t span;

    for (uint64_t done = 0; done < size_bytes; done += span) {
        uint64_t *slot = page_table_find(&tables, at + done, &span);

        if (slot == NULL || (at + done) % span != 0 || span > size_bytes - done)
            panic("cannot change the mapping of %p", (const void *)(at + done));
        *(volatile uint64_t *)slot =
            keep_address ? entry | (*slot & (PTE_ADDRESS | PTE_TABLE)) : entry;
    }
    mmu_flush();
}

void mmu_protect(const void *pointer, uint64_t size_bytes, uint64_t attributes) {
    rewrite(pointer, size_bytes, attributes, true);
}

void mmu_unmap(const void *pointer, uint64_t size_bytes) {
    rewrite(pointer, size_bytes, 0, false);
}

void *mmu_map_window(uint64_t address, uint64_t size_bytes, uint64_t attributes) {
    uint64_t first = address / PAGE_BYTES * PAGE_BYTES;
    uint64_t bytes = (address + size_bytes - first + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    uintptr_t state = irq_save();
    uintptr_t window;
    bool mapped;

    ticket_lock_acquire(&window_lock);
    window = window_next + PAGE_BYTES;
    window_next = window + bytes;
    mapped = window_next < WINDOW_BASE + WINDOW_BYTES &&
             page_table_map(&tables, window, first, bytes, attributes);
    ticket_lock_release(&window_lock);
    irq_restore(state);
    if (!mapped)
        panic("mapping of %#lx, %#lx bytes: no memory for tables", address, size_bytes);
    barrier_tables();
    return (void *)(window + (address - first));
}

bool mmu_is_readable(uintptr_t virtual) {
    uintptr_t state = irq_save();
    uint64_t result;

    __asm__ volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1" : "=r"(result) : "r"(virtual));
    irq_restore(state);
    return (result & 1) == 0;
}

static const uint64_t no_user_table[PAGE_BYTES / sizeof(uint64_t)] __attribute__((aligned(4096)));

/* The width of the half changes while its walks are off. */
void mmu_retire_identity(void) {
    uint64_t control, empty = mmu_address(no_user_table);

    cpu_this()->no_user_table = empty;
    __asm__ volatile("mrs %0, tcr_el1" : "=r"(control));
    control |= TCR_EPD0;
    __asm__ volatile("msr tcr_el1, %0\n\tisb\n\tmsr ttbr0_el1, %1\n\tisb" ::"r"(control),
                     "r"(empty));
    __asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
    control = (control & ~(TCR_SIZE_MASK | TCR_EPD0)) | (64 - USER_VA_BITS);
    if (asid_bits() == 16)
        control |= TCR_ASID_16;
    __asm__ volatile("msr tcr_el1, %0\n\tisb" ::"r"(control));
    /* Processes may read the counter, and use no timer and no performance monitor. */
    __asm__ volatile("msr cntkctl_el1, %0\n\tmsr pmuserenr_el0, xzr" ::"r"(CNTKCTL_VALUE));
}
