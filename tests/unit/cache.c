/* Object caches, one promise at a time. */
#include "harness.h"

static struct sim *sim;
static uint64_t idle;

static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){.cpus = 2, .dirty = true});
    assert_non_null(sim->larder);
    larder_reclaim(sim->larder);
    idle = frames_idle(sim);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    expect_nothing_leaked(sim, idle);
    sim_stop(sim);
    return 0;
}

static struct larder_cache *make(const struct larder_cache_config *config) {
    enum larder_status status = LARDER_BUSY;
    struct larder_cache *cache = larder_cache_create(sim->larder, config, &status);
    assert_int_equal(status, LARDER_OK);
    assert_non_null(cache);
    sim_validate(sim);
    return cache;
}

static struct larder_cache *simple(size_t bytes) {
    return make(&(struct larder_cache_config){.name = "simple", .size_bytes = bytes});
}

static void end(struct larder_cache *cache) {
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
    sim_validate(sim);
}

static struct larder_cache_stats stats_of(struct larder_cache *cache) {
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    assert_int_equal(stats.taken, stats.live + stats.in_magazines + stats.in_depot);
    assert_int_equal(stats.slabs, stats.slabs_full + stats.slabs_partial + stats.slabs_empty);
    return stats;
}

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

/* More caches than there are owner bytes and bins on the first page: ids escape into the record. */
static void a_thousand_caches(void **state) {
    (void)state;
    enum { MANY = 1000 };
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
    void *wrong = larder_cache_alloc(caches[999], 0);
    sim_expect_fatal(LARDER_FATAL_WRONG_CACHE, larder_cache_free(caches[998], wrong));
    larder_cache_free(caches[999], wrong);
    for (unsigned i = 0; i < MANY; i++) {
        end(caches[i]);
    }
    /* Bins of late ids stay with their slots. */
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        sim_detach(sim, cpu);
        assert_true(sim_attach(sim, cpu));
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
    end(caches[5000]);
    caches[5000] = larder_cache_create(sim->larder, &config, &status);
    assert_non_null(caches[5000]);
    sim_validate(sim);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(larder_cache_destroy(caches[i], NULL, NULL), 0);
    }
    free(caches);
}

/* ---- Allocating ---- */

static void objects_are_distinct_and_known(void **state) {
    (void)state;
    struct larder_cache *cache = simple(40);
    void *objects[500];
    for (unsigned i = 0; i < 500; i++) {
        objects[i] = larder_cache_alloc(cache, 0);
        memset(objects[i], (int)i, 40);
        assert_int_equal(larder_size_of(sim->larder, objects[i]), 40);
    }
    assert_int_equal(stats_of(cache).live, 500);
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(*(unsigned char *)objects[i], i % 256);
        larder_cache_free(cache, objects[i]);
    }
    assert_int_equal(stats_of(cache).live, 0);
    end(cache);
}

static void unknown_flags_give_nothing(void **state) {
    (void)state;
    struct larder_cache *cache = simple(40);
    void *out[3];
    assert_null(larder_cache_alloc(cache, LARDER_ZONE(0)));
    assert_null(larder_cache_alloc(cache, 0x40));
    assert_null(larder_cache_alloc(cache, 0x80000000u));
    assert_int_equal(larder_cache_alloc_bulk(cache, 3, out, 0x40), 0);
    assert_int_equal(larder_cache_alloc_bulk(cache, 0, out, 0), 0);
    end(cache);
}

