/* devicetree.c: see devicetree.h.
 *
 * libfdt's fdt_check_full() walks the whole blob first: after it, every offset, name and property
 * lies inside. What it cannot know is checked here: lengths of properties against cell counts,
 * sums that wrap, addresses no bus translates. The tree is read in the order: console and board (so
 * that there is somewhere to complain), RAM, what is reserved, CPUs, devices.
 */
#include "devicetree.h"

#include "devicetree_node.h"

#include <libfdt.h>

/* Everything a step needs. */
struct reader {
    const void *fdt;
    struct larder_ranges *ranges;
    struct machine *machine;
    struct devicetree_error *error;
};

static bool fail(struct reader *reader, const char *what, const char *why) {
    *reader->error = (struct devicetree_error){.what = what, .why = why};
    return false;
}

/* ---- Console and board ----------------------------------------------------------------------- */

static enum uart_kind uart_kind_of(const void *fdt, int node) {
    if (fdt_node_check_compatible(fdt, node, "arm,pl011") == 0)
        return UART_PL011;
    if (fdt_node_check_compatible(fdt, node, "brcm,bcm2835-aux-uart") == 0)
        return UART_MINI;
    return UART_NONE;
}

/* A path, or an alias for one. Not libfdt's own look-up: its versions up to 1.6 follow an alias for
 * itself until the stack ends. */
static int node_called(const void *fdt, const char *path, size_t length) {
    if (length != 0 && path[0] != '/') {
        int bytes = 0;

        path =
            fdt_getprop_namelen(fdt, fdt_path_offset(fdt, "/aliases"), path, (int)length, &bytes);
        length = path != NULL ? node_string_length(path, bytes) : 0;
    }
    return length != 0 && path[0] == '/' ? fdt_path_offset_namelen(fdt, path, (int)length) : -1;
}

/* /chosen stdout-path, a path or an alias, up to a colon; without it the alias serial0. */
static int console_node(const void *fdt) {
    int chosen = fdt_path_offset(fdt, "/chosen");
    int bytes = 0;
    const char *path = chosen >= 0 ? fdt_getprop(fdt, chosen, "stdout-path", &bytes) : NULL;
    size_t length = path != NULL ? node_string_length(path, bytes) : 0;
    const char *colon = path != NULL ? memchr(path, ':', length) : NULL;

    if (colon != NULL)
        length = (size_t)(colon - path);
    if (length == 0)
        return node_called(fdt, "serial0", strlen("serial0"));
    return node_called(fdt, path, length);
}

static void read_console(struct reader *reader) {
    struct machine_uart *console = &reader->machine->console;
    int node = console_node(reader->fdt);

    if (node < 0 || !node_address(reader->fdt, node, 0, &console->address))
        return;
    console->kind = uart_kind_of(reader->fdt, node);
    console->irq = node_irq(reader->fdt, node);
}

