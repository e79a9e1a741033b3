/* The buddies below the public functions: split, merge, exact ranges, zones, against a byte per
 * frame. */
#include "harness.h"

#include "buddy.h"

#define NONE 0u
#define USED 1u
#define FREE 2u

static struct frame_map map;
static struct buddies buddies;
static struct larder_ranges ranges;
static struct lock_book book;
static struct larder *nobody; /* locks want an instance to ask for its slot: there is none */
static unsigned char *frame_state;

static void make(const struct larder_range *range, unsigned count,
                 const struct larder_config *config) {
    static const struct larder_config one_zone;
    larder_ranges_init(&ranges);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(
            larder_ranges_add(&ranges, range[i].address, range[i].size_bytes, LARDER_RANGE_USABLE),
            LARDER_OK);
    }
    lock_book_init(&book, nobody);
    assert_int_equal(frame_map_init(&map, &ranges, 0, FRAME << LARDER_ORDER_MAX), LARDER_OK);
    assert_int_equal(buddies_init(&buddies, &map, config ? config : &one_zone, &book), LARDER_OK);
    frame_state = calloc(map.count_frames, 1);
}

static int teardown(void **state) {
    (void)state;
    buddies_fini(&buddies);
    frame_map_fini(&map);
    free(frame_state);
    assert_int_equal(sim_committed_bytes(), 0);
    return 0;
}

static void set(uint64_t first, uint64_t count, unsigned from, unsigned to) {
    for (uint64_t i = first; i < first + count; i++) {
        assert_int_equal(frame_state[i], from);
        frame_state[i] = (unsigned char)to;
    }
}

static void give(uint64_t first, uint64_t count, unsigned from) {
    if (from == NONE) {
        assert_true(buddies_commit(&buddies, first, count));
        buddies_make_areas(&buddies, first, count);
        buddies_zone_of(&buddies, first)->usable += count;
    }
    struct area *area = buddies_area_of(&buddies, first);
    assert_int_equal(area_part(area, first, count), count);
    set(first, count, from, FREE);
    area_enter(area);
    buddy_give(&buddies, area, first, count);
    area_leave(&buddies, area);
}

/* From the only area of a zone. */
static uint64_t take(struct zone *zone, unsigned order) {
    struct area *area = &buddies.area[zone->first_area];
    assert_int_equal(zone->count_areas, 1);
    area_enter(area);
    uint64_t first = buddy_take(&buddies, area, order, true);
    area_leave(&buddies, area);
    if (first != FRAME_NONE) {
        assert_int_equal(first % ((uint64_t)1 << order), 0);
        set(first, (uint64_t)1 << order, FREE, USED);
    }
    return first;
}

static void take_range(uint64_t first, uint64_t count) {
    struct area *area = buddies_area_of(&buddies, first);
    area_enter(area);
    buddy_take_range(&buddies, area, first, count);
    area_leave(&buddies, area);
    set(first, count, FREE, USED);
}

static bool reference_has(uint64_t from, uint64_t end, unsigned order) {
    uint64_t count = (uint64_t)1 << order;
    for (uint64_t first = from & ~(count - 1); first + count <= end; first += count) {
        uint64_t i = first;
        while (first >= from && i < first + count && frame_state[i] == FREE) {
            i++;
        }
        if (first >= from && i == first + count) {
            return true;
        }
    }
    return false;
}

/* Every frame of every page block is free where the reference says so, and the sums agree. */
static void expect_same(void) {
    uint64_t free_frames = 0;
    for (uint64_t i = 0; i < map.count_frames; i++) {
        bool is_free = frame_state[i] == FREE;
        free_frames += is_free;
        if (i % 61 == 0 || is_free != (i > 0 && frame_state[i - 1] == FREE)) {
            assert_int_equal(buddies_is_free(&buddies, i), is_free);
        }
    }
    uint64_t sum = 0;
    for (unsigned zone = 0; zone < buddies.zone_count; zone++) {
        sum += zone_free(&buddies, &buddies.zone[zone]);
    }
    assert_int_equal(sum, free_frames);
}

/* The order of the free block that contains a page block; 0 iff it is not wholly free. */
static unsigned whole_order(uint64_t pageblock) {
    const struct area *area = buddies_area_of(&buddies, pageblock * 512);
    unsigned bit = (unsigned)(pageblock - area->first_pageblock);
    return buddy_is_whole(area, pageblock) ? 9 + pageblock_run_order(&area->whole, bit) : 0;
}

static uint64_t frame_at(uint64_t address) {
    return (address - map.base_address) / FRAME;
}

