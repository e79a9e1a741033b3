/* Each argument of each public function: none, zero, one, the most, one more, misaligned. NULL, the
 * documented status or nothing at all; afterwards the instance is sound and nothing is lost. */
#include "misuse.h"

#include "larder/stats.h"

#define MOST PTRDIFF_MAX

static void *const nowhere = (void *)UINTPTR_MAX;

/* ---- Frames
 * -------------------------------------------------------------------------------------- */

static void blocks(void **state) {
    (void)state;
    const unsigned bad[] = {LARDER_ORDER_MAX + 1, 31, 32, 63, 64, 255, INT_MAX, UINT_MAX};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        void *out[2] = {&out, &out};
        assert_null(larder_frames_alloc(larder, bad[i], 0));
        assert_null(larder_frames_alloc(larder, bad[i], LARDER_ZERO));
        assert_int_equal(larder_frames_alloc_bulk(larder, bad[i], 2, out, 0), 0);
        sim_validate(sim);
    }
    assert_null(larder_frames_alloc(larder, LARDER_ORDER_MAX, 0)); /* 64 MiB have none */
}

static void unknown_flags(void **state) {
    (void)state;
    void *out[2];
    for (unsigned bit = 0; bit < 32; bit++) {
        larder_flags flag = (larder_flags)1 << bit;
        if ((flag & LARDER_FLAGS_ALL) == 0) {
            assert_null(larder_frames_alloc(larder, 0, flag));
            assert_null(larder_frames_alloc(larder, 4, flag | LARDER_ZERO));
            assert_null(larder_frames_alloc_exact(larder, 1, flag));
            assert_null(larder_frames_alloc_contiguous(larder, 1, 1, UINT64_MAX, flag));
            assert_int_equal(larder_frames_alloc_bulk(larder, 0, 2, out, flag), 0);
            assert_null(larder_alloc_flags(larder, 16, flag));
            assert_null(larder_alloc_flags(larder, 100000, flag));
        }
    }
}

/* A zone beyond the last is the last. */
static void zones(void **state) {
    (void)state;
    for (unsigned zone = 0; zone < 15; zone++) {
        void *at = larder_frames_alloc(larder, 0, LARDER_ZONE(zone));
        assert_true(at != NULL || (LARDER_ZONE(zone) & ~LARDER_FLAGS_ALL) != 0);
        larder_frames_free(larder, at);
    }
}

static void exact_runs(void **state) {
    (void)state;
    const uint64_t bad[] = {0,
                            ((uint64_t)1 << LARDER_ORDER_MAX) + 1,
                            1 << 14,
                            UINT32_MAX,
                            (uint64_t)1 << 52,
                            INT64_MAX,
                            UINT64_MAX};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_null(larder_frames_alloc_exact(larder, bad[i], 0));
        assert_null(larder_frames_alloc_contiguous(larder, bad[i], 1, UINT64_MAX, 0));
        sim_validate(sim);
    }
    void *one = larder_frames_alloc_exact(larder, 1, 0);
    assert_int_equal(larder_frames_count(larder, one), 1);
    larder_frames_free(larder, one);
}

static void contiguous_runs(void **state) {
    (void)state;
    const uint64_t bad_align[] = {0, 3, FRAME - 1, FRAME + 1, UINT64_MAX};
    const uint64_t far_align[] = {GIB * 4, (uint64_t)1 << 63};
    const uint64_t bad_limit[] = {0, 1, FRAME, RAM_AT - 1, RAM_AT, RAM_AT + FRAME - 1};
    for (unsigned i = 0; i < COUNT(bad_align); i++) {
        assert_null(larder_frames_alloc_contiguous(larder, 1, bad_align[i], UINT64_MAX, 0));
    }
    for (unsigned i = 0; i < COUNT(far_align); i++) {
        assert_null(larder_frames_alloc_contiguous(larder, 1, far_align[i], UINT64_MAX, 0));
    }
    for (unsigned i = 0; i < COUNT(bad_limit); i++) {
        assert_null(larder_frames_alloc_contiguous(larder, 1, 1, bad_limit[i], 0));
    }
    void *at = larder_frames_alloc_contiguous(larder, 1, 1, RAM_AT + 4 * MIB, 0);
    assert_non_null(at);
    assert_true(larder_frames_address(larder, at) < RAM_AT + 4 * MIB);
    larder_frames_free(larder, at);
}

