/* The kernel's reader of device trees, on any bytes: it must answer, touch nothing outside, and
 * find the same memory as a second reading; then larder is started on it.
 *
 * The second reading takes libfdt's word for where nodes and properties are, and nothing else:
 * cells are added up in 128 bits, ranges painted on the naive table.
 */
#include "fuzz.h"

#include "devicetree.h"

#include <libfdt.h>

typedef unsigned __int128 wide;

#define BEYOND ((wide)1 << 64)

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

static wide number(const uint8_t *at, int cells) {
    wide value = 0;
    for (int i = 0; i < 4 * cells; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* #address-cells and #size-cells; -1 iff they are none. */
static int cells_of(const void *fdt, int node, const char *name, int otherwise, int least) {
    int bytes;
    const uint8_t *value = fdt_getprop(fdt, node, name, &bytes);
    if (!value) {
        return otherwise;
    }
    wide cells = bytes == 4 ? number(value, 1) : 5;
    return cells >= (wide)least && cells <= 4 ? (int)cells : -1;
}

static bool is_text(const void *fdt, int node, const char *name, const char *text) {
    int bytes;
    const char *value = fdt_getprop(fdt, node, name, &bytes);
    return value && (size_t)bytes == strlen(text) + 1 && strcmp(value, text) == 0;
}

/* Call `visit` for every pair of a node's `reg`; false iff it is malformed or visit says so. */
static bool each_pair(const void *fdt, int parent, int node, struct naive *naive, unsigned kind,
                      const struct naive *ram,
                      bool (*visit)(struct naive *, const struct naive *, wide, wide, unsigned)) {
    int address_cells = cells_of(fdt, parent, "#address-cells", 2, 1), bytes;
    int size_cells = cells_of(fdt, parent, "#size-cells", 1, 0);
    const uint8_t *reg = fdt_getprop(fdt, node, "reg", &bytes);
    if (address_cells < 0 || size_cells < 0 || !reg ||
        bytes % (4 * (address_cells + size_cells)) != 0) {
        return false;
    }
    for (int at = 0; at < bytes; at += 4 * (address_cells + size_cells)) {
        wide address = number(reg + at, address_cells);
        wide size = number(reg + at + 4 * address_cells, size_cells);
        if (address >= BEYOND || size >= BEYOND || !visit(naive, ram, address, size, kind)) {
            return false;
        }
    }
    return true;
}

static bool add_ram(struct naive *naive, const struct naive *ram, wide address, wide size,
                    unsigned kind) {
    (void)ram;
    return naive_add(naive, (uint64_t)address, (uint64_t)size, kind) == LARDER_OK;
}

static bool reserve(struct naive *naive, const struct naive *ram, wide address, wide size,
                    unsigned kind) {
    if (address + size > BEYOND) {
        return false;
    }
    for (unsigned i = 0; i < ram->count; i++) {
        wide first = address > ram->part[i].first ? address : ram->part[i].first;
        wide end = address + size < naive_end(ram, i) ? address + size : naive_end(ram, i);
        if (ram->part[i].kind != 0 && first < end &&
            naive_add(naive, (uint64_t)first, (uint64_t)(end - first), kind) != LARDER_OK) {
            return false;
        }
    }
    return true;
}

/* The children of a node, one level down. */
static bool each_child(const void *fdt, int parent, bool (*visit)(const void *, int, int, void *),
                       void *context) {
    int depth = 0;
    for (int node = fdt_next_node(fdt, parent, &depth); node >= 0 && depth > 0;
         node = fdt_next_node(fdt, node, &depth)) {
        if (depth == 1 && !is_text(fdt, node, "status", "disabled") &&
            !visit(fdt, parent, node, context)) {
            return false;
        }
    }
    return true;
}

static bool memory_node(const void *fdt, int parent, int node, void *context) {
    return !is_text(fdt, node, "device_type", "memory") ||
           each_pair(fdt, parent, node, context, LARDER_RANGE_USABLE, NULL, add_ram);
}

struct reserving {
    struct naive *naive, ram;
};

static bool reserved_node(const void *fdt, int parent, int node, void *context) {
    const struct reserving *to = context;
    bool is_unmapped = fdt_getprop(fdt, node, "no-map", NULL) != NULL;
    return !fdt_getprop(fdt, node, "reg", NULL) ||
           each_pair(fdt, parent, node, to->naive,
                     is_unmapped ? LARDER_RANGE_DEVICE : LARDER_RANGE_RESERVED, &to->ram, reserve);
}

/* Digits and at most one unit; 0 iff it is anything else or beyond 64 bits. */
static wide size_of_text(const char *text) {
    static const char units[] = "kKmMgG";
    size_t digits = strspn(text, "0123456789");
    const char *rest = text + digits;
    const char *unit = *rest ? strchr(units, *rest) : NULL;
    if (digits == 0 || digits > 18 || (*rest && (!unit || rest[1]))) {
        return 0;
    }
    wide value = (wide)strtoull(text, NULL, 10) << (unit ? 10 * (1 + (unit - units) / 2) : 0);
    return value < BEYOND ? value : 0;
}

/* The value of the last mem= in the command line; BEYOND iff there is none, 0 iff it is no size. */
static wide memory_limit(const char *line) {
    char copy[sizeof((struct machine *)0)->command_line];
    wide value = BEYOND;
    memcpy(copy, line, sizeof copy);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        if (strcmp(word, "mem") == 0) {
            value = 0;
        } else if (strncmp(word, "mem=", 4) == 0) {
            value = size_of_text(word + 4);
        }
    }
    return value;
}

static bool cut(struct naive *naive, const char *line) {
    static struct naive all;
    wide left = memory_limit(line);
    if (left == 0) {
        return false;
    }
    all = *naive;
    naive_init(naive);
    for (unsigned i = 0; i < all.count; i++) {
        uint64_t bytes = naive_end(&all, i) - all.part[i].first;
        if (all.part[i].kind != 0) {
            bytes = bytes < left ? bytes : (uint64_t)left;
            naive_add(naive, all.part[i].first, bytes, LARDER_RANGE_USABLE);
            left -= bytes;
        }
    }
    return true;
}

/* The second reading. True iff the tree holds. */
static bool read_again(const void *fdt, const struct machine *machine, struct naive *naive) {
    static struct reserving to;
    naive_init(naive);
    if (!each_child(fdt, 0, memory_node, naive) || naive_bytes(naive, LARDER_RANGE_USABLE) == 0 ||
        !cut(naive, machine->command_line)) {
        return false;
    }
    to.naive = naive;
    to.ram = *naive;
    if (machine->initrd_end > machine->initrd_start &&
        !reserve(naive, &to.ram, machine->initrd_start, machine->initrd_end - machine->initrd_start,
                 LARDER_RANGE_RESERVED)) {
        return false;
    }
    for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
        uint64_t address = 0, size = 0;
        fdt_get_mem_rsv(fdt, i, &address, &size);
        if (!reserve(naive, &to.ram, address, size, LARDER_RANGE_RESERVED)) {
            return false;
        }
    }
    int parent = fdt_path_offset(fdt, "/reserved-memory");
    return parent < 0 || each_child(fdt, parent, reserved_node, &to);
}

