/* Faults that shipped in other object caches: each is a test that fails when the fault is put back.
 * See frames.c. */
#include "harness.h"

static struct sim *sim;
static struct larder *larder;
static struct larder_cache *cache;

static void start(const struct sim_config *config) {
    sim = sim_start(config);
    larder = sim->larder;
    sim_check(larder != NULL);
}

static struct larder_cache *make(const char *name, size_t bytes) {
    return larder_cache_create(
        larder, &(struct larder_cache_config){.name = name, .size_bytes = bytes}, NULL);
}

static void stop(void *context) {
    (void)context;
    sim_stop(sim);
}

/* ---- 15 ---- */

static void *mine[8], *of_interrupt[64];
static unsigned interrupts;

static void prepare_15(void *context) {
    (void)context;
    start(NULL);
    cache = make("interrupted", 64);
    interrupts = 0;
    void *warm[8];
    larder_cache_alloc_bulk(cache, 8, warm, 0);
    larder_cache_free_bulk(cache, 8, warm);
}

static void use_15(void *context) {
    (void)context;
    for (unsigned i = 0; i < 4; i++) {
        mine[i] = larder_cache_alloc(cache, 0);
        sim_check(mine[i] != NULL);
    }
    larder_cache_free(cache, mine[0]);
    mine[0] = larder_alloc(larder, 64);
}

static void interrupt_15(void *context) {
    (void)context;
    of_interrupt[interrupts] = larder_cache_alloc(cache, 0);
    sim_check(of_interrupt[interrupts++] != NULL);
}

static void check_15(void *context) {
    (void)context;
    for (unsigned i = 0; i < interrupts; i++) {
        for (unsigned j = 0; j < 4; j++) {
            sim_check(of_interrupt[i] != mine[j]);
        }
        larder_cache_free(cache, of_interrupt[i]);
    }
    larder_free(larder, mine[0]);
    for (unsigned i = 1; i < 4; i++) {
        larder_cache_free(cache, mine[i]);
    }
    sim_validate(sim);
    sim_check(larder_cache_destroy(cache, NULL, NULL) == 0);
}

/* A magazine looked up, then used while an interrupt can happen: one object is given out twice.
 * Fault: core/cache.c larder_cache_alloc(): the slot is left between reading the count and popping.
 */
static void trap_15_a_magazine_belongs_to_its_slot(void **state) {
    (void)state;
    const struct sim_race race = {.name = "magazine",
                                  .cpus = 1,
                                  .prepare = prepare_15,
                                  .body = {use_15},
                                  .interrupt = interrupt_15,
                                  .check = check_15,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 2, 20000) > 20);
}

/* ---- 16 ---- */

static void add_taken(struct larder_cache *each, void *context) {
    struct larder_cache_stats stats;
    larder_cache_stats(each, &stats);
    *(uint64_t *)context += stats.taken;
}

/* Objects out of all slabs, the core's own included. */
static uint64_t objects_taken(void) {
    uint64_t taken = 0;
    larder_caches_each(larder, add_taken, &taken);
    return taken;
}

/* A failure path that calls the wrong inverse: fail each step of attaching a slot; all comes back
 * each time. Fault: core/slots.c larder_slot_attach(): without bins it frees the slot but not the
 * magazines it got. */
static void trap_16_every_failure_path_takes_back_what_was_done(void **state) {
    (void)state;
    unsigned failures = 0;
    start(&(struct sim_config){.slots = 2, .cpus = 1});
    larder_reclaim(larder);
    uint64_t idle = frames_idle(sim), taken = objects_taken();
    for (uint64_t nth = 1;; nth++) {
        sim_fail_nth(nth);
        bool attached = sim_attach(sim, 1);
        sim_fail_off();
        sim_validate(sim);
        if (attached) {
            sim_detach(sim, 1);
        }
        larder_reclaim(larder);
        assert_int_equal(frames_idle(sim), idle);
        assert_int_equal(objects_taken(), taken);
        if (!sim_fail_happened()) {
            break;
        }
        failures++;
    }
    assert_true(failures > 5);
    sim_stop(sim);
}

