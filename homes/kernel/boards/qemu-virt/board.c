/* QEMU's machine "virt" with gic-version=2. It always passes a device tree; this says where to
 * complain if that tree is damaged. RAM starts at 1 GiB. */
#include "boards/board.h"

const struct board board_qemu_virt = {
    .kind = BOARD_QEMU_VIRT,
    .name = "QEMU virt",
    .console = {.kind = UART_PL011, .irq = 32 + 1, .address = 0x09000000},
    .irq = {.kind = IRQ_KIND_GIC_V2, .address = {0x08000000, 0x08010000}},
    .dma_limit = 0x80000000,
};
