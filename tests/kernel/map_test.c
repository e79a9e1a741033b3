/* The picture of RAM: what a cell shows, how the picture fits its terminal, what is left out. */
#include "../../homes/kernel/shell/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define FRAMES(bytes) ((bytes) / LARDER_FRAME_BYTES)

static char text[1 << 20];
static size_t text_length;

static void append(void *context, const char *bytes, size_t length) {
    (void)context;
    assert_true(text_length + length < sizeof(text));
    memcpy(text + text_length, bytes, length);
    text_length += length;
    text[text_length] = '\0';
}

static const struct larder_sink sink = {append, NULL};

/* A machine with 1 GiB at 1 GiB and 1 GiB at 4 GiB: the kernel in the first 2 MiB, a slab in every
 * other cell of the next 2 MiB cells up to 64 MiB, a hole between. */
static void machine(void *context, uint64_t address, uint64_t size_bytes,
                    struct larder_map_cell *cell) {
    uint64_t *read_bytes = context, frames = FRAMES(size_bytes);
    *read_bytes += size_bytes;
    *cell = (struct larder_map_cell){0};
    if (address < GIB || (address >= 2 * GIB && address < 4 * GIB))
        cell->absent = frames;
    else if (address < GIB + 2 * MIB)
        cell->reserved = frames;
    else if (address < GIB + 64 * MIB && address / (2 * MIB) % 2 == 0)
        cell->slab = 1, cell->free = frames - 1;
    else
        cell->free = frames;
}

static uint64_t read_bytes;

static struct map_picture picture_of_machine(unsigned columns, bool colour) {
    read_bytes = 0;
    text_length = 0;
    text[0] = '\0';
    return (struct map_picture){.read = machine,
                                .context = &read_bytes,
                                .first_address = GIB,
                                .end_address = 5 * GIB,
                                .columns = columns,
                                .colour = colour};
}

static char letter(struct larder_map_cell cell) {
    return map_letter(map_cell_look(&cell));
}

static void a_cell_shows_what_uses_most_of_it(void **state) {
    (void)state;
    assert_int_equal(letter((struct larder_map_cell){.absent = 512}), ' ');
    assert_int_equal(letter((struct larder_map_cell){.free = 512}), '.');
    assert_int_equal(letter((struct larder_map_cell){.absent = 511, .free = 1}), '.');
    assert_int_equal(letter((struct larder_map_cell){.free = 511, .slab = 1}), 's');
    assert_int_equal(letter((struct larder_map_cell){.free = 509, .slab = 1, .run = 2}), 'r');
    assert_int_equal(letter((struct larder_map_cell){.slab = 200, .run = 312}), 'R');
    assert_int_equal(letter((struct larder_map_cell){.in_bins = 512}), 'B');
    assert_int_equal(letter((struct larder_map_cell){.free = 64, .reserved = 448}), 'k');
    assert_int_equal(letter((struct larder_map_cell){.free = 63, .reserved = 449}), 'K');
}

static void rows_fit_the_terminal(void **state) {
    (void)state;
    assert_int_equal(map_row_cells(80), 64);
    assert_int_equal(map_row_cells(77), 32);
    assert_int_equal(map_row_cells(78), 64);
    assert_int_equal(map_row_cells(1000), 128);
    assert_int_equal(map_row_cells(0), 8);
    for (unsigned columns = 22; columns < 300; columns++)
        assert_true(map_row_cells(columns) + 13 < columns);
}

static void cells_grow_until_the_picture_fits(void **state) {
    (void)state;
    struct map_picture picture = picture_of_machine(80, false);
    assert_int_equal(map_cell_bytes(&picture), 2 * MIB);
    picture.first_address = 0;
    picture.end_address = 8 * GIB;
    assert_int_equal(map_cell_bytes(&picture), 4 * MIB);
    picture.end_address = 8 * GIB + 1;
    assert_int_equal(map_cell_bytes(&picture), 8 * MIB);
    picture.end_address = (uint64_t)16 << 40;
    assert_int_equal(map_cell_bytes(&picture), 8 * GIB);
    picture.end_address = GIB;
    picture.rows_max = 4;
    assert_int_equal(map_cell_bytes(&picture), 4 * MIB);
    picture.cell_bytes = 4096;
    assert_int_equal(map_cell_bytes(&picture), 4096);
}

static unsigned count_lines(void) {
    unsigned lines = 0;
    for (size_t i = 0; i < text_length; i++)
        lines += text[i] == '\n';
    return lines;
}

static void draws_the_machine(void **state) {
    (void)state;
    struct map_picture picture = picture_of_machine(80, false);
    map_draw(&picture, &sink);
    assert_non_null(strstr(text, "one cell is 2 MiB"));
    assert_non_null(strstr(text, "0x040000000  K.s.s.s.s.s.s.s.s.s.s.s.s.s.s.s................"));
    assert_non_null(strstr(text, "\n0x138000000  ..........................................."));
    assert_null(strstr(text, "0x080000000"));
    assert_int_equal(count_lines(), 1 + 8 + 8 + 5);
    assert_int_equal(read_bytes, 4 * GIB);
    assert_non_null(strstr(text, "k K  kernel and reserved        2048 KiB"));
    assert_non_null(strstr(text, "s S  slabs                        60 KiB"));
}

static void no_line_is_wider_than_the_terminal(void **state) {
    (void)state;
    for (unsigned columns = 80; columns < 200; columns += 7) {
        struct map_picture picture = picture_of_machine(columns, false);
        map_draw(&picture, &sink);
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
            assert_true(strlen(line) < columns);
    }
}

/* With its colours taken away the coloured picture is the plain one; every row ends without a
 * colour. */
static void colours_change_nothing_else(void **state) {
    (void)state;
    static char plain[1 << 20];
    struct map_picture picture = picture_of_machine(80, false);
    map_draw(&picture, &sink);
    memcpy(plain, text, text_length + 1);
    picture = picture_of_machine(80, true);
    map_draw(&picture, &sink);
    size_t to = 0;
    for (size_t i = 0; i < text_length; i++) {
        if (text[i] == '\x1b')
            i += strcspn(text + i, "m");
        else
            text[to++] = text[i];
    }
    text[to] = '\0';
    assert_string_equal(text, plain);
}

static void a_map_that_begins_in_the_middle_of_a_cell(void **state) {
    (void)state;
    struct map_picture picture = picture_of_machine(80, false);
    picture.first_address = GIB + MIB;
    picture.end_address = GIB + 3 * MIB;
    map_draw(&picture, &sink);
    assert_int_equal(read_bytes, 2 * MIB);
    assert_non_null(strstr(text, "\n0x040000000  K.  "));
    assert_int_equal(count_lines(), 1 + 1 + 5);
}

static void draws_single_cells(void **state) {
    (void)state;
    struct map_picture picture = picture_of_machine(80, false);
    map_draw_cells(&picture, GIB, 4, &sink);
    assert_string_equal(text, "K.s.");
    text_length = 0;
    map_draw_cells(&picture, GIB, 100000, &sink);
    assert_int_equal(text_length, MAP_COLUMNS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_shows_what_uses_most_of_it),
        cmocka_unit_test(rows_fit_the_terminal),
        cmocka_unit_test(cells_grow_until_the_picture_fits),
        cmocka_unit_test(draws_the_machine),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(colours_change_nothing_else),
        cmocka_unit_test(a_map_that_begins_in_the_middle_of_a_cell),
        cmocka_unit_test(draws_single_cells),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
