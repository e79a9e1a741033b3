/* Every internal allocation, reservation and commit fails once, in every operation that has any:
 * what was there before is there afterwards, the instance is whole, nothing is lost, and the same
 * operation then succeeds.
 */
#include "harness.h"

static struct sim *sim;
static struct larder *larder;
static struct larder_cache *cache;

/* ---- Operations: each returns whether it got what it wanted, and can be undone ---- */

static void *result[400];
static size_t got;

/* Enough of them that slab descriptors and caches of caches need slabs of their own. */
static bool do_create_many(void) {
    for (got = 0; got < 100; got++) {
        result[got] = larder_cache_create(
            larder, &(struct larder_cache_config){.name = "many", .size_bytes = 8}, NULL);
        if (!result[got]) {
            return false;
        }
        if (larder_cache_prefill(result[got], 1) != LARDER_OK) {
            got++;
            return false;
        }
    }
    return true;
}

static void undo_create_many(void) {
    for (size_t i = 0; i < got; i++) {
        assert_int_equal(larder_cache_destroy(result[i], NULL, NULL), 0);
    }
}

static bool do_cache_alloc(void) {
    result[0] = larder_cache_alloc(cache, 0);
    got = result[0] != NULL;
    return got == 1;
}

static bool do_cache_bulk(void) {
    got = larder_cache_alloc_bulk(cache, 300, result, 0);
    return got == 300;
}

static void undo_cache(void) {
    larder_cache_free_bulk(cache, got, result);
}

static bool do_prefill(void) {
    return larder_cache_prefill(cache, 500) == LARDER_OK;
}

static void undo_prefill(void) {
    larder_cache_shrink(cache);
}

static bool do_heap(void) {
    static const size_t sizes[] = {1, 100, 1000, 5000, 20000, 40000, 100000, MIB};
    for (got = 0; got < COUNT(sizes); got++) {
        result[got] = larder_zalloc(larder, sizes[got]);
        if (!result[got]) {
            return false;
        }
    }
    return true;
}

static bool do_aligned(void) {
    result[0] = larder_aligned(larder, 65536, 100);
    got = result[0] != NULL;
    result[got] = larder_aligned(larder, 64, 100);
    got += result[got] != NULL;
    return got == 2;
}

static bool do_realloc(void) {
    got = 0;
    for (size_t bytes = 10; bytes < 300000; bytes *= 3) {
        void *moved = larder_realloc(larder, got ? result[0] : NULL, bytes);
        if (!moved) {
            return false;
        }
        result[0] = moved;
        got = 1;
    }
    return true;
}

static bool do_frames(void) {
    static const unsigned orders[] = {0, 1, 2, 3, 4, 9, 10};
    for (got = 0; got < COUNT(orders); got++) {
        result[got] = larder_frames_alloc(larder, orders[got], 0);
        if (!result[got]) {
            return false;
        }
    }
    return true;
}

static bool do_exact(void) {
    result[0] = larder_frames_alloc_exact(larder, 77, 0);
    got = result[0] != NULL;
    result[got] = larder_frames_alloc_contiguous(larder, 600, FRAME, UINT64_MAX, 0);
    got += result[got] != NULL;
    return got == 2;
}

static void undo_free(void) {
    for (size_t i = 0; i < got; i++) {
        larder_free(larder, result[i]);
    }
}

/* More objects back than the bin holds: magazines for the depot have to come from somewhere. */
static bool do_free_many(void) {
    got = larder_cache_alloc_bulk(cache, 400, result, 0);
    undo_cache();
    return got == 400;
}

static bool do_attach(void) {
    return sim_attach(sim, 1);
}

static void undo_attach(void) {
    sim_detach(sim, 1);
}

/* The first object of a cache that no owner byte is left for. */
static bool do_late_cache(void) {
    static struct larder_cache *late[300];
    bool done = true;
    unsigned count = 0;
    while (count < 300 &&
           (late[count] = larder_cache_create(
                larder, &(struct larder_cache_config){.name = "late", .size_bytes = 64}, NULL)) !=
               NULL) {
        count++;
    }
    done = count == 300;
    void *object = count ? larder_cache_alloc(late[count - 1], 0) : NULL;
    done = done && object;
    if (object) {
        larder_cache_free(late[count - 1], object);
    }
    while (count > 0) {
        assert_int_equal(larder_cache_destroy(late[--count], NULL, NULL), 0);
    }
    return done;
}

static bool is_donated;

static bool do_donate(void) {
    enum larder_status status = larder_frames_donate(larder, GIB + 64 * MIB, 2 * MIB);
    assert_true(status == LARDER_OK || status == LARDER_NO_MEMORY);
    is_donated = status == LARDER_OK;
    return is_donated;
}

static void undo_donate(void) {
    assert_int_equal(larder_frames_reserve(larder, GIB + 64 * MIB, 2 * MIB), LARDER_OK);
}

static void undo_nothing(void) {
}

/* ---- One operation under every fault ---- */

struct operation {
    const char *name;
    bool (*run)(void);
    void (*undo)(void);    /* after success */
    void (*partial)(void); /* what a failure left to give back */
    unsigned calls_min;    /* fault sites passed at least: else this test tests nothing */
};

