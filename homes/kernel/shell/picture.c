/* picture.c: see picture.h. */
#include "picture.h"

#include "command.h"

static void read_map(void *context, uint64_t address, uint64_t size_bytes,
                     struct larder_map_cell *cell) {
    larder_map_read(context, address, size_bytes, cell);
}

struct map_picture picture_of_ram(uint64_t cell_bytes, unsigned rows_max) {
    struct map_picture picture = {.read = read_map,
                                  .context = kernel_larder,
                                  .cell_bytes = cell_bytes,
                                  .rows_max = rows_max,
                                  .columns = shell_terminal.columns,
                                  .colour = shell_terminal.colour};
    larder_map_span(kernel_larder, &picture.first_address, &picture.end_address);
    return picture;
}

void picture_draw(uint64_t cell_bytes, unsigned rows_max, bool bare) {
    struct map_picture picture = picture_of_ram(cell_bytes, rows_max);
    picture.bare = bare;
    map_draw(&picture, &shell_terminal.sink);
}
