/* Faults that shipped in other page allocators: each is a test that fails when the fault is put
 * back.
 *
 * "Fault" says where: tests/traps/mutations/NN-*.patch puts it back, and `make test-mutations`
 * proves that the test of that number then fails. Races run through every schedule with a few
 * unforced switches.
 */
#include "harness.h"

#include <sys/mman.h>

#include "instance.h"

static struct sim *sim;
static struct larder *larder;

static void start(const struct sim_config *config) {
    sim = sim_start(config);
    larder = sim->larder;
    sim_check(larder != NULL);
}

static void start_small(void *context) {
    static const struct larder_range range = {GIB, 8 * MIB, LARDER_RANGE_USABLE};
    (void)context;
    start(&(struct sim_config){.range = &range, .range_count = 1, .cpus = 2, .unattached = true});
}

static void stop(void *context) {
    (void)context;
    sim_stop(sim);
}

/* Everything the bodies of a race hold. */
static void *held[4][8];

static void free_held(void) {
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned j = 0; j < 8; j++) {
            larder_free(larder, held[i][j]);
            held[i][j] = NULL;
        }
    }
}

static uint64_t idle_before;

static void check_whole(void *context) {
    (void)context;
    sim_validate(sim);
    free_held();
    larder_reclaim(larder);
    sim_validate(sim);
    sim_check(frames_idle(sim) == idle_before);
}

/* ---- 1 ---- */

/* Two buddies of 2 MiB, the only ones: one is free, the other is given back while the free one is
 * being taken. */
static void take_all_page_blocks(void) {
    larder_reclaim(larder);
    idle_before = frames_idle(sim);
    for (unsigned i = 0; (held[3][i] = larder_frames_alloc(larder, 9, 0)) != NULL; i++) {
    }
}

static unsigned held_at(uint64_t address) {
    for (unsigned i = 0; i < 8; i++) {
        if (held[3][i] && larder_frames_address(larder, held[3][i]) == address) {
            return i;
        }
    }
    sim_fail("no page block was given out at %llx", (unsigned long long)address);
}

static void prepare_01(void *context) {
    start_small(context);
    take_all_page_blocks();
    unsigned which = held_at(GIB + 4 * MIB);
    larder_frames_free(larder, held[3][which]);
    held[3][which] = NULL;
}

static void split_01(void *context) {
    (void)context;
    held[0][1] = larder_frames_alloc(larder, 9, 0);
    held[0][2] = larder_frames_alloc(larder, 9, 0);
}

static void merge_01(void *context) {
    (void)context;
    unsigned which = held_at(GIB + 6 * MIB);
    void *block = held[3][which];
    held[3][which] = NULL;
    larder_frames_free(larder, block);
}

/* Lock dropped between unlinking a block and splitting it: a free of its buddy merges a block that
 * is on no list. Fault: core/buddy.c take_wholes(): the area's lock is released and taken again
 * between finding the bits and clearing them. */
static void trap_01_split_and_merge_are_one_critical_section(void **state) {
    (void)state;
    const struct sim_race race = {.name = "split against merge",
                                  .cpus = 2,
                                  .prepare = prepare_01,
                                  .body = {split_01, merge_01},
                                  .check = check_whole,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 2, 50000) > 20);
    sim_play_random(&race, harness_seed(), 300);
}

/* ---- 2 ---- */

static void prepare_02(void *context) {
    start_small(context);
    larder_reclaim(larder);
    idle_before = frames_idle(sim);
    for (unsigned i = 0; i < 2; i++) {
        held[i][0] = larder_frames_alloc_contiguous(larder, 512, 2 * MIB, UINT64_MAX, 0);
        sim_check(held[i][0] != NULL);
        /* A run, not a block: it goes straight to the buddies. */
        sim_check(larder_frames_resize(larder, held[i][0], 512) == LARDER_OK);
    }
}

static void free_02(void *context) {
    (void)context;
    unsigned cpu = sim_cpu();
    void *block = held[cpu][0];
    held[cpu][0] = NULL;
    larder_frames_free(larder, block);
}

