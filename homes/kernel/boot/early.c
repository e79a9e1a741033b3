/* early.c: the first translation tables, built with the MMU off.
 *
 * Runs at the address where the firmware put the image, not where it was linked, with all memory
 * being Device memory: relative addresses and aligned accesses only (kernel.mk compiles this file
 * for that), no strings, no tables of pointers.
 *
 * Result: a root table for the upper half that maps the image, each part with its final
 * permissions, and the device tree if there is one; and a root for the lower half that maps the one
 * page with mmu_enable at its own address. The upper tables come out of .bss and stay; those of the
 * identity map lie in .initdata and are given away when every CPU has passed through it.
 */
#include "early.h"
#include "boot.h"
#include "layout.h"
#include "page_table.h"

#include <stddef.h>

#define TABLE_ENTRIES 512u
#define FDT_MAGIC_LITTLE_ENDIAN 0xedfe0dd0u

typedef uint64_t table[TABLE_ENTRIES] __attribute__((aligned(4096)));

/* Upper half: image and window, four levels each, and what mmu.c needs before it has a linear map
 * to find frames in. Zero at the start, being .bss. */
#define POOL_TABLES 24u
static table pool[POOL_TABLES];
static unsigned pool_used;

/* Lower half: one chain of tables. Not .bss: zeroed when taken. */
#define IDMAP_TABLES 4u
static table idmap[IDMAP_TABLES] __attribute__((section(".initdata")));
static unsigned idmap_used __attribute__((section(".initdata"))) = 0;

struct boot_info boot_info;

uint64_t *early_pool_take(void) {
    return pool_used < POOL_TABLES ? pool[pool_used++] : NULL;
}

static uint64_t pool_take(void) {
    uint64_t *taken = early_pool_take();

    return taken != NULL ? (uint64_t)taken : PAGE_TABLE_NONE;
}

static uint64_t idmap_take(void) {
    volatile uint64_t *taken;

    if (idmap_used == IDMAP_TABLES)
        return PAGE_TABLE_NONE;
    taken = idmap[idmap_used++];
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        taken[i] = 0;
    return (uint64_t)taken;
}

static uint64_t *same_address(uint64_t address) {
    return (uint64_t *)address;
}

static bool map_part(const struct page_table *upper, const unsigned char *start,
                     const unsigned char *end, uint64_t attributes) {
    uint64_t address = (uint64_t)start;

    return page_table_map(upper, address - (uint64_t)image_start + IMAGE_BASE, address,
                          (uint64_t)(end - start), attributes);
}

static bool map_image(const struct page_table *upper) {
    return map_part(upper, text_start, text_end, MAP_CODE) &&
           map_part(upper, rodata_start, rodata_end, MAP_CONSTANT) &&
           map_part(upper, init_start, init_text_end, MAP_CODE) &&
           map_part(upper, initdata_start, init_end, MAP_DATA) &&
           map_part(upper, data_start, data_end, MAP_DATA) &&
           map_part(upper, symbols_start, symbols_end, MAP_CONSTANT) &&
           map_part(upper, bss_start, bss_end, MAP_DATA);
}

/* Is it a device tree? If so, how long does it say it is? Only a limit is believed here; the rest
 * is checked when the console works. */
static void measure_device_tree(struct boot_info *info) {
    const volatile uint32_t *header = (const volatile uint32_t *)info->dtb_address;
    uint64_t offset = info->dtb_address % PAGE_BYTES;
    uint64_t bytes;

    if (info->dtb_address == 0 || info->dtb_address % 8 != 0 ||
        header[0] != FDT_MAGIC_LITTLE_ENDIAN) {
        info->dtb_address = 0;
        return;
    }
    bytes = __builtin_bswap32(header[1]);
    if (bytes > CONFIG_DTB_BYTES_MAX)
        bytes = CONFIG_DTB_BYTES_MAX;
    info->dtb_bytes = (offset + bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

static bool map_device_tree(const struct page_table *upper, const struct boot_info *info) {
    return page_table_map(upper, EARLY_DTB_WINDOW, info->dtb_address / PAGE_BYTES * PAGE_BYTES,
                          info->dtb_bytes, MAP_CONSTANT);
}

/* The pools are too small for this image: a mistake of the build, and no way to say so. */
static _Noreturn void stop(void) {
    for (;;)
        __asm__ volatile("wfe");
}

void early_map(void) {
    struct page_table upper = {.pointer = same_address, .take = pool_take};
    struct page_table lower = {.pointer = same_address, .take = idmap_take};
    uint64_t page = (uint64_t)idmap_start;

    upper.root = upper.take();
    lower.root = lower.take();
    measure_device_tree(&boot_info);
    if (!map_image(&upper) || !map_device_tree(&upper, &boot_info) ||
        !page_table_map(&lower, page, page, PAGE_BYTES, MAP_CODE))
        stop();
    boot_info.table_root = upper.root;
    boot_info.idmap_root = lower.root;
}
