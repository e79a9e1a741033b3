/* processes.h: a picture of what processes hold, for the command "map". */
#ifndef SHELL_PROCESSES_H
#define SHELL_PROCESSES_H

#include "map.h"

/* Rows of cells of that size, a power of two, with the letters of the processes; rows in which none
 * holds anything are left out. */
void processes_map(uint64_t cell_bytes);

#endif
