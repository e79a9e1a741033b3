/* Numbers and texts against a state that is known. */
#include "harness.h"

static struct sim *sim;
static struct larder *larder;
static struct text text;

static const struct larder_range ranges[] = {{GIB, 16 * MIB, LARDER_RANGE_USABLE},
                                             {GIB + 32 * MIB, 16 * MIB, LARDER_RANGE_USABLE},
                                             {GIB + 48 * MIB, MIB, LARDER_RANGE_RESERVED}};
static const struct larder_zone_config zones[] = {{"dma", GIB + 32 * MIB}, {"normal", UINT64_MAX}};

static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){
        .range = ranges, .range_count = 3, .zone = zones, .zone_count = 2, .reserve_frames = 64});
    larder = sim->larder;
    assert_non_null(larder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sim_validate(sim);
    sim_stop(sim);
    return 0;
}

static void zones_add_up(void **state) {
    (void)state;
    struct larder_zone_stats zone;
    assert_int_equal(larder_zone_count(larder), 2);
    assert_true(larder_zone_stats(larder, 0, &zone));
    assert_string_equal(zone.name, "dma");
    assert_true(zone.first_address == GIB && zone.end_address == GIB + 16 * MIB);
    assert_int_equal(zone.usable, 4096);
    assert_int_equal(zone.free, 4096);
    assert_int_equal(zone.reserve, 32);
    assert_int_equal(zone.free_blocks[12], 1);
    assert_true(larder_zone_stats(larder, 1, &zone));
    assert_true(zone.first_address == GIB + 32 * MIB && zone.end_address == GIB + 48 * MIB);
    uint64_t sum = 0;
    for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++) {
        sum += zone.free_blocks[order] << order;
    }
    assert_int_equal(sum, zone.free);
    assert_false(larder_zone_stats(larder, 2, &zone));
    assert_false(larder_zone_stats(larder, UINT_MAX, &zone));
}

/* A zone of which every second frame of the first 4 MiB and every second page block behind it is
 * free. */
static void checkerboard(void) {
    void **frames = malloc(4096 * sizeof *frames);
    assert_int_equal(
        larder_frames_alloc_bulk(larder, 0, 4096, frames, LARDER_ZONE(0) | LARDER_USE_RESERVE),
        4096);
    for (unsigned i = 0; i < 4096; i++) {
        uint64_t at = (larder_frames_address(larder, frames[i]) - GIB) / FRAME;
        if (at < 1024 ? at % 2 == 0 : at / 512 % 2 == 0) {
            larder_frames_free(larder, frames[i]);
        }
    }
    free(frames);
    larder_reclaim(larder);
}

static void orders_are_counted_as_a_buddy_sees_them(void **state) {
    (void)state;
    struct larder_zone_stats zone;
    checkerboard();
    larder_zone_stats(larder, 0, &zone);
    assert_int_equal(zone.free, 512 + 3 * 512);
    assert_int_equal(zone.free_blocks[0], 512);
    assert_int_equal(zone.free_blocks[9], 3);
    for (unsigned order = 1; order <= LARDER_ORDER_MAX; order++) {
        assert_true(order == 9 || zone.free_blocks[order] == 0);
    }
}

static void the_fragmentation_index(void **state) {
    (void)state;
    struct larder_zone_stats zone;
    checkerboard();
    larder_zone_stats(larder, 0, &zone);
    assert_int_equal(larder_fragmentation_index(&zone, 0), -1000);
    assert_int_equal(larder_fragmentation_index(&zone, 9), -1000);
    /* 1 - (1 + 2048 / 1024) / 515 blocks */
    assert_int_equal(larder_fragmentation_index(&zone, 10), 1000 - 3000 / 515);
    assert_int_equal(larder_fragmentation_index(&zone, LARDER_ORDER_MAX + 1), 0);
    assert_int_equal(larder_unusable_index(&zone, 0), 0);
    assert_int_equal(larder_unusable_index(&zone, 1), 512 * 1000 / 2048);
    assert_int_equal(larder_unusable_index(&zone, 10), 1000);
    assert_int_equal(larder_unusable_index(&zone, LARDER_ORDER_MAX + 5), 1000);
    struct larder_zone_stats nothing = {.name = "none"};
    assert_int_equal(larder_fragmentation_index(&nothing, 0), 0);
    assert_int_equal(larder_unusable_index(&nothing, 0), 1000);
    /* One lonely frame, a large request: lack of memory, not fragmentation. */
    struct larder_zone_stats lonely = {.free = 1, .free_blocks = {1}};
    assert_true(larder_fragmentation_index(&lonely, 10) <= 0);
}

