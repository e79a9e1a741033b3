/* devicetree.c: see devicetree.h.
 *
 * libfdt's fdt_check_full() walks the whole blob first: after it, every offset, name and property
 * lies inside. What it cannot know is checked here: lengths of properties against cell counts,
 * sums that wrap, addresses no bus translates. The tree is read in the order: console and board (so
 * that there is somewhere to complain), RAM, what is reserved, CPUs, devices.
 */
#include "devicetree.h"

#include <libfdt.h>

#define CELLS_MAX 4
#define BUS_DEPTH_MAX 8

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

/* ---- Cells ------------------------------------------------------------------------------------
 */

/* One number of `cells` cells. False iff it does not fit into 64 bits. */
static bool read_cells(const fdt32_t *at, int cells, uint64_t *value) {
    *value = 0;
    for (int i = 0; i < cells; i++) {
        if (*value >> 32 != 0)
            return false;
        *value = *value << 32 | fdt32_to_cpu(at[i]);
    }
    return true;
}

/* A property as cells; NULL iff it is absent or not a whole number of cells. */
static const fdt32_t *cells_of(const void *fdt, int node, const char *name, int *count) {
    int bytes = 0;
    const fdt32_t *cells = fdt_getprop(fdt, node, name, &bytes);

    *count = bytes / (int)sizeof *cells;
    return cells != NULL && bytes % (int)sizeof *cells == 0 ? cells : NULL;
}

/* A property of one or two cells; false iff it is anything else. */
static bool number_of(const void *fdt, int node, const char *name, uint64_t *value) {
    int count;
    const fdt32_t *cells = cells_of(fdt, node, name, &count);

    return cells != NULL && (count == 1 || count == 2) && read_cells(cells, count, value);
}

static bool string_is(const void *fdt, int node, const char *name, const char *text) {
    int bytes;
    const char *value = fdt_getprop(fdt, node, name, &bytes);

    return value != NULL && bytes == (int)strlen(text) + 1 &&
           memcmp(value, text, (size_t)bytes) == 0;
}

/* Length of a string property that may lack its NUL. */
static size_t string_length(const char *value, int bytes) {
    const char *end = memchr(value, '\0', (size_t)bytes);

    return end != NULL ? (size_t)(end - value) : (size_t)bytes;
}

static void copy_string(char *to, size_t size, const void *fdt, int node, const char *name) {
    int bytes = 0;
    const char *value = node >= 0 ? fdt_getprop(fdt, node, name, &bytes) : NULL;
    size_t length = value != NULL ? string_length(value, bytes) : 0;

    if (length >= size)
        length = size - 1;
    for (size_t i = 0; i < length; i++)
        to[i] = value[i] >= ' ' && value[i] <= '~' ? value[i] : '?';
    to[length] = '\0';
}

static bool is_disabled(const void *fdt, int node) {
    return string_is(fdt, node, "status", "disabled");
}

/* ---- Addresses --------------------------------------------------------------------------------
 */

struct region {
    uint64_t address;
    uint64_t size_bytes;
};

/* How many (address, size) pairs `reg` has; -1 iff it is missing or its length is wrong. */
static int reg_count(const void *fdt, int parent, int node) {
    int width = fdt_address_cells(fdt, parent) + fdt_size_cells(fdt, parent);
    int count;

    if (fdt_address_cells(fdt, parent) < 1 || fdt_size_cells(fdt, parent) < 0 ||
        cells_of(fdt, node, "reg", &count) == NULL || count % width != 0)
        return -1;
    return count / width;
}

/* The pair `index` of a `reg` that reg_count() accepted. False iff a number is too large. */
static bool reg_read(const void *fdt, int parent, int node, int index, struct region *region) {
    int address_cells = fdt_address_cells(fdt, parent);
    int size_cells = fdt_size_cells(fdt, parent);
    int count;
    const fdt32_t *cells = cells_of(fdt, node, "reg", &count);

    cells += index * (address_cells + size_cells);
    return read_cells(cells, address_cells, &region->address) &&
           read_cells(cells + address_cells, size_cells, &region->size_bytes);
}

