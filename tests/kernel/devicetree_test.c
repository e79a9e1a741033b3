/* devicetree_test.c: the reader of device trees (homes/kernel/boot/devicetree.c), on the host: what
 * is RAM, what is reserved, where the console is, which CPUs there are. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

/* ---- Memory ---------------------------------------------------------------------------------- */

static void every_size_of_a_pi4(void **state) {
    static const uint64_t high[9] = {[2] = GIB, [4] = 3 * GIB - 64 * MIB, [8] = 7 * GIB - 64 * MIB};
    (void)state;
    for (unsigned gib = 1; gib <= 8; gib *= 2) {
        struct tree tree;
        struct result result;
        tree_of_pi4(&tree, gib);
        read_tree(&tree, &result);
        assert_true(result.ok);
        assert_int_equal(result.machine.board, BOARD_RASPBERRY_PI_4);
        assert_string_equal(result.machine.model, "Raspberry Pi 4 Model B Rev 1.4");
        assert_int_equal(result.machine.memory_bytes, 0x3b400000 + high[gib]);
        expect_range(&result, 0, 0x1000, LARDER_RANGE_RESERVED);
        expect_range(&result, 0x1000, 0x3b3ff000, LARDER_RANGE_USABLE);
        if (gib == 8)
            expect_range(&result, 4 * GIB, 4 * GIB, LARDER_RANGE_USABLE);
    }
}

/* The same megabyte at the same place, in every width that numbers come in. */
static void widths_of_numbers(void **state) {
    (void)state;
    for (uint32_t address_cells = 1; address_cells <= 4; address_cells++) {
        for (uint32_t size_cells = 1; size_cells <= 4; size_cells++) {
            struct tree tree = {0};
            struct result result;
            uint32_t reg[8] = {0};
            reg[address_cells - 1] = 0x80000000;
            reg[address_cells + size_cells - 1] = 0x100000;
            tree_start(&tree, address_cells, size_cells);
            tree_memory(&tree, "memory@80000000");
            tree_cells(&tree, "reg", address_cells + size_cells, reg);
            tree_end(&tree);
            tree_finish(&tree);
            read_tree(&tree, &result);
            assert_true(result.ok);
            expect_range(&result, 0x80000000, MIB, LARDER_RANGE_USABLE);
        }
    }
}

static void several_nodes_any_name(void **state) {
    struct tree tree = {0};
    struct result result;
    (void)state;
    tree_start(&tree, 2, 2);
    tree_memory(&tree, "ram@40000000");
    CELLS(&tree, "reg", 0, 0x40000000, 0, 0x1000000, 0, 0x50000000, 0, 0);
    tree_end(&tree);
    tree_memory(&tree, "memory@100000000");
    CELLS(&tree, "reg", 1, 0, 0, 0x2000000);
    tree_end(&tree);
    tree_memory(&tree, "memory@200000000");
    CELLS(&tree, "reg", 2, 0, 0, 0x2000000);
    tree_text(&tree, "status", "disabled");
    tree_end(&tree);
    tree_begin(&tree, "memory@300000000"); /* no device_type: something else */
    CELLS(&tree, "reg", 3, 0, 0, 0x2000000);
    tree_end(&tree);
    tree_finish(&tree);
    read_tree(&tree, &result);
    assert_true(result.ok);
    assert_int_equal(result.ranges.count, 2);
    assert_int_equal(result.machine.memory_bytes, 48 * MIB);
}

/* ---- What is reserved ------------------------------------------------------------------------ */

static void reserved_in_every_way(void **state) {
    struct tree tree = {.reserve = {{0x1000123, 0x2000}, {0x3ffff000, 0x10000}}};
    struct result result;
    (void)state;
    tree_reserved(&tree);
    tree_begin(&tree, "unmapped@2000000");
    CELLS(&tree, "reg", 0, 0x2000000, 0x100000);
    assert_int_equal(fdt_property(tree.blob, "no-map", NULL, 0), 0);
    tree_end(&tree);
    tree_begin(&tree, "pieces@3000000");
    CELLS(&tree, "reg", 0, 0x3000000, 0x123456, 0, 0x5000000, 0x1000);
    tree_end(&tree);
    tree_begin(&tree, "anywhere");
    CELLS(&tree, "size", 0, 0x400000);
    tree_end(&tree);
    tree_begin(&tree, "outside@90000000");
    CELLS(&tree, "reg", 0, 0x90000000, 0x1000);
    tree_end(&tree);
    tree_end(&tree);
    tree_finish(&tree);
    read_tree(&tree, &result);
    assert_true(result.ok);
    expect_range(&result, 0x1000123, 0x2000, LARDER_RANGE_RESERVED);
    expect_range(&result, 0x2000000, 0x100000, LARDER_RANGE_DEVICE);
    expect_range(&result, 0x3000000, 0x123456, LARDER_RANGE_RESERVED);
    expect_range(&result, 0x5000000, 0x1000, LARDER_RANGE_RESERVED);
    expect_range(&result, 0x3ffff000, 0x1000, LARDER_RANGE_RESERVED); /* the part that is RAM */
    assert_null(larder_ranges_find(&result.ranges, 0x90000000));
    assert_int_equal(result.machine.reserved_dynamic, 1);
}