static void totals_of_the_instance(void **state) {
    (void)state;
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_int_equal(stats.usable, 8192);
    assert_int_equal(stats.largest_free_order, 12);
    assert_true(stats.metadata > 0 && stats.metadata <= stats.allocated);
    assert_int_equal(stats.map_bytes % 1, 0);
    assert_true(stats.map_bytes >= 8192 * 33);
    void *block = larder_frames_alloc(larder, 10, 0);
    struct larder_frames_stats after;
    larder_frames_stats(larder, &after);
    assert_int_equal(after.allocated, stats.allocated + 1024);
    assert_int_equal(after.free_min, after.free);
    larder_frames_free(larder, block);
    larder_frames_stats(larder, &after);
    assert_int_equal(after.free_min, stats.free - 1024);
    void **frames = malloc(8192 * sizeof *frames);
    size_t count = larder_frames_alloc_bulk(larder, 0, 8192, frames, LARDER_USE_RESERVE);
    larder_frames_stats(larder, &after);
    assert_true(after.largest_free_order == UINT64_MAX && after.free == 0);
    larder_frames_free(larder, frames[--count]);
    larder_reclaim(larder);
    larder_frames_stats(larder, &after);
    assert_int_equal(after.largest_free_order, 0);
    larder_frames_free_bulk(larder, count, frames);
    free(frames);
}

static void the_map_of_a_stretch(void **state) {
    (void)state;
    uint64_t first, end;
    struct larder_map_cell cell;
    larder_map_span(larder, &first, &end);
    assert_true(first <= GIB && end == GIB + 49 * MIB);
    void *run = larder_frames_alloc_contiguous(larder, 100, FRAME, UINT64_MAX, LARDER_ZONE(0));
    larder_map_read(larder, GIB, 16 * MIB, &cell);
    assert_int_equal(cell.run, 100);
    assert_int_equal(cell.free, 3996);
    assert_int_equal(cell.absent + cell.reserved + cell.slab + cell.in_bins, 0);
    assert_int_equal(cell.top_cache, 0);
    larder_map_read(larder, GIB + 10 * FRAME, 10 * FRAME, &cell);
    assert_int_equal(cell.run, 10);
    larder_map_read(larder, GIB + 16 * MIB, 16 * MIB, &cell);
    assert_int_equal(cell.absent, 4096);
    larder_map_read(larder, GIB + 32 * MIB, 16 * MIB, &cell);
    assert_int_equal(cell.absent + cell.reserved + cell.free + cell.in_bins + cell.slab + cell.run,
                     4096);
    assert_true(cell.slab > 0 && cell.top_cache > 0);
    /* Outside the span nothing is counted. */
    larder_map_read(larder, 0, MIB, &cell);
    assert_int_equal(cell.free + cell.run + cell.slab + cell.in_bins + cell.reserved, 0);
    larder_map_read(larder, GIB, 0, &cell);
    assert_int_equal(cell.free + cell.run + cell.slab + cell.in_bins + cell.absent, 0);
    larder_map_read(larder, GIB, UINT64_MAX, &cell);
    assert_int_equal(cell.free + cell.run + cell.slab + cell.in_bins, 8192);
    larder_frames_free(larder, run);
}

static void expect_what(const void *pointer, enum larder_what_kind kind, const void *start,
                        size_t bytes) {
    struct larder_what what;
    larder_whatis(larder, pointer, &what);
    assert_int_equal(what.kind, kind);
    if (start) {
        assert_ptr_equal(what.start, start);
        assert_int_equal(what.size_bytes, bytes);
    }
}

