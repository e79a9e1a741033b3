/* picture.h: the map of this machine's RAM on the terminal. */
#ifndef SHELL_PICTURE_H
#define SHELL_PICTURE_H

#include "map.h"

/* A picture of all RAM as struct map_picture describes it; zeroes choose. */
struct map_picture picture_of_ram(uint64_t cell_bytes, unsigned rows_max);

/* Bare: without heading and legend. */
void picture_draw(uint64_t cell_bytes, unsigned rows_max, bool bare);

#endif