/* One step up: the address as the parent of `bus` sees it. */
static bool translate_once(const void *fdt, int bus, int parent, uint64_t *address) {
    int child_cells = fdt_address_cells(fdt, bus);
    int parent_cells = fdt_address_cells(fdt, parent);
    int size_cells = fdt_size_cells(fdt, bus);
    int width = child_cells + parent_cells + size_cells;
    int count;
    const fdt32_t *cells = cells_of(fdt, bus, "ranges", &count);

    if (cells == NULL || child_cells < 1 || parent_cells < 1 || size_cells < 0)
        return false;
    if (count == 0)
        return true;
    for (int i = 0; i + width <= count; i += width) {
        uint64_t child, up, size;

        if (read_cells(cells + i, child_cells, &child) &&
            read_cells(cells + i + child_cells, parent_cells, &up) &&
            read_cells(cells + i + child_cells + parent_cells, size_cells, &size) &&
            *address - child < size) {
            *address = *address - child + up;
            return true;
        }
    }
    return false;
}

/* The address of a device's registers number `index` as the CPUs see it. */
static bool device_address(const void *fdt, int node, int index, uint64_t *address) {
    int bus = fdt_parent_offset(fdt, node);
    struct region region;

    if (bus < 0 || index >= reg_count(fdt, bus, node) || !reg_read(fdt, bus, node, index, &region))
        return false;
    for (int depth = 0; bus != 0 && depth < BUS_DEPTH_MAX; depth++) {
        int parent = fdt_parent_offset(fdt, bus);

        if (parent < 0 || !translate_once(fdt, bus, parent, &region.address))
            return false;
        bus = parent;
    }
    *address = region.address;
    return bus == 0;
}

/* ---- Interrupts -------------------------------------------------------------------------------
 */

static int interrupt_parent(const void *fdt, int node) {
    for (int depth = 0; node >= 0 && depth < BUS_DEPTH_MAX; depth++) {
        uint64_t handle;

        if (number_of(fdt, node, "interrupt-parent", &handle))
            return fdt_node_offset_by_phandle(fdt, (uint32_t)handle);
        node = node == 0 ? -1 : fdt_parent_offset(fdt, node);
    }
    return -1;
}

/* The first interrupt of a device, in the numbers of arch/arm64/irq.h. */
static uint32_t device_irq(const void *fdt, int node) {
    int parent = interrupt_parent(fdt, node);
    int count;
    const fdt32_t *cells = cells_of(fdt, node, "interrupts", &count);
    uint64_t width, group, number;

    if (parent < 0 || cells == NULL || !number_of(fdt, parent, "#interrupt-cells", &width) ||
        width < 2 || width > (uint64_t)count)
        return MACHINE_IRQ_NONE;
    group = fdt32_to_cpu(cells[0]);
    number = fdt32_to_cpu(cells[1]);
    if (width == 3 && group <= 1 && number < 224) /* GIC: 0 shared, 1 private */
        return (uint32_t)(number + (group == 0 ? 32 : 16));
    if (width == 2 && group >= 1 && group <= 2 && number < 32) /* VideoCore: bank, bit */
        return (uint32_t)(32 * group + number);
    return MACHINE_IRQ_NONE;
}

/* ---- Console and board ------------------------------------------------------------------------
 */

static enum uart_kind uart_kind_of(const void *fdt, int node) {
    if (fdt_node_check_compatible(fdt, node, "arm,pl011") == 0)
        return UART_PL011;
    if (fdt_node_check_compatible(fdt, node, "brcm,bcm2835-aux-uart") == 0)
        return UART_MINI;
    return UART_NONE;
}

/* /chosen stdout-path, a path or an alias, up to a colon; without it the alias serial0. */
static int console_node(const void *fdt) {
    int chosen = fdt_path_offset(fdt, "/chosen");
    int bytes = 0;
    const char *path = chosen >= 0 ? fdt_getprop(fdt, chosen, "stdout-path", &bytes) : NULL;
    size_t length = path != NULL ? string_length(path, bytes) : 0;
    const char *colon = path != NULL ? memchr(path, ':', length) : NULL;

    if (colon != NULL)
        length = (size_t)(colon - path);
    if (length == 0)
        return fdt_path_offset(fdt, "serial0");
    return fdt_path_offset_namelen(fdt, path, (int)length);
}