static void give_all_ram(void) {
    for (unsigned i = 0; i < ranges.count; i++) {
        uint64_t first, end;
        range_round_inward(&ranges.range[i], &first, &end);
        for (uint64_t at = first; at < end;) {
            uint64_t in_zone = zone_part(buddies_zone_of(&buddies, frame_at(at)), frame_at(at),
                                         (end - at) / FRAME);
            uint64_t in_area = AREA_FRAMES - frame_at(at) % AREA_FRAMES;
            uint64_t here = in_zone < in_area ? in_zone : in_area;
            give(frame_at(at), here, NONE);
            at += here * FRAME;
        }
    }
}

static void a_gibibyte_is_one_block(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, GIB, 0}, 1, NULL);
    give_all_ram();
    struct zone *zone = &buddies.zone[0];
    assert_int_equal(whole_order(0), LARDER_ORDER_MAX);
    assert_int_equal(take(zone, LARDER_ORDER_MAX), 0);
    assert_int_equal(take(zone, 0), FRAME_NONE);
    give(0, (uint64_t)1 << LARDER_ORDER_MAX, USED);
    assert_int_equal(whole_order(17), LARDER_ORDER_MAX);
    expect_same();
}

static void frames_given_one_by_one_merge_to_the_top(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 64 * MIB, 0}, 1, NULL);
    struct random random = {1};
    uint64_t count = 64 * MIB / FRAME;
    uint64_t *order = malloc(count * sizeof *order);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t j = random_below(&random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (uint64_t i = 0; i < count; i++) {
        give(order[i], 1, NONE);
    }
    free(order);
    assert_int_equal(whole_order(0), 14);
    expect_same();
}

static void a_split_leaves_every_smaller_order(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 64 * MIB, 0}, 1, NULL);
    give_all_ram();
    struct zone *zone = &buddies.zone[0];
    assert_int_equal(take(zone, 0), 0);
    for (unsigned order = 0; order < 14; order++) {
        assert_true(reference_has(0, map.count_frames, order));
        assert_int_equal(take(zone, order), (uint64_t)1 << order);
    }
    assert_int_equal(zone->free, 0);
    assert_int_equal(zone->free_min, 0);
    for (unsigned order = 0; order < 14; order++) {
        give((uint64_t)1 << order, (uint64_t)1 << order, USED);
    }
    give(0, 1, USED);
    assert_int_equal(whole_order(0), 14);
    expect_same();
}

static void unaligned_ram_is_carved_by_natural_alignment(void **state) {
    (void)state;
    const struct larder_range range[] = {
        {GIB + 3 * FRAME, 5 * MIB + 7 * FRAME + 1, 0},
        {GIB + 9 * MIB, FRAME, 0},
        {GIB + 16 * MIB - FRAME, 33 * MIB, 0},
    };
    make(range, COUNT(range), NULL);
    give_all_ram();
    expect_same();
    struct zone *zone = &buddies.zone[0];
    assert_int_equal(whole_order(frame_at(GIB + 16 * MIB) / 512), 12);
    assert_int_equal(whole_order(frame_at(GIB + 32 * MIB) / 512), 12);
    while (take(zone, 0) != FRAME_NONE) {
    }
    assert_int_equal(zone->free, 0);
    for (uint64_t i = 0; i < map.count_frames; i++) {
        assert_int_not_equal(frame_state[i], FREE);
    }
}

static void a_request_uses_the_fullest_page_block(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 8 * MIB, 0}, 1, NULL);
    give_all_ram();
    struct zone *zone = &buddies.zone[0];
    /* Block 1 nearly full, block 2 nearly empty; 0 and 3 whole. */
    take_range(512, 500);
    take_range(1024, 10);
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(take(zone, 0) / 512, 1);
    }
    assert_int_equal(take(zone, 0) / 512, 2);
    assert_int_equal(whole_order(0), 9);
    assert_int_equal(whole_order(3), 9);
    expect_same();
}

static void a_page_block_taken_in_parts_can_be_given_as_a_whole(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 8 * MIB, 0}, 1, NULL);
    give_all_ram();
    take_range(500, 20);
    take_range(520, 1020);
    give(500, 1040, USED);
    assert_int_equal(whole_order(0), 11);
    expect_same();
}

