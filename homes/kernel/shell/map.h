/* map.h: a picture of RAM for a terminal: rows of cells, each standing for a stretch of memory.
 *
 * A cell's letter and colour say what uses most of it, a capital that less than an eighth of it is
 * free. A cell is 2 MiB, or the next power of two with which the picture keeps to its rows; rows
 * begin at multiples of their length, so the same memory is always at the same place, and rows
 * without any RAM are left out. Pure: reads memory only through `read`.
 */
#ifndef SHELL_MAP_H
#define SHELL_MAP_H

#include "larder/stats.h"

#define MAP_CELL_BYTES ((uint64_t)2 << 20)
#define MAP_ROWS_MAX 32u
#define MAP_COLUMNS_MAX 128u /* cells in a row */

struct map_picture {
    /* larder_map_read(), or a test's. */
    void (*read)(void *context, uint64_t address, uint64_t size_bytes,
                 struct larder_map_cell *cell);
    void *context;
    uint64_t first_address, end_address;
    uint64_t cell_bytes; /* a power of two, at least a frame; 0: chosen as described above */
    unsigned rows_max;   /* for choosing; 0: MAP_ROWS_MAX */
    unsigned columns;    /* of the terminal */
    bool colour;         /* with ANSI colours */
    bool bare;           /* rows only, no heading and no legend */
};

/* What a cell shows. */
enum map_kind { MAP_ABSENT, MAP_FREE, MAP_RESERVED, MAP_SLAB, MAP_RUN, MAP_BIN, MAP_KINDS };

struct map_look {
    enum map_kind kind;
    bool full; /* less than an eighth is free */
};

struct map_look map_cell_look(const struct larder_map_cell *cell);

/* The letter of a look. */
char map_letter(struct map_look look);

/* Cells in a row on a terminal of so many columns: a power of two from 8 to MAP_COLUMNS_MAX. */
unsigned map_row_cells(unsigned columns);

/* The size of a cell that map_draw() would choose. */
uint64_t map_cell_bytes(const struct map_picture *picture);

/* The picture, with a heading and a legend with totals unless it is bare. */
void map_draw(const struct map_picture *picture, const struct larder_sink *sink);

/* Only these cells, in one row, without a newline: for small pictures. */
void map_draw_cells(const struct map_picture *picture, uint64_t address, unsigned cells,
                    const struct larder_sink *sink);

#endif
