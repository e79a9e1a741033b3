/* devicetree.h: from a flattened device tree to a range table and a description of the machine.
 *
 * Pure: reads the blob, writes its results, touches nothing else; compiles on the host as well.
 */
#ifndef DEVICETREE_H
#define DEVICETREE_H

#include "larder/ranges.h"
#include "machine.h"

#include <stddef.h>

struct devicetree_error {
    const char *what; /* never NULL after a failure */
    const char *why;  /* "" or more */
};

/* Read the tree at `blob` (aligned to 8 bytes), of which `max_bytes` may be looked at. Adds RAM as
 * USABLE to an empty table, then what is reserved inside it: RESERVED, or DEVICE where nothing may
 * map it (no-map). Boundaries are exact. False, with *error set, iff the tree is damaged, or says
 * what cannot be: then the table and the machine are as far as it came and not to be used, except
 * for machine->console and machine->board, which are read first where possible. */
bool devicetree_read(const void *blob, size_t max_bytes, struct larder_ranges *ranges,
                     struct machine *machine, struct devicetree_error *error);

/* Value of NAME=VALUE in a command line, its length in *length; NULL iff it is absent. A bare NAME
 * has the value "". The last one holds. */
const char *command_line_find(const char *line, const char *name, size_t *length);

/* "512M": digits and at most one of K, M, G. False iff it is something else or too large. */
bool command_line_size(const char *text, size_t length, uint64_t *bytes);

#endif
