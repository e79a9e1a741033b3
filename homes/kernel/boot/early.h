/* early.h: between early.c, which runs before the MMU, and mmu.c, which takes over its tables. */
#ifndef EARLY_H
#define EARLY_H

#include "layout.h"

#include <stdint.h>

/* Where early.c maps the device tree, to the page. */
#define EARLY_DTB_WINDOW WINDOW_BASE

/* From entry.S. */
void early_map(void);

/* A zeroed page out of the image for a table, or NULL. Also with the MMU on. */
uint64_t *early_pool_take(void);

#endif