static const struct operation operations[] = {
    {"many creates", do_create_many, undo_create_many, undo_create_many, 50},
    {"cache alloc", do_cache_alloc, undo_cache, undo_cache, 3},
    {"cache bulk", do_cache_bulk, undo_cache, undo_cache, 3},
    {"cache free", do_free_many, undo_nothing, undo_nothing, 3},
    {"prefill", do_prefill, undo_prefill, undo_prefill, 2},
    {"heap", do_heap, undo_free, undo_free, 10},
    {"aligned", do_aligned, undo_free, undo_free, 2},
    {"realloc", do_realloc, undo_free, undo_free, 5},
    {"frames", do_frames, undo_free, undo_free, 5},
    {"exact", do_exact, undo_free, undo_free, 2},
    {"attach", do_attach, undo_attach, undo_nothing, 5},
    {"late cache", do_late_cache, undo_nothing, undo_nothing, 5},
    {"donate", do_donate, undo_donate, undo_nothing, 2},
};

static void start(const char *debug) {
    static const struct larder_range range[] = {{GIB, 64 * MIB, LARDER_RANGE_USABLE},
                                                {GIB + 64 * MIB, 2 * MIB, LARDER_RANGE_RESERVED}};
    sim = sim_start(&(struct sim_config){
        .range = range, .range_count = 2, .slots = 2, .cpus = 1, .debug = debug});
    larder = sim->larder;
    assert_non_null(larder);
    cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "objects", .size_bytes = 500}, NULL);
    assert_non_null(cache);
    larder_reclaim(larder);
}

/* The state before every try is the same: nothing cached anywhere. */
static uint64_t settle(void) {
    larder_reclaim(larder);
    sim_validate(sim);
    return frames_idle(sim);
}

/* Magazines stay with the slot: a fresh slot has none. */
static void fresh_slot(void) {
    sim_detach(sim, 0);
    assert_true(sim_attach(sim, 0));
}

static uint64_t fail_each_call(const struct operation *operation, const char *debug) {
    uint64_t nth = 1;
    for (;; nth++) {
        start(debug);
        uint64_t idle = settle();
        sim_fail_nth(nth);
        bool done = operation->run();
        sim_fail_off();
        bool happened = sim_fail_happened();
        sim_validate(sim);
        if (done) {
            operation->undo();
        } else {
            assert_true(happened);
            operation->partial();
            assert_true(operation->run());
            operation->undo();
        }
        fresh_slot();
        assert_int_equal(settle(), idle);
        assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
        sim_stop(sim);
        if (!happened) {
            return nth - 1;
        }
    }
}

/* From the nth call on everything fails: the operation gives up in good order. */
static void fail_from_each_call(const struct operation *operation) {
    for (uint64_t nth = 1;; nth++) {
        start(NULL);
        uint64_t idle = settle();
        sim_fail_from(nth);
        bool done = operation->run();
        bool happened = sim_fail_happened();
        sim_fail_off();
        sim_validate(sim);
        if (done) {
            operation->undo();
        } else {
            operation->partial();
        }
        fresh_slot();
        assert_int_equal(settle(), idle);
        sim_stop(sim);
        if (!happened) {
            return;
        }
    }
}

static void every_call_fails_once(void **state) {
    const struct operation *operation = *state;
    uint64_t calls = fail_each_call(operation, NULL);
    if (calls < operation->calls_min) {
        fail_msg("%s passed only %llu fault sites", operation->name, (unsigned long long)calls);
    }
    fail_each_call(operation, "FZPU");
    fail_from_each_call(operation);
}

/* The names that were passed over all of this: a site that nobody reaches is a site that nobody
 * tests. */
static void every_site_was_reached(void **state) {
    (void)state;
    const char *wanted[] = {"reserve", "commit",   "frames", "bin",
                            "slab",    "magazine", "slot",   "contiguous"};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        bool seen = false;
        for (unsigned site = 0; site < sim_sites(); site++) {
            seen =
                seen || (strcmp(sim_site_name(site), wanted[i]) == 0 && sim_site_calls(site) > 0);
        }
        if (!seen) {
            fail_msg("site \"%s\" was never reached", wanted[i]);
        }
    }
    for (unsigned site = 0; site < sim_sites(); site++) {
        printf("# %s: %llu\n", sim_site_name(site), (unsigned long long)sim_site_calls(site));
    }
}

int main(void) {
    struct CMUnitTest tests[COUNT(operations) + 1];
    for (size_t i = 0; i < COUNT(operations); i++) {
        tests[i] = (struct CMUnitTest){.name = operations[i].name,
                                       .test_func = every_call_fails_once,
                                       .initial_state = (void *)(uintptr_t)&operations[i]};
    }
    tests[COUNT(operations)] = (struct CMUnitTest)cmocka_unit_test(every_site_was_reached);
    harness_begin();
    sim_sites_reset();
    return _cmocka_run_group_tests("faults", tests, COUNT(tests), NULL, NULL);
}