/* Two buddies freed at once merge with each other because "free" was visible before the lock.
 * Fault: core/frames_take.c give(): what is free is read before the area's lock is taken, and
 * written after. */
static void trap_02_two_buddies_freed_at_once(void **state) {
    (void)state;
    const struct sim_race race = {.name = "two buddies",
                                  .cpus = 2,
                                  .prepare = prepare_02,
                                  .body = {free_02, free_02},
                                  .check = check_whole,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 2, 50000) > 20);
}

/* ---- 3 ---- */

static void prepare_03(void *context) {
    start_small(context);
    larder_reclaim(larder);
    idle_before = frames_idle(sim);
}

static void take_03(void *context) {
    (void)context;
    unsigned cpu = sim_cpu();
    for (unsigned i = 0; i < 3; i++) {
        held[cpu][i] = larder_frames_alloc(larder, 0, 0);
    }
}

/* The state of a frame shares a word with its neighbours and is written without a lock: one write
 * undoes another. Fault: core/frames.c frames_mark(): the owner byte is changed by reading and
 * writing four of them. */
static void trap_03_neighbours_do_not_undo_each_other(void **state) {
    (void)state;
    const struct sim_race race = {.name = "neighbours",
                                  .cpus = 2,
                                  .prepare = prepare_03,
                                  .body = {take_03, take_03},
                                  .check = check_whole,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 2, 50000) > 100);
}

/* ---- 4 ---- */

/* Free without a check. Fault: core/frames.c frames_free_slow(): a frame that starts nothing is
 * freed as one frame. */
static void trap_04_free_demands_exactly_one_state(void **state) {
    (void)state;
    static const struct larder_range range[] = {{GIB, 8 * MIB, LARDER_RANGE_USABLE},
                                                {GIB + 4 * MIB, MIB, LARDER_RANGE_RESERVED}};
    start(&(struct sim_config){.range = range, .range_count = 2});
    char *block = larder_frames_alloc(larder, 4, 0);
    void *object = larder_alloc(larder, 64);
    sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE, larder_frames_free(larder, block + FRAME));
    sim_expect_fatal(LARDER_FATAL_RESERVED_FREE,
                     larder_frames_free(larder, sim_pointer(sim, GIB + 4 * MIB)));
    sim_expect_fatal(LARDER_FATAL_WRONG_CACHE, larder_frames_free(larder, object));
    sim_expect_fatal(LARDER_FATAL_FOREIGN_FREE, larder_frames_free(larder, &object));
    larder_frames_free(larder, block);
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_frames_free(larder, block));
    sim_validate(sim);
    larder_free(larder, object);
    sim_stop(sim);
}

/* ---- 5 ---- */

/* The buddy's record is read before its number is compared with the end: 64 MiB of page blocks fill
 * their pages exactly, so the record of the buddy of the whole lies where nothing is mapped; and a
 * zone must not merge with the next. Fault: core/buddy.h area_part(): the comparison with the end
 * is gone. */
static void trap_05_no_buddy_beyond_the_end(void **state) {
    (void)state;
    static const struct larder_range range = {GIB, 64 * MIB, LARDER_RANGE_USABLE};
    start(&(struct sim_config){.range = &range, .range_count = 1, .unattached = true});
    sim_validate(sim);
    sim_stop(sim);
    static const struct larder_zone_config zones[] = {{"low", GIB + 32 * MIB},
                                                      {"high", UINT64_MAX}};
    start(&(struct sim_config){
        .range = &range, .range_count = 1, .zone = zones, .zone_count = 2, .unattached = true});
    sim_validate(sim);
    struct larder_zone_stats stats;
    larder_zone_stats(larder, 0, &stats);
    assert_int_equal(stats.free_blocks[13], 1);
    assert_int_equal(stats.free_blocks[14], 0);
    sim_stop(sim);
}

/* ---- 6 ---- */