static void zeroed_objects(void **state) {
    (void)state;
    struct larder_cache *always = make(&(struct larder_cache_config){
        .name = "zero", .size_bytes = 72, .flags = LARDER_CACHE_ZERO});
    struct larder_cache *asked = simple(72);
    for (unsigned round = 0; round < 300; round++) {
        unsigned char *a = larder_cache_alloc(always, 0),
                      *b = larder_cache_alloc(asked, LARDER_ZERO);
        for (unsigned i = 0; i < 72; i++) {
            assert_int_equal(a[i] | b[i], 0);
        }
        memset(a, 0xff, 72);
        memset(b, 0xff, 72);
        larder_free(sim->larder, a);
        larder_cache_free(asked, b);
    }
    void *out[100];
    assert_int_equal(larder_cache_alloc_bulk(always, 100, out, 0), 100);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned j = 0; j < 72; j++) {
            assert_int_equal(((unsigned char *)out[i])[j], 0);
        }
        memset(out[i], 0xff, 72);
    }
    larder_cache_free_bulk(always, 100, out);
    end(always);
    end(asked);
}

static void null_is_freed_by_doing_nothing(void **state) {
    (void)state;
    struct larder_cache *cache = simple(40);
    larder_cache_free(cache, NULL);
    larder_cache_free_bulk(cache, 2, (void *[]){NULL, NULL});
    larder_cache_free_bulk(cache, 0, NULL);
    end(cache);
}

static void dma_caches_stay_in_the_first_zone(void **state) {
    static const struct larder_zone_config zones[] = {{"dma", GIB + 8 * MIB},
                                                      {"normal", UINT64_MAX}};
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.zone = zones, .zone_count = 2});
    idle = frames_idle(sim);
    struct larder_cache *cache = make(&(struct larder_cache_config){
        .name = "dma", .size_bytes = 2000, .flags = LARDER_CACHE_DMA});
    void *objects[300];
    for (unsigned i = 0; i < 300; i++) {
        objects[i] = larder_cache_alloc(cache, 0);
        assert_true(larder_frames_address(sim->larder, objects[i]) < GIB + 8 * MIB);
    }
    larder_cache_free_bulk(cache, 300, objects);
    end(cache);
}

static void panic_caches_do_not_return_null(void **state) {
    (void)state;
    struct larder_cache *cache = make(&(struct larder_cache_config){
        .name = "panic", .size_bytes = 64, .flags = LARDER_CACHE_PANIC, .limit_objects = 1});
    void *object = larder_cache_alloc(cache, 0), *out[2];
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY, larder_cache_alloc(cache, 0));
    assert_string_equal(sim_fatal_last.owner, "panic");
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY, larder_cache_alloc_bulk(cache, 2, out, 0));
    sim_validate(sim);
    larder_cache_free(cache, object);
    end(cache);
    struct larder_cache *plain =
        make(&(struct larder_cache_config){.name = "plain", .size_bytes = 64, .limit_objects = 1});
    object = larder_cache_alloc(plain, 0);
    sim_expect_fatal(LARDER_FATAL_NO_MEMORY, larder_cache_alloc(plain, LARDER_PANIC));
    larder_cache_free(plain, object);
    end(plain);
}

/* ---- Limits ---- */

static void a_limit_is_exact(void **state) {
    (void)state;
    struct larder_cache *cache =
        make(&(struct larder_cache_config){.name = "limit", .size_bytes = 64, .limit_objects = 10});
    void *objects[20];
    for (unsigned i = 0; i < 10; i++) {
        objects[i] = larder_cache_alloc(cache, 0);
        assert_non_null(objects[i]);
    }
    assert_null(larder_cache_alloc(cache, 0));
    assert_int_equal(stats_of(cache).taken, 10);
    assert_true(stats_of(cache).failures > 0);
    larder_cache_free(cache, objects[9]);
    objects[9] = larder_cache_alloc(cache, 0);
    assert_non_null(objects[9]);
    larder_cache_set_limit(cache, 5);
    assert_null(larder_cache_alloc(cache, 0));
    larder_cache_set_limit(cache, 0);
    for (unsigned i = 10; i < 20; i++) {
        objects[i] = larder_cache_alloc(cache, 0);
        assert_non_null(objects[i]);
    }
    larder_cache_free_bulk(cache, 20, objects);
    end(cache);
}