static void nothing_to_free(void **state) {
    (void)state;
    void *const none[] = {NULL, NULL};
    larder_frames_free(larder, NULL);
    larder_frames_free_order(larder, NULL, 0);
    larder_frames_free_order(larder, NULL, UINT_MAX);
    larder_frames_free_bulk(larder, 0, NULL);
    larder_frames_free_bulk(larder, 2, none);
    larder_free(larder, NULL);
    larder_free_sized(larder, NULL, 0);
    larder_free_sized(larder, NULL, SIZE_MAX);
    assert_int_equal(larder_frames_alloc_bulk(larder, 0, 0, NULL, 0), 0);
}

static void resizing_frames(void **state) {
    (void)state;
    unsigned char *at = larder_frames_alloc(larder, 3, 0);
    assert_int_equal(larder_frames_resize(larder, at, 0), LARDER_BAD_SIZE);
    assert_int_equal(larder_frames_resize(larder, at, UINT64_MAX), LARDER_BUSY);
    assert_int_equal(larder_frames_resize(larder, at, (uint64_t)1 << 52), LARDER_BUSY);
    void *const bad[] = {NULL,
                         at + 1,
                         at + FRAME,
                         nowhere,
                         &state,
                         sim_pointer(sim, KERNEL_AT),
                         sim_pointer(sim, HOLE_AT),
                         sim_pointer(sim, END_AT - FRAME)};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_int_equal(larder_frames_resize(larder, bad[i], 1), LARDER_BAD_RANGE);
        assert_int_equal(larder_frames_count(larder, bad[i]), 0);
        assert_int_equal(larder_frames_owner(larder, bad[i]), 0);
        assert_int_equal(larder_size_of(larder, bad[i]), 0);
        assert_false(larder_try_resize(larder, bad[i], FRAME));
    }
    assert_int_equal(larder_frames_count(larder, at), 8);
    assert_int_equal(larder_frames_resize(larder, at, 8), LARDER_OK);
    larder_frames_free(larder, at);
}

static void donating(void **state) {
    (void)state;
    const struct {
        uint64_t address, bytes;
    } bad[] = {{0, 0},
               {TREE_AT, 0},
               {TREE_AT, FRAME - 1},
               {TREE_AT + 1, 2 * FRAME - 2},
               {TREE_AT, 64 * KIB + FRAME},
               {TREE_AT - FRAME, 2 * FRAME},
               {RAM_AT, FRAME},
               {DEVICE_AT, FRAME},
               {HOLE_AT, FRAME},
               {END_AT, FRAME},
               {END_AT - FRAME, 2 * FRAME},
               {RAM_AT - GIB, FRAME},
               {UINT64_MAX, 1},
               {UINT64_MAX - FRAME, FRAME},
               {TREE_AT, UINT64_MAX},
               {0, UINT64_MAX}};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_int_equal(larder_frames_donate(larder, bad[i].address, bad[i].bytes),
                         LARDER_BAD_RANGE);
        sim_validate(sim);
    }
    assert_int_equal(larder_frames_donate(larder, TREE_AT + 1, 3 * FRAME), LARDER_OK);
    idle += 2; /* rounded inward */
    assert_int_equal(larder_frames_donate(larder, TREE_AT + FRAME, FRAME), LARDER_BAD_RANGE);
}

