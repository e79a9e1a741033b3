/* board.h: what a board is when nobody says so: no device tree, or a tree without that node. Only
 * start-up reads this. */
#ifndef BOARD_H
#define BOARD_H

#include "machine.h"

struct board {
    enum board_kind kind;
    const char *name;
    struct machine_uart console;
    struct machine_irq irq;
    uint64_t mailbox_address;
    uint64_t power_address;
    uint64_t gpio_address;
    uint64_t dma_limit;    /* first address that not every device reaches */
    uint64_t device_start; /* no RAM from here to device_end, whatever a revision code says */
    uint64_t device_end;
    uint64_t firmware_bytes;  /* at address 0: the firmware's stub and its spin tables */
    uint64_t release_address; /* spin table: of CPU 0, 8 bytes for each; 0: none */
};

extern const struct board board_raspberry_pi_3;
extern const struct board board_raspberry_pi_4;
extern const struct board board_qemu_virt;

#endif
