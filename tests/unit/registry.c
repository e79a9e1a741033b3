/* Caches made, found, walked over and destroyed. */
#include "cache_fixture.h"

static void refuse(const struct larder_cache_config *config, enum larder_status want) {
    enum larder_status status = LARDER_OK;
    assert_null(larder_cache_create(sim->larder, config, &status));
    assert_int_equal(status, want);
    assert_null(larder_cache_create(sim->larder, config, NULL));
    sim_validate(sim);
}

/* ---- Creating ---- */

static bool nothing_to_construct(void *object, void *context) {
    (void)object;
    (void)context;
    return true;
}

static void bad_configurations_are_refused(void **state) {
    (void)state;
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = 0}, LARDER_BAD_SIZE);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = MIB + 1}, LARDER_BAD_SIZE);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = SIZE_MAX}, LARDER_BAD_SIZE);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = 8, .align_bytes = 3},
           LARDER_BAD_ALIGNMENT);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = 8, .align_bytes = 2 * MIB},
           LARDER_BAD_ALIGNMENT);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = 8, .align_bytes = SIZE_MAX},
           LARDER_BAD_ALIGNMENT);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = 8, .flags = 0x20},
           LARDER_BAD_OPTION);
    refuse(&(struct larder_cache_config){.name = "a", .size_bytes = 8, .flags = UINT32_MAX},
           LARDER_BAD_OPTION);
    refuse(&(struct larder_cache_config){.name = "a",
                                         .size_bytes = 8,
                                         .flags = LARDER_CACHE_ZERO,
                                         .construct = nothing_to_construct},
           LARDER_BAD_OPTION);
}

static void bad_names_are_refused(void **state) {
    (void)state;
    const char *bad[] = {NULL,
                         "",
                         "a,b",
                         "a*",
                         "with space",
                         "tab\t",
                         "line\n",
                         "\x7f",
                         "\xc3\xa4",
                         "this-name-has-32-bytes-which-is-1",
                         "this-name-is-much-longer-than-any-name-may-be-in-this-allocator"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        refuse(&(struct larder_cache_config){.name = bad[i], .size_bytes = 8}, LARDER_BAD_NAME);
    }
}

static void the_longest_name_is_copied(void **state) {
    (void)state;
    char name[] = "exactly-thirty-one-bytes-long-x";
    assert_int_equal(strlen(name), LARDER_CACHE_NAME_BYTES - 1);
    struct larder_cache *cache = make(&(struct larder_cache_config){.name = name, .size_bytes = 8});
    memset(name, 'z', 5);
    assert_string_equal(larder_cache_name(cache), "exactly-thirty-one-bytes-long-x");
    assert_ptr_equal(larder_cache_find(sim->larder, "exactly-thirty-one-bytes-long-x"), cache);
    assert_null(larder_cache_find(sim->larder, name));
    end(cache);
    assert_null(larder_cache_find(sim->larder, "exactly-thirty-one-bytes-long-x"));
}

static void strides_follow_from_size_and_alignment(void **state) {
    (void)state;
    const struct {
        size_t size, align, stride;
    } cases[] = {{1, 0, 8},     {8, 0, 8},       {9, 0, 16},    {16, 0, 16},      {17, 0, 32},
                 {24, 8, 24},   {1, 1, 1},       {3, 1, 3},     {100, 64, 128},   {1, 4096, 4096},
                 {1, MIB, MIB}, {MIB, MIB, MIB}, {MIB, 0, MIB}, {MIB - 1, 2, MIB}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct larder_cache *cache = make(&(struct larder_cache_config){
            .name = "stride", .size_bytes = cases[i].size, .align_bytes = cases[i].align});
        assert_int_equal(stats_of(cache).stride_bytes, cases[i].stride);
        assert_int_equal(larder_cache_object_bytes(cache), cases[i].size);
        unsigned char *object = larder_cache_alloc(cache, 0);
        assert_non_null(object);
        assert_int_equal((uintptr_t)object % (cases[i].align ? cases[i].align : 8), 0);
        object[cases[i].size - 1] = 1;
        larder_cache_free(cache, object);
        end(cache);
    }
}

static void two_caches_of_one_name_are_two(void **state) {
    (void)state;
    struct larder_cache *first = simple(64), *second = simple(64);
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(larder_cache_find(sim->larder, "simple"), first);
    void *object = larder_cache_alloc(second, 0);
    assert_ptr_equal(larder_cache_of(sim->larder, object), second);
    larder_cache_free(second, object);
    end(first);
    assert_ptr_equal(larder_cache_find(sim->larder, "simple"), second);
    end(second);
}