static void reserving(void **state) {
    (void)state;
    const struct {
        uint64_t address, bytes;
    } bad[] = {{0, 0},           {RAM_AT, 0},         {KERNEL_AT, 1},   {KERNEL_AT - 1, 2},
               {TREE_AT, FRAME}, {DEVICE_AT, 1},      {HOLE_AT - 1, 2}, {END_AT, 1},
               {END_AT - 1, 2},  {PART_AT, 1},        {RAM_AT - 1, 2},  {UINT64_MAX, 1},
               {0, UINT64_MAX},  {RAM_AT, UINT64_MAX}};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_int_equal(larder_frames_reserve(larder, bad[i].address, bad[i].bytes),
                         LARDER_BAD_RANGE);
        sim_validate(sim);
    }
    assert_int_equal(larder_frames_reserve(larder, HIGH_AT + FRAME - 1, 2), LARDER_OK);
    assert_int_equal(larder_frames_donate(larder, HIGH_AT, 2 * FRAME), LARDER_OK);
    void *at = larder_frames_alloc(larder, 0, 0);
    assert_int_equal(larder_frames_reserve(larder, larder_frames_address(larder, at), 1),
                     LARDER_BUSY);
    larder_frames_free(larder, at);
}

/* ---- The heap
 * ------------------------------------------------------------------------------------ */

static void heap_sizes(void **state) {
    (void)state;
    const size_t bad[] = {
        0, 65 * MIB, (size_t)MOST, (size_t)MOST + 1, SIZE_MAX - 14, SIZE_MAX - 4095, SIZE_MAX};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_null(larder_alloc(larder, bad[i]));
        assert_null(larder_zalloc(larder, bad[i]));
        assert_null(larder_alloc_flags(larder, bad[i], LARDER_ZONE(0)));
        assert_null(larder_aligned(larder, 1, bad[i]));
        assert_null(larder_aligned(larder, 4096, bad[i]));
        assert_null(larder_aligned(larder, 65536, bad[i]));
        assert_null(larder_realloc(larder, NULL, bad[i]));
        assert_null(larder_calloc(larder, bad[i], 1));
        assert_null(larder_calloc(larder, 1, bad[i]));
        sim_validate(sim);
    }
    assert_int_equal(larder_good_size(0), 0);
    assert_int_equal(larder_good_size(1), 16);
    assert_int_equal(larder_good_size(MOST), 0);
    assert_int_equal(larder_good_size(SIZE_MAX), 0);
    assert_int_equal(larder_good_size((size_t)GIB), GIB);
    assert_int_equal(larder_good_size((size_t)GIB + 1), GIB + FRAME);
    assert_int_equal(larder_good_size((size_t)1 << 44), 0); /* as large as the largest span */
}

static void products_that_overflow(void **state) {
    (void)state;
    const struct {
        size_t count, bytes;
    } bad[] = {{SIZE_MAX, 2},
               {2, SIZE_MAX},
               {SIZE_MAX, SIZE_MAX},
               {(size_t)1 << 32, (size_t)1 << 32},
               {((size_t)1 << 32) + 1, ((size_t)1 << 32) - 1},
               {(size_t)1 << 63, 2},
               {((size_t)1 << 63) + 8, 2}, /* 16 if nobody looks */
               {0, 16},
               {16, 0}};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_null(larder_calloc(larder, bad[i].count, bad[i].bytes));
    }
}

static void alignments(void **state) {
    (void)state;
    const size_t bad[] = {0, 3, 24, 4095, 4097, (size_t)GIB * 2, (size_t)1 << 63, SIZE_MAX};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_null(larder_aligned(larder, bad[i], 1));
        assert_null(larder_aligned(larder, bad[i], 100000));
    }
    for (size_t align = 1; align <= 8 * MIB; align *= 2) {
        void *at = larder_aligned(larder, align, 1);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % align, 0);
        larder_free(larder, at);
        sim_validate(sim);
    }
}

static void moving_to_a_bad_size(void **state) {
    (void)state;
    const size_t from[] = {1, 100, 32768, 32769, 200000};
    const size_t bad[] = {0, (size_t)MOST, SIZE_MAX, 65 * MIB};
    for (unsigned i = 0; i < COUNT(from); i++) {
        unsigned char *at = larder_alloc(larder, from[i]);
        memset(at, 7, from[i]);
        for (unsigned k = 0; k < COUNT(bad); k++) {
            assert_null(larder_realloc(larder, at, bad[k]));
            assert_false(larder_try_resize(larder, at, bad[k]));
            assert_int_equal(at[0], 7);
            assert_int_equal(at[from[i] - 1], 7);
        }
        assert_int_equal(larder_size_of(larder, at), larder_good_size(from[i]));
        larder_free(larder, at);
    }
}