static void zones_do_not_merge_with_each_other(void **state) {
    (void)state;
    const struct larder_config config = {.zone = {{"dma", GIB + 8 * MIB}, {"normal", UINT64_MAX}},
                                         .zone_count = 2};
    make(&(struct larder_range){GIB, 16 * MIB, 0}, 1, &config);
    give_all_ram();
    assert_int_equal(buddies.zone[0].free, 2048);
    assert_int_equal(buddies.zone[1].free, 2048);
    assert_int_equal(whole_order(0), 11);
    assert_int_equal(whole_order(4), 11);
    assert_ptr_equal(buddies_zone_of(&buddies, 2047), &buddies.zone[0]);
    assert_ptr_equal(buddies_zone_of(&buddies, 2048), &buddies.zone[1]);
    assert_int_equal(take(&buddies.zone[0], 12), FRAME_NONE);
    assert_int_equal(take(&buddies.zone[1], 11), 2048);
    assert_int_equal(take(&buddies.zone[1], 0), FRAME_NONE);
    expect_same();
}

static void bulk_takes_and_gives_many(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 4 * MIB, 0}, 1, NULL);
    give_all_ram();
    struct area *area = &buddies.area[0];
    static frame_index out[2000];
    struct area_seat nowhere = {AREA_NONE, TAKER_NOBODY, NULL};
    area_enter(area);
    unsigned got = buddy_take_many(&buddies, area, 0, true, 2000, &nowhere, out);
    area_leave(&buddies, area);
    assert_int_equal(got, 1024);
    for (unsigned i = 0; i < got; i++) {
        set(out[i], 1, FREE, USED);
    }
    assert_int_equal(area->free, 0);
    area_enter(area);
    for (unsigned i = 0; i < got; i += BUDDY_BATCH) {
        buddy_give_many(&buddies, area, 0, got - i < BUDDY_BATCH ? got - i : BUDDY_BATCH, out + i);
    }
    area_leave(&buddies, area);
    set(0, 1024, USED, FREE);
    assert_int_equal(whole_order(0), 10);
    expect_same();
}

/* The page block that `count` frames come from; -1 iff from several. */
static int take_for(struct area_seat *seat, unsigned count) {
    frame_index out[PAGEBLOCK_FRAMES];
    struct area *area = &buddies.area[0];
    area_enter(area);
    assert_int_equal(buddy_take_many(&buddies, area, 0, true, count, seat, out), count);
    area_leave(&buddies, area);
    int from = (int)(out[0] / PAGEBLOCK_FRAMES);
    for (unsigned i = 0; i < count; i++) {
        set(out[i], 1, FREE, USED);
        from = (int)(out[i] / PAGEBLOCK_FRAMES) == from ? from : -1;
    }
    return from;
}

static void takers_have_page_blocks_of_their_own(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 8 * MIB, 0}, 1, NULL);
    give_all_ram();
    struct area_seat seat[6] = {{AREA_NONE, TAKER_NOBODY, NULL}};
    int own[5];
    for (unsigned i = 1; i <= 5; i++) {
        seat[i] = (struct area_seat){AREA_NONE, i, NULL};
    }
    for (unsigned i = 1; i <= 4; i++) {
        own[i] = take_for(&seat[i], 60);
        assert_true(own[i] >= 0 && (i == 1 || own[i] != own[i - 1]));
    }
    for (unsigned round = 1; round < 8; round++) {
        for (unsigned i = 1; i <= 4; i++) {
            assert_int_equal(take_for(&seat[i], 60), own[i]);
        }
    }
    /* There are no others: what is left is everybody's. */
    assert_true(take_for(&seat[5], 20) >= 0);
    assert_true(take_for(&seat[0], 12) >= 0);
    assert_int_equal(take_for(&seat[1], 96), -1);
    assert_int_equal(buddies.area[0].free, 0);
    /* A page block that was full is nobody's when frames come back to it, and so is one that a slot
     * has left. */
    give((uint64_t)own[4] * PAGEBLOCK_FRAMES, 100, USED);
    assert_int_equal(take_for(&seat[2], 50), own[4]);
    assert_int_equal(buddies.pageblock[own[4]].taker, 2);
    seat_move(&buddies, &buddies.zone[0], &seat[2], 0);
    assert_int_equal(buddies.pageblock[own[4]].taker, TAKER_NOBODY);
    expect_same();
}

static bool reference_is_free(uint64_t first, uint64_t count) {
    return first + count <= map.count_frames && memchr(frame_state + first, USED, count) == NULL &&
           memchr(frame_state + first, NONE, count) == NULL;
}

static bool range_is_free(uint64_t first, uint64_t count) {
    return first + count <= map.count_frames &&
           buddy_range_is_free(&buddies, buddies_area_of(&buddies, first), first, count);
}