/* ---- 17 ---- */

/* Out of memory although other slots' magazines are full of it; empty slabs that never go back.
 * Fault: core/reclaim.c larder_reclaim(): the other slots are not asked. */
static void trap_17_memory_in_other_magazines_is_memory(void **state) {
    static void *objects[60];
    (void)state;
    static const struct larder_range range = {GIB, 8 * MIB, LARDER_RANGE_USABLE};
    start(&(struct sim_config){.range = &range, .range_count = 1, .cpus = 4});
    larder_reclaim(larder);
    uint64_t idle = frames_idle(sim);
    cache = make("hoard", 16000);
    for (unsigned cpu = 1; cpu < 4; cpu++) {
        sim_be(cpu);
        assert_int_equal(larder_cache_alloc_bulk(cache, 60, objects, 0), 60);
        for (unsigned i = 0; i < 60; i++) {
            larder_cache_free(cache, objects[i]);
        }
    }
    sim_be(0);
    assert_true(frames_idle(sim) < idle - 100);
    static void *frames[2048];
    uint64_t count = 0;
    while ((frames[count] = larder_frames_alloc(larder, 0, 0)) != NULL) {
        count++;
    }
    assert_true(count + 4 >= idle);
    larder_frames_free_bulk(larder, count, frames);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
    sim_stop(sim);
}

/* ---- 18 ---- */

/* Magazine capacity counted in objects: the first object of 1 MiB takes 62 MiB.
 * Fault: core/registry.c magazine_capacity(): the size is not looked at. */
static void trap_18_magazines_are_measured_in_bytes(void **state) {
    (void)state;
    start(NULL);
    cache = make("huge", MIB);
    uint64_t before = frames_idle(sim);
    void *objects[40];
    objects[0] = larder_cache_alloc(cache, 0);
    assert_non_null(objects[0]);
    assert_true((before - frames_idle(sim)) * FRAME <= 2 * MIB);
    larder_cache_free(cache, objects[0]);
    assert_int_equal(larder_cache_alloc_bulk(cache, 40, objects, 0), 40);
    for (unsigned i = 0; i < 40; i++) {
        larder_cache_free(cache, objects[i]);
    }
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    assert_true((stats.in_magazines + stats.in_depot) * MIB <= 2 * MIB);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
    sim_stop(sim);
}

/* ---- 19 ---- */

/* Refill fails although some objects, fewer than a batch, are free.
 * Fault: core/cache_slabs.c below_limit(): all or nothing; core/cache.c alloc_anywhere(): no single
 * object instead. */
static void trap_19_the_last_few_objects_are_given_out(void **state) {
    (void)state;
    void *objects[10];
    start(NULL);
    cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "few", .size_bytes = 64, .limit_objects = 10},
        NULL);
    for (unsigned i = 0; i < 10; i++) {
        objects[i] = larder_cache_alloc(cache, 0);
        assert_non_null(objects[i]);
    }
    assert_null(larder_cache_alloc(cache, 0));
    larder_cache_free_bulk(cache, 10, objects);
    assert_int_equal(larder_cache_alloc_bulk(cache, 10, objects, 0), 10);
    larder_cache_free_bulk(cache, 10, objects);
    /* The same with memory: the last frames are fewer than a bin takes. */
    uint64_t idle = frames_idle(sim), count = 0;
    while (larder_frames_alloc(larder, 0, 0)) {
        count++;
    }
    assert_true(count >= idle);
    sim_abandon(sim);
}

/* ---- 20 ---- */

/* Object free without checks: null, foreign, interior, double.
 * Fault: core/slab.c slab_slot_of(): any address belongs to the object before it. */
