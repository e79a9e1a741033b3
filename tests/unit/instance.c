/* Starting and ending an instance: every configuration that does not hold, every size of memory,
 * every failure. */
#include "harness.h"

static void refused(const struct sim_config *config, enum larder_status want) {
    struct sim *sim = sim_start(config);
    assert_null(sim->larder);
    assert_int_equal(sim->status, want);
    assert_int_equal(sim_committed_bytes(), 0);
    sim_stop(sim);
}

static void the_smallest_machines(void **state) {
    (void)state;
    unsigned working = 0;
    for (uint64_t frames = 1; frames < 200; frames++) {
        const struct larder_range range = {GIB + 3 * FRAME, frames * FRAME, LARDER_RANGE_USABLE};
        struct sim *sim =
            sim_start(&(struct sim_config){.range = &range, .range_count = 1, .unattached = true});
        if (!sim->larder) {
            assert_int_equal(sim->status, LARDER_NO_MEMORY);
            assert_int_equal(working, 0); /* once it is enough, more is enough */
            sim_stop(sim);
            continue;
        }
        working++;
        sim_validate(sim);
        uint64_t idle = frames_idle(sim);
        uint64_t taken = 0;
        while (larder_frames_alloc(sim->larder, 0, 0)) {
            taken++;
        }
        assert_int_equal(taken, idle);
        sim_validate(sim);
        sim_stop(sim);
    }
    assert_true(working > 100);
}

/* Any size in bytes, any misalignment, with and without a hole: usable is what rounding inward
 * leaves. */
static void every_size_and_every_hole(void **state) {
    (void)state;
    struct random random = {harness_seed()};
    for (unsigned round = 0; round < 1500; round++) {
        uint64_t at = GIB + random_below(&random, 3 * MIB);
        uint64_t bytes = 2 * MIB + random_below(&random, 4 * MIB);
        uint64_t hole = at + random_below(&random, bytes);
        uint64_t hole_bytes = random_below(&random, 300 * FRAME);
        static const enum larder_range_kind kinds[] = {LARDER_RANGE_RESERVED, LARDER_RANGE_DEVICE,
                                                       LARDER_RANGE_DONATED};
        enum larder_range_kind kind = kinds[random_below(&random, 3)];
        const struct larder_range range[] = {{at, bytes, LARDER_RANGE_USABLE},
                                             {hole, hole_bytes, kind}};
        uint64_t want = 0;
        struct sim *sim =
            sim_start(&(struct sim_config){.range = range,
                                           .range_count = 2,
                                           .cpus = 2,
                                           .map_from_ranges = random_below(&random, 2)});
        assert_non_null(sim->larder);
        for (unsigned i = 0; i < sim->ranges.count; i++) {
            const struct larder_range *r = &sim->ranges.range[i];
            uint64_t first = (r->address + FRAME - 1) / FRAME;
            uint64_t end = (r->address + r->size_bytes) / FRAME;
            want += r->kind == LARDER_RANGE_USABLE && end > first ? end - first : 0;
        }
        struct larder_frames_stats stats;
        larder_frames_stats(sim->larder, &stats);
        assert_int_equal(stats.usable, want);
        sim_validate(sim);
        sim_stop(sim);
    }
}

static void sparse_memory_up_to_the_limit(void **state) {
    (void)state;
    const struct larder_range range[] = {{GIB, 4 * MIB, LARDER_RANGE_USABLE},
                                         {TIB, 4 * MIB + 5, LARDER_RANGE_USABLE},
                                         {16 * TIB - 4 * MIB, 4 * MIB, LARDER_RANGE_USABLE}};
    struct sim *sim = sim_start(&(struct sim_config){.range = range, .range_count = 3});
    assert_non_null(sim->larder);
    assert_true(sim_committed_bytes() < MIB);
    sim_validate(sim);
    void *blocks[4];
    assert_int_equal(larder_frames_alloc_bulk(sim->larder, 9, 4, blocks, 0), 4);
    larder_frames_free_bulk(sim->larder, 4, blocks);
    struct larder_what what;
    larder_whatis(sim->larder, sim_pointer(sim, 5 * TIB), &what);
    assert_int_equal(what.kind, LARDER_WHAT_HOLE);
    sim_expect_fatal(LARDER_FATAL_RESERVED_FREE,
                     larder_frames_free(sim->larder, sim_pointer(sim, 5 * TIB)));
    sim_stop(sim);
    const struct larder_range beyond[] = {{2 * MIB, 4 * MIB, LARDER_RANGE_USABLE},
                                          {17 * TIB, 4 * MIB, LARDER_RANGE_USABLE}};
    refused(&(struct sim_config){.range = beyond, .range_count = 2}, LARDER_BAD_RANGE);
}