static void unused_objects_in_the_depot_do_not_eat_the_limit(void **state) {
    (void)state;
    struct larder_cache *cache = make(
        &(struct larder_cache_config){.name = "limit", .size_bytes = 512, .limit_objects = 400});
    void *objects[400];
    sim_be(1);
    assert_int_equal(larder_cache_alloc_bulk(cache, 400, objects, 0), 400);
    larder_cache_free_bulk(cache, 400, objects);
    larder_cache_shrink(cache);
    sim_be(0);
    assert_int_equal(larder_cache_alloc_bulk(cache, 400, objects, 0), 400);
    assert_null(larder_cache_alloc(cache, 0));
    larder_cache_free_bulk(cache, 400, objects);
    end(cache);
}

static void prefill_makes_slabs_ready(void **state) {
    (void)state;
    struct larder_cache *cache = simple(256);
    assert_int_equal(larder_cache_prefill(cache, 0), LARDER_OK);
    assert_int_equal(larder_cache_prefill(cache, 1000), LARDER_OK);
    struct larder_cache_stats before = stats_of(cache);
    assert_true(before.capacity >= 1000);
    void *objects[1000];
    assert_int_equal(larder_cache_alloc_bulk(cache, 1000, objects, 0), 1000);
    assert_int_equal(stats_of(cache).slabs_made, before.slabs_made);
    larder_cache_free_bulk(cache, 1000, objects);
    larder_cache_set_limit(cache, 10);
    larder_cache_shrink(cache);
    assert_int_equal(larder_cache_prefill(cache, 11), LARDER_TOO_MANY);
    assert_int_equal(larder_cache_prefill(cache, 10), LARDER_OK);
    larder_cache_set_limit(cache, 0);
    assert_int_equal(larder_cache_prefill(cache, 1000000), LARDER_NO_MEMORY);
    sim_validate(sim);
    end(cache);
}

/* ---- Constructors ---- */

struct counts {
    unsigned alive, constructed, destructed, refuse_at;
};

static bool count_construct(void *object, void *context) {
    struct counts *counts = context;
    if (counts->constructed + 1 == counts->refuse_at) {
        return false;
    }
    memset(object, 0x11, 96);
    counts->constructed++;
    counts->alive++;
    return true;
}

static void count_destruct(void *object, void *context) {
    struct counts *counts = context;
    assert_int_equal(*(unsigned char *)object, 0x11);
    counts->destructed++;
    counts->alive--;
}

static struct larder_cache *constructed(struct counts *counts, bool with_destructor) {
    return make(&(struct larder_cache_config){.name = "constructed",
                                              .size_bytes = 96,
                                              .construct = count_construct,
                                              .destruct = with_destructor ? count_destruct : NULL,
                                              .context = counts});
}

static void objects_stay_constructed_while_free(void **state) {
    (void)state;
    struct counts counts = {0};
    struct larder_cache *cache = constructed(&counts, true);
    for (unsigned i = 0; i < 1000; i++) {
        unsigned char *object = larder_cache_alloc(cache, 0);
        assert_int_equal(object[0] | object[95], 0x11);
        larder_cache_free(cache, object);
    }
    struct larder_cache_stats stats = stats_of(cache);
    assert_int_equal(counts.constructed, stats.slabs_made * stats.slab_objects);
    assert_int_equal(counts.alive, stats.capacity);
    assert_null(larder_cache_alloc(cache, LARDER_ZERO));
    larder_cache_shrink(cache);
    assert_int_equal(counts.alive, 0);
    end(cache);
}

