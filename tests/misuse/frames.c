/* Frames freed twice, in the middle, with the wrong word, or never given out. */
#include "misuse.h"

#include "frames.h"

#define TWICE BUG("free frames: double free: " AT ": the frames are free already")
#define INSIDE BUG("frames: free of an interior pointer: " AT ": not the start of the block")
#define FOREIGN BUG("nobody: free of foreign memory: " AT ": outside the memory of this instance")
#define NEVER BUG("reserved: free of reserved memory: " AT ": never given out")
#define NO_RAM BUG("hole: free of reserved memory: " AT ": no RAM at this address")
#define ORDER                                                                                      \
    BUG("frames: free with the wrong order or size: " AT                                           \
        ": the block was allocated with another order")
#define OUT BUG("frames: out of memory: LARDER_PANIC was asked for")

/* Every public way to free frames, each with the same mistake. */
static void free_one(void *at) {
    larder_frames_free(larder, at);
}

static void free_as_heap(void *at) {
    larder_free(larder, at);
}

static void free_in_bulk(void *at) {
    larder_frames_free_bulk(larder, 1, &at);
}

static void free_with_order(void *at) {
    larder_frames_free_order(larder, at, 0);
}

static void free_with_size(void *at) {
    larder_free_sized(larder, at, FRAME);
}

static void move(void *at) {
    (void)larder_realloc(larder, at, FRAME);
}

static void (*const ways[])(void *at) = {free_one,        free_as_heap,   free_in_bulk,
                                         free_with_order, free_with_size, move};

static void expect_each_way(enum larder_fatal_kind kind, void *at, const char *report) {
    for (volatile unsigned i = 0; i < COUNT(ways); i++) {
        sim_expect_fatal(kind, ways[i](at));
        char expected[512];
        snprintf(expected, sizeof expected, report, number(at));
        expect_report("%s", expected);
        sim_validate(sim);
    }
}

/* ---- Twice ---- */

static void a_block_of_any_order_twice(void **state) {
    (void)state;
    for (unsigned order = 0; order <= 11; order++) {
        void *at = larder_frames_alloc(larder, order, 0);
        assert_non_null(at);
        larder_frames_free(larder, at);
        expect_each_way(LARDER_FATAL_DOUBLE_FREE, at, TWICE);
        larder_reclaim(larder); /* out of the bin, into the buddies */
        expect_each_way(LARDER_FATAL_DOUBLE_FREE, at, TWICE);
    }
}

static void a_block_of_a_cpu_without_slot_twice(void **state) {
    (void)state;
    sim_be(5);
    void *at = larder_frames_alloc(larder, 0, 0);
    larder_frames_free(larder, at);
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, at, TWICE);
}

static void a_run_twice(void **state) {
    (void)state;
    for (volatile uint64_t count = 1; count < 700; count = count * 2 + 1) {
        void *at = larder_frames_alloc_exact(larder, count, 0);
        assert_non_null(at);
        larder_frames_free(larder, at);
        expect_each_way(LARDER_FATAL_DOUBLE_FREE, at, TWICE);
    }
}

static void a_contiguous_run_twice(void **state) {
    (void)state;
    void *at = larder_frames_alloc_contiguous(larder, 1000, 1, UINT64_MAX, 0);
    assert_non_null(at);
    larder_frames_free(larder, at);
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, at, TWICE);
}

static void large_heap_memory_twice(void **state) {
    (void)state;
    void *at = larder_alloc(larder, 100000);
    assert_non_null(at);
    larder_free(larder, at);
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, at, TWICE);
}

static void twice_in_one_bulk(void **state) {
    (void)state;
    void *const at = larder_frames_alloc(larder, 2, 0);
    void *const both[] = {at, at};
    MISTAKE(LARDER_FATAL_DOUBLE_FREE, larder_frames_free_bulk(larder, 2, both), TWICE, number(at));
}

