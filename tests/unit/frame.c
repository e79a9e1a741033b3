/* The global memory map: what is described, what is not touched, what fails and leaves nothing. */
#include "harness.h"

#include "frame.h"

#define ALIGN (2 * MIB)

static struct frame_map map;
static struct larder_ranges ranges;

static int setup(void **state) {
    (void)state;
    sim_page_bytes_set(4096);
    larder_ranges_init(&ranges);
    memset(&map, 0, sizeof map);
    return 0;
}

static void add(uint64_t address, uint64_t size_bytes, enum larder_range_kind kind) {
    assert_int_equal(larder_ranges_add(&ranges, address, size_bytes, kind), LARDER_OK);
}

static void init(void) {
    assert_int_equal(frame_map_init(&map, &ranges, 0, ALIGN), LARDER_OK);
}

/* Frames of RAM can be written, in both arrays. */
static void write_ram(uint64_t address, uint64_t count) {
    uint64_t first = (address - map.base_address) / FRAME;
    for (uint64_t i = 0; i < count; i++) {
        map.owner[first + i] = OWNER_RUN;
        map.record[first + i].count_frames = i;
    }
}

static void one_frame_is_a_map(void **state) {
    (void)state;
    add(5 * FRAME, FRAME, LARDER_RANGE_USABLE);
    init();
    assert_int_equal(map.base_address % ALIGN, 0);
    assert_int_equal(map.base_address + (map.count_frames - 1) * FRAME, 5 * FRAME);
    write_ram(5 * FRAME, 1);
    frame_map_fini(&map);
    assert_int_equal(sim_committed_bytes(), 0);
}

static void no_whole_frame_is_no_map(void **state) {
    (void)state;
    assert_int_equal(frame_map_init(&map, &ranges, 0, ALIGN), LARDER_BAD_RANGE);
    add(1, 2 * FRAME - 2, LARDER_RANGE_USABLE);
    assert_int_equal(frame_map_init(&map, &ranges, 0, ALIGN), LARDER_BAD_RANGE);
    add(10 * FRAME, 10 * FRAME, LARDER_RANGE_RESERVED);
    add(30 * FRAME, 10 * FRAME, LARDER_RANGE_DEVICE);
    assert_int_equal(frame_map_init(&map, &ranges, 0, ALIGN), LARDER_BAD_RANGE);
}

static void donated_memory_is_described(void **state) {
    (void)state;
    add(GIB, FRAME, LARDER_RANGE_USABLE);
    add(2 * GIB, 3 * FRAME, LARDER_RANGE_DONATED);
    init();
    write_ram(GIB, 1);
    write_ram(2 * GIB, 3);
    frame_map_fini(&map);
}

static void holes_read_as_zero_and_cost_nothing(void **state) {
    (void)state;
    add(GIB, 4 * MIB, LARDER_RANGE_USABLE);
    add(4 * TIB, 4 * MIB, LARDER_RANGE_USABLE);
    init();
    assert_int_equal(map.count_frames, (4 * TIB + 4 * MIB - GIB) / FRAME);
    for (uint64_t index = 5000; index < map.count_frames - 5000; index += 100000007) {
        assert_int_equal(map.owner[index], OWNER_NONE);
        assert_int_equal(map.record[index].count_frames, 0);
        assert_int_equal(frame_run_length(&map, index), 0);
        assert_int_equal(frame_cache_id(&map, index), 0);
    }
    assert_true(sim_committed_bytes() <= 2 * 1024 * 33 + 8 * 4096);
    write_ram(GIB, 1024);
    write_ram(4 * TIB, 1024);
    frame_map_fini(&map);
}

/* Fault: the base is aligned as the largest order asks, however little RAM there is. */
static void a_little_memory_far_inside_a_block_has_a_little_map(void **state) {
    (void)state;
    add(TIB - 100 * MIB, 40 * MIB, LARDER_RANGE_USABLE);
    add(TIB - 50 * MIB, 4 * MIB, LARDER_RANGE_ABSENT);
    assert_int_equal(frame_map_init(&map, &ranges, 0, 64 * GIB), LARDER_OK);
    assert_int_equal(map.base_address % (64 * MIB), 0);
    assert_true(map.count_frames <= 2 * 64 * MIB / FRAME);
    write_ram(TIB - 100 * MIB, 40 * MIB / FRAME);
    frame_map_fini(&map);
}

static void sixteen_tebibytes_and_not_more(void **state) {
    (void)state;
    add(2 * MIB, 2 * MIB, LARDER_RANGE_USABLE);
    add(16 * TIB - 2 * MIB, 2 * MIB, LARDER_RANGE_USABLE);
    init();
    frame_map_fini(&map);
    add(16 * TIB + 2 * MIB, FRAME, LARDER_RANGE_USABLE);
    assert_int_equal(frame_map_init(&map, &ranges, 0, ALIGN), LARDER_BAD_RANGE);
    assert_int_equal(sim_committed_bytes(), 0);
}

