/* devicetree_node.c: see devicetree_node.h. The blob has passed fdt_check_full(): offsets and names
 * lie inside it. Lengths and numbers are checked here. */
#include "devicetree_node.h"

#include "machine.h"

#include <libfdt.h>

#define BUS_DEPTH_MAX 8

/* ---- Cells ----------------------------------------------------------------------------------- */

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
bool node_number(const void *fdt, int node, const char *name, uint64_t *value) {
    int count;
    const fdt32_t *cells = cells_of(fdt, node, name, &count);

    return cells != NULL && (count == 1 || count == 2) && read_cells(cells, count, value);
}

bool node_string_is(const void *fdt, int node, const char *name, const char *text) {
    int bytes;
    const char *value = fdt_getprop(fdt, node, name, &bytes);

    return value != NULL && bytes == (int)strlen(text) + 1 &&
           memcmp(value, text, (size_t)bytes) == 0;
}

/* Length of a string property that may lack its NUL. */
size_t node_string_length(const char *value, int bytes) {
    const char *end = memchr(value, '\0', (size_t)bytes);

    return end != NULL ? (size_t)(end - value) : (size_t)bytes;
}

void node_copy_string(char *to, size_t size, const void *fdt, int node, const char *name) {
    int bytes = 0;
    const char *value = node >= 0 ? fdt_getprop(fdt, node, name, &bytes) : NULL;
    size_t length = value != NULL ? node_string_length(value, bytes) : 0;

    if (length >= size)
        length = size - 1;
    for (size_t i = 0; i < length; i++)
        to[i] = value[i] >= ' ' && value[i] <= '~' ? value[i] : '?';
    to[length] = '\0';
}

bool node_is_disabled(const void *fdt, int node) {
    return node_string_is(fdt, node, "status", "disabled");
}

/* ---- Addresses ------------------------------------------------------------------------------- */

/* How many (address, size) pairs `reg` has; -1 iff it is missing or its length is wrong. */
int node_reg_count(const void *fdt, int parent, int node) {
    int width = fdt_address_cells(fdt, parent) + fdt_size_cells(fdt, parent);
    int count;

    if (fdt_address_cells(fdt, parent) < 1 || fdt_size_cells(fdt, parent) < 0 ||
        cells_of(fdt, node, "reg", &count) == NULL || count % width != 0)
        return -1;
    return count / width;
}

/* The pair `index` of a `reg` that node_reg_count() accepted. False iff a number is too large. */
bool node_reg(const void *fdt, int parent, int node, int index, struct region *region) {
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
bool node_address(const void *fdt, int node, int index, uint64_t *address) {
    int bus = fdt_parent_offset(fdt, node);
    struct region region;

    if (bus < 0 || index >= node_reg_count(fdt, bus, node) ||
        !node_reg(fdt, bus, node, index, &region))
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

/* ---- Interrupts ------------------------------------------------------------------------------ */

static int interrupt_parent(const void *fdt, int node) {
    for (int depth = 0; node >= 0 && depth < BUS_DEPTH_MAX; depth++) {
        uint64_t handle;

        if (node_number(fdt, node, "interrupt-parent", &handle))
            return fdt_node_offset_by_phandle(fdt, (uint32_t)handle);
        node = node == 0 ? -1 : fdt_parent_offset(fdt, node);
    }
    return -1;
}

/* The first interrupt of a device, in the numbers of arch/arm64/irq.h. */
uint32_t node_irq(const void *fdt, int node) {
    int parent = interrupt_parent(fdt, node);
    int count;
    const fdt32_t *cells = cells_of(fdt, node, "interrupts", &count);
    uint64_t width, group, number;

    if (parent < 0 || cells == NULL || !node_number(fdt, parent, "#interrupt-cells", &width) ||
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