/* ---- Caches
 * -------------------------------------------------------------------------------------- */

static bool refuse(void *object, void *context) {
    (void)object;
    (void)context;
    return false;
}

static void expect_status(const struct larder_cache_config *config, enum larder_status expected) {
    enum larder_status status = LARDER_OK;
    struct larder_cache *cache = larder_cache_create(larder, config, &status);
    assert_int_equal(status, expected);
    assert_int_equal(cache != NULL, expected == LARDER_OK);
    if (cache) {
        assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
    } else {
        assert_null(larder_cache_create(larder, config, NULL));
    }
    sim_validate(sim);
}

static void making_a_cache(void **state) {
    (void)state;
    static const char *const names[] = {NULL,
                                        "",
                                        "a,b",
                                        "a*",
                                        "a b",
                                        "tab\t",
                                        "\x7f",
                                        "gr\xc3\xbcn",
                                        "a-name-of-32-bytes-with-no-end-x"};
    struct larder_cache_config config = {.name = "fine", .size_bytes = 8};
    for (unsigned i = 0; i < COUNT(names); i++) {
        config.name = names[i];
        expect_status(&config, LARDER_BAD_NAME);
    }
    config.name = "a-name-of-31-bytes-with-no-end-";
    expect_status(&config, LARDER_OK);
    const size_t sizes[] = {0, MIB + 1, (size_t)MOST, SIZE_MAX};
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        config.size_bytes = sizes[i];
        expect_status(&config, LARDER_BAD_SIZE);
    }
    config.size_bytes = MIB;
    expect_status(&config, LARDER_OK);
    config.size_bytes = 1;
    expect_status(&config, LARDER_OK);
    const size_t aligns[] = {3, 12, MIB + 1, 2 * MIB, (size_t)1 << 63, SIZE_MAX};
    for (unsigned i = 0; i < COUNT(aligns); i++) {
        config.align_bytes = aligns[i];
        expect_status(&config, LARDER_BAD_ALIGNMENT);
    }
    config.align_bytes = MIB;
    expect_status(&config, LARDER_OK);
    config.align_bytes = 1;
    expect_status(&config, LARDER_OK);
    for (unsigned bit = 5; bit < 32; bit++) {
        config.flags = (uint32_t)1 << bit;
        expect_status(&config, LARDER_BAD_OPTION);
    }
    config.flags = LARDER_CACHE_ZERO;
    config.construct = refuse;
    expect_status(&config, LARDER_BAD_OPTION);
}

