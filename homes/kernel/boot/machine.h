/* machine.h: what the kernel has to know about the machine it runs on. Plain data: the device-tree
 * reader fills it also on the host, where it is fuzzed. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_CPUS_MAX 16u
#define MACHINE_IRQ_NONE UINT32_MAX

enum board_kind {
    BOARD_UNKNOWN,
    BOARD_RASPBERRY_PI_3,
    BOARD_RASPBERRY_PI_4,
    BOARD_QEMU_VIRT,
};

enum uart_kind { UART_NONE, UART_PL011, UART_MINI };
enum irq_kind { IRQ_KIND_NONE, IRQ_KIND_GIC_V2, IRQ_KIND_BCM2836, IRQ_KIND_GIC_V3 };
enum psci_kind { PSCI_NONE, PSCI_BY_HVC, PSCI_BY_SMC };
enum start_kind { START_UNKNOWN, START_SPIN_TABLE, START_PSCI };

struct machine_uart {
    enum uart_kind kind;
    uint32_t irq; /* in the numbers of the controller (arch/arm64/irq.h); or MACHINE_IRQ_NONE */
    uint64_t address;
};

struct machine_irq {
    enum irq_kind kind;
    uint64_t address[2]; /* GIC: distributor, CPU interface. BCM2836: local, VideoCore */
};

struct machine_cpu {
    uint64_t mpidr;
    enum start_kind start;
    uint64_t release_address; /* spin table: where it looks for an address to go to */
};

/* 0 or NONE: not said. */
struct machine {
    enum board_kind board;
    char model[64];
    char command_line[1024];
    const char *source; /* "device tree" or "mailbox" */
    struct machine_uart console;
    struct machine_irq irq;
    enum psci_kind psci;
    uint64_t mailbox_address;
    uint64_t power_address;
    uint64_t gpio_address;
    unsigned cpu_count;
    unsigned cpus_ignored; /* beyond MACHINE_CPUS_MAX */
    struct machine_cpu cpu[MACHINE_CPUS_MAX];
    uint64_t memory_bytes;     /* RAM as reported, before any limit */
    uint64_t memory_limit;     /* mem= on the command line; 0: none */
    unsigned reserved_regions; /* with an address: taken out of RAM */
    unsigned reserved_dynamic; /* with a size only: for an operating system to place; ignored */
    uint64_t initrd_start, initrd_end;
    uint64_t entropy; /* what the tree gives to seed random numbers; 0: nothing */
};

#endif