static void read_board(struct reader *reader) {
    static const struct {
        const char *compatible;
        enum board_kind board;
    } boards[] = {
        {"brcm,bcm2711", BOARD_RASPBERRY_PI_4},
        {"brcm,bcm2837", BOARD_RASPBERRY_PI_3},
        {"linux,dummy-virt", BOARD_QEMU_VIRT},
    };
    struct machine *machine = reader->machine;

    for (size_t i = 0; i < sizeof boards / sizeof *boards; i++)
        if (fdt_node_check_compatible(reader->fdt, 0, boards[i].compatible) == 0)
            machine->board = boards[i].board;
    node_copy_string(machine->model, sizeof machine->model, reader->fdt, 0, "model");
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static bool add_range(struct reader *reader, uint64_t address, uint64_t size_bytes,
                      enum larder_range_kind kind) {
    switch (larder_ranges_add(reader->ranges, address, size_bytes, kind)) {
    case LARDER_OK:
        return true;
    case LARDER_TOO_MANY:
        return fail(reader, "the device tree reports too many separate ranges of memory", "");
    default:
        return fail(reader, "the device tree reports memory beyond the end of all addresses", "");
    }
}

static bool add_memory_node(struct reader *reader, int node) {
    int count = node_reg_count(reader->fdt, 0, node);
    struct region region;

    if (count < 0)
        return fail(reader, "a memory node of the device tree has a `reg` of the wrong length", "");
    for (int i = 0; i < count; i++) {
        if (!node_reg(reader->fdt, 0, node, i, &region))
            return fail(reader, "a memory node of the device tree has an address beyond 64 bits",
                        "");
        if (!add_range(reader, region.address, region.size_bytes, LARDER_RANGE_USABLE))
            return false;
    }
    return true;
}

static bool read_memory(struct reader *reader) {
    int node;

    fdt_for_each_subnode(node, reader->fdt, 0) {
        if (node_string_is(reader->fdt, node, "device_type", "memory") &&
            !node_is_disabled(reader->fdt, node) && !add_memory_node(reader, node))
            return false;
    }
    reader->machine->memory_bytes = larder_ranges_bytes(reader->ranges, LARDER_RANGE_USABLE);
    if (reader->machine->memory_bytes == 0)
        return fail(reader, "the device tree reports no memory", "");
    return true;
}

/* mem=: keep that many bytes, lowest first. */
static bool limit_memory(struct reader *reader) {
    const struct larder_ranges all = *reader->ranges;
    size_t length;
    const char *text = command_line_find(reader->machine->command_line, "mem", &length);
    uint64_t left;

    if (text == NULL)
        return true;
    if (!command_line_size(text, length, &left) || left == 0)
        return fail(reader, "mem= on the command line is not a size",
                    "write it like mem=512M, with K, M or G");
    reader->machine->memory_limit = left;
    larder_ranges_init(reader->ranges);
    for (unsigned i = 0; i < all.count && left != 0; i++) {
        uint64_t size = all.range[i].size_bytes < left ? all.range[i].size_bytes : left;

        if (!add_range(reader, all.range[i].address, size, LARDER_RANGE_USABLE))
            return false;
        left -= size;
    }
    return true;
}

/* Only where there is RAM: outside, a reservation says nothing. */
static bool reserve_inside(struct reader *reader, const struct larder_ranges *ram,
                           const struct region *region, enum larder_range_kind kind) {
    uint64_t last = region->address + region->size_bytes - 1;

    if (region->size_bytes == 0)
        return true;
    if (last < region->address)
        return fail(reader, "the device tree reserves memory beyond the end of all addresses", "");
    for (unsigned i = 0; i < ram->count; i++) {
        const struct larder_range *part = &ram->range[i];
        uint64_t part_last = part->address + part->size_bytes - 1;
        uint64_t from = region->address > part->address ? region->address : part->address;
        uint64_t to = last < part_last ? last : part_last;

        if (from <= to && !add_range(reader, from, to - from + 1, kind))
            return false;
    }
    reader->machine->reserved_regions++;
    return true;
}

static bool read_reserve_block(struct reader *reader, const struct larder_ranges *ram) {
    int count = fdt_num_mem_rsv(reader->fdt);

    for (int i = 0; i < count; i++) {
        struct region region;

        if (fdt_get_mem_rsv(reader->fdt, i, &region.address, &region.size_bytes) != 0)
            return fail(reader, "the memory reservation block of the device tree is damaged", "");
        if (!reserve_inside(reader, ram, &region, LARDER_RANGE_RESERVED))
            return false;
    }
    return true;
}

static bool read_reserved_node(struct reader *reader, const struct larder_ranges *ram, int parent,
                               int node) {
    bool unmapped = fdt_getprop(reader->fdt, node, "no-map", NULL) != NULL;
    int count = node_reg_count(reader->fdt, parent, node);
    struct region region;

    if (fdt_getprop(reader->fdt, node, "reg", NULL) == NULL) {
        reader->machine->reserved_dynamic++;
        return true;
    }
    if (count < 0)
        return fail(reader, "a reserved-memory node has a `reg` of the wrong length", "");
    for (int i = 0; i < count; i++) {
        if (!node_reg(reader->fdt, parent, node, i, &region))
            return fail(reader, "a reserved-memory node has an address beyond 64 bits", "");
        if (!reserve_inside(reader, ram, &region,
                            unmapped ? LARDER_RANGE_DEVICE : LARDER_RANGE_RESERVED))
            return false;
    }
    return true;
}

static bool read_reserved(struct reader *reader) {
    const struct larder_ranges ram = *reader->ranges;
    int parent = fdt_path_offset(reader->fdt, "/reserved-memory");
    int node;

    if (!read_reserve_block(reader, &ram))
        return false;
    if (parent < 0)
        return true;
    fdt_for_each_subnode(node, reader->fdt, parent) {
        if (!node_is_disabled(reader->fdt, node) && !read_reserved_node(reader, &ram, parent, node))
            return false;
    }
    return true;
}

/* ---- CPUs, devices, the chosen node ---------------------------------------------------------- */

static void read_cpu(struct reader *reader, int parent, int node) {
    struct machine *machine = reader->machine;
    struct machine_cpu *cpu;
    struct region reg;

    if (!node_string_is(reader->fdt, node, "device_type", "cpu") ||
        node_reg_count(reader->fdt, parent, node) != 1 ||
        !node_reg(reader->fdt, parent, node, 0, &reg))
        return;
    if (machine->cpu_count == MACHINE_CPUS_MAX) {
        machine->cpus_ignored++;
        return;
    }
    cpu = &machine->cpu[machine->cpu_count++];
    *cpu = (struct machine_cpu){.mpidr = reg.address};
    if (node_string_is(reader->fdt, node, "enable-method", "psci"))
        cpu->start = START_PSCI;
    if (node_string_is(reader->fdt, node, "enable-method", "spin-table") &&
        node_number(reader->fdt, node, "cpu-release-addr", &cpu->release_address))
        cpu->start = START_SPIN_TABLE;
}

static void read_cpus(struct reader *reader) {
    int parent = fdt_path_offset(reader->fdt, "/cpus");
    int psci = fdt_path_offset(reader->fdt, "/psci");
    int node;

    if (psci >= 0 && node_string_is(reader->fdt, psci, "method", "hvc"))
        reader->machine->psci = PSCI_BY_HVC;
    if (psci >= 0 && node_string_is(reader->fdt, psci, "method", "smc"))
        reader->machine->psci = PSCI_BY_SMC;
    if (parent < 0)
        return;
    fdt_for_each_subnode(node, reader->fdt, parent) read_cpu(reader, parent, node);
}

/* Address of the first node that is compatible; false iff there is none. */
static bool find_device(const void *fdt, const char *compatible, int index, uint64_t *address) {
    int node = fdt_node_offset_by_compatible(fdt, -1, compatible);

    return node >= 0 && node_address(fdt, node, index, address);
}

static bool find_gic(const void *fdt, const char *compatible, struct machine_irq *irq) {
    if (!find_device(fdt, compatible, 0, &irq->address[0]) ||
        !find_device(fdt, compatible, 1, &irq->address[1]))
        return false;
    irq->kind = IRQ_KIND_GIC_V2;
    return true;
}

static void read_interrupt_controller(struct reader *reader) {
    struct machine_irq *irq = &reader->machine->irq;
    const void *fdt = reader->fdt;

    if (find_gic(fdt, "arm,gic-400", irq) || find_gic(fdt, "arm,cortex-a15-gic", irq))
        return;
    if (find_device(fdt, "brcm,bcm2836-l1-intc", 0, &irq->address[0]) &&
        find_device(fdt, "brcm,bcm2836-armctrl-ic", 0, &irq->address[1]))
        irq->kind = IRQ_KIND_BCM2836;
    else if (fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3") >= 0)
        irq->kind = IRQ_KIND_GIC_V3;
}

static void read_devices(struct reader *reader) {
    struct machine *machine = reader->machine;
    const void *fdt = reader->fdt;

    read_interrupt_controller(reader);
    find_device(fdt, "brcm,bcm2835-mbox", 0, &machine->mailbox_address);
    if (!find_device(fdt, "brcm,bcm2711-gpio", 0, &machine->gpio_address))
        find_device(fdt, "brcm,bcm2835-gpio", 0, &machine->gpio_address);
    if (!find_device(fdt, "brcm,bcm2711-pm", 0, &machine->power_address) &&
        !find_device(fdt, "brcm,bcm2835-pm", 0, &machine->power_address))
        find_device(fdt, "brcm,bcm2835-pm-wdt", 0, &machine->power_address);
}

static void read_chosen(struct reader *reader) {
    struct machine *machine = reader->machine;
    int chosen = fdt_path_offset(reader->fdt, "/chosen");

    node_copy_string(machine->command_line, sizeof machine->command_line, reader->fdt, chosen,
                     "bootargs");
    if (chosen < 0)
        return;
    node_number(reader->fdt, chosen, "linux,initrd-start", &machine->initrd_start);
    node_number(reader->fdt, chosen, "linux,initrd-end", &machine->initrd_end);
    node_number(reader->fdt, chosen, "kaslr-seed", &machine->entropy);
}

static bool read_initrd(struct reader *reader) {
    const struct larder_ranges ram = *reader->ranges;
    const struct machine *machine = reader->machine;
    struct region region = {.address = machine->initrd_start,
                            .size_bytes = machine->initrd_end - machine->initrd_start};

    if (machine->initrd_end <= machine->initrd_start)
        return true;
    return reserve_inside(reader, &ram, &region, LARDER_RANGE_RESERVED);
}

bool devicetree_read(const void *blob, size_t max_bytes, struct larder_ranges *ranges,
                     struct machine *machine, struct devicetree_error *error) {
    struct reader reader = {.fdt = blob, .ranges = ranges, .machine = machine, .error = error};
    int status = fdt_check_full(blob, max_bytes);

    machine->source = "device tree";
    machine->console.irq = MACHINE_IRQ_NONE;
    if (status != 0)
        return fail(&reader, "the device tree is damaged", fdt_strerror(status));
    read_console(&reader);
    read_board(&reader);
    read_chosen(&reader);
    if (!read_memory(&reader) || !limit_memory(&reader) || !read_initrd(&reader) ||
        !read_reserved(&reader))
        return false;
    read_cpus(&reader);
    read_devices(&reader);
    return true;
}