static void the_tail_that_a_shrunk_run_gave_back(void **state) {
    (void)state;
    unsigned char *const at = larder_frames_alloc_exact(larder, 40, 0);
    assert_int_equal(larder_frames_resize(larder, at, 3), LARDER_OK);
    MISTAKE(LARDER_FATAL_DOUBLE_FREE, larder_frames_free(larder, at + 3 * FRAME), TWICE,
            number(at + 3 * FRAME));
    larder_frames_free(larder, at);
}

static void memory_that_was_never_allocated(void **state) {
    (void)state;
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, sim_pointer(sim, END_AT - FRAME), TWICE);
}

/* ---- In the middle ---- */

static void expect_interior(unsigned char *start, uint64_t bytes) {
    const uint64_t offsets[] = {1, 16, FRAME - 1, FRAME, bytes / 2, bytes - FRAME, bytes - 1};
    for (volatile unsigned i = 0; i < COUNT(offsets); i++) {
        unsigned char *at = start + offsets[i];
        if (at != start && offsets[i] < bytes) {
            expect_each_way(LARDER_FATAL_INTERIOR_FREE, at, INSIDE);
        }
    }
}

static void the_middle_of_a_block(void **state) {
    (void)state;
    for (unsigned order = 0; order <= 11; order++) {
        unsigned char *start = larder_frames_alloc(larder, order, 0);
        expect_interior(start, FRAME << order);
        larder_frames_free(larder, start);
    }
}

static void the_middle_of_a_run(void **state) {
    (void)state;
    for (uint64_t count = 3; count < 700; count = count * 2 + 1) {
        unsigned char *start = larder_frames_alloc_exact(larder, count, 0);
        expect_interior(start, count * FRAME);
        larder_frames_free(larder, start);
    }
}

/* It starts where nothing but a contiguous run can, and crosses page blocks. */
static void the_middle_of_a_contiguous_run(void **state) {
    (void)state;
    void *pad = larder_frames_alloc_contiguous(larder, 1, 1, UINT64_MAX, 0);
    unsigned char *start = larder_frames_alloc_contiguous(larder, 2111, 1, UINT64_MAX, 0);
    assert_non_null(start);
    expect_interior(start, 2111 * FRAME);
    larder_frames_free(larder, start);
    larder_frames_free(larder, pad);
}

/* ---- Not ours ---- */

static void memory_outside_the_span(void **state) {
    static unsigned char global[3 * 4096];
    unsigned char local[64];
    uint64_t first, end;
    (void)state;
    larder_map_span(larder, &first, &end);
    void *const outside[] = {local,
                             global,
                             global + 4096,
                             (void *)(uintptr_t)1,
                             (void *)(uintptr_t)4096,
                             (void *)UINTPTR_MAX,
                             (void *)(UINTPTR_MAX - 4095),
                             (unsigned char *)sim_pointer(sim, first) - 1,
                             (unsigned char *)sim_pointer(sim, first) - FRAME,
                             sim_pointer(sim, end),
                             (unsigned char *)sim_pointer(sim, end) + 1};
    for (unsigned i = 0; i < COUNT(outside); i++) {
        expect_each_way(LARDER_FATAL_FOREIGN_FREE, outside[i], FOREIGN);
    }
}

static void frames_of_another_instance(void **state) {
    (void)state;
    struct sim *other = sim_start(NULL);
    void *theirs = larder_frames_alloc(other->larder, 0, 0);
    expect_each_way(LARDER_FATAL_FOREIGN_FREE, theirs, FOREIGN);
    larder_frames_free(other->larder, theirs);
    sim_validate(other);
    sim_stop(other);
}

