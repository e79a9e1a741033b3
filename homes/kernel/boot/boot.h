/* boot.h: what the first instructions leave for the kernel proper, and the steps of start-up.
 *
 * boot/main.c has the order. Until memory_start() there is no allocator; until the identity map is
 * retired, memory marked DONATED is still in use (trap 11).
 */
#ifndef BOOT_H
#define BOOT_H

#include "devicetree.h"
#include "larder/ranges.h"

/* Filled by entry.S and early.c with the MMU off; constant afterwards. */
struct boot_info {
    uint64_t image_address; /* where the firmware put the image */
    uint64_t dtb_address;   /* what it passed as device tree; 0: nothing that looks like one */
    uint64_t dtb_bytes;     /* mapped at dtb_pointer, rounded to pages; at most DTB_BYTES_MAX */
    uint64_t entry_level;   /* exception level it entered at */
    uint64_t table_root;    /* address of the kernel's root table */
    uint64_t idmap_root;    /* address of the identity map's root table */
};
extern struct boot_info boot_info;

/* Linker symbols. Each is the address of its first byte, in the image's mapping. */
extern unsigned char image_start[], image_end[], text_start[], text_end[], rodata_start[],
    rodata_end[], init_start[], init_text_end[], idmap_start[], initdata_start[], init_end[],
    data_start[], data_end[], symbols_start[], symbols_end[], bss_start[], bss_end[];

/* The machine as it was found; constant after machine_detect(). */
extern struct machine machine;

/* Read the device tree, or ask the firmware; open the console. A tree that does not hold ends here
 * with a message. Interrupts off. */
void machine_detect(void);

/* Linear map, larder, the first slot. */
void memory_start(void);

/* Give larder all memory that the table calls DONATED. Start-up is over: nothing uses it. */
void memory_donate(void);

/* A stack with an unmapped page below and above; returns its lowest address. */
uintptr_t stack_alloc(void);

#endif