/* How memory was carved at first must not limit how it merges. The range begins and ends in the
 * middle of everything, and is given in pieces. Fault: core/buddy.c give_whole(): merging ends at
 * the largest order there was. */
static void trap_06_merging_goes_beyond_the_first_carving(void **state) {
    (void)state;
    static const struct larder_range range[] = {
        {GIB + 3 * MIB, 61 * MIB, LARDER_RANGE_USABLE},
        {GIB + 16 * MIB, 32 * MIB, LARDER_RANGE_DONATED},
    };
    start(&(struct sim_config){.range = range, .range_count = 2});
    for (uint64_t at = GIB + 46 * MIB; at >= GIB + 16 * MIB; at -= 2 * MIB) {
        assert_int_equal(larder_frames_donate(larder, at, 2 * MIB), LARDER_OK);
    }
    sim_validate(sim);
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_true(stats.largest_free_order >= 12);
    void *block = larder_frames_alloc(larder, 12, 0);
    assert_non_null(block);
    larder_frames_free(larder, block);
    sim_stop(sim);
}

/* ---- 7 ---- */

/* Unaligned and tiny ranges are rounded inward; what is left of a frame is never given out.
 * Fault: core/range.h range_round_inward(): the start is rounded down. */
static void trap_07_ranges_are_rounded_inward(void **state) {
    (void)state;
    static const struct larder_range range[] = {{GIB + 1, 2 * MIB - 2, LARDER_RANGE_USABLE},
                                                {GIB + 4 * MIB + 100, 50, LARDER_RANGE_USABLE},
                                                {GIB + 5 * MIB + 100, FRAME, LARDER_RANGE_USABLE}};
    start(&(struct sim_config){.range = range, .range_count = 3, .unattached = true});
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_int_equal(stats.usable, 510);
    for (char *frame; (frame = larder_frames_alloc(larder, 0, LARDER_ZERO)) != NULL;) {
        uint64_t address = larder_frames_address(larder, frame);
        assert_true(address >= GIB + FRAME && address + FRAME <= GIB + 2 * MIB - FRAME);
    }
    sim_validate(sim);
    sim_stop(sim);
}

/* ---- 8 ---- */

static uint64_t resident_pages(const void *memory, size_t bytes) {
    unsigned char *in_core = malloc(bytes / 4096 + 1);
    uintptr_t first = (uintptr_t)memory & ~(uintptr_t)4095;
    uint64_t count = 0;
    assert_int_equal(mincore((void *)first, bytes, in_core), 0);
    for (size_t i = 0; i < bytes / 4096; i++) {
        count += in_core[i] & 1;
    }
    free(in_core);
    return count;
}

/* Allocating a block touches its head, not 2^order records.
 * Fault: core/frames.c frames_mark(): writes the record of every frame. */
static void trap_08_the_head_carries_the_order(void **state) {
    (void)state;
    static const struct larder_range range = {4 * GIB, 2 * GIB, LARDER_RANGE_USABLE};
    start(&(struct sim_config){.range = &range, .range_count = 1, .unattached = true});
    size_t bytes = larder->map.count_frames * sizeof(struct frame) & ~(size_t)4095;
    for (unsigned round = 0; round < 3; round++) {
        void *block = larder_frames_alloc(larder, LARDER_ORDER_MAX, 0);
        assert_non_null(block);
        larder_frames_free(larder, block);
    }
    assert_true(resident_pages(larder->map.record, bytes) < 100);
    sim_stop(sim);
}

/* ---- 9 ---- */

static void prepare_09(void *context) {
    static const struct larder_range range = {GIB, 8 * MIB, LARDER_RANGE_USABLE};
    (void)context;
    start(&(struct sim_config){.range = &range, .range_count = 1, .cpus = 1});
}

static void use_09(void *context) {
    (void)context;
    void *frames = larder_frames_alloc(larder, 5, 0), *object = larder_zalloc(larder, 100);
    void *larger = larder_alloc(larder, 3000);
    larder_frames_free(larder, frames);
    larder_free(larder, object);
    larder_free(larder, larger);
}