static void what_an_address_is(void **state) {
    (void)state;
    char *run = larder_frames_alloc_exact(larder, 21, 0);
    char *block = larder_frames_alloc(larder, 3, 0);
    char *long_run = larder_frames_alloc_contiguous(larder, 1500, FRAME, UINT64_MAX, 0);
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "objects", .size_bytes = 100}, NULL);
    char *object = larder_cache_alloc(cache, 0);
    expect_what(run, LARDER_WHAT_RUN, run, 21 * FRAME);
    expect_what(run + 20 * FRAME + 5, LARDER_WHAT_RUN, run, 21 * FRAME);
    expect_what(block + 7 * FRAME, LARDER_WHAT_RUN, block, 8 * FRAME);
    expect_what(long_run + 1499 * FRAME, LARDER_WHAT_RUN, long_run, 1500 * FRAME);
    expect_what(object + 99, LARDER_WHAT_OBJECT, object, 100);
    expect_what(&cache, LARDER_WHAT_FOREIGN, NULL, 0);
    expect_what(NULL, LARDER_WHAT_FOREIGN, NULL, 0);
    expect_what(sim_pointer(sim, GIB + 20 * MIB), LARDER_WHAT_HOLE, NULL, 0);
    expect_what(sim_pointer(sim, GIB + 15 * MIB), LARDER_WHAT_FREE, NULL, 0);
    struct larder_what what;
    larder_whatis(larder, object, &what);
    assert_ptr_equal(what.cache, cache);
    assert_true(what.taken);
    larder_whatis(larder, object + 112, &what);
    assert_int_equal(what.kind, LARDER_WHAT_OBJECT);
    larder_frames_free(larder, block);
    expect_what(block, LARDER_WHAT_BIN, NULL, 0);
    larder_frames_free(larder, run);
    larder_frames_free(larder, long_run);
    larder_cache_free(cache, object);
    larder_cache_shrink(cache);
    larder_cache_destroy(cache, NULL, NULL);
    larder_reclaim(larder);
    expect_what(block, LARDER_WHAT_FREE, NULL, 0);
}

static void buddyinfo_has_a_line_per_zone(void **state) {
    (void)state;
    struct larder_sink sink = text_sink(&text);
    larder_buddyinfo(larder, &sink);
    assert_true(text_has(&text, "order"));
    assert_true(text_has(&text, "zone dma"));
    assert_true(text_has(&text, "zone normal"));
    sink = text_sink(&text);
    larder_fragmentation(larder, &sink);
    assert_true(text_has(&text, "zone dma"));
    assert_true(text_has(&text, "-1.000"));
}

static void slabinfo_has_a_line_per_cache(void **state) {
    (void)state;
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "my-objects", .size_bytes = 100}, NULL);
    struct larder_sink sink = text_sink(&text);
    larder_slabinfo(larder, &sink);
    assert_false(text_has(&text, "my-objects"));
    void *objects[3];
    larder_cache_alloc_bulk(cache, 3, objects, 0);
    sink = text_sink(&text);
    larder_slabinfo(larder, &sink);
    const char *line = strstr(text.bytes, "my-objects");
    assert_non_null(line);
    unsigned live, capacity, bytes;
    assert_int_equal(sscanf(line, "my-objects %u %u %u", &live, &capacity, &bytes), 3);
    assert_int_equal(live, 3);
    assert_int_equal(bytes, 100);
    larder_cache_free_bulk(cache, 3, objects);
    larder_cache_destroy(cache, NULL, NULL);
}