static void the_end_of_the_address_space(void **state) {
    (void)state;
    const struct larder_range range = {UINT64_MAX - 8 * MIB + 1, 8 * MIB - 1, LARDER_RANGE_USABLE};
    struct sim *sim = sim_start(&(struct sim_config){.range = &range, .range_count = 1});
    assert_non_null(sim->larder);
    sim_validate(sim);
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    assert_int_equal(stats.usable, 8 * MIB / FRAME - 1);
    sim_stop(sim);
}

static void no_memory_is_a_bad_range(void **state) {
    (void)state;
    const struct larder_range none[] = {{GIB, 8 * MIB, LARDER_RANGE_DEVICE}};
    refused(&(struct sim_config){.range = none, .range_count = 1}, LARDER_BAD_RANGE);
    refused(&(struct sim_config){.range = none, .range_count = 0}, LARDER_BAD_RANGE);
    const struct larder_range sliver[] = {{GIB + 1, 2 * FRAME - 2, LARDER_RANGE_USABLE}};
    refused(&(struct sim_config){.range = sliver, .range_count = 1}, LARDER_BAD_RANGE);
}

static void zones_must_ascend_in_whole_page_blocks(void **state) {
    (void)state;
    const struct larder_zone_config down[] = {{"a", 2 * GIB}, {"b", GIB}};
    const struct larder_zone_config same[] = {{"a", 2 * GIB}, {"b", 2 * GIB}};
    const struct larder_zone_config unaligned[] = {{"a", GIB + MIB}, {"b", UINT64_MAX}};
    const struct larder_zone_config unnamed[] = {{NULL, GIB + 2 * MIB}, {"b", UINT64_MAX}};
    const struct larder_zone_config zero[] = {{"a", 0}, {"b", UINT64_MAX}};
    const struct larder_zone_config *bad[] = {down, same, unaligned, unnamed, zero};
    for (size_t i = 0; i < COUNT(bad); i++) {
        refused(&(struct sim_config){.zone = bad[i], .zone_count = 2}, LARDER_BAD_OPTION);
    }
    struct larder_zone_config many[LARDER_ZONES_MAX + 1];
    for (unsigned i = 0; i <= LARDER_ZONES_MAX; i++) {
        many[i] = (struct larder_zone_config){"z", GIB + (i + 1) * 4 * MIB};
    }
    refused(&(struct sim_config){.zone = many, .zone_count = LARDER_ZONES_MAX + 1},
            LARDER_TOO_MANY);
    struct sim *sim = sim_start(&(struct sim_config){.zone = many, .zone_count = LARDER_ZONES_MAX});
    assert_non_null(sim->larder);
    assert_int_equal(larder_zone_count(sim->larder), LARDER_ZONES_MAX);
    sim_validate(sim);
    sim_stop(sim);
}