static void interrupt_09(void *context) {
    (void)context;
    larder_frames_free(larder, larder_frames_alloc(larder, 5, 0));
    larder_free(larder, larder_alloc(larder, 100));
}

static void check_09(void *context) {
    (void)context;
    sim_validate(sim);
}

/* A plain lock in code that an interrupt may enter: deadlock on the same CPU.
 * Fault: core/lock.c lock_acquire(): the slot is left before the port's lock is taken. */
static void trap_09_an_interrupt_may_allocate_anywhere(void **state) {
    (void)state;
    const struct sim_race race = {.name = "interrupt",
                                  .cpus = 1,
                                  .prepare = prepare_09,
                                  .body = {use_09},
                                  .interrupt = interrupt_09,
                                  .check = check_09,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 1, 10000) > 20);
    sim_play_random(&race, harness_seed(), 200);
}

/* ---- 10 ---- */

/* RAM size from a constant: a board with less gets frames that do not exist. Every frame is
 * written. Fault: core/instance.c hand_over(): a range is taken to be at least 16 MiB. */
static void trap_10_only_memory_that_is_there(void **state) {
    (void)state;
    for (uint64_t mib = 2; mib <= 14; mib += 3) {
        const struct larder_range range = {GIB, mib * MIB, LARDER_RANGE_USABLE};
        start(&(struct sim_config){.range = &range, .range_count = 1, .unattached = true});
        struct larder_frames_stats stats;
        larder_frames_stats(larder, &stats);
        assert_int_equal(stats.usable, mib * MIB / FRAME);
        while (larder_frames_alloc(larder, 0, LARDER_ZERO)) {
        }
        sim_validate(sim);
        sim_stop(sim);
    }
}

/* ---- 11 ---- */

/* Start-up memory still in use must not be given out before it is donated.
 * Fault: core/instance.c hand_over(): donated ranges go to the buddies, too. */
static void trap_11_start_up_memory_waits_for_its_donation(void **state) {
    (void)state;
    static const struct larder_range range[] = {{GIB, 4 * MIB, LARDER_RANGE_USABLE},
                                                {GIB + MIB, MIB, LARDER_RANGE_DONATED}};
    start(&(struct sim_config){.range = range, .range_count = 2, .unattached = true});
    char *tables = sim_pointer(sim, GIB + MIB);
    memset(tables, 0x77, MIB);
    uint64_t count = 0;
    while (larder_frames_alloc(larder, 0, LARDER_ZERO)) {
        count++;
    }
    assert_int_equal(count, 768);
    for (size_t i = 0; i < MIB; i++) {
        assert_int_equal(tables[i], 0x77);
    }
    assert_int_equal(larder_frames_donate(larder, GIB + MIB, MIB), LARDER_OK);
    count = 0;
    while (larder_frames_alloc(larder, 0, LARDER_ZERO)) {
        count++;
    }
    assert_int_equal(count, 256);
    sim_stop(sim);
}

/* ---- 12 ---- */

/* Arithmetic of the metadata at the start: every size from nothing upwards, with a hole that
 * wanders. Fault: core/frame.c record_bytes(): the last record is forgotten. */
static void trap_12_every_size_of_memory(void **state) {
    (void)state;
    for (uint64_t frames = 1; frames < 700; frames += frames < 40 ? 1 : 13) {
        const struct larder_range range[] = {
            {2 * GIB - 5 * FRAME, frames * FRAME, LARDER_RANGE_USABLE},
            {2 * GIB + frames * 2000, 3 * FRAME + frames, LARDER_RANGE_RESERVED}};
        sim = sim_start(&(struct sim_config){
            .range = range, .range_count = 2, .unattached = true, .map_from_ranges = frames % 2});
        larder = sim->larder;
        if (larder) {
            sim_validate(sim);
            while (larder_frames_alloc(larder, 0, LARDER_ZERO)) {
            }
            sim_validate(sim);
        } else {
            assert_true(frames < 200);
        }
        sim_stop(sim);
    }
    for (uint64_t frames = 254; frames <= 258; frames++) {
        /* Records fill whole pages: the one behind the last is not there. */
        const struct larder_range range = {GIB, frames * FRAME, LARDER_RANGE_USABLE};
        start(&(struct sim_config){.range = &range, .range_count = 1, .unattached = true});
        while (larder_frames_alloc(larder, 4, 0)) {
        }
        sim_validate(sim);
        sim_stop(sim);
    }
}

