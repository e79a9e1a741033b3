/* detect.c: find out what machine this is, and open its console.
 *
 * With a device tree: what it says, and the board's table for what it leaves out. Without: the
 * board is recognised by a PL011's identification registers where QEMU's virt has it, else by the
 * core (Cortex-A53: Pi 3, Cortex-A72: Pi 4), and RAM is what the VideoCore firmware reports. Reads
 * that may hit nothing are probes.
 */
#include "boot.h"

#include "boards/board.h"
#include "console.h"
#include "early.h"
#include "firmware.h"
#include "io.h"
#include "kernel.h"
#include "mailbox.h"
#include "memory.h"
#include "mmu.h"
#include "pins.h"
#include "power.h"
#include "registers.h"

#define PL011_IDENTITY 0xff0u /* four words that spell a PrimeCell */

struct machine machine;
struct larder_ranges memory_table;
static const struct board *board;

static const struct board *const boards[] = {
    &board_raspberry_pi_4,
    &board_raspberry_pi_3,
    &board_qemu_virt,
};

static const struct board *board_of_kind(enum board_kind kind) {
    for (size_t i = 0; i < sizeof boards / sizeof *boards; i++)
        if (boards[i]->kind == kind)
            return boards[i];
    return NULL;
}

/* Is there a PL011? Its identification is 0d f0 05 b1, a byte per word. */
static bool is_pl011(uint64_t address) {
    static const unsigned char identity[4] = {0x0d, 0xf0, 0x05, 0xb1};
    uintptr_t at = (uintptr_t)mmu_map_device(address, PAGE_BYTES) + PL011_IDENTITY;

    for (unsigned i = 0; i < 4; i++)
        if (!io_probe(at + 4 * i) || (io_read(at + 4 * i) & 0xff) != identity[i])
            return false;
    return true;
}

static const struct board *board_by_probing(void) {
    uint64_t midr;

    __asm__("mrs %0, midr_el1" : "=r"(midr));
    if (is_pl011(board_qemu_virt.console.address))
        return &board_qemu_virt;
    if ((midr >> MIDR_PART_SHIFT & ((1u << MIDR_PART_BITS) - 1)) == MIDR_CORTEX_A53)
        return &board_raspberry_pi_3;
    return &board_raspberry_pi_4;
}

/* What the tree left out. */
static void fill_from_board(void) {
    if (machine.console.kind == UART_NONE)
        machine.console = board->console;
    else if (machine.console.irq == MACHINE_IRQ_NONE &&
             machine.console.address == board->console.address)
        machine.console.irq = board->console.irq;
    if (machine.irq.kind == IRQ_KIND_NONE)
        machine.irq = board->irq;
    if (machine.mailbox_address == 0)
        machine.mailbox_address = board->mailbox_address;
    if (machine.power_address == 0)
        machine.power_address = board->power_address;
    if (machine.gpio_address == 0)
        machine.gpio_address = board->gpio_address;
    if (machine.model[0] == '\0')
        snprintf(machine.model, sizeof machine.model, "%s", board->name);
}

/* The UART's clock, if the firmware says; 0: leave the speed alone. */
static uint64_t uart_clock_hz(void) {
    uint64_t hz = 0;

    if (machine.mailbox_address != 0)
        mailbox_clock_hz(
            machine.console.kind == UART_MINI ? MAILBOX_CLOCK_CORE : MAILBOX_CLOCK_UART, &hz);
    return hz;
}

static void open_console(void) {
    const struct uart *uart = machine.console.kind == UART_MINI ? &uart_mini : &uart_pl011;
    uintptr_t base = (uintptr_t)mmu_map_device(machine.console.address, 0x100);

    if (machine.gpio_address != 0)
        pins_route_uart(machine.gpio_address, machine.console.kind);
    console_open(uart, base, uart_clock_hz());
}

static void open_devices(void) {
    if (machine.mailbox_address != 0)
        mailbox_open(machine.mailbox_address);
    open_console();
    if (machine.power_address != 0)
        power_open(machine.power_address);
}

/* ---- Without a device tree ------------------------------------------------------------------- */

static void add(uint64_t address, uint64_t size_bytes, enum larder_range_kind kind) {
    if (larder_ranges_add(&memory_table, address, size_bytes, kind) != LARDER_OK)
        panic("memory at %#lx, %#lx bytes: cannot be", address, size_bytes);
}

/* What the firmware calls ARM memory ends where the VideoCore's begins, at most at 1 GiB. Boards
 * with more have the rest above, as their revision code tells, except where the devices are. */