static void a_refused_construction_undoes_the_slab(void **state) {
    (void)state;
    for (unsigned refuse_at = 1; refuse_at < 40; refuse_at += 6) {
        for (int with_destructor = 0; with_destructor < 2; with_destructor++) {
            struct counts counts = {.refuse_at = refuse_at};
            struct larder_cache *cache = constructed(&counts, with_destructor);
            uint64_t before = frames_idle(sim);
            assert_null(larder_cache_alloc(cache, 0));
            sim_validate(sim);
            assert_int_equal(counts.destructed, with_destructor ? counts.constructed : 0);
            assert_int_equal(stats_of(cache).slabs, 0);
            larder_reclaim(sim->larder);
            assert_true(frames_idle(sim) >= before);
            counts.refuse_at = 0;
            void *object = larder_cache_alloc(cache, 0);
            assert_non_null(object);
            larder_cache_free(cache, object);
            end(cache);
        }
    }
}

static struct larder_cache *inner;

static bool construct_with_allocation(void *object, void *context) {
    (void)context;
    *(void **)object = larder_cache_alloc(inner, 0);
    return *(void **)object != NULL;
}

static void destruct_with_free(void *object, void *context) {
    (void)context;
    larder_cache_free(inner, *(void **)object);
}

static void constructors_may_allocate_from_other_caches(void **state) {
    (void)state;
    inner = simple(200);
    struct larder_cache *outer =
        make(&(struct larder_cache_config){.name = "outer",
                                           .size_bytes = 64,
                                           .construct = construct_with_allocation,
                                           .destruct = destruct_with_free});
    void *objects[200];
    assert_int_equal(larder_cache_alloc_bulk(outer, 200, objects, 0), 200);
    assert_int_equal(stats_of(inner).live, stats_of(outer).capacity);
    larder_cache_free_bulk(outer, 200, objects);
    end(outer);
    assert_int_equal(stats_of(inner).live, 0);
    end(inner);
}

/* ---- Magazines ---- */

static void magazines_are_bounded_in_bytes(void **state) {
    (void)state;
    const size_t sizes[] = {1, 64, 500, 1000, 4096, 10000, 30000, 40000, 100000, MIB};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct larder_cache *cache = simple(sizes[i]);
        struct larder_cache_stats stats = stats_of(cache);
        assert_true(stats.magazine_objects * stats.stride_bytes <= LARDER_MAGAZINE_BYTES);
        assert_true(stats.magazine_objects > 0 || stats.stride_bytes * 2 > LARDER_MAGAZINE_BYTES);
        end(cache);
    }
}

static void no_magazine_means_none(void **state) {
    (void)state;
    struct larder_cache *cache = make(&(struct larder_cache_config){
        .name = "straight", .size_bytes = 64, .flags = LARDER_CACHE_NO_MAGAZINE});
    assert_int_equal(stats_of(cache).magazine_objects, 0);
    void *object = larder_cache_alloc(cache, 0);
    assert_int_equal(stats_of(cache).taken, 1);
    larder_free(sim->larder, object);
    assert_int_equal(stats_of(cache).taken, 0);
    end(cache);
}

static void full_magazines_move_whole_between_slots(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    void *objects[2000];
    for (unsigned round = 0; round < 20; round++) {
        sim_be(0);
        for (unsigned i = 0; i < 500; i++) {
            objects[i] = larder_cache_alloc(cache, 0);
        }
        sim_be(1);
        for (unsigned i = 0; i < 500; i++) {
            larder_cache_free(cache, objects[i]);
        }
        sim_validate(sim);
    }
    struct larder_cache_stats stats = stats_of(cache);
    assert_true(stats.in_depot > 0);
    assert_true(stats.taken_max < 2000);
    assert_true(stats.refills > 0 && stats.drains > 0);
    sim_be(0);
    end(cache);
}

static void objects_from_nowhere_else_is_lifo(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    void *first = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, first);
    assert_ptr_equal(larder_cache_alloc(cache, 0), first);
    larder_cache_free(cache, first);
    end(cache);
}

