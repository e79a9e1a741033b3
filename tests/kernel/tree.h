/* tree.h: for the tests of the device-tree reader: write trees with libfdt's own writer, and hand
 * them to the reader at the very end of a page with nothing behind it. */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libfdt.h>

#include "devicetree.h"

#define TREE_BYTES 8192
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

struct tree {
    char blob[TREE_BYTES];
    uint64_t reserve[4][2]; /* the reservation block; ends with a size of 0 */
};

/* The root node, and the blob, begin and end. */
void tree_start(struct tree *tree, uint32_t address_cells, uint32_t size_cells);
void tree_finish(struct tree *tree);
void tree_begin(struct tree *tree, const char *name);
void tree_end(struct tree *tree);

/* Begin a node of memory; its `reg` is the caller's. */
void tree_memory(struct tree *tree, const char *name);

/* 1 GiB of memory from 0 on, and the node reserved-memory, begun, with cells 2 and 1. */
void tree_reserved(struct tree *tree);

void tree_text(struct tree *tree, const char *name, const char *value);
void tree_cells(struct tree *tree, const char *name, unsigned count, const uint32_t *values);
#define CELLS(tree, name, ...)                                                                     \
    tree_cells(tree, name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (uint32_t[]){__VA_ARGS__})

/* The whole tree that the firmware of a Raspberry Pi 4 passes, as far as memory goes, by the
 * board's RAM. Sizes have one cell. */
void tree_of_pi4(struct tree *tree, unsigned gib);

struct result {
    struct larder_ranges ranges;
    struct machine machine;
    struct devicetree_error error;
    bool ok;
};

/* A page that cannot be touched lies right behind the bytes. A refusal without a word fails. */
void read_bytes(const void *bytes, size_t size, struct result *result);
void read_tree(struct tree *tree, struct result *result);

/* There is exactly this range. */
void expect_range(const struct result *result, uint64_t address, uint64_t bytes,
                  enum larder_range_kind kind);

/* Finish the tree; it is refused with these words. */
void expect_refused(struct tree *tree, const char *part);

#endif