static void ask_for_memory(void) {
    uint64_t address, size, total;
    uint32_t revision = 0;

    if (!mailbox_arm_memory(&address, &size))
        panic("no device tree, and the firmware does not say how much memory there is");
    add(address, size, LARDER_RANGE_USABLE);
    if (mailbox_board_revision(&revision)) {
        total = mailbox_revision_ram_bytes(revision);
        if (board->kind == BOARD_RASPBERRY_PI_4 && total > board->dma_limit)
            add(board->dma_limit, total - board->dma_limit, LARDER_RANGE_USABLE);
        log_line(LOG_INFO, "board revision %06x: %lu MiB of RAM", revision, total >> 20);
    }
    if (mailbox_videocore_memory(&address, &size))
        add(address, size, LARDER_RANGE_DEVICE);
    add(board->device_start, board->device_end - board->device_start, LARDER_RANGE_DEVICE);
    machine.memory_bytes = larder_ranges_bytes(&memory_table, LARDER_RANGE_USABLE);
}

/* From the firmware (cmdline.txt); or, in an emulator that enters at EL3, from its command line. */
static void ask_for_command_line(void) {
    if (!mailbox_command_line(machine.command_line, sizeof machine.command_line) ||
        machine.command_line[0] == '\0')
        semihosting_command_line(machine.command_line, sizeof machine.command_line);
}

/* Four cores, in spin tables or, if we came in at EL3 with all of them, parked. */
static void assume_cpus(void) {
    machine.cpu_count = 4;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        machine.cpu[i] = (struct machine_cpu){
            .mpidr = i,
            .start = START_SPIN_TABLE,
            .release_address = board->release_address + 8 * i,
        };
}

static void detect_by_asking(void) {
    machine.source = "mailbox";
    machine.console.irq = MACHINE_IRQ_NONE;
    board = board_by_probing();
    fill_from_board();
    open_devices();
    if (machine.mailbox_address == 0)
        panic("no device tree: start this machine with one");
    ask_for_command_line();
    ask_for_memory();
    assume_cpus();
}

/* ---- With one -------------------------------------------------------------------------------- */

/* Registers that can be read without consequence. */
static bool answers(uint64_t address, uint64_t offset) {
    return address == 0 || io_probe((uintptr_t)mmu_map_device(address + offset, 4));
}

#define NOTHING_ANSWERS(what) "the device tree places the " what " where nothing answers"

/* Is this the tree of another machine? What speaks against it, or NULL. */
static const char *objection(bool read) {
    if (read && larder_ranges_find(&memory_table, boot_info.image_address) == NULL)
        return "the device tree reports no memory where the kernel is";
    if (!answers(machine.console.address, machine.console.kind == UART_MINI ? 0x14 : 0x18))
        return NOTHING_ANSWERS("console");
    if (!answers(machine.mailbox_address, 0x18))
        return NOTHING_ANSWERS("mailbox");
    if (!answers(machine.gpio_address, 0x04))
        return NOTHING_ANSWERS("pins");
    if (!answers(machine.power_address, 0x1c))
        return NOTHING_ANSWERS("power management");
    if (!answers(machine.irq.address[0], 0x04) || !answers(machine.irq.address[1], 0x04))
        return NOTHING_ANSWERS("interrupt controller");
    return NULL;
}

/* Forget what the tree said about devices; believe the board. */
static void use_board_alone(void) {
    board = board_by_probing();
    machine.console = board->console;
    machine.irq = board->irq;
    machine.mailbox_address = board->mailbox_address;
    machine.power_address = board->power_address;
    machine.gpio_address = board->gpio_address;
}

static void detect_by_tree(void) {
    const unsigned char *window = (const unsigned char *)EARLY_DTB_WINDOW;
    uint64_t offset = boot_info.dtb_address % PAGE_BYTES;
    struct devicetree_error error;
    const char *lie;
    bool read = devicetree_read(window + offset, boot_info.dtb_bytes - offset, &memory_table,
                                &machine, &error);

    board = board_of_kind(machine.board);
    if (board == NULL)
        board = board_by_probing();
    fill_from_board();
    lie = objection(read);
    if (lie != NULL)
        use_board_alone();
    open_devices();
    if (lie != NULL)
        panic("%s", lie);
    if (!read)
        panic("%s%s%s", error.what, error.why[0] != '\0' ? ": " : "", error.why);
    if (machine.irq.kind == IRQ_KIND_GIC_V3)
        panic("interrupt controller GICv3: start QEMU with -M virt,gic-version=2");
}

void machine_detect(void) {
    larder_ranges_init(&memory_table);
    if (boot_info.dtb_address != 0)
        detect_by_tree();
    else
        detect_by_asking();
    if (board->firmware_bytes != 0)
        memory_reserve(0, board->firmware_bytes);
}

uint64_t machine_dma_limit(void) {
    return board->dma_limit;
}

const char *machine_name(void) {
    return machine.model;
}

const char *machine_memory_source(void) {
    return machine.source;
}
