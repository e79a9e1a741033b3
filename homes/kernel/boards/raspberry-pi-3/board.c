/* Raspberry Pi 3 Model A+, B, B+, Compute Module 3, Zero 2 W: BCM2837. */
#include "boards/board.h"

const struct board board_raspberry_pi_3 = {
    .kind = BOARD_RASPBERRY_PI_3,
    .name = "Raspberry Pi 3",
    .console = {.kind = UART_MINI, .irq = 32 + 29, .address = 0x3f215040},
    .irq = {.kind = IRQ_KIND_BCM2836, .address = {0x40000000, 0x3f00b200}},
    .mailbox_address = 0x3f00b880,
    .power_address = 0x3f100000,
    .gpio_address = 0x3f200000,
    .dma_limit = 0x40000000,
    .device_start = 0x3f000000,
    .device_end = 0x41000000,
    .firmware_bytes = 0x1000,
    .release_address = 0xd8,
};
