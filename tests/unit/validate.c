/* The validator finds each kind of damage: one field is changed, and the right equation is named.
 */
#include "harness.h"

#include "frames.h"

static struct sim *sim;
static struct larder *larder;
static struct larder_cache *cache;
static void *objects[300];

/* A state in which every list and table has something: partial, full and empty slabs, a depot, open
 * and whole page blocks. */
static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){.cpus = 2});
    larder = sim->larder;
    cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "victim", .size_bytes = 500}, NULL);
    larder_cache_prefill(cache, 600);
    assert_int_equal(larder_cache_alloc_bulk(cache, 300, objects, 0), 300);
    larder_cache_free_bulk(cache, 200, objects + 100);
    larder_frames_alloc_exact(larder, 3, 0);
    sim_validate(sim);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sim_abandon(sim);
    return 0;
}

static void expect_found(const char *equation) {
    struct larder_fatal found = {0};
    assert_false(larder_validate(larder, &found));
    assert_int_equal(found.kind, LARDER_FATAL_CORRUPT);
    assert_non_null(found.owner);
    assert_string_equal(found.detail, equation);
}

static struct pageblock *block_in(enum pageblock_state wanted) {
    for (uint64_t i = 0; i < larder->buddies.count_pageblocks; i++) {
        if (larder->buddies.pageblock[i].state == wanted) {
            return &larder->buddies.pageblock[i];
        }
    }
    fail_msg("no page block in state %d", (int)wanted);
    return NULL;
}

static struct zone *zone(void) {
    return &larder->buddies.zone[0];
}

static struct area *area(void) {
    return &larder->buddies.area[0];
}

static struct pageblock *block_whole(void) {
    unsigned bit = 0, run;
    assert_true(pageblock_next_run(area()->whole.free_bits, &bit, &run));
    return &larder->buddies.pageblock[bit];
}

static struct slab *slab_in(unsigned first_bucket, unsigned end_bucket) {
    for (unsigned bucket = first_bucket; bucket < end_bucket; bucket++) {
        if (!list_is_empty(&cache->slabs[bucket])) {
            return LIST_ENTRY(cache->slabs[bucket].next, struct slab, link);
        }
    }
    fail_msg("no slab in buckets %u..%u", first_bucket, end_bucket);
    return NULL;
}

/* ---- Page blocks and zones ---- */

static void a_bit_that_is_not_counted(void **state) {
    (void)state;
    block_in(PAGEBLOCK_OPEN)->count_free--;
    expect_found("page block: count_free = popcount(free_bits)");
}

static void a_wrong_largest_order(void **state) {
    (void)state;
    block_in(PAGEBLOCK_OPEN)->largest ^= 1;
    expect_found("page block: largest is the largest free order");
}

static void a_wrong_bucket(void **state) {
    (void)state;
    block_in(PAGEBLOCK_OPEN)->bucket ^= 1;
    expect_found("page block: on the list of its fullness");
}

static void a_block_off_its_list(void **state) {
    (void)state;
    list_link_init(&block_in(PAGEBLOCK_OPEN)->link);
    expect_found("page block: on the list of its fullness");
}

static void a_whole_block_with_bits(void **state) {
    (void)state;
    block_whole()->free_bits[3] = 1;
    expect_found("page block: no bits but of an open one");
}

static void an_open_block_that_is_whole_too(void **state) {
    (void)state;
    uint64_t number = (uint64_t)(block_in(PAGEBLOCK_OPEN) - larder->buddies.pageblock);
    pageblock_give_frame(&area()->whole, (unsigned)number);
    expect_found("area: an open page block is not whole");
}

static void a_whole_block_beyond_its_zone(void **state) {
    (void)state;
    area()->end_pageblock--;
    expect_found("area: a free page block lies in its zone");
}

static void a_whole_block_that_is_not_counted(void **state) {
    (void)state;
    area()->whole.count_free--;
    expect_found("area: whole.count_free = popcount of its bits");
}

static void a_bound_below_what_is_free(void **state) {
    (void)state;
    area()->whole.largest = 0;
    expect_found("area: no larger order is free than it says");
}

static void an_area_that_counts_wrong(void **state) {
    (void)state;
    area()->free++;
    expect_found("area: free = sum of its free blocks");
}

static void a_zone_that_counts_wrong(void **state) {
    (void)state;
    zone()->free++;
    expect_found("zone: free = sum of what its areas settled");
}

static void a_minimum_above_what_is_free(void **state) {
    (void)state;
    zone()->free_min = zone()->free + 1;
    expect_found("zone: free_min <= free <= usable");
}

static void a_missing_bit_of_a_bucket(void **state) {
    (void)state;
    struct pageblock *block = block_in(PAGEBLOCK_OPEN);
    area()->open_buckets[block->largest] = 0;
    expect_found("area: a bit per non-empty bucket");
}

static void a_block_on_the_list_of_another_bucket(void **state) {
    (void)state;
    struct pageblock *block = block_in(PAGEBLOCK_OPEN);
    unsigned bucket = block->bucket;
    list_unlink(&block->link);
    if (list_is_empty(&area()->open[block->largest][bucket])) {
        area()->open_buckets[block->largest] &= (uint8_t) ~(1u << bucket);
    }
    list_push_front(&area()->open[block->largest][bucket ^ 1], &block->link);
    area()->open_buckets[block->largest] |= (uint8_t)(1u << (bucket ^ 1));
    expect_found("area: a list holds blocks of its bucket");
}