/* ---- 13 ---- */

static unsigned alive, refuse_at, made;

static bool construct_13(void *object, void *context) {
    (void)context;
    if (++made >= refuse_at) {
        return false;
    }
    *(uint64_t *)object = 13;
    alive++;
    return true;
}

static void destruct_13(void *object, void *context) {
    (void)context;
    sim_check(*(uint64_t *)object == 13);
    *(uint64_t *)object = 0;
    alive--;
}

/* Undo loops that are off by one: refuse the construction of each object of a slab in turn.
 * Fault: core/cache_slabs.c construct_slab(): undoes one object less than was constructed. */
static void trap_13_what_was_done_is_undone(void **state) {
    (void)state;
    start(NULL);
    struct larder_cache *cache = larder_cache_create(larder,
                                                     &(struct larder_cache_config){
                                                         .name = "undo",
                                                         .size_bytes = 512,
                                                         .construct = construct_13,
                                                         .destruct = destruct_13,
                                                     },
                                                     NULL);
    for (refuse_at = 1;; refuse_at++) {
        made = alive = 0;
        void *object = larder_cache_alloc(cache, 0);
        if (object) {
            larder_cache_free(cache, object);
            break;
        }
        assert_int_equal(alive, 0);
        sim_validate(sim);
    }
    assert_true(refuse_at > 8);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
    assert_int_equal(alive, 0);
    sim_stop(sim);
}

/* ---- 14 ---- */

/* Exactly one free block, of 4 MiB: enough for both. */
static void prepare_14(void *context) {
    start_small(context);
    take_all_page_blocks();
    for (uint64_t address = GIB + 4 * MIB; address < GIB + 8 * MIB; address += 2 * MIB) {
        unsigned which = held_at(address);
        larder_frames_free(larder, held[3][which]);
        held[3][which] = NULL;
    }
}

static void take_14(void *context) {
    (void)context;
    unsigned cpu = sim_cpu();
    held[cpu][0] = larder_frames_alloc(larder, 9, 0);
    sim_check(held[cpu][0] != NULL);
}

/* Spurious out of memory: a split elsewhere makes a block invisible for a moment.
 * Fault: core/buddy.c take_wholes(): all is taken, the area's lock is released and taken again,
 * and the rest put back. */
static void trap_14_a_split_hides_nothing(void **state) {
    (void)state;
    const struct sim_race race = {.name = "split hides",
                                  .cpus = 2,
                                  .prepare = prepare_14,
                                  .body = {take_14, take_14},
                                  .check = check_whole,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 2, 50000) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trap_01_split_and_merge_are_one_critical_section),
        cmocka_unit_test(trap_02_two_buddies_freed_at_once),
        cmocka_unit_test(trap_03_neighbours_do_not_undo_each_other),
        cmocka_unit_test(trap_04_free_demands_exactly_one_state),
        cmocka_unit_test(trap_05_no_buddy_beyond_the_end),
        cmocka_unit_test(trap_06_merging_goes_beyond_the_first_carving),
        cmocka_unit_test(trap_07_ranges_are_rounded_inward),
        cmocka_unit_test(trap_08_the_head_carries_the_order),
        cmocka_unit_test(trap_09_an_interrupt_may_allocate_anywhere),
        cmocka_unit_test(trap_10_only_memory_that_is_there),
        cmocka_unit_test(trap_11_start_up_memory_waits_for_its_donation),
        cmocka_unit_test(trap_12_every_size_of_memory),
        cmocka_unit_test(trap_13_what_was_done_is_undone),
        cmocka_unit_test(trap_14_a_split_hides_nothing),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
