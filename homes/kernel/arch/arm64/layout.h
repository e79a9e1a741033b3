/* layout.h: where things are in the kernel's half of the address space (TTBR1). Also read by the
 * linker template and by assembly.
 *
 *   LINEAR_BASE    all RAM, pointer = address + LINEAR_BASE; never executable
 *   METADATA_BASE  windows for larder's frame map: zero until committed (metadata.c)
 *   WINDOW_BASE    devices, stacks, the device tree: each with an unmapped page before and after
 *   IMAGE_BASE     the kernel image, page by page; the only place where code can run
 *
 * The lower half (TTBR0) holds one page, for as long as it takes to turn the MMU on.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "config.h"

#if CONFIG_PAGE_SHIFT != 12
#error "CONFIG_PAGE_SHIFT: a page must be a frame of larder, 4 KiB"
#endif
#if CONFIG_VA_BITS != 39 && CONFIG_VA_BITS != 48
#error "CONFIG_VA_BITS: 39 or 48"
#endif

#ifdef __ASSEMBLER__
#define ADDRESS(value) value
#else
#define ADDRESS(value) value##ul
#endif

#define PAGE_BYTES (ADDRESS(1) << CONFIG_PAGE_SHIFT)
#define STACK_BYTES (ADDRESS(1) << CONFIG_STACK_SHIFT)

#define VA_QUARTER (ADDRESS(1) << (CONFIG_VA_BITS - 2))
#define LINEAR_BASE (ADDRESS(0) - 4 * VA_QUARTER)
#define LINEAR_BYTES (2 * VA_QUARTER)
#define METADATA_BASE (LINEAR_BASE + 2 * VA_QUARTER)
#define METADATA_BYTES VA_QUARTER
#define WINDOW_BASE (METADATA_BASE + VA_QUARTER)
#define WINDOW_BYTES (VA_QUARTER / 2)
#define IMAGE_BASE ADDRESS(0xffffffff80000000)

#endif