static void memory_that_is_not_given_out(void **state) {
    (void)state;
    const uint64_t never[] = {
        KERNEL_AT, KERNEL_AT + MIB - FRAME, KERNEL_AT + 5, PART_AT,
        TREE_AT,   TREE_AT + 60 * KIB,      DEVICE_AT,     DEVICE_AT + MIB - 1};
    for (unsigned i = 0; i < COUNT(never); i++) {
        expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, never[i]), NEVER);
    }
    expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, PART_AT + FRAME), NEVER);
}

static void an_address_without_ram(void **state) {
    (void)state;
    expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, HOLE_AT), NO_RAM);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, HIGH_AT - FRAME), NO_RAM);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, HIGH_AT - 1), NO_RAM);
}

static void frames_that_were_reserved_later(void **state) {
    (void)state;
    const uint64_t address = HIGH_AT + 5 * MIB;
    assert_int_equal(larder_frames_reserve(larder, address, 3 * FRAME), LARDER_OK);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, address), NEVER);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, sim_pointer(sim, address + 2 * FRAME), NEVER);
    assert_int_equal(larder_frames_donate(larder, address, 3 * FRAME), LARDER_OK);
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, sim_pointer(sim, address), TWICE);
}

static void start_up_memory_before_and_after_its_donation(void **state) {
    (void)state;
    void *tree = sim_pointer(sim, TREE_AT);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, tree, NEVER);
    assert_int_equal(larder_frames_donate(larder, TREE_AT, 64 * KIB), LARDER_OK);
    idle += 16;
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, tree, TWICE);
}

/* ---- The core's own ---- */

/* Frames that the core took for itself look to a caller like reserved ones. */
static void the_memory_of_a_slot(void **state) {
    (void)state;
    unsigned char *slot = (unsigned char *)sim_slot_of(sim, 0);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, slot, NEVER);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, slot + FRAME, NEVER);
    expect_each_way(LARDER_FATAL_RESERVED_FREE, slot + 8, NEVER);
    assert_int_equal(larder_frames_count(larder, slot), 0);
    assert_int_equal(larder_size_of(larder, slot), 0);
    assert_false(larder_try_resize(larder, slot, FRAME));
    assert_int_equal(larder_frames_resize(larder, slot, 1), LARDER_BAD_RANGE);
}

static void take_first(void *object, void *context) {
    void **first = context;
    *first = *first ? *first : object;
}

static void expect_internal(const char *name, void *at) {
    assert_non_null(at);
    assert_string_equal(larder_cache_name(larder_cache_of(larder, at)), name);
    MISTAKE(LARDER_FATAL_RESERVED_FREE, larder_free(larder, at),
            BUG("%s: free of reserved memory: " AT ": memory of the core itself"), name,
            number(at));
    MISTAKE(LARDER_FATAL_RESERVED_FREE, larder_free_sized(larder, at, larder_size_of(larder, at)),
            BUG("%s: free of reserved memory: " AT ": memory of the core itself"), name,
            number(at));
    MISTAKE(LARDER_FATAL_WRONG_CACHE, larder_frames_free(larder, at),
            BUG("%s: free to the wrong cache: " AT ": an object of a cache, not frames"), name,
            number(at));
}

static void descriptors_and_magazines(void **state) {
    static const char *const names[] = {"slab", "cache", "magazine-12", "magazine-28",
                                        "magazine-60"};
    (void)state;
    void *object = larder_alloc(larder, 16);
    struct larder_cache *typed = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "typed", .size_bytes = 40}, NULL);
    for (unsigned i = 0; i < COUNT(names); i++) {
        void *at = NULL;
        larder_cache_walk(larder_cache_find(larder, names[i]), take_first, &at);
        if (i != 2) { /* the smallest may be in nobody's use */
            expect_internal(names[i], at);
        }
    }
    larder_free(larder, object);
    assert_int_equal(larder_cache_destroy(typed, NULL, NULL), 0);
}

/* ---- The caller's word ---- */