static void trap_20_only_objects_can_be_freed(void **state) {
    (void)state;
    int foreign;
    start(NULL);
    cache = larder_cache_create(larder,
                                &(struct larder_cache_config){.name = "checked",
                                                              .size_bytes = 48,
                                                              .flags = LARDER_CACHE_NO_MAGAZINE},
                                NULL);
    char *object = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, NULL);
    sim_expect_fatal(LARDER_FATAL_FOREIGN_FREE, larder_cache_free(cache, &foreign));
    sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE, larder_cache_free(cache, object + 1));
    sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE, larder_cache_free(cache, object + 47));
    larder_cache_free(cache, object);
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_cache_free(cache, object));
    sim_validate(sim);
    sim_stop(sim);
}

/* ---- 21 ---- */

/* Sizes and alignments that cannot be. Fault: core/registry.c check_config(): sizes are not looked
 * at. */
static void trap_21_impossible_sizes_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t size, align;
        enum larder_status status;
    } bad[] = {{0, 0, LARDER_BAD_SIZE},        {MIB + 1, 0, LARDER_BAD_SIZE},
               {SIZE_MAX, 0, LARDER_BAD_SIZE}, {64, 3, LARDER_BAD_ALIGNMENT},
               {64, 48, LARDER_BAD_ALIGNMENT}, {64, 2 * MIB, LARDER_BAD_ALIGNMENT}};
    start(NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        enum larder_status status = LARDER_OK;
        assert_null(larder_cache_create(larder,
                                        &(struct larder_cache_config){.name = "bad",
                                                                      .size_bytes = bad[i].size,
                                                                      .align_bytes = bad[i].align},
                                        &status));
        assert_int_equal(status, bad[i].status);
    }
    /* Not a multiple of its alignment is fine: the stride is rounded up. */
    cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "odd", .size_bytes = 65, .align_bytes = 64},
        NULL);
    void *first = larder_cache_alloc(cache, 0), *second = larder_cache_alloc(cache, 0);
    assert_int_equal(((uintptr_t)first | (uintptr_t)second) % 64, 0);
    larder_cache_free(cache, first);
    larder_cache_free(cache, second);
    sim_stop(sim);
}

/* ---- 22 ---- */

/* A name copied into a fixed array without a bound. Fault: core/registry.c check_name(): any
 * length. */
static void trap_22_long_names_are_refused(void **state) {
    (void)state;
    char name[200];
    start(NULL);
    for (size_t length = 1; length < sizeof name; length++) {
        memset(name, 'n', length);
        name[length] = '\0';
        enum larder_status status = LARDER_OK;
        cache = larder_cache_create(
            larder, &(struct larder_cache_config){.name = name, .size_bytes = 8}, &status);
        assert_int_equal(cache != NULL, length < LARDER_CACHE_NAME_BYTES);
        if (cache) {
            assert_string_equal(larder_cache_name(cache), name);
            assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
        } else {
            assert_int_equal(status, LARDER_BAD_NAME);
        }
    }
    sim_validate(sim);
    sim_stop(sim);
}

/* ---- 23 ---- */

static void prepare_23(void *context) {
    (void)context;
    start(&(struct sim_config){.cpus = 2});
}

static void come_and_go_23(void *context) {
    (void)context;
    struct larder_cache *own = make(sim_cpu() ? "one" : "zero", 100);
    sim_check(own != NULL);
    void *object = larder_cache_alloc(own, 0);
    sim_check(larder_cache_of(larder, object) == own);
    larder_cache_free(own, object);
    sim_check(larder_cache_destroy(own, NULL, NULL) == 0);
}

static void check_23(void *context) {
    (void)context;
    sim_validate(sim);
    sim_check(larder_cache_find(larder, "one") == NULL);
    sim_check(larder_cache_find(larder, "zero") == NULL);
}

/* The list of caches changed without its lock; a cache's lock held over page allocation.
 * Fault: core/cache_slabs.c cache_take(): the lock is kept while a slab is made. */
