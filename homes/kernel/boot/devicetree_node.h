/* devicetree_node.h: what one node of a flattened device tree says: numbers, strings, addresses as
 * the CPUs see them, interrupts. Pure, like devicetree.h. */
#ifndef DEVICETREE_NODE_H
#define DEVICETREE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct region {
    uint64_t address;
    uint64_t size_bytes;
};

/* A property of one or two cells; false iff it is anything else. */
bool node_number(const void *fdt, int node, const char *name, uint64_t *value);

bool node_string_is(const void *fdt, int node, const char *name, const char *text);

/* Length of a string property that may lack its NUL. */
size_t node_string_length(const char *value, int bytes);

/* What can be printed of a string property, cut to `size`; "" if there is none or node < 0. */
void node_copy_string(char *to, size_t size, const void *fdt, int node, const char *name);

bool node_is_disabled(const void *fdt, int node);

/* How many (address, size) pairs `reg` has; -1 iff it is missing or its length is wrong. */
int node_reg_count(const void *fdt, int parent, int node);

/* The pair `index` of a `reg` that node_reg_count() accepted, as it stands there. False iff a
 * number is beyond 64 bits. */
bool node_reg(const void *fdt, int parent, int node, int index, struct region *region);

/* The address of a device's registers number `index`, translated by every bus above it. False iff
 * there is none or a bus does not pass it on. */
bool node_address(const void *fdt, int node, int index, uint64_t *address);

/* The first interrupt of a device, in the numbers of arch/arm64/irq.h, or MACHINE_IRQ_NONE. */
uint32_t node_irq(const void *fdt, int node);

#endif