static void empty_zones_are_no_harm(void **state) {
    (void)state;
    const struct larder_zone_config below[] = {{"low", 2 * MIB}, {"normal", UINT64_MAX}};
    const struct larder_zone_config above[] = {{"normal", 4 * GIB}, {"high", UINT64_MAX}};
    const struct larder_zone_config *zones[] = {below, above};
    for (unsigned i = 0; i < 2; i++) {
        struct sim *sim = sim_start(
            &(struct sim_config){.zone = zones[i], .zone_count = 2, .reserve_frames = 10});
        assert_non_null(sim->larder);
        sim_validate(sim);
        void *frames = larder_frames_alloc(sim->larder, 3, 0);
        assert_non_null(frames);
        larder_frames_free(sim->larder, frames);
        void *low = larder_frames_alloc(sim->larder, 3, LARDER_ZONE(0));
        assert_int_equal(low != NULL, i == 1);
        larder_frames_free(sim->larder, low);
        sim_stop(sim);
    }
}

static void memory_above_the_last_zone(void **state) {
    (void)state;
    const struct larder_zone_config zones[] = {{"low", GIB + 2 * MIB}, {"high", GIB + 4 * MIB}};
    struct sim *sim = sim_start(&(struct sim_config){.zone = zones, .zone_count = 2});
    assert_non_null(sim->larder);
    sim_validate(sim);
    sim_stop(sim);
}

static void slots_are_bounded(void **state) {
    (void)state;
    refused(&(struct sim_config){.slots = LARDER_SLOTS_MAX + 1}, LARDER_TOO_MANY);
    struct sim *sim = sim_start(&(struct sim_config){.slots = 3});
    assert_null(larder_slot_attach(sim->larder, 0));
    assert_null(larder_slot_attach(sim->larder, 3));
    assert_null(larder_slot_attach(sim->larder, UINT_MAX));
    assert_true(sim_attach(sim, 2));
    assert_int_equal(larder_slot_index(sim_slot_of(sim, 2)), 2);
    assert_int_equal(larder_slot_index(larder_slot_none), UINT_MAX);
    larder_slot_detach(sim->larder, larder_slot_none);
    sim_validate(sim);
    sim_stop(sim);
    static struct larder_storage storage;
    static struct larder_ranges ranges;
    larder_ranges_init(&ranges);
    larder_ranges_add(&ranges, GIB, MIB, LARDER_RANGE_USABLE);
    enum larder_status status;
    struct larder_config config = {.ranges = &ranges, .slot_count = 0};
    assert_null(larder_init(&storage, &config, &status));
    assert_int_equal(status, LARDER_TOO_MANY);
    config = (struct larder_config){.ranges = NULL, .slot_count = 1};
    assert_null(larder_init(&storage, &config, &status));
    assert_int_equal(status, LARDER_BAD_RANGE);
    ranges.closed = true;
    config.ranges = &ranges;
    assert_null(larder_init(&storage, &config, NULL));
}

static void the_linear_map_is_offset_by_whole_frames(void **state) {
    (void)state;
    static struct larder_storage storage;
    static struct larder_ranges ranges;
    enum larder_status status;
    const struct larder_config config = {
        .ranges = &ranges, .slot_count = 1, .linear_offset = FRAME + 8};
    larder_ranges_init(&ranges);
    assert_int_equal(larder_ranges_add(&ranges, GIB, 8 * MIB, LARDER_RANGE_USABLE), LARDER_OK);
    assert_null(larder_init(&storage, &config, &status));
    assert_int_equal(status, LARDER_BAD_OPTION);
}

static void bad_debug_options_are_refused(void **state) {
    (void)state;
    refused(&(struct sim_config){.debug = "Q"}, LARDER_BAD_OPTION);
    refused(&(struct sim_config){.debug = "F;Z;P;U;F;Z;P;U;F"}, LARDER_BAD_OPTION);
}

static void the_table_is_closed_afterwards(void **state) {
    (void)state;
    struct sim *sim = sim_start(NULL);
    assert_true(sim->ranges.closed);
    assert_true(larder_ranges_take(&sim->ranges, FRAME, FRAME, UINT64_MAX, LARDER_RANGE_RESERVED) ==
                LARDER_ADDRESS_NONE);
    sim_stop(sim);
}

/* Every reservation, commit and internal allocation of the start fails once; each time nothing is
 * left behind. */
