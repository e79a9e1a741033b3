/* devicetree_lies_test.c: trees that cannot be, are cut, or corrupted: the reader
 * (homes/kernel/boot/devicetree.c) says no with a word, and looks nowhere else. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

/* ---- Trees that lie -------------------------------------------------------------------------- */

static void begin_lie(struct tree *tree, uint32_t address_cells, uint32_t size_cells) {
    *tree = (struct tree){0};
    tree_start(tree, address_cells, size_cells);
    tree_memory(tree, "memory@0");
}

static void lies_about_memory(void **state) {
    struct tree tree;
    (void)state;
    begin_lie(&tree, 2, 2);
    CELLS(&tree, "reg", 0, 0, 0);
    tree_end(&tree);
    expect_refused(&tree, "wrong length");
    begin_lie(&tree, 2, 2);
    tree_end(&tree);
    expect_refused(&tree, "wrong length");
    begin_lie(&tree, 2, 2);
    CELLS(&tree, "reg", 0xffffffff, 0xfffff000, 0, 0x2000);
    tree_end(&tree);
    expect_refused(&tree, "beyond the end of all addresses");
    begin_lie(&tree, 3, 1);
    CELLS(&tree, "reg", 1, 0, 0, 0x1000);
    tree_end(&tree);
    expect_refused(&tree, "beyond 64 bits");
    begin_lie(&tree, 2, 2);
    CELLS(&tree, "reg", 0, 0, 0, 0);
    tree_end(&tree);
    expect_refused(&tree, "no memory");
    begin_lie(&tree, 0, 1);
    CELLS(&tree, "reg", 0x1000);
    tree_end(&tree);
    expect_refused(&tree, "wrong length");
    begin_lie(&tree, 9, 1);
    CELLS(&tree, "reg", 0x1000);
    tree_end(&tree);
    expect_refused(&tree, "wrong length");
}

static void lies_about_reservations(void **state) {
    struct tree tree = {0};
    (void)state;
    tree_reserved(&tree);
    tree_begin(&tree, "odd@0");
    CELLS(&tree, "reg", 0, 0x1000);
    tree_end(&tree);
    tree_end(&tree);
    expect_refused(&tree, "wrong length");
    tree = (struct tree){.reserve = {{UINT64_MAX - 4095, 0x2000}}};
    tree_reserved(&tree);
    tree_end(&tree);
    expect_refused(&tree, "beyond the end of all addresses");
}

/* More pieces than the table has entries. */
static void too_many_pieces(void **state) {
    struct tree tree;
    (void)state;
    begin_lie(&tree, 1, 1);
    uint32_t reg[64];
    for (uint32_t i = 0; i < 64; i += 2) {
        reg[i] = i << 24;
        reg[i + 1] = 0x1000;
    }
    tree_cells(&tree, "reg", 64, reg);
    tree_end(&tree);
    for (uint32_t node = 1; node < 5; node++) {
        char name[32];
        snprintf(name, sizeof name, "memory@%x", node);
        for (uint32_t i = 0; i < 64; i += 2)
            reg[i] = (i << 24) + (node << 20);
        tree_memory(&tree, name);
        tree_cells(&tree, "reg", 64, reg);
        tree_end(&tree);
    }
    expect_refused(&tree, "too many");
}

static void cut_at_every_length(void **state) {
    struct tree tree;
    struct result result;
    (void)state;
    tree_of_pi4(&tree, 8);
    for (size_t size = 0; size < fdt_totalsize(tree.blob); size++) {
        read_bytes(tree.blob, size, &result);
        assert_false(result.ok);
    }
}

/* Every byte of a tree, with every bit turned and with 0 and 255: refused or read, with nothing
 * touched that lies behind. */
static void corrupted_everywhere(void **state) {
    struct tree tree;
    struct result result;
    unsigned refused = 0;
    (void)state;
    tree_of_pi4(&tree, 8);
    size_t size = fdt_totalsize(tree.blob);
    for (size_t at = 0; at < size; at++) {
        char was = tree.blob[at];
        for (unsigned way = 0; way < 10; way++) {
            int turned = way < 8 ? was ^ 1 << way : way == 8 ? 0 : -1;
            memcpy(&tree.blob[at], &turned, 1); /* the low byte: hosts are little endian */
            read_bytes(tree.blob, size, &result);
            refused += !result.ok;
        }
        tree.blob[at] = was;
    }
    assert_true(refused > size);
}

static void not_a_tree(void **state) {
    char bytes[64] = {0};
    struct result result;
    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size += 8) {
        read_bytes(bytes, size, &result);
        assert_false(result.ok);
        assert_non_null(strstr(result.error.what, "damaged"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_about_memory),    cmocka_unit_test(lies_about_reservations),
        cmocka_unit_test(too_many_pieces),      cmocka_unit_test(cut_at_every_length),
        cmocka_unit_test(corrupted_everywhere), cmocka_unit_test(not_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