/* More caches than an owner byte can tell apart. */
static void nine_hundred_caches(void **state) {
    (void)state;
    enum { MANY = 900 };
    static struct larder_cache *caches[MANY];
    static void *objects[MANY][3];
    for (unsigned i = 0; i < MANY; i++) {
        caches[i] = make(&(struct larder_cache_config){.name = "many", .size_bytes = 24});
        for (unsigned j = 0; j < 3; j++) {
            sim_be(j % 2);
            objects[i][j] = larder_cache_alloc(caches[i], 0);
            assert_non_null(objects[i][j]);
        }
    }
    sim_validate(sim);
    for (unsigned i = 0; i < MANY; i++) {
        for (unsigned j = 0; j < 3; j++) {
            assert_ptr_equal(larder_cache_of(sim->larder, objects[i][j]), caches[i]);
            if (j) {
                larder_free(sim->larder, objects[i][j]);
            } else {
                larder_cache_free(caches[i], objects[i][j]);
            }
        }
    }
    sim_be(0);
    sim_validate(sim);
    void *wrong = larder_cache_alloc(caches[MANY - 1], 0);
    sim_expect_fatal(LARDER_FATAL_WRONG_CACHE, larder_cache_free(caches[MANY - 2], wrong));
    sim_expect_fatal(LARDER_FATAL_WRONG_CACHE, larder_cache_free(caches[0], wrong));
    larder_cache_free(caches[MANY - 1], wrong);
    wrong = larder_cache_alloc(caches[0], 0);
    sim_expect_fatal(LARDER_FATAL_WRONG_CACHE, larder_cache_free(caches[MANY - 1], wrong));
    larder_free(sim->larder, wrong);
    void *gone = larder_cache_alloc(caches[MANY - 1], 0);
    larder_cache_free(caches[MANY - 1], gone);
    larder_reclaim(sim->larder); /* its slab, too */
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_cache_free(caches[MANY - 1], gone));
    for (unsigned i = 0; i < MANY; i++) {
        end(caches[i]);
    }
}

static void ids_run_out_and_come_back(void **state) {
    (void)state;
    struct larder_cache **caches = calloc(LARDER_CACHES_MAX, sizeof *caches);
    const struct larder_cache_config config = {.name = "many", .size_bytes = 8};
    enum larder_status status = LARDER_OK;
    unsigned count = 0;
    while ((caches[count] = larder_cache_create(sim->larder, &config, &status)) != NULL) {
        assert_true(++count < LARDER_CACHES_MAX);
    }
    assert_int_equal(status, LARDER_TOO_MANY);
    end(caches[LARDER_CACHES_MAX / 2]);
    caches[LARDER_CACHES_MAX / 2] = larder_cache_create(sim->larder, &config, &status);
    assert_non_null(caches[LARDER_CACHES_MAX / 2]);
    sim_validate(sim);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(larder_cache_destroy(caches[i], NULL, NULL), 0);
    }
    free(caches);
}

/* ---- The end ---- */

static unsigned leaks_seen;
static const void *leaks[8];

static void see_leak(const void *object, uintptr_t site, void *context) {
    (void)site;
    assert_string_equal((const char *)context, "context");
    assert_true(leaks_seen < COUNT(leaks));
    leaks[leaks_seen++] = object;
}

static void destroy_reports_leaks_and_changes_nothing(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    void *first = larder_cache_alloc(cache, 0), *second = larder_cache_alloc(cache, 0);
    sim_be(1);
    larder_cache_free(cache, larder_cache_alloc(cache, 0));
    sim_be(0);
    leaks_seen = 0;
    char context[] = "context";
    assert_int_equal(larder_cache_destroy(cache, see_leak, context), 2);
    assert_int_equal(leaks_seen, 2);
    assert_true(leaks[0] == first || leaks[1] == first);
    assert_true(leaks[0] == second || leaks[1] == second);
    sim_validate(sim);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 2);
    void *third = larder_cache_alloc(cache, 0);
    assert_non_null(third);
    larder_cache_free(cache, third);
    larder_cache_free(cache, first);
    larder_cache_free(cache, second);
    end(cache);
}

static unsigned walked;

static void count_walk(void *object, void *context) {
    assert_ptr_equal(larder_cache_of(sim->larder, object), context);
    walked++;
}

static void walk_visits_what_is_live(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    void *objects[77];
    larder_cache_alloc_bulk(cache, 77, objects, 0);
    larder_cache_free(cache, objects[76]);
    walked = 0;
    larder_cache_walk(cache, count_walk, cache);
    assert_int_equal(walked, 76);
    larder_cache_free_bulk(cache, 76, objects);
    walked = 0;
    larder_cache_walk(cache, count_walk, cache);
    assert_int_equal(walked, 0);
    end(cache);
}

static unsigned names_seen;

static void see_cache(struct larder_cache *cache, void *context) {
    struct larder_cache_stats stats;
    unsigned *last = context;
    larder_cache_stats(cache, &stats);
    assert_true(stats.id > *last);
    *last = stats.id;
    names_seen++;
}

static void each_goes_by_id(void **state) {
    (void)state;
    unsigned last = 0;
    names_seen = 0;
    larder_caches_each(sim->larder, see_cache, &last);
    unsigned before = names_seen;
    struct larder_cache *cache = simple(64);
    last = names_seen = 0;
    larder_caches_each(sim->larder, see_cache, &last);
    assert_int_equal(names_seen, before + 1);
    end(cache);
}

static void cache_of_knows_only_slabs(void **state) {
    (void)state;
    void *frames = larder_frames_alloc(sim->larder, 3, 0);
    assert_null(larder_cache_of(sim->larder, frames));
    assert_null(larder_cache_of(sim->larder, NULL));
    assert_null(larder_cache_of(sim->larder, &frames));
    larder_frames_free(sim->larder, frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(bad_configurations_are_refused), T(bad_names_are_refused),
        T(the_longest_name_is_copied),     T(strides_follow_from_size_and_alignment),
        T(two_caches_of_one_name_are_two), T(nine_hundred_caches),
        T(ids_run_out_and_come_back),      T(destroy_reports_leaks_and_changes_nothing),
        T(walk_visits_what_is_live),       T(each_goes_by_id),
        T(cache_of_knows_only_slabs),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