static void random_ranges(void **state) {
    (void)state;
    make(&(struct larder_range){GIB + 5 * FRAME, 24 * MIB, 0}, 1, NULL);
    give_all_ram();
    struct random random = {harness_seed()};
    for (unsigned step = 0; step < 4000; step++) {
        uint64_t first = random_below(&random, map.count_frames);
        uint64_t count = 1 + random_below(&random, random_below(&random, 3) ? 40 : 3000);
        bool is_free = reference_is_free(first, count);
        assert_int_equal(range_is_free(first, count), is_free);
        if (is_free) {
            take_range(first, count);
        } else if (frame_state[first] == USED) {
            uint64_t length = 1;
            while (length < count && first + length < map.count_frames &&
                   frame_state[first + length] == USED) {
                length++;
            }
            give(first, length, USED);
        } else {
            unsigned order = (unsigned)random_below(&random, 12);
            bool has = reference_has(0, map.count_frames, order);
            assert_int_equal(take(&buddies.zone[0], order) != FRAME_NONE, has);
        }
        if (step % 50 == 0) {
            expect_same();
        }
    }
    expect_same();
}

/* RAM that lies in two GiB of the map and in two zones: the GiB that both touch is an area of each.
 */
static void areas_end_with_their_gibibyte_and_with_their_zone(void **state) {
    (void)state;
    const struct larder_config config = {
        .zone = {{"dma", 2 * GIB + 8 * MIB}, {"normal", UINT64_MAX}}, .zone_count = 2};
    make(&(struct larder_range){GIB, 2 * GIB, 0}, 1, &config);
    give_all_ram();
    assert_int_equal(buddies.zone[0].count_areas, 2);
    assert_int_equal(buddies.zone[1].count_areas, 1);
    assert_int_equal(buddies.area[0].free, AREA_FRAMES);
    assert_int_equal(buddies.area[1].free, 8 * MIB / FRAME);
    assert_int_equal(buddies.area[2].free, AREA_FRAMES - 8 * MIB / FRAME);
    assert_ptr_equal(buddies_area_of(&buddies, frame_at(2 * GIB + 8 * MIB) - 1), &buddies.area[1]);
    assert_ptr_equal(buddies_area_of(&buddies, frame_at(2 * GIB + 8 * MIB)), &buddies.area[2]);
    assert_int_equal(whole_order(frame_at(2 * GIB) / 512), 11);
    assert_int_equal(whole_order(frame_at(2 * GIB + 8 * MIB) / 512), 11);
    assert_int_equal(whole_order(frame_at(2 * GIB + 512 * MIB) / 512), 17);
    assert_int_equal(zone_free(&buddies, &buddies.zone[0]), AREA_FRAMES + 8 * MIB / FRAME);
}

/* A slot that looks for an area is sent where the fullest open page block serves it, or where the
 * smallest run of whole ones does; not where another takes from, and to whole ones rather where no
 * other took from last. */
static void the_best_area_that_nobody_else_takes_from(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 4 * GIB, 0}, 1, NULL);
    give_all_ram();
    const struct zone *zone = &buddies.zone[0];
    struct area_seat one = {AREA_NONE, 1, NULL}, two = {AREA_NONE, 2, NULL};
    assert_int_equal(zone_fullest_area(&buddies, zone, &one, 0), AREA_NONE);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 0), 0);
    take_range(1 * AREA_FRAMES, 300);                   /* largest free order 7 */
    take_range(2 * AREA_FRAMES, 512 * 300 + 256);       /* 8, half free; whole: 7, 2^16 frames */
    take_range(3 * AREA_FRAMES, 512 * 300 + 256 + 128); /* 7, fuller than area 1's */
    assert_int_equal(zone_fullest_area(&buddies, zone, &one, 0), 3);
    assert_int_equal(zone_fullest_area(&buddies, zone, &one, 8), 2);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 16), 2);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 17), 1);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 18), 0);
    seat_move(&buddies, zone, &one, 3);
    assert_int_equal(zone_fullest_area(&buddies, zone, &one, 0), 3);
    assert_int_equal(zone_fullest_area(&buddies, zone, &two, 0), 1);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 9), 3); /* as good as 2, and its own */
    seat_move(&buddies, zone, &two, 3); /* where it is the other's already */
    assert_int_equal(buddies.hint[3].taker, 1 | SEATED);
    seat_move(&buddies, zone, &two, 2);
    seat_move(&buddies, zone, &one, AREA_NONE);
    assert_int_equal(buddies.hint[3].taker, 1);
    assert_int_equal(zone_fullest_area(&buddies, zone, &two, 0), 3);
    seat_move(&buddies, zone, &two, AREA_NONE);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 9), 3);
    assert_int_equal(zone_whole_area(&buddies, zone, &two, 9), 2);
    seat_move(&buddies, zone, &two, 0);
    assert_int_equal(zone_whole_area(&buddies, zone, &one, 18), AREA_NONE);
}