static void using_a_cache(void **state) {
    (void)state;
    void *out[8];
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "mine", .size_bytes = 48}, NULL);
    const larder_flags bad[] = {1, 2, LARDER_ZONE(0), LARDER_ZONE(1), 0x1000, 0x80000000u};
    for (unsigned i = 0; i < COUNT(bad); i++) {
        assert_null(larder_cache_alloc(cache, bad[i]));
        assert_int_equal(larder_cache_alloc_bulk(cache, 8, out, bad[i]), 0);
    }
    assert_int_equal(larder_cache_alloc_bulk(cache, 0, NULL, 0), 0);
    larder_cache_free(cache, NULL);
    larder_cache_free_bulk(cache, 0, NULL);
    assert_int_equal(larder_cache_prefill(cache, 0), LARDER_OK);
    assert_int_equal(larder_cache_prefill(cache, SIZE_MAX), LARDER_NO_MEMORY);
    sim_validate(sim);
    larder_cache_set_limit(cache, 5);
    out[0] = larder_cache_alloc(cache, 0);
    assert_int_equal(larder_cache_prefill(cache, SIZE_MAX), LARDER_TOO_MANY);
    assert_int_equal(larder_cache_prefill(cache, 6), LARDER_TOO_MANY);
    larder_cache_free(cache, out[0]);
    assert_int_equal(larder_cache_alloc_bulk(cache, 8, out, 0), 5);
    larder_cache_set_limit(cache, 1); /* those out stay valid */
    assert_null(larder_cache_alloc(cache, 0));
    larder_cache_free_bulk(cache, 5, out);
    larder_cache_set_limit(cache, UINT64_MAX);
    assert_int_equal(larder_cache_alloc_bulk(cache, 8, out, 0), 8);
    larder_cache_free_bulk(cache, 8, out);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void a_constructor_that_refuses(void **state) {
    (void)state;
    void *out[3];
    struct larder_cache *cache = larder_cache_create(
        larder,
        &(struct larder_cache_config){.name = "mine", .size_bytes = 48, .construct = refuse}, NULL);
    assert_null(larder_cache_alloc(cache, 0));
    assert_null(larder_cache_alloc(cache, LARDER_ZERO));
    assert_int_equal(larder_cache_alloc_bulk(cache, 3, out, 0), 0);
    assert_int_equal(larder_cache_prefill(cache, 1), LARDER_NO_MEMORY);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

/* ---- Ranges, the instance, slots
 * ------------------------------------------------------------------ */

static void ranges(void **state) {
    (void)state;
    static struct larder_ranges table;
    larder_ranges_init(&table);
    assert_int_equal(larder_ranges_add(&table, 0, 1, 0), LARDER_BAD_OPTION);
    assert_int_equal(larder_ranges_add(&table, 0, 1, LARDER_RANGE_ABSENT + 1), LARDER_BAD_OPTION);
    assert_int_equal(larder_ranges_add(&table, UINT64_MAX, 1, LARDER_RANGE_USABLE),
                     LARDER_BAD_RANGE);
    assert_int_equal(larder_ranges_add(&table, 1, UINT64_MAX, LARDER_RANGE_USABLE),
                     LARDER_BAD_RANGE);
    assert_int_equal(larder_ranges_add(&table, UINT64_MAX, 0, LARDER_RANGE_USABLE), LARDER_OK);
    assert_int_equal(table.count, 0);
    assert_null(larder_ranges_find(&table, 0));
    assert_int_equal(larder_ranges_add(&table, GIB, MIB, LARDER_RANGE_USABLE), LARDER_OK);
    const uint64_t bad_size[] = {0, MIB + 1, UINT64_MAX - FRAME + 2, UINT64_MAX};
    const uint64_t bad_align[] = {0, 3, FRAME + 1, UINT64_MAX};
    for (unsigned i = 0; i < COUNT(bad_size); i++) {
        assert_int_equal(
            larder_ranges_take(&table, bad_size[i], 1, UINT64_MAX, LARDER_RANGE_RESERVED),
            LARDER_ADDRESS_NONE);
        assert_int_equal(
            larder_ranges_take(&table, 1, bad_align[i], UINT64_MAX, LARDER_RANGE_RESERVED),
            LARDER_ADDRESS_NONE);
    }
    assert_int_equal(larder_ranges_take(&table, 1, 1, GIB + FRAME - 1, LARDER_RANGE_RESERVED),
                     LARDER_ADDRESS_NONE);
    assert_int_equal(larder_ranges_take(&table, 1, 1, UINT64_MAX, LARDER_RANGE_DEVICE),
                     LARDER_ADDRESS_NONE);
    assert_int_equal(table.count, 1);
    for (unsigned i = 0; i + 1 < LARDER_RANGES_MAX; i++) {
        assert_int_equal(larder_ranges_add(&table, 2 * GIB + i * 2, 1, LARDER_RANGE_DEVICE),
                         LARDER_OK);
    }
    assert_int_equal(larder_ranges_add(&table, 1, 1, LARDER_RANGE_USABLE), LARDER_TOO_MANY);
    assert_int_equal(larder_ranges_take(&table, 1, 1, GIB + MIB - FRAME, LARDER_RANGE_RESERVED),
                     LARDER_ADDRESS_NONE); /* would need two more */
    assert_int_equal(table.count, LARDER_RANGES_MAX);
    assert_int_equal(larder_ranges_add(&sim->ranges, 0, FRAME, LARDER_RANGE_USABLE),
                     LARDER_BAD_RANGE); /* larder has it */
    assert_int_equal(larder_ranges_take(&sim->ranges, 1, 1, UINT64_MAX, LARDER_RANGE_RESERVED),
                     LARDER_ADDRESS_NONE);
}

static void expect_no_start(struct larder_config config, enum larder_status expected) {
    static struct larder_storage storage;
    struct larder_ranges table;
    enum larder_status status = LARDER_OK;
    if (config.ranges) {
        table = *config.ranges;
        config.ranges = &table;
    }
    assert_null(larder_init(&storage, &config, &status));
    assert_int_equal(status, expected);
    assert_null(larder_init(&storage, &config, NULL));
}

static void starting(void **state) {
    (void)state;
    struct larder_ranges table;
    larder_ranges_init(&table);
    struct larder_config config = {.ranges = &table, .slot_count = 1};
    expect_no_start(config, LARDER_BAD_RANGE);
    larder_ranges_add(&table, GIB + 1, 2 * FRAME - 2, LARDER_RANGE_USABLE);
    expect_no_start(config, LARDER_BAD_RANGE); /* no whole frame */
    larder_ranges_add(&table, GIB, 64 * MIB, LARDER_RANGE_RESERVED);
    expect_no_start(config, LARDER_BAD_RANGE);
    larder_ranges_init(&table);
    larder_ranges_add(&table, 0, FRAME, LARDER_RANGE_USABLE);
    larder_ranges_add(&table, 16 * TIB, FRAME, LARDER_RANGE_USABLE);
    expect_no_start(config, LARDER_BAD_RANGE);
    table = sim->ranges;
    expect_no_start(config, LARDER_BAD_RANGE); /* closed: it is another instance's */
    table.closed = false;
    config.ranges = NULL;
    expect_no_start(config, LARDER_BAD_RANGE);
    config.ranges = &table;
    config.slot_count = 0;
    expect_no_start(config, LARDER_TOO_MANY);
    config.slot_count = LARDER_SLOTS_MAX + 1;
    expect_no_start(config, LARDER_TOO_MANY);
    config.slot_count = 1;
    config.zone_count = LARDER_ZONES_MAX + 1;
    expect_no_start(config, LARDER_TOO_MANY);
    config.zone_count = 1;
    expect_no_start(config, LARDER_BAD_OPTION); /* a zone without name and limit */
    config.zone[0] = (struct larder_zone_config){"a", 0};
    expect_no_start(config, LARDER_BAD_OPTION);
    config.zone_count = 2;
    config.zone[0] = (struct larder_zone_config){"a", GIB + FRAME};
    config.zone[1] = (struct larder_zone_config){"b", UINT64_MAX};
    expect_no_start(config, LARDER_BAD_OPTION); /* not a multiple of 2 MiB */
    config.zone[0].limit_address = UINT64_MAX;
    expect_no_start(config, LARDER_BAD_OPTION);
    config.zone_count = 0;
    config.debug = "Q";
    expect_no_start(config, LARDER_BAD_OPTION);
}

static void slots(void **state) {
    (void)state;
    assert_null(larder_slot_attach(larder, 0)); /* attached already */
    assert_null(larder_slot_attach(larder, 1)); /* there is one only */
    assert_null(larder_slot_attach(larder, LARDER_SLOTS_MAX));
    assert_null(larder_slot_attach(larder, UINT_MAX));
    assert_int_equal(larder_slot_index(larder_slot_none), UINT_MAX);
    larder_slot_detach(larder, larder_slot_none);
    larder_reclaim_slot(larder, larder_slot_none);
}

/* ---- Looking
 * -------------------------------------------------------------------------------------- */

static void addresses(void **state) {
    (void)state;
    uint64_t first, end;
    larder_map_span(larder, &first, &end);
    const uint64_t strange[] = {0,       1,       first - 1, first,     KERNEL_AT,
                                HOLE_AT, end - 1, end,       UINT64_MAX};
    for (unsigned i = 0; i < COUNT(strange); i++) {
        struct larder_what what;
        struct larder_map_cell cell;
        void *at = larder_frames_pointer(larder, strange[i]);
        bool is_inside = strange[i] >= first && strange[i] < end;
        assert_int_equal(larder_frames_address(larder, at), strange[i]);
        assert_int_equal(larder_owns(larder, at), is_inside);
        larder_whatis(larder, at, &what);
        assert_int_equal(what.kind != LARDER_WHAT_FOREIGN, is_inside);
        assert_null(larder_cache_of(larder, at));
        larder_map_read(larder, strange[i], 0, &cell);
        assert_int_equal(cell.free + cell.run + cell.slab + cell.reserved + cell.in_bins, 0);
        larder_map_read(larder, strange[i] / FRAME * FRAME, UINT64_MAX, &cell);
    }
    assert_false(larder_owns(larder, NULL));
    assert_false(larder_owns(larder, nowhere));
    assert_int_equal(larder_size_of(larder, NULL), 0);
}

static void numbers_of_zones_and_orders(void **state) {
    (void)state;
    struct larder_zone_stats stats;
    assert_true(larder_zone_stats(larder, 0, &stats));
    assert_false(larder_zone_stats(larder, larder_zone_count(larder), &stats));
    assert_false(larder_zone_stats(larder, UINT_MAX, &stats));
    assert_int_equal(larder_fragmentation_index(&stats, 0), -1000);
    assert_int_equal(larder_unusable_index(&stats, 0), 0);
    assert_true(larder_fragmentation_index(&stats, LARDER_ORDER_MAX) >= 0);
    assert_int_equal(larder_unusable_index(&stats, LARDER_ORDER_MAX + 1), 1000);
    assert_int_equal(larder_unusable_index(&stats, UINT_MAX), 1000);
    assert_true(larder_fragmentation_index(&stats, LARDER_ORDER_MAX + 1) >= 0);
    assert_true(larder_fragmentation_index(&stats, UINT_MAX) >= 0);
    assert_null(larder_cache_find(larder, ""));
    assert_null(larder_cache_find(larder, "heap-17"));
    assert_string_equal(larder_status_text((enum larder_status)99), "unknown status");
}

static void debug_options(void **state) {
    (void)state;
    char longest[258];
    memset(longest, 'F', sizeof longest);
    longest[257] = '\0';
    assert_int_equal(larder_debug_parse(larder, longest), LARDER_BAD_OPTION);
    longest[256] = '\0';
    assert_int_equal(larder_debug_parse(larder, longest), LARDER_OK);
    assert_int_equal(larder_debug_parse(larder, "F;F;F;F;F;F;F;F;F"), LARDER_BAD_OPTION);
    assert_int_equal(larder_debug_parse(larder, "f"), LARDER_BAD_OPTION);
    assert_int_equal(larder_debug_parse(larder, "-F"), LARDER_BAD_OPTION);
    assert_int_equal(larder_debug_flags(larder, "any"), LARDER_DEBUG_SANITY); /* as it was */
    assert_int_equal(larder_debug_parse(larder, ""), LARDER_OK);
    assert_int_equal(larder_debug_parse(larder, NULL), LARDER_OK);
    assert_int_equal(larder_debug_flags(larder, "any"), 0);
    larder_debug_fault_interval(larder, 0);
    larder_debug_fault_interval(larder, UINT32_MAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(blocks),
        CASE(unknown_flags),
        CASE(zones),
        CASE(exact_runs),
        CASE(contiguous_runs),
        CASE(nothing_to_free),
        CASE(resizing_frames),
        CASE(donating),
        CASE(reserving),
        CASE(heap_sizes),
        CASE(products_that_overflow),
        CASE(alignments),
        CASE(moving_to_a_bad_size),
        CASE(making_a_cache),
        CASE(using_a_cache),
        CASE(a_constructor_that_refuses),
        CASE(ranges),
        CASE(starting),
        CASE(slots),
        CASE(addresses),
        CASE(numbers_of_zones_and_orders),
        CASE(debug_options),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