/* ---- Frames ---- */

static void a_free_frame_with_an_owner(void **state) {
    (void)state;
    struct pageblock *block = block_in(PAGEBLOCK_OPEN);
    uint64_t frame = (uint64_t)(block - larder->buddies.pageblock) * PAGEBLOCK_FRAMES;
    while (!pageblock_is_free(block, (unsigned)(frame % PAGEBLOCK_FRAMES), 1)) {
        frame++;
    }
    larder->map.owner[frame] = OWNER_FRAMES;
    expect_found("frames: a free frame has no owner");
}

/* A cache without an owner byte would take it back. */
static void a_frame_that_names_a_cache_of_old(void **state) {
    (void)state;
    void *block = larder_frames_alloc(larder, 0, 0);
    larder->map.record[frame_of(&larder->map, block)].cache_id = 300;
    expect_found("frames: only a slab's frame names a cache");
}

/* Under the lock of another zone nobody would keep its frames from being given out twice. */
static void a_run_that_reaches_beyond_its_zone(void **state) {
    (void)state;
    void *run = larder_frames_alloc_exact(larder, 3, 0);
    larder->map.record[frame_of(&larder->map, run)].count_frames = larder->map.count_frames;
    expect_found("frames: a run lies in one zone");
}

static void a_lost_block(void **state) {
    (void)state;
    void *block = larder_frames_alloc(larder, 9, 0);
    larder->map.owner[frame_of(&larder->map, block)] = OWNER_NONE;
    expect_found("frames: usable = free + allocated + in bins");
}

/* ---- Caches ---- */

static void a_slot_that_is_not_counted(void **state) {
    (void)state;
    slab_in(0, SLAB_BUCKETS)->count_free++;
    expect_found("slab: count_free = popcount(free_bits)");
}

static void a_slab_on_the_wrong_list(void **state) {
    (void)state;
    struct slab *slab = slab_in(SLAB_BUCKET_FULL, SLAB_BUCKET_FULL + 1);
    list_unlink(&slab->link);
    list_push_front(&cache->slabs[SLAB_BUCKET_EMPTY], &slab->link);
    expect_found("slab: on the list of its fullness");
}

static void a_slab_whose_frames_point_elsewhere(void **state) {
    (void)state;
    struct slab *slab = slab_in(0, SLAB_BUCKETS);
    uint64_t first = frame_of(&larder->map, slab->base);
    larder->map.record[first + 1].slab = NULL;
    expect_found("slab: its frames point to it");
}

static void a_slab_that_lost_an_owner_byte(void **state) {
    (void)state;
    struct slab *slab = slab_in(0, SLAB_BUCKETS);
    struct larder_fatal found = {0};
    larder->map.owner[frame_of(&larder->map, slab->base) + 1] = OWNER_NONE;
    assert_false(
        larder_validate(larder, &found)); /* by the frames or by the slab, whoever is first */
}

static void a_cache_that_counts_wrong(void **state) {
    (void)state;
    cache->taken--;
    expect_found("cache: capacity = taken + free in slabs");
}

static void a_depot_that_counts_wrong(void **state) {
    (void)state;
    cache->depot.count_empty++;
    expect_found("depot: objects = sum of its magazines");
}

static void a_depot_with_objects_from_nowhere(void **state) {
    (void)state;
    cache->depot.objects += 1000;
    expect_found("cache: taken = live + in magazines + in depot");
}

static void an_id_that_names_nothing(void **state) {
    (void)state;
    larder->cache_by_id[cache->id + 1] = cache;
    larder->id_end = cache->id + 2;
    expect_found("registry: an id names a cache on the list");
}

static void a_cache_off_the_list(void **state) {
    (void)state;
    list_unlink(&cache->link);
    expect_found("registry: an id names a cache on the list");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_bit_that_is_not_counted),
        T(a_wrong_largest_order),
        T(a_wrong_bucket),
        T(a_block_off_its_list),
        T(a_whole_block_with_bits),
        T(an_open_block_that_is_whole_too),
        T(a_whole_block_beyond_its_zone),
        T(a_whole_block_that_is_not_counted),
        T(a_bound_below_what_is_free),
        T(an_area_that_counts_wrong),
        T(a_zone_that_counts_wrong),
        T(a_minimum_above_what_is_free),
        T(a_missing_bit_of_a_bucket),
        T(a_block_on_the_list_of_another_bucket),
        T(a_free_frame_with_an_owner),
        T(a_frame_that_names_a_cache_of_old),
        T(a_run_that_reaches_beyond_its_zone),
        T(a_lost_block),
        T(a_slot_that_is_not_counted),
        T(a_slab_on_the_wrong_list),
        T(a_slab_whose_frames_point_elsewhere),
        T(a_slab_that_lost_an_owner_byte),
        T(a_cache_that_counts_wrong),
        T(a_depot_that_counts_wrong),
        T(a_depot_with_objects_from_nowhere),
        T(an_id_that_names_nothing),
        T(a_cache_off_the_list),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