static void every_failure_of_the_start_is_undone(void **state) {
    (void)state;
    const struct larder_range range[] = {{GIB, 8 * MIB, LARDER_RANGE_USABLE},
                                         {4 * GIB, 8 * MIB, LARDER_RANGE_USABLE},
                                         {6 * GIB, MIB, LARDER_RANGE_DONATED}};
    for (int given = 0; given < 2; given++) {
        unsigned failures = 0;
        for (uint64_t nth = 1;; nth++) {
            sim_fail_nth(nth);
            struct sim *sim = sim_start(&(struct sim_config){
                .range = range, .range_count = 3, .unattached = true, .map_from_ranges = given});
            sim_fail_off();
            if (!sim_fail_happened()) {
                assert_non_null(sim->larder);
                sim_validate(sim);
                sim_stop(sim);
                break;
            }
            failures++;
            if (sim->larder) {
                sim_validate(sim); /* it could do without */
            } else {
                assert_int_equal(sim->status, LARDER_NO_MEMORY);
                assert_int_equal(sim_committed_bytes(), 0);
            }
            sim_stop(sim);
        }
        assert_true(failures >= 11);
    }
}

static void the_map_may_take_all_there_is(void **state) {
    (void)state;
    unsigned failed = 0;
    for (uint64_t frames = 1; frames < 300; frames += 3) {
        const struct larder_range range = {GIB, frames * FRAME, LARDER_RANGE_USABLE};
        struct sim *sim = sim_start(&(struct sim_config){
            .range = &range, .range_count = 1, .unattached = true, .map_from_ranges = true});
        if (sim->larder) {
            sim_validate(sim);
        } else {
            failed++;
        }
        sim_stop(sim);
    }
    assert_in_range(failed, 1, 60);
}

static void larger_pages_of_the_system(void **state) {
    (void)state;
    for (size_t page = 4096; page <= 65536; page *= 4) {
        sim_page_bytes_set(page);
        const struct larder_range range[] = {
            {GIB + 3 * FRAME, 5 * MIB, LARDER_RANGE_USABLE},
            {GIB + 11 * MIB + FRAME, 3 * MIB, LARDER_RANGE_USABLE}};
        struct sim *sim = sim_start(&(struct sim_config){.range = range, .range_count = 2});
        assert_non_null(sim->larder);
        sim_validate(sim);
        void *at = larder_alloc(sim->larder, 100000);
        larder_free(sim->larder, at);
        sim_stop(sim);
    }
    sim_page_bytes_set(4096);
}

static void metadata_is_small(void **state) {
    (void)state;
    const struct larder_range range = {GIB, 4 * GIB, LARDER_RANGE_USABLE};
    struct sim *sim = sim_start(&(struct sim_config){.range = &range, .range_count = 1, .cpus = 4});
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    uint64_t bytes = stats.map_bytes + stats.metadata * FRAME;
    assert_true(bytes * 1000 <= stats.usable * FRAME * 16);
    assert_true(sim_committed_bytes() <= stats.map_bytes + 64 * FRAME);
    sim_stop(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_machines),
        cmocka_unit_test(every_size_and_every_hole),
        cmocka_unit_test(sparse_memory_up_to_the_limit),
        cmocka_unit_test(the_end_of_the_address_space),
        cmocka_unit_test(no_memory_is_a_bad_range),
        cmocka_unit_test(zones_must_ascend_in_whole_page_blocks),
        cmocka_unit_test(empty_zones_are_no_harm),
        cmocka_unit_test(memory_above_the_last_zone),
        cmocka_unit_test(slots_are_bounded),
        cmocka_unit_test(the_linear_map_is_offset_by_whole_frames),
        cmocka_unit_test(bad_debug_options_are_refused),
        cmocka_unit_test(the_table_is_closed_afterwards),
        cmocka_unit_test(every_failure_of_the_start_is_undone),
        cmocka_unit_test(the_map_may_take_all_there_is),
        cmocka_unit_test(larger_pages_of_the_system),
        cmocka_unit_test(metadata_is_small),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