static void another_order(void **state) {
    (void)state;
    for (volatile unsigned order = 0; order <= 10; order++) {
        void *const at = larder_frames_alloc(larder, order, 0);
        const unsigned wrong[] = {order + 1, order - 1, LARDER_ORDER_MAX, LARDER_ORDER_MAX + 1,
                                  63,        64,        UINT_MAX};
        for (volatile unsigned i = 0; i < COUNT(wrong); i++) {
            MISTAKE(LARDER_FATAL_WRONG_ORDER, larder_frames_free_order(larder, at, wrong[i]), ORDER,
                    number(at));
        }
        larder_frames_free_order(larder, at, order);
    }
}

static void an_order_for_a_run_that_has_none(void **state) {
    (void)state;
    void *const at = larder_frames_alloc_exact(larder, 5, 0);
    MISTAKE(LARDER_FATAL_WRONG_ORDER, larder_frames_free_order(larder, at, 2), ORDER, number(at));
    MISTAKE(LARDER_FATAL_WRONG_ORDER, larder_frames_free_order(larder, at, 3), ORDER, number(at));
    larder_frames_free(larder, at);
}

static void another_size(void **state) {
    (void)state;
    void *const at = larder_alloc(larder, 100000);
    const size_t wrong[] = {0, 1, 32768, 96 * 1024, 98304, 102401, PTRDIFF_MAX, SIZE_MAX};
    for (volatile unsigned i = 0; i < COUNT(wrong); i++) {
        MISTAKE(LARDER_FATAL_WRONG_ORDER, larder_free_sized(larder, at, wrong[i]),
                BUG("frames: free with the wrong order or size: " AT
                    ": the size given does not belong to this memory"),
                number(at));
    }
    larder_free_sized(larder, at, 100000);
}

/* ---- Beyond the zone ---- */

static void shrink_to_one(void *at) {
    larder_frames_resize(larder, at, 1);
}

static void (*const run_ways[])(void *at) = {free_one, free_as_heap, free_in_bulk, shrink_to_one};

/* Something wrote over the map: the run's record reaches into the zone behind it, where frames are
 * under another lock. Without the check in frames_free_slow() they are given away as well. */
static void a_run_that_reaches_into_another_zone(void **state) {
    static const struct larder_zone_config zones[] = {{"dma", HIGH_AT}, {"normal", UINT64_MAX}};
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.zone = zones, .zone_count = COUNT(zones)});
    larder = sim->larder;
    larder_reclaim(larder);
    idle = frames_idle(sim);
    void *const at = larder_frames_alloc_exact(larder, 3, LARDER_ZONE(0));
    assert_non_null(at);
    struct frame *record = &larder->map.record[frame_of(&larder->map, at)];
    const uint64_t beyond[] = {(HIGH_AT - larder_frames_address(larder, at)) / FRAME + 1,
                               UINT64_MAX};
    for (volatile unsigned i = 0; i < COUNT(beyond) * COUNT(run_ways); i++) {
        record->count_frames = beyond[i % COUNT(beyond)];
        sim_expect_fatal(LARDER_FATAL_WRONG_ZONE, run_ways[i / COUNT(beyond)](at));
        expect_report(
            BUG("frames: wrong zone: " AT ": the run reaches beyond the zone it starts in"),
            number(at));
        record->count_frames = 3;
        sim_validate(sim);
    }
    larder_frames_free(larder, at);
}

static void objects_freed_as_frames(void **state) {
    (void)state;
    unsigned char *const object = larder_alloc(larder, 4096);
    MISTAKE(LARDER_FATAL_WRONG_CACHE, larder_frames_free(larder, object),
            BUG("heap-4096: free to the wrong cache: " AT ": an object of a cache, not frames"),
            number(object));
    MISTAKE(LARDER_FATAL_WRONG_CACHE, larder_frames_free_order(larder, object, 0),
            BUG("heap-4096: free to the wrong cache: " AT ": an object of a cache, not frames"),
            number(object));
    MISTAKE(LARDER_FATAL_WRONG_CACHE, larder_frames_free(larder, object + 7),
            BUG("heap-4096: free to the wrong cache: " AT ": an object of a cache, not frames"),
            number(object + 7));
    larder_free(larder, object);
}