static void pointers_addresses_and_numbers_agree(void **state) {
    (void)state;
    uintptr_t offset = 0xffff000000000000u;
    add(GIB + 3 * FRAME, 100 * FRAME, LARDER_RANGE_USABLE);
    assert_int_equal(frame_map_init(&map, &ranges, offset, ALIGN), LARDER_OK);
    for (uint64_t i = 0; i < map.count_frames; i++) {
        char *pointer = frame_pointer(&map, i);
        assert_true((uintptr_t)pointer == (uintptr_t)frame_address(&map, i) + offset);
        assert_int_equal(frame_of(&map, pointer), i);
        assert_int_equal(frame_of(&map, pointer + FRAME - 1), i);
        assert_true(frame_is_inside(&map, pointer));
    }
    assert_false(frame_is_inside(&map, (char *)frame_pointer(&map, 0) - 1));
    assert_false(frame_is_inside(&map, frame_pointer(&map, map.count_frames)));
    assert_false(frame_is_inside(&map, NULL));
    frame_map_fini(&map);
}

static void every_failure_leaves_nothing(void **state) {
    (void)state;
    add(GIB, 4 * MIB, LARDER_RANGE_USABLE);
    add(3 * GIB, 4 * MIB, LARDER_RANGE_DONATED);
    add(5 * GIB, 4 * MIB, LARDER_RANGE_USABLE);
    unsigned failures = 0;
    for (uint64_t nth = 1;; nth++) {
        sim_fail_nth(nth);
        enum larder_status status = frame_map_init(&map, &ranges, 0, ALIGN);
        sim_fail_off();
        if (!sim_fail_happened()) {
            assert_int_equal(status, LARDER_OK);
            break;
        }
        assert_int_equal(status, LARDER_NO_MEMORY);
        assert_int_equal(sim_committed_bytes(), 0);
        failures++;
    }
    assert_int_equal(failures, 2 + 2 * 3);
    frame_map_fini(&map);
    assert_int_equal(sim_committed_bytes(), 0);
}

static void larger_pages_of_the_system_are_shared(void **state) {
    (void)state;
    sim_page_bytes_set(65536);
    add(GIB + FRAME, 2 * FRAME, LARDER_RANGE_USABLE);
    add(GIB + 5 * FRAME, 2 * FRAME, LARDER_RANGE_USABLE);
    init();
    write_ram(GIB + FRAME, 2);
    write_ram(GIB + 5 * FRAME, 2);
    frame_map_fini(&map);
    sim_page_bytes_set(4096);
}

static void lengths_of_blocks_and_runs(void **state) {
    (void)state;
    add(0, MIB, LARDER_RANGE_USABLE);
    init();
    for (unsigned bin = 0; bin < FRAME_BINS; bin++) {
        map.owner[bin] = (uint8_t)(OWNER_FRAMES + bin);
        assert_int_equal(frame_run_length(&map, bin), 1u << frame_bin_order(bin));
        assert_int_equal(frame_bin_of(frame_bin_order(bin)), bin);
    }
    assert_int_equal(frame_bin_of(LARDER_ORDER_MAX), FRAME_BINS);
    assert_int_equal(frame_bin_of(4), FRAME_BINS);
    map.owner[10] = OWNER_RUN;
    map.record[10].count_frames = 77;
    assert_int_equal(frame_run_length(&map, 10), 77);
    map.owner[11] = OWNER_BIN;
    map.owner[12] = OWNER_CACHE_FIRST;
    map.owner[13] = OWNER_LATE;
    map.record[13].cache_id = 5000;
    for (unsigned i = 11; i < 15; i++) {
        assert_int_equal(frame_run_length(&map, i), 0);
    }
    assert_int_equal(frame_cache_id(&map, 10), 0);
    assert_int_equal(frame_cache_id(&map, 11), 0);
    assert_int_equal(frame_cache_id(&map, 12), OWNER_CACHE_FIRST);
    assert_int_equal(frame_cache_id(&map, 13), 5000);
    frame_map_fini(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_frame_is_a_map, setup),
        cmocka_unit_test_setup(no_whole_frame_is_no_map, setup),
        cmocka_unit_test_setup(donated_memory_is_described, setup),
        cmocka_unit_test_setup(holes_read_as_zero_and_cost_nothing, setup),
        cmocka_unit_test_setup(a_little_memory_far_inside_a_block_has_a_little_map, setup),
        cmocka_unit_test_setup(sixteen_tebibytes_and_not_more, setup),
        cmocka_unit_test_setup(pointers_addresses_and_numbers_agree, setup),
        cmocka_unit_test_setup(every_failure_leaves_nothing, setup),
        cmocka_unit_test_setup(larger_pages_of_the_system_are_shared, setup),
        cmocka_unit_test_setup(lengths_of_blocks_and_runs, setup),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
