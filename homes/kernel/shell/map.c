/* map.c: see map.h. */
#include "map.h"

#include "out.h"

#define LABEL_DIGITS 9u                        /* addresses below 64 GiB */
#define LABEL_COLUMNS (2u + LABEL_DIGITS + 2u) /* 0x, digits, two blanks */
#define ROW_CELLS_MIN 8u

/* Colours of ECMA-48: 30 + n for letters, 40 + n for what lies behind them. */
static const struct {
    char partly, full;
    const char *partly_colour, *full_colour;
    const char *name;
} look_table[MAP_KINDS] = {
    [MAP_ABSENT] = {' ', ' ', "", "", "no RAM"},
    [MAP_FREE] = {'.', '.', "\x1b[32m", "\x1b[32m", "free"},
    [MAP_RESERVED] = {'k', 'K', "\x1b[94m", "\x1b[30;104m", "kernel and reserved"},
    [MAP_SLAB] = {'s', 'S', "\x1b[93m", "\x1b[30;103m", "slabs"},
    [MAP_RUN] = {'r', 'R', "\x1b[91m", "\x1b[30;101m", "blocks and runs"},
    [MAP_BIN] = {'b', 'B', "\x1b[96m", "\x1b[30;106m", "in CPU bins"},
};

#define COLOUR_OFF "\x1b[0m"

static const char *look_colour(struct map_look look) {
    return look.full ? look_table[look.kind].full_colour : look_table[look.kind].partly_colour;
}

char map_letter(struct map_look look) {
    return look.full ? look_table[look.kind].full : look_table[look.kind].partly;
}

static uint64_t cell_count(const struct larder_map_cell *cell, enum map_kind kind) {
    switch (kind) {
    case MAP_ABSENT:
        return cell->absent;
    case MAP_FREE:
        return cell->free;
    case MAP_RESERVED:
        return cell->reserved;
    case MAP_SLAB:
        return cell->slab;
    case MAP_RUN:
        return cell->run;
    case MAP_BIN:
        return cell->in_bins;
    default:
        return 0;
    }
}

struct map_look map_cell_look(const struct larder_map_cell *cell) {
    uint64_t used = 0, most = 0;
    enum map_kind kind = cell->free > 0 ? MAP_FREE : MAP_ABSENT;
    for (enum map_kind k = MAP_RESERVED; k < MAP_KINDS; k++) {
        uint64_t count = cell_count(cell, k);
        used += count;
        if (count > most) {
            most = count;
            kind = k;
        }
    }
    return (struct map_look){.kind = kind, .full = used > 0 && cell->free * 8 < used + cell->free};
}

/* ---- Size ------------------------------------------------------------------------------------ */

unsigned map_row_cells(unsigned columns) {
    unsigned cells = MAP_COLUMNS_MAX;
    while (cells > ROW_CELLS_MIN && LABEL_COLUMNS + cells >= columns)
        cells /= 2;
    return cells;
}

static uint64_t row_count(const struct map_picture *picture, uint64_t row_bytes) {
    uint64_t first = picture->first_address / row_bytes;
    uint64_t end = (picture->end_address - 1) / row_bytes + 1;
    return end - first;
}