static void initrd(void **state) {
    struct tree tree = {0};
    struct result result;
    (void)state;
    tree_start(&tree, 1, 1);
    tree_memory(&tree, "memory@0");
    CELLS(&tree, "reg", 0, 0x10000000);
    tree_end(&tree);
    tree_begin(&tree, "chosen");
    CELLS(&tree, "linux,initrd-start", 0x4000000);
    CELLS(&tree, "linux,initrd-end", 0, 0x4123456); /* one cell or two: both are in use */
    tree_end(&tree);
    tree_finish(&tree);
    read_tree(&tree, &result);
    assert_true(result.ok);
    expect_range(&result, 0x4000000, 0x123456, LARDER_RANGE_RESERVED);
}

/* ---- mem= ------------------------------------------------------------------------------------ */

static void read_limited(const char *command_line, struct result *result) {
    struct tree tree = {0};
    tree_start(&tree, 1, 1);
    tree_memory(&tree, "memory@0");
    CELLS(&tree, "reg", 0, 0x10000000, 0x40000000, 0x10000000);
    tree_end(&tree);
    tree_begin(&tree, "chosen");
    tree_text(&tree, "bootargs", command_line);
    tree_end(&tree);
    tree_finish(&tree);
    read_tree(&tree, result);
}

static void limit_of_memory(void **state) {
    struct result result;
    (void)state;
    read_limited("quiet mem=320M last", &result);
    assert_true(result.ok);
    assert_int_equal(result.ranges.count, 2);
    expect_range(&result, 0x40000000, 64 * MIB, LARDER_RANGE_USABLE);
    assert_int_equal(result.machine.memory_bytes, 512 * MIB);
    read_limited("mem=1G mem=100M", &result); /* the last word holds */
    expect_range(&result, 0, 100 * MIB, LARDER_RANGE_USABLE);
    read_limited("mem=64G", &result);
    assert_true(result.ok);
    read_limited("memory=1K xmem=1K", &result);
    assert_true(result.ok);
    assert_int_equal(result.machine.memory_limit, 0);
}

static void limits_that_are_none(void **state) {
    static const char *const lines[] = {"mem=",
                                        "mem",
                                        "mem=0",
                                        "mem=12X",
                                        "mem=M",
                                        "mem=-1",
                                        "mem=99999999999999999999",
                                        "mem=17179869184G"};
    struct result result;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        read_limited(lines[i], &result);
        assert_false(result.ok);
        assert_non_null(strstr(result.error.what, "mem="));
    }
}

/* ---- Console --------------------------------------------------------------------------------- */

/* A tree with two UARTs behind a bus; `stdout_path` and the alias `serial0` may be missing. */
static void read_console_of(const char *stdout_path, const char *serial0, bool gic,
                            struct result *result) {
    struct tree tree = {0};
    tree_start(&tree, 2, 1);
    CELLS(&tree, "interrupt-parent", 1);
    tree_memory(&tree, "memory@0");
    CELLS(&tree, "reg", 0, 0, 0x10000000);
    tree_end(&tree);
    tree_begin(&tree, "aliases");
    if (serial0 != NULL)
        tree_text(&tree, "serial0", serial0);
    tree_text(&tree, "serial1", "/soc/serial@7e201000");
    tree_end(&tree);
    tree_begin(&tree, "chosen");
    if (stdout_path != NULL)
        tree_text(&tree, "stdout-path", stdout_path);
    tree_end(&tree);
    tree_begin(&tree, "soc");
    CELLS(&tree, "#address-cells", 1);
    CELLS(&tree, "#size-cells", 1);
    CELLS(&tree, "ranges", 0x7c000000, 0, 0xfc000000, 0x2000000, 0x7e000000, 0, 0xfe000000,
          0x1800000);
    tree_begin(&tree, "interrupt-controller@0");
    CELLS(&tree, "#interrupt-cells", gic ? 3 : 2);
    CELLS(&tree, "phandle", 1);
    tree_end(&tree);
    tree_begin(&tree, "serial@7e201000");
    fdt_property(tree.blob, "compatible", "arm,pl011\0arm,primecell", 24);
    CELLS(&tree, "reg", 0x7e201000, 0x200);
    if (gic)
        CELLS(&tree, "interrupts", 0, 121, 4);
    else
        CELLS(&tree, "interrupts", 2, 25);
    tree_end(&tree);
    tree_begin(&tree, "serial@7e215040");
    tree_text(&tree, "compatible", "brcm,bcm2835-aux-uart");
    CELLS(&tree, "reg", 0x7e215040, 0x40);
    tree_end(&tree);
    tree_begin(&tree, "serial@60000000"); /* in no window of the bus */
    tree_text(&tree, "compatible", "arm,pl011");
    CELLS(&tree, "reg", 0x60000000, 0x40);
    tree_end(&tree);
    tree_end(&tree);
    tree_finish(&tree);
    read_tree(&tree, result);
    assert_true(result->ok);
}

