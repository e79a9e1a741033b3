/* The range intake: any sequence of additions and takings, against the naive table; then a start on
 * whatever came out.
 *
 * Two kinds of input, by the first byte: 64-bit addresses and sizes as they come, where sums wrap;
 * and a small machine whose boundaries are a few bytes to a few MiB apart.
 */
#include "fuzz.h"

#define OPERATIONS_MAX 400u

static bool is_small;
static uint64_t base;

static uint64_t draw_address(struct input *input) {
    if (!is_small) {
        return input_bytes(input, 8);
    }
    uint64_t unit = (uint64_t)1 << input_bytes(input, 1) % 24;
    return base + input_bytes(input, 2) * unit % (32 * MIB);
}

static uint64_t draw_size(struct input *input) {
    if (!is_small) {
        return input_bytes(input, 8);
    }
    uint64_t unit = (uint64_t)1 << input_bytes(input, 1) % 24;
    return input_bytes(input, 2) * unit % (12 * MIB);
}

static void add(struct input *input, struct larder_ranges *table, struct naive *naive,
                unsigned kind) {
    uint64_t address = draw_address(input), size = draw_size(input);
    enum larder_status expected = naive_add(naive, address, size, kind);
    sim_check(larder_ranges_add(table, address, size, (enum larder_range_kind)kind) == expected);
}

static void take(struct input *input, struct larder_ranges *table, struct naive *naive) {
    static const unsigned kinds[] = {LARDER_RANGE_RESERVED, LARDER_RANGE_DONATED,
                                     LARDER_RANGE_USABLE, 0};
    unsigned how = (unsigned)input_bytes(input, 1);
    uint64_t size = draw_size(input);
    uint64_t align = how & 8 ? input_bytes(input, 2) : (uint64_t)1 << input_bytes(input, 1) % 64;
    uint64_t limit = how & 4 ? draw_address(input) : UINT64_MAX;
    unsigned kind = kinds[how % 4];
    uint64_t expected = naive_take(naive, size, align, limit, kind);
    sim_check(larder_ranges_take(table, size, align, limit, (enum larder_range_kind)kind) ==
              expected);
}

static void look(struct input *input, const struct larder_ranges *table,
                 const struct naive *naive) {
    uint64_t address = draw_address(input);
    const struct larder_range *range = larder_ranges_find(table, address);
    sim_check((range ? (unsigned)range->kind : 0u) == naive_kind(naive, address));
    for (unsigned kind = 1; kind <= 4; kind++) {
        sim_check(larder_ranges_bytes(table, (enum larder_range_kind)kind) ==
                  naive_bytes(naive, kind));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct naive naive;
    static struct larder_ranges table;
    struct input input = {data, data + size};
    unsigned head = (unsigned)input_bytes(&input, 1);
    is_small = (head & 3) != 0;
    base = head & 4 ? GIB : head & 8 ? 0xfffffffe00000000u : 4 * FRAME;
    uint64_t zone_limit = head & 16 ? (base + (head >> 5) * 2 * MIB) / (2 * MIB) * (2 * MIB) : 0;
    naive_init(&naive);
    larder_ranges_init(&table);
    for (unsigned i = 0; i < OPERATIONS_MAX && !input_is_empty(&input); i++) {
        unsigned what = (unsigned)input_bytes(&input, 1);
        if (what % 8 < 6) {
            add(&input, &table, &naive, what / 8 % 32 == 31 ? what / 2 : 1 + what / 8 % 4);
        } else if (what % 8 == 6) {
            take(&input, &table, &naive);
        } else {
            look(&input, &table, &naive);
        }
        naive_compare(&naive, &table);
    }
    naive_start(&naive, zone_limit);
    return 0;
}