static void page_owner_says_who(void **state) {
    (void)state;
    struct larder_sink sink = text_sink(&text);
    larder_page_owner(larder, &sink);
    assert_true(text_has(&text, "(not tracked)"));
    larder_debug_track_frames(larder, true);
    void *frames[80];
    for (unsigned i = 0; i < 5; i++) {
        frames[i] = larder_frames_alloc_exact(larder, 3, 0);
    }
    sink = text_sink(&text);
    larder_page_owner(larder, &sink);
    char row[64];
    snprintf(row, sizeof row, "%10u%14u  0x%lx\n", 5, 3, larder_frames_owner(larder, frames[0]));
    assert_true(text_has(&text, row));
    for (unsigned i = 5; i < 80; i++) {
        frames[i] = larder_frames_alloc_exact(larder, i, 0);
        assert_non_null(frames[i]);
    }
    sink = text_sink(&text);
    larder_page_owner(larder, &sink);
    assert_true(text_has(&text, "more blocks"));
    larder_frames_free_bulk(larder, 80, frames);
    larder_debug_track_frames(larder, false);
}

static void a_fatal_reads_as_a_report(void **state) {
    (void)state;
    static const unsigned char object[24] = {0x6b, 0x6b, 0x6c};
    struct larder_fatal fatal = {.kind = LARDER_FATAL_POISON,
                                 .pointer = object + 2,
                                 .owner = "dentry",
                                 .detail = "poison",
                                 .object = object,
                                 .object_bytes = 24,
                                 .offset_bytes = 2,
                                 .expected = 0x6b,
                                 .found = 0x6c,
                                 .alloc_site = 0x1234,
                                 .free_site = 0x5678,
                                 .alloc_ms = 10,
                                 .free_ms = 20,
                                 .alloc_slot = 1,
                                 .free_slot = 2};
    struct larder_sink sink = text_sink(&text);
    larder_fatal_write(&fatal, &sink);
    assert_true(text_has(&text, "BUG dentry: written after free"));
    assert_true(text_has(&text, "@offset=2. First byte 0x6c instead of 0x6b"));
    assert_true(text_has(&text, "Allocated in 0x1234 at 10 ms, cpu 1"));
    assert_true(text_has(&text, "Freed in 0x5678 at 20 ms, cpu 2"));
    assert_true(text_has(&text, "6b 6b 6c 00"));
    fatal.offset_bytes = (size_t)-3;
    fatal.alloc_site = fatal.free_site = 0;
    fatal.object_bytes = 4000;
    static const unsigned char large[4000];
    fatal.object = large;
    sink = text_sink(&text);
    larder_fatal_write(&fatal, &sink);
    assert_true(text_has(&text, "@offset=-3"));
    assert_false(text_has(&text, "Allocated"));
    struct larder_fatal plain = {.kind = LARDER_FATAL_ASSERTION, .file = "core/x.c", .line = 7};
    sink = text_sink(&text);
    larder_fatal_write(&plain, &sink);
    assert_true(text_has(&text, "BUG larder: assertion failed (core/x.c:7)"));
}

static void count_internal(struct larder_cache *cache, void *context) {
    struct larder_cache_stats stats;
    uint64_t *count = context;
    larder_cache_stats(cache, &stats);
    count[stats.is_internal]++;
    assert_int_equal(stats.is_internal,
                     strncmp(stats.name, "heap-", 5) != 0 && strcmp(stats.name, "typed") != 0);
}

static void the_cores_own_caches_are_told_apart(void **state) {
    (void)state;
    uint64_t count[2] = {0, 0};
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "typed", .size_bytes = 40}, NULL);
    void *small = larder_alloc(larder, 8), *large = larder_alloc(larder, 1000);
    larder_caches_each(larder, count_internal, count);
    assert_int_equal(count[0], 3); /* a size class begins with its first request */
    assert_true(count[1] >= 5);
    larder_free(larder, small);
    larder_free(larder, large);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(zones_add_up),
        T(orders_are_counted_as_a_buddy_sees_them),
        T(the_fragmentation_index),
        T(totals_of_the_instance),
        T(the_map_of_a_stretch),
        T(what_an_address_is),
        T(buddyinfo_has_a_line_per_zone),
        T(slabinfo_has_a_line_per_cache),
        T(page_owner_says_who),
        T(a_fatal_reads_as_a_report),
        T(the_cores_own_caches_are_told_apart),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
