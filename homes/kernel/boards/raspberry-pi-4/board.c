/* Raspberry Pi 4 Model B, Pi 400, Compute Module 4: BCM2711, "low peripherals" mode. */
#include "boards/board.h"

const struct board board_raspberry_pi_4 = {
    .kind = BOARD_RASPBERRY_PI_4,
    .name = "Raspberry Pi 4",
    .console = {.kind = UART_MINI, .irq = 32 + 93, .address = 0xfe215040},
    .irq = {.kind = IRQ_KIND_GIC_V2, .address = {0xff841000, 0xff842000}},
    .mailbox_address = 0xfe00b880,
    .power_address = 0xfe100000,
    .gpio_address = 0xfe200000,
    .dma_limit = 0x40000000,
    .device_start = 0xfc000000,
    .device_end = 0x100000000,
    .firmware_bytes = 0x1000,
    .release_address = 0xd8,
};