static void check_machine(const struct machine *machine) {
    sim_check(memchr(machine->model, 0, sizeof machine->model) != NULL);
    sim_check(memchr(machine->command_line, 0, sizeof machine->command_line) != NULL);
    sim_check(machine->cpu_count <= MACHINE_CPUS_MAX);
    sim_check(machine->board <= BOARD_QEMU_VIRT && machine->console.kind <= UART_MINI);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct naive naive;
    static struct larder_ranges ranges;
    static struct machine machine;
    struct devicetree_error error = {NULL, NULL};
    uint8_t *blob = malloc(size ? size : 1); /* aligned, and nothing may be read behind it */
    memcpy(blob, data, size);
    memset(&machine, 0, sizeof machine);
    larder_ranges_init(&ranges);
    bool is_read = devicetree_read(blob, size, &ranges, &machine, &error);
    check_machine(&machine);
    sim_check(is_read == (error.what == NULL) && (is_read || error.why != NULL));
    if (fdt_check_full(blob, size) != 0) {
        sim_check(!is_read);
    } else {
        sim_check(read_again(blob, &machine, &naive) == is_read);
    }
    if (is_read) {
        naive_compare(&naive, &ranges);
        naive_start(&naive, 0);
    }
    free(blob);
    return 0;
}

/* Bytes anywhere mostly break the structure; whole cells mostly change what the tree says. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) {
    static const uint32_t values[] = {0,          1,           2,           3,
                                      4,          0x1000,      0x00100000,  0x3fffffff,
                                      0x7fffffff, 0x80000000u, 0xfffff000u, 0xffffffffu};
    if (seed % 2 || size < 64) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    size_t at = seed / 2 % (size / 4) * 4;
    uint32_t value = cpu_to_fdt32(values[seed / 64 % COUNT(values)]);
    if (seed % 4) {
        value = cpu_to_fdt32(fdt32_to_cpu(*(const uint32_t *)(data + at)) + seed % 7 - 3);
    }
    memcpy(data + at, &value, 4);
    return size;
}