/* Of several areas the zone hears only when one has changed by SETTLE_FRAMES; then its minimum is
 * no further off than that for each. */
static void areas_settle_with_their_zone(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 2 * GIB, 0}, 1, NULL);
    give_all_ram();
    struct zone *zone = &buddies.zone[0];
    zone_begin(&buddies, zone);
    assert_int_equal(zone->free_min, 2 * AREA_FRAMES);
    take_range(0, SETTLE_FRAMES - 1);
    assert_int_equal(zone->free, 2 * AREA_FRAMES);
    assert_int_equal(zone_free(&buddies, zone), 2 * AREA_FRAMES - SETTLE_FRAMES + 1);
    take_range(SETTLE_FRAMES - 1, 1);
    assert_int_equal(zone->free_min, 2 * AREA_FRAMES - SETTLE_FRAMES);
    /* Then all areas are added up, also what one of them has not told yet. */
    take_range(AREA_FRAMES, 100);
    assert_int_equal(zone->free_min, 2 * AREA_FRAMES - SETTLE_FRAMES);
    take_range(SETTLE_FRAMES, SETTLE_FRAMES);
    assert_int_equal(zone->free, 2 * AREA_FRAMES - 2 * SETTLE_FRAMES);
    assert_int_equal(zone->free_min, 2 * AREA_FRAMES - 2 * SETTLE_FRAMES - 100);
    zone->reserve = 1000;
    assert_int_equal(zone_spare(&buddies, zone, 5, 0), 5);
    uint64_t left = zone_free(&buddies, zone);
    assert_int_equal(zone_spare(&buddies, zone, left, 0), left - 1000);
    assert_int_equal(zone_spare(&buddies, zone, left, LARDER_USE_RESERVE), left);
}

/* What is out to be purged was given to nobody: the zone has it all the while. */
static void purging_does_not_lower_the_minimum(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 8 * MIB, 0}, 1, &(struct larder_config){.is_reserved = true});
    give_all_ram();
    struct zone *zone = &buddies.zone[0];
    struct area *area = &buddies.area[0];
    uint64_t number, bits[PAGEBLOCK_WORDS];
    zone_begin(&buddies, zone);
    area_enter(area);
    buddy_mark_dirty(&buddies, area, 0, 1);
    assert_true(buddy_take_dirty(&buddies, area, 0, &number, bits));
    area_leave(&buddies, area);
    take_range(1024, 1);
    assert_int_equal(zone->free_min, 2047);
    area_enter(area);
    buddy_give_purged(&buddies, area, number, bits, true);
    area_leave(&buddies, area);
    assert_int_equal(zone->free_min, 2047);
    assert_int_equal(zone_free(&buddies, zone), 2047);
    expect_same();
}

static void init_fails_and_leaves_nothing(void **state) {
    (void)state;
    make(&(struct larder_range){GIB, 4 * MIB, 0}, 1, NULL);
    struct buddies other;
    static const struct larder_config config;
    sim_fail_nth_of("reserve", 1);
    assert_int_equal(buddies_init(&other, &map, &config, &book), LARDER_NO_MEMORY);
    sim_fail_nth_of("commit", 1);
    assert_false(buddies_commit(&buddies, 0, 1));
    sim_fail_off();
    assert_int_equal(buddies.committed_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_gibibyte_is_one_block, teardown),
        cmocka_unit_test_teardown(frames_given_one_by_one_merge_to_the_top, teardown),
        cmocka_unit_test_teardown(a_split_leaves_every_smaller_order, teardown),
        cmocka_unit_test_teardown(unaligned_ram_is_carved_by_natural_alignment, teardown),
        cmocka_unit_test_teardown(a_request_uses_the_fullest_page_block, teardown),
        cmocka_unit_test_teardown(a_page_block_taken_in_parts_can_be_given_as_a_whole, teardown),
        cmocka_unit_test_teardown(zones_do_not_merge_with_each_other, teardown),
        cmocka_unit_test_teardown(bulk_takes_and_gives_many, teardown),
        cmocka_unit_test_teardown(takers_have_page_blocks_of_their_own, teardown),
        cmocka_unit_test_teardown(random_ranges, teardown),
        cmocka_unit_test_teardown(areas_end_with_their_gibibyte_and_with_their_zone, teardown),
        cmocka_unit_test_teardown(the_best_area_that_nobody_else_takes_from, teardown),
        cmocka_unit_test_teardown(areas_settle_with_their_zone, teardown),
        cmocka_unit_test_teardown(purging_does_not_lower_the_minimum, teardown),
        cmocka_unit_test_teardown(init_fails_and_leaves_nothing, teardown),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