static void without_a_slot_objects_come_and_go(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    sim_be(9);
    void *objects[100], *more[10];
    for (unsigned i = 0; i < 100; i++) {
        objects[i] = larder_cache_alloc(cache, 0);
        assert_non_null(objects[i]);
    }
    assert_int_equal(larder_cache_alloc_bulk(cache, 10, more, 0), 10);
    assert_int_equal(stats_of(cache).taken, 110);
    larder_cache_free_bulk(cache, 10, more);
    for (unsigned i = 0; i < 100; i++) {
        larder_cache_free(cache, objects[i]);
    }
    assert_int_equal(stats_of(cache).taken, 0);
    larder_cache_shrink(cache);
    sim_be(0);
    end(cache);
}

static void a_detached_slot_leaves_nothing_behind(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    sim_be(1);
    void *object = larder_cache_alloc(cache, 0);
    assert_true(stats_of(cache).in_magazines > 0);
    sim_detach(sim, 1);
    assert_int_equal(stats_of(cache).in_magazines, 0);
    sim_validate(sim);
    larder_cache_free(cache, object);
    assert_true(sim_attach(sim, 1));
    assert_false(sim_attach(sim, 1));
    sim_validate(sim);
    sim_be(0);
    end(cache);
}

static void a_slot_can_be_emptied_while_it_sleeps(void **state) {
    (void)state;
    struct larder_cache *cache = simple(64);
    sim_be(1);
    larder_cache_free(cache, larder_cache_alloc(cache, 0));
    sim_be(0);
    assert_true(stats_of(cache).in_magazines > 0);
    larder_reclaim_slot(sim->larder, sim_slot_of(sim, 1));
    assert_int_equal(stats_of(cache).in_magazines, 0);
    larder_reclaim_slot(sim->larder, larder_slot_none);
    end(cache);
}

/* ---- Shrinking and the end ---- */

static void shrink_returns_all_empty_slabs(void **state) {
    (void)state;
    struct larder_cache *cache = simple(1000);
    void *objects[1000];
    assert_int_equal(larder_cache_alloc_bulk(cache, 1000, objects, 0), 1000);
    struct larder_cache_stats full = stats_of(cache);
    larder_cache_free_bulk(cache, 999, objects + 1);
    uint64_t before = frames_idle(sim);
    uint64_t frames = larder_cache_shrink(cache);
    struct larder_cache_stats stats = stats_of(cache);
    assert_int_equal(stats.slabs, 1);
    assert_int_equal(stats.slabs_returned, full.slabs - 1);
    assert_int_equal(frames, (full.slabs - 1) * (full.slab_bytes / FRAME));
    assert_true(frames_idle(sim) >= before + frames);
    larder_cache_free(cache, objects[0]);
    end(cache);
}

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
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(bad_configurations_are_refused),
        T(bad_names_are_refused),
        T(the_longest_name_is_copied),
        T(strides_follow_from_size_and_alignment),
        T(two_caches_of_one_name_are_two),
        T(a_thousand_caches),
        T(ids_run_out_and_come_back),
        T(objects_are_distinct_and_known),
        T(unknown_flags_give_nothing),
        T(zeroed_objects),
        T(null_is_freed_by_doing_nothing),
        T(dma_caches_stay_in_the_first_zone),
        T(panic_caches_do_not_return_null),
        T(a_limit_is_exact),
        T(unused_objects_in_the_depot_do_not_eat_the_limit),
        T(prefill_makes_slabs_ready),
        T(objects_stay_constructed_while_free),
        T(a_refused_construction_undoes_the_slab),
        T(constructors_may_allocate_from_other_caches),
        T(magazines_are_bounded_in_bytes),
        T(no_magazine_means_none),
        T(full_magazines_move_whole_between_slots),
        T(objects_from_nowhere_else_is_lifo),
        T(without_a_slot_objects_come_and_go),
        T(a_detached_slot_leaves_nothing_behind),
        T(a_slot_can_be_emptied_while_it_sleeps),
        T(shrink_returns_all_empty_slabs),
        T(destroy_reports_leaks_and_changes_nothing),
        T(walk_visits_what_is_live),
        T(each_goes_by_id),
        T(cache_of_knows_only_slabs),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