static void console_as_named(void **state) {
    struct result result;
    (void)state;
    read_console_of("serial1:115200n8", NULL, true, &result);
    assert_int_equal(result.machine.console.kind, UART_PL011);
    assert_int_equal(result.machine.console.address, 0xfe201000);
    assert_int_equal(result.machine.console.irq, 32 + 121);
    read_console_of("/soc/serial@7e201000", NULL, false, &result);
    assert_int_equal(result.machine.console.irq, 64 + 25);
    read_console_of(NULL, "/soc/serial@7e215040", true, &result);
    assert_int_equal(result.machine.console.kind, UART_MINI);
    assert_int_equal(result.machine.console.address, 0xfe215040);
    assert_int_equal(result.machine.console.irq, MACHINE_IRQ_NONE);
}

static void console_not_found(void **state) {
    static const char *const paths[] = {"/soc/nothing", "serial7", "/", ":",
                                        "/soc/serial@60000000"};
    struct result result;
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        read_console_of(paths[i], NULL, true, &result);
        assert_int_equal(result.machine.console.kind, UART_NONE);
    }
}

/* ---- CPUs ------------------------------------------------------------------------------------ */

static void cpus_and_how_they_start(void **state) {
    struct tree tree = {0};
    struct result result;
    (void)state;
    tree_start(&tree, 1, 1);
    tree_memory(&tree, "memory@0");
    CELLS(&tree, "reg", 0, 0x10000000);
    tree_end(&tree);
    tree_begin(&tree, "psci");
    tree_text(&tree, "method", "hvc");
    tree_end(&tree);
    tree_begin(&tree, "cpus");
    CELLS(&tree, "#address-cells", 2);
    CELLS(&tree, "#size-cells", 0);
    for (uint32_t i = 0; i < MACHINE_CPUS_MAX + 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "cpu@%x", i);
        tree_begin(&tree, name);
        tree_text(&tree, "device_type", "cpu");
        CELLS(&tree, "reg", i == 2 ? 1 : 0, i);
        tree_text(&tree, "enable-method", i % 2 == 0 ? "psci" : "spin-table");
        CELLS(&tree, "cpu-release-addr", 0, 0xd8 + 8 * i);
        tree_end(&tree);
    }
    tree_begin(&tree, "cpu-map");
    tree_end(&tree);
    tree_end(&tree);
    tree_finish(&tree);
    read_tree(&tree, &result);
    assert_true(result.ok);
    assert_int_equal(result.machine.psci, PSCI_BY_HVC);
    assert_int_equal(result.machine.cpu_count, MACHINE_CPUS_MAX);
    assert_int_equal(result.machine.cpus_ignored, 3);
    assert_int_equal(result.machine.cpu[2].mpidr, 0x100000002);
    assert_int_equal(result.machine.cpu[2].start, START_PSCI);
    assert_int_equal(result.machine.cpu[3].start, START_SPIN_TABLE);
    assert_int_equal(result.machine.cpu[3].release_address, 0xf0);
}

/* ---- The command line ------------------------------------------------------------------------ */

static void expect_word(const char *line, const char *name, const char *value) {
    size_t length = 0;
    const char *found = command_line_find(line, name, &length);
    if (value == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_int_equal(length, strlen(value));
    assert_memory_equal(found, value, length);
}

static void words_of_a_command_line(void **state) {
    (void)state;
    expect_word("", "a", NULL);
    expect_word("a", "a", "");
    expect_word("  a=  b", "a", "");
    expect_word("aa=1 a=2 ab=3", "a", "2");
    expect_word("a=1 a=2", "a", "2");
    expect_word("x=a=1", "a", NULL);
    expect_word("x=a=1", "x", "a=1");
    expect_word("larder.test=all", "larder.test", "all");
    expect_word("larder.test=all", "larder", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_of_a_pi4),
        cmocka_unit_test(widths_of_numbers),
        cmocka_unit_test(several_nodes_any_name),
        cmocka_unit_test(reserved_in_every_way),
        cmocka_unit_test(initrd),
        cmocka_unit_test(limit_of_memory),
        cmocka_unit_test(limits_that_are_none),
        cmocka_unit_test(console_as_named),
        cmocka_unit_test(console_not_found),
        cmocka_unit_test(cpus_and_how_they_start),
        cmocka_unit_test(words_of_a_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