static void trap_23_caches_come_and_go_together(void **state) {
    (void)state;
    const struct sim_race race = {.name = "registry",
                                  .cpus = 2,
                                  .prepare = prepare_23,
                                  .body = {come_and_go_23, come_and_go_23},
                                  .check = check_23,
                                  .clean = stop};
    sim_play_all(&race, 1, 2000);
    sim_play_random(&race, harness_seed(), 200);
}

static void reclaim_23(void *context) {
    (void)context;
    larder_reclaim(larder);
    larder_free(larder, larder_zalloc(larder, 1000)); /* a slow path: this slot empties itself */
    sim_clock_advance(2000);
    larder_tick(larder);
}

/* Reclaim walks over the caches of everybody while one of them ends. */
static void trap_23_a_cache_ends_beside_reclaim(void **state) {
    (void)state;
    const struct sim_race race = {.name = "destroy beside reclaim",
                                  .cpus = 2,
                                  .prepare = prepare_23,
                                  .body = {come_and_go_23, reclaim_23},
                                  .check = check_23,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 1, 4000) > 100);
    sim_play_random(&race, harness_seed(), 300);
}

static void detach_23(void *context) {
    (void)context;
    larder_free(larder, larder_alloc(larder, 100));
    sim_detach(sim, sim_cpu());
}

static void trap_23_a_cache_ends_beside_a_slot(void **state) {
    (void)state;
    const struct sim_race race = {.name = "destroy beside detach",
                                  .cpus = 2,
                                  .prepare = prepare_23,
                                  .body = {come_and_go_23, detach_23},
                                  .check = check_23,
                                  .clean = stop};
    assert_true(sim_play_all(&race, 1, 4000) > 100);
    sim_play_random(&race, harness_seed(), 300);
}

/* ---- 24 ---- */

/* Memory that describes memory: with one slab's frames and one frame more free, any single
 * allocation succeeds, however many descriptors are in use. Fault: core/instance.c
 * init_internal_caches(): slabs of descriptors ask for descriptors. */
static void trap_24_the_recursion_ends(void **state) {
    (void)state;
    for (unsigned caches = 0; caches < 70; caches++) {
        static const struct larder_range range = {GIB, 8 * MIB, LARDER_RANGE_USABLE};
        start(&(struct sim_config){.range = &range, .range_count = 1, .unattached = true});
        for (unsigned i = 0; i < caches; i++) {
            assert_non_null(larder_cache_alloc(make("filler", 100), 0));
        }
        cache = make("last", 100);
        struct larder_cache_stats stats;
        larder_cache_stats(cache, &stats);
        uint64_t needed = stats.slab_bytes / FRAME + 1;
        /* Everything else is taken, but for a block that is large enough for the slab, and a frame.
         */
        void *block = larder_frames_alloc(larder, 3, 0), *frame = larder_frames_alloc(larder, 0, 0);
        assert_true(stats.slab_bytes <= 8 * FRAME && needed <= 9);
        while (larder_frames_alloc(larder, 0, 0)) {
        }
        larder_frames_free(larder, block);
        larder_frames_free(larder, frame);
        assert_non_null(larder_cache_alloc(cache, 0));
        sim_validate(sim);
        sim_abandon(sim);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trap_15_a_magazine_belongs_to_its_slot),
        cmocka_unit_test(trap_16_every_failure_path_takes_back_what_was_done),
        cmocka_unit_test(trap_17_memory_in_other_magazines_is_memory),
        cmocka_unit_test(trap_18_magazines_are_measured_in_bytes),
        cmocka_unit_test(trap_19_the_last_few_objects_are_given_out),
        cmocka_unit_test(trap_20_only_objects_can_be_freed),
        cmocka_unit_test(trap_21_impossible_sizes_are_refused),
        cmocka_unit_test(trap_22_long_names_are_refused),
        cmocka_unit_test(trap_23_caches_come_and_go_together),
        cmocka_unit_test(trap_23_a_cache_ends_beside_reclaim),
        cmocka_unit_test(trap_23_a_cache_ends_beside_a_slot),
        cmocka_unit_test(trap_24_the_recursion_ends),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