/* ---- Failure that may not be ---- */

static void running_out_with_panic(void **state) {
    void *out[2];
    (void)state;
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_frames_alloc(larder, 15, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_frames_alloc(larder, LARDER_ORDER_MAX + 1, LARDER_PANIC),
            OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_frames_alloc_exact(larder, 0, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_frames_alloc_exact(larder, 1 << 16, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY,
            larder_frames_alloc_contiguous(larder, 9000, 1, UINT64_MAX, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY,
            larder_frames_alloc_contiguous(larder, 1, 3, UINT64_MAX, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_frames_alloc_bulk(larder, 15, 2, out, LARDER_PANIC),
            OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_alloc_flags(larder, 65 * MIB, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_alloc_flags(larder, 0, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_alloc_flags(larder, SIZE_MAX, LARDER_PANIC), OUT);
    MISTAKE(LARDER_FATAL_NO_MEMORY,
            larder_alloc_flags(larder, 65 * MIB, LARDER_PANIC | LARDER_ZONE(0)), OUT);
}

/* ---- A report names who called ---- */

static void a_report_without_pointer_and_with_a_place(void **state) {
    (void)state;
    sim_fatal_last.fatal = (struct larder_fatal){.kind = LARDER_FATAL_ASSERTION,
                                                 .owner = "larder",
                                                 .detail = "a == b",
                                                 .file = "core/slab.c",
                                                 .line = 4294967295u};
    expect_report(BUG("larder: assertion failed: a == b (core/slab.c:4294967295)"));
    sim_fatal_last.fatal = (struct larder_fatal){.kind = LARDER_FATAL_KINDS};
    expect_report(BUG("larder: unknown"));
}

static void the_kinds_as_words(void **state) {
    static const char *const words[LARDER_FATAL_KINDS] = {
        "double free",
        "free of an interior pointer",
        "free of foreign memory",
        "free of reserved memory",
        "free to the wrong cache",
        "free with the wrong order or size",
        "wrong zone",
        "use of a destroyed cache",
        "red zone overwritten",
        "written after free",
        "out of memory",
        "corrupt",
        "lock misused",
        "assertion failed",
    };
    (void)state;
    for (unsigned i = 0; i < LARDER_FATAL_KINDS; i++) {
        assert_string_equal(larder_fatal_text((enum larder_fatal_kind)i), words[i]);
    }
    assert_string_equal(larder_fatal_text(LARDER_FATAL_KINDS), "unknown");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_block_of_any_order_twice),
        CASE(a_block_of_a_cpu_without_slot_twice),
        CASE(a_run_twice),
        CASE(a_contiguous_run_twice),
        CASE(large_heap_memory_twice),
        CASE(twice_in_one_bulk),
        CASE(the_tail_that_a_shrunk_run_gave_back),
        CASE(memory_that_was_never_allocated),
        CASE(the_middle_of_a_block),
        CASE(the_middle_of_a_run),
        CASE(the_middle_of_a_contiguous_run),
        CASE(memory_outside_the_span),
        CASE(frames_of_another_instance),
        CASE(memory_that_is_not_given_out),
        CASE(an_address_without_ram),
        CASE(frames_that_were_reserved_later),
        CASE(start_up_memory_before_and_after_its_donation),
        CASE(the_memory_of_a_slot),
        CASE(descriptors_and_magazines),
        CASE(another_order),
        CASE(an_order_for_a_run_that_has_none),
        CASE(another_size),
        CASE(a_run_that_reaches_into_another_zone),
        CASE(objects_freed_as_frames),
        CASE(running_out_with_panic),
        CASE(a_report_without_pointer_and_with_a_place),
        CASE(the_kinds_as_words),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