uint64_t map_cell_bytes(const struct map_picture *picture) {
    uint64_t bytes = MAP_CELL_BYTES;
    unsigned cells = map_row_cells(picture->columns);
    unsigned rows = picture->rows_max > 0 ? picture->rows_max : MAP_ROWS_MAX;
    if (picture->cell_bytes > 0)
        return picture->cell_bytes;
    while (row_count(picture, bytes * cells) > rows)
        bytes *= 2;
    return bytes;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* The part of a cell that lies in the picture; the rest has no RAM. */
static void read_cell(const struct map_picture *picture, uint64_t address, uint64_t bytes,
                      struct larder_map_cell *cell) {
    uint64_t first = address > picture->first_address ? address : picture->first_address;
    uint64_t end = address + bytes < picture->end_address ? address + bytes : picture->end_address;
    *cell = (struct larder_map_cell){0};
    if (first < end)
        picture->read(picture->context, first, end - first, cell);
}

static void draw_looks(const struct map_picture *picture, const struct map_look *look,
                       unsigned count, const struct larder_sink *sink) {
    const char *colour = "";
    for (unsigned i = 0; i < count; i++) {
        const char *next = look_colour(look[i]);
        if (picture->colour && next != colour) {
            out_text(sink, COLOUR_OFF);
            out_text(sink, next);
            colour = next;
        }
        char letter = map_letter(look[i]);
        sink->write(sink->context, &letter, 1);
    }
    if (picture->colour)
        out_text(sink, COLOUR_OFF);
}

static void add(struct larder_map_cell *total, const struct larder_map_cell *cell) {
    total->absent += cell->absent;
    total->reserved += cell->reserved;
    total->free += cell->free;
    total->in_bins += cell->in_bins;
    total->slab += cell->slab;
    total->run += cell->run;
}

/* Read `cells` cells; true iff there is RAM in any. */
static bool read_row(const struct map_picture *picture, uint64_t address, uint64_t bytes,
                     unsigned cells, struct map_look *look, struct larder_map_cell *total) {
    bool any = false;
    for (unsigned i = 0; i < cells; i++) {
        struct larder_map_cell cell;
        read_cell(picture, address + i * bytes, bytes, &cell);
        add(total, &cell);
        look[i] = map_cell_look(&cell);
        any = any || look[i].kind != MAP_ABSENT;
    }
    return any;
}

void map_draw_cells(const struct map_picture *picture, uint64_t address, unsigned cells,
                    const struct larder_sink *sink) {
    struct map_look look[MAP_COLUMNS_MAX];
    struct larder_map_cell total = {0};
    cells = cells < MAP_COLUMNS_MAX ? cells : MAP_COLUMNS_MAX;
    (void)read_row(picture, address, map_cell_bytes(picture), cells, look, &total);
    draw_looks(picture, look, cells, sink);
}

/* ---- Legend ---------------------------------------------------------------------------------- */

static void legend(const struct map_picture *picture, const struct larder_map_cell *total,
                   const struct larder_sink *sink) {
    for (enum map_kind kind = MAP_FREE; kind < MAP_KINDS; kind++) {
        struct map_look look = {.kind = kind, .full = false};
        out_text(sink, "  ");
        draw_looks(picture, &look, 1, sink);
        look.full = true;
        out_text(sink, " ");
        draw_looks(picture, &look, 1, sink);
        out_text(sink, "  ");
        out_padded(sink, look_table[kind].name, 22);
        out_number(sink, cell_count(total, kind) * LARDER_FRAME_BYTES >> 10, 9);
        out_text(sink, " KiB\n");
    }
}

static void heading(uint64_t bytes, const struct larder_sink *sink) {
    out_text(sink, "one cell is ");
    out_size(sink, bytes);
    out_text(sink, "; letter: what uses most of it; capital: less than 1/8 free\n");
}

void map_draw(const struct map_picture *picture, const struct larder_sink *sink) {
    struct map_look look[MAP_COLUMNS_MAX];
    struct larder_map_cell total = {0};
    unsigned cells = map_row_cells(picture->columns);
    uint64_t bytes = map_cell_bytes(picture), row_bytes = bytes * cells;
    uint64_t row = picture->first_address / row_bytes * row_bytes;
    if (!picture->bare)
        heading(bytes, sink);
    for (uint64_t left = row_count(picture, row_bytes); left > 0; left--, row += row_bytes) {
        if (!read_row(picture, row, bytes, cells, look, &total))
            continue;
        out_hex(sink, row, LABEL_DIGITS);
        out_text(sink, "  ");
        draw_looks(picture, look, cells, sink);
        out_text(sink, "\n");
    }
    if (!picture->bare)
        legend(picture, &total, sink);
}