static void read_console(struct reader *reader) {
    struct machine_uart *console = &reader->machine->console;
    int node = console_node(reader->fdt);

    if (node < 0 || !device_address(reader->fdt, node, 0, &console->address))
        return;
    console->kind = uart_kind_of(reader->fdt, node);
    console->irq = device_irq(reader->fdt, node);
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
    copy_string(machine->model, sizeof machine->model, reader->fdt, 0, "model");
}

/* ---- Memory -----------------------------------------------------------------------------------
 */

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
    int count = reg_count(reader->fdt, 0, node);
    struct region region;

    if (count < 0)
        return fail(reader, "a memory node of the device tree has a `reg` of the wrong length", "");
    for (int i = 0; i < count; i++) {
        if (!reg_read(reader->fdt, 0, node, i, &region))
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
        if (string_is(reader->fdt, node, "device_type", "memory") &&
            !is_disabled(reader->fdt, node) && !add_memory_node(reader, node))
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
    int count = reg_count(reader->fdt, parent, node);
    struct region region;

    if (fdt_getprop(reader->fdt, node, "reg", NULL) == NULL) {
        reader->machine->reserved_dynamic++;
        return true;
    }
    if (count < 0)
        return fail(reader, "a reserved-memory node has a `reg` of the wrong length", "");
    for (int i = 0; i < count; i++) {
        if (!reg_read(reader->fdt, parent, node, i, &region))
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
        if (!is_disabled(reader->fdt, node) && !read_reserved_node(reader, &ram, parent, node))
            return false;
    }
    return true;
}

/* ---- CPUs, devices, the chosen node -----------------------------------------------------------
 */

static void read_cpu(struct reader *reader, int parent, int node) {
    struct machine *machine = reader->machine;
    struct machine_cpu *cpu;
    struct region reg;

    if (!string_is(reader->fdt, node, "device_type", "cpu") ||
        reg_count(reader->fdt, parent, node) != 1 || !reg_read(reader->fdt, parent, node, 0, &reg))
        return;
    if (machine->cpu_count == MACHINE_CPUS_MAX) {
        machine->cpus_ignored++;
        return;
    }
    cpu = &machine->cpu[machine->cpu_count++];
    *cpu = (struct machine_cpu){.mpidr = reg.address};
    if (string_is(reader->fdt, node, "enable-method", "psci"))
        cpu->start = START_PSCI;
    if (string_is(reader->fdt, node, "enable-method", "spin-table") &&
        number_of(reader->fdt, node, "cpu-release-addr", &cpu->release_address))
        cpu->start = START_SPIN_TABLE;
}

static void read_cpus(struct reader *reader) {
    int parent = fdt_path_offset(reader->fdt, "/cpus");
    int psci = fdt_path_offset(reader->fdt, "/psci");
    int node;

    if (psci >= 0 && string_is(reader->fdt, psci, "method", "hvc"))
        reader->machine->psci = PSCI_BY_HVC;
    if (psci >= 0 && string_is(reader->fdt, psci, "method", "smc"))
        reader->machine->psci = PSCI_BY_SMC;
    if (parent < 0)
        return;
    fdt_for_each_subnode(node, reader->fdt, parent) read_cpu(reader, parent, node);
}

/* Address of the first node that is compatible; false iff there is none. */
static bool find_device(const void *fdt, const char *compatible, int index, uint64_t *address) {
    int node = fdt_node_offset_by_compatible(fdt, -1, compatible);

    return node >= 0 && device_address(fdt, node, index, address);
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

    copy_string(machine->command_line, sizeof machine->command_line, reader->fdt, chosen,
                "bootargs");
    if (chosen < 0)
        return;
    number_of(reader->fdt, chosen, "linux,initrd-start", &machine->initrd_start);
    number_of(reader->fdt, chosen, "linux,initrd-end", &machine->initrd_end);
    number_of(reader->fdt, chosen, "kaslr-seed", &machine->entropy);
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
