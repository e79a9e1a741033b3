/* tree.c: see tree.h. */
#include "tree.h"

#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u

/* ---- Writing trees --------------------------------------------------------------------------- */

void tree_cells(struct tree *tree, const char *name, unsigned count, const uint32_t *values) {
    fdt32_t big_endian[64];
    for (unsigned i = 0; i < count; i++)
        big_endian[i] = cpu_to_fdt32(values[i]);
    assert_int_equal(fdt_property(tree->blob, name, big_endian, (int)(count * 4)), 0);
}

void tree_text(struct tree *tree, const char *name, const char *value) {
    assert_int_equal(fdt_property(tree->blob, name, value, (int)strlen(value) + 1), 0);
}

void tree_begin(struct tree *tree, const char *name) {
    assert_int_equal(fdt_begin_node(tree->blob, name), 0);
}

void tree_end(struct tree *tree) {
    assert_int_equal(fdt_end_node(tree->blob), 0);
}

void tree_start(struct tree *tree, uint32_t address_cells, uint32_t size_cells) {
    assert_int_equal(fdt_create(tree->blob, TREE_BYTES), 0);
    for (unsigned i = 0; tree->reserve[i][1] != 0; i++)
        fdt_add_reservemap_entry(tree->blob, tree->reserve[i][0], tree->reserve[i][1]);
    assert_int_equal(fdt_finish_reservemap(tree->blob), 0);
    tree_begin(tree, "");
    CELLS(tree, "#address-cells", address_cells);
    CELLS(tree, "#size-cells", size_cells);
}

void tree_finish(struct tree *tree) {
    tree_end(tree);
    assert_int_equal(fdt_finish(tree->blob), 0);
}

void tree_memory(struct tree *tree, const char *name) {
    tree_begin(tree, name);
    tree_text(tree, "device_type", "memory");
}

/* ---- Reading them ---------------------------------------------------------------------------- */

/* A page that cannot be touched lies right behind the bytes handed over. */
void read_bytes(const void *bytes, size_t size, struct result *result) {
    static unsigned char *area;
    size_t rounded = (size + 7) / 8 * 8; /* the reader wants an aligned start */
    if (area == NULL) {
        area =
            mmap(NULL, 4 * PAGE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(area != MAP_FAILED);
        assert_int_equal(mprotect(area + 4 * PAGE, PAGE, PROT_NONE), 0);
    }
    unsigned char *at = area + 4 * PAGE - rounded;
    memcpy(at, bytes, size);
    memset(result, 0, sizeof *result);
    larder_ranges_init(&result->ranges);
    result->ok = devicetree_read(at, size, &result->ranges, &result->machine, &result->error);
    if (!result->ok) {
        assert_non_null(result->error.what);
        assert_true(strlen(result->error.what) > 10);
        assert_non_null(result->error.why);
    }
}

void read_tree(struct tree *tree, struct result *result) {
    read_bytes(tree->blob, fdt_totalsize(tree->blob), result);
}

void expect_range(const struct result *result, uint64_t address, uint64_t bytes,
                  enum larder_range_kind kind) {
    const struct larder_range *range = larder_ranges_find(&result->ranges, address);
    assert_non_null(range);
    assert_int_equal(range->address, address);
    assert_int_equal(range->size_bytes, bytes);
    assert_int_equal(range->kind, kind);
}

void expect_refused(struct tree *tree, const char *part) {
    struct result result;
    tree_finish(tree);
    read_tree(tree, &result);
    assert_false(result.ok);
    if (strstr(result.error.what, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", result.error.what, part);
}

/* What the firmware of a Raspberry Pi 4 reports, by the board's RAM in GiB. Sizes have one cell. */
void tree_of_pi4(struct tree *tree, unsigned gib) {
    *tree = (struct tree){.reserve = {{0, 0x1000}}};
    tree_start(tree, 2, 1);
    tree_text(tree, "model", "Raspberry Pi 4 Model B Rev 1.4");
    fdt_property(tree->blob, "compatible", "raspberrypi,4-model-b\0brcm,bcm2711", 35);
    tree_memory(tree, "memory@0");
    if (gib == 1)
        CELLS(tree, "reg", 0, 0, 0x3b400000);
    else if (gib == 2)
        CELLS(tree, "reg", 0, 0, 0x3b400000, 0, 0x40000000, 0x40000000);
    else if (gib == 4)
        CELLS(tree, "reg", 0, 0, 0x3b400000, 0, 0x40000000, 0xbc000000);
    else
        CELLS(tree, "reg", 0, 0, 0x3b400000, 0, 0x40000000, 0xbc000000, 1, 0, 0x80000000, 1,
              0x80000000, 0x80000000);
    tree_end(tree);
    tree_finish(tree);
}

void tree_reserved(struct tree *tree) {
    tree_start(tree, 2, 2);
    tree_memory(tree, "memory@0");
    CELLS(tree, "reg", 0, 0, 0, 0x40000000);
    tree_end(tree);
    tree_begin(tree, "reserved-memory");
    CELLS(tree, "#address-cells", 2);
    CELLS(tree, "#size-cells", 1);
    assert_int_equal(fdt_property(tree->blob, "ranges", NULL, 0), 0);
}
