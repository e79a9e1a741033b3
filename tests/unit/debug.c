/* Debugging chosen per cache: the grammar, and that each option finds what it is for. */
#include "harness.h"

static struct sim *sim;
static struct larder *larder;

static int setup(void **state) {
    (void)state;
    sim = sim_start(&(struct sim_config){.cpus = 2});
    larder = sim->larder;
    return 0;
}

/* A fatal while an object is being taken leaves it half taken: nobody goes on after a fatal. */
static void restart(void) {
    sim_abandon(sim);
    sim = sim_start(&(struct sim_config){.cpus = 2});
    larder = sim->larder;
}

static int teardown(void **state) {
    (void)state;
    sim_validate(sim);
    sim_stop(sim);
    return 0;
}

enum { F = LARDER_DEBUG_SANITY, Z = LARDER_DEBUG_RED_ZONE, P = LARDER_DEBUG_POISON };
enum { U = LARDER_DEBUG_OWNER, A = LARDER_DEBUG_FAULT };

static void the_grammar(void **state) {
    (void)state;
    const struct {
        const char *options, *name;
        uint32_t flags;
    } cases[] = {
        {NULL, "x", 0},
        {"", "x", 0},
        {"F", "x", F},
        {"FZPUA", "x", F | Z | P | U | A},
        {"-", "x", 0},
        {",dentry", "dentry", F | Z | P | U},
        {",dentry", "dentr", 0},
        {",dentry", "dentry2", 0},
        {"FZ,dentry*", "dentry", F | Z},
        {"FZ,dentry*", "dentry-cache", F | Z},
        {"FZ,dentry*", "dentr", 0},
        {"P,a,b", "a", P},
        {"P,a,b", "b", P},
        {"P,a,b", "c", 0},
        {"P,*", "anything", P},
        {"P,cache-a,cache-b;A,heap-64;-", "cache-a", 0},
        {"-;P,cache-a,cache-b;A,heap-64", "cache-b", P},
        {"-;P,cache-a,cache-b;A,heap-64", "heap-64", A},
        {"-;P,cache-a,cache-b;A,heap-64", "heap-640", 0},
        {"F;-,quiet", "quiet", 0},
        {"F;-,quiet", "loud", F},
        {"F;", "x", F},
        {";F", "x", F},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(larder_debug_parse(larder, cases[i].options), LARDER_OK);
        assert_int_equal(larder_debug_flags(larder, cases[i].name), cases[i].flags);
    }
}

static void bad_options_change_nothing(void **state) {
    (void)state;
    char long_text[300];
    memset(long_text, 'F', 299);
    long_text[299] = '\0';
    assert_int_equal(larder_debug_parse(larder, "P"), LARDER_OK);
    const char *bad[] = {"f", "Q", "F Z", "FX,a", "-F", "F;F;F;F;F;F;F;F;F", long_text};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(larder_debug_parse(larder, bad[i]), LARDER_BAD_OPTION);
        assert_int_equal(larder_debug_flags(larder, "x"), P);
    }
    long_text[256] = '\0';
    assert_int_equal(larder_debug_parse(larder, long_text), LARDER_OK);
    long_text[256] = 'F';
    long_text[257] = '\0';
    assert_int_equal(larder_debug_parse(larder, long_text), LARDER_BAD_OPTION);
    assert_int_equal(larder_debug_parse(larder, "F;F;F;F;F;F;F;F"), LARDER_OK);
}

static struct larder_cache *make(const char *options, size_t bytes) {
    assert_int_equal(larder_debug_parse(larder, options), LARDER_OK);
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "watched", .size_bytes = bytes}, NULL);
    assert_non_null(cache);
    return cache;
}

static void options_hold_for_caches_made_later(void **state) {
    (void)state;
    struct larder_cache *before = make("", 32), *after = make("FZP", 32);
    struct larder_cache *exempt = larder_cache_create(
        larder,
        &(struct larder_cache_config){
            .name = "watched", .size_bytes = 32, .flags = LARDER_CACHE_NO_DEBUG},
        NULL);
    struct larder_cache_stats stats;
    larder_cache_stats(before, &stats);
    assert_int_equal(stats.debug, 0);
    larder_cache_stats(after, &stats);
    assert_int_equal(stats.debug, F | Z | P);
    assert_true(stats.stride_bytes > 32);
    assert_int_equal(stats.magazine_objects, 0);
    larder_cache_stats(exempt, &stats);
    assert_int_equal(stats.debug, 0);
    struct larder_sink sink;
    struct text text;
    larder_cache_free(after, larder_cache_alloc(after, 0));
    sink = text_sink(&text);
    larder_slabinfo(larder, &sink);
    assert_true(text_has(&text, " FZP\n"));
}

static void size_classes_are_chosen_at_the_start(void **state) {
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.debug = "Z,heap-64"});
    larder = sim->larder;
    unsigned char *at = larder_alloc(larder, 64);
    at[64] = 1;
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_free(larder, at));
    assert_string_equal(sim_fatal_last.owner, "heap-64");
    at[64] = 0xcc;
    larder_free(larder, at);
    unsigned char *other = larder_alloc(larder, 80);
    larder_free(larder, other);
}

/* One byte at `victim` is hit while the object is out: the free names it. */
static void hit(struct larder_cache *cache, unsigned char *at, unsigned char *victim) {
    unsigned char old = *victim;
    *victim = (unsigned char)(old + 1);
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_cache_free(cache, at));
    assert_ptr_equal(sim_fatal_last.fatal.object, at);
    assert_int_equal(sim_fatal_last.fatal.object_bytes, larder_cache_object_bytes(cache));
    assert_ptr_equal(sim_fatal_last.fatal.pointer, victim);
    assert_true(sim_fatal_last.fatal.offset_bytes == (size_t)(victim - at));
    assert_int_equal(sim_fatal_last.fatal.found, (unsigned char)(*victim));
    assert_int_equal(sim_fatal_last.fatal.expected, 0xcc);
    *victim = (unsigned char)(*victim - 1);
}

static void red_zones_on_both_sides(void **state) {
    (void)state;
    const size_t sizes[] = {1, 8, 24, 100, 4096};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct larder_cache *cache = make("Z", sizes[i]);
        unsigned char *at = larder_cache_alloc(cache, 0);
        for (unsigned j = 0; j < 16; j++) {
            hit(cache, at, at - 16 + j);
            hit(cache, at, at + sizes[i] + j);
        }
        larder_cache_free(cache, at);
        at[-1] = 0;
        sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_cache_alloc(cache, 0));
        assert_int_equal(sim_fatal_last.fatal.expected, 0xbb);
        restart();
    }
}

static void the_validator_sees_damage_too(void **state) {
    (void)state;
    struct larder_cache *cache = make("Z", 40);
    unsigned char *at = larder_cache_alloc(cache, 0);
    struct larder_fatal found = {0};
    at[40] = 0;
    assert_false(larder_validate(larder, &found));
    assert_int_equal(found.kind, LARDER_FATAL_RED_ZONE);
    assert_ptr_equal(found.object, at);
    at[40] = 0xcc;
    larder_cache_free(cache, at);
}

static void poison_fills_what_is_free(void **state) {
    (void)state;
    struct larder_cache *cache = make("P", 40);
    unsigned char *at = larder_cache_alloc(cache, 0);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(at[i], 0x5a);
    }
    larder_cache_free(cache, at);
    for (unsigned i = 0; i < 39; i++) {
        assert_int_equal(at[i], 0x6b);
    }
    assert_int_equal(at[39], 0xa5);
}

static void one_write_after_free(unsigned place) {
    struct larder_cache *cache = make("P", 40);
    unsigned char *at = larder_cache_alloc(cache, 0);
    larder_cache_free(cache, at);
    at[place] = 0x77;
    sim_expect_fatal(LARDER_FATAL_POISON, larder_cache_alloc(cache, 0));
    assert_ptr_equal(sim_fatal_last.fatal.pointer, at + place);
    assert_int_equal(sim_fatal_last.fatal.offset_bytes, place);
    assert_int_equal(sim_fatal_last.fatal.found, 0x77);
    restart();
}

static void poison_finds_writes_after_free(void **state) {
    (void)state;
    const unsigned places[] = {0, 17, 38, 39};
    for (size_t i = 0; i < COUNT(places); i++) {
        one_write_after_free(places[i]);
    }
}

static bool fill(void *object, void *context) {
    memset(object, *(int *)context, 40);
    return true;
}

static void constructed_objects_are_not_poisoned(void **state) {
    (void)state;
    int value = 0x31;
    assert_int_equal(larder_debug_parse(larder, "FZPU"), LARDER_OK);
    struct larder_cache *cache = larder_cache_create(
        larder,
        &(struct larder_cache_config){
            .name = "constructed", .size_bytes = 40, .construct = fill, .context = &value},
        NULL);
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    assert_int_equal(stats.debug, F | Z | U);
    for (unsigned round = 0; round < 100; round++) {
        unsigned char *at = larder_cache_alloc(cache, 0);
        assert_int_equal(at[0] & at[39], 0x31);
        larder_cache_free(cache, at);
    }
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void sanity_sees_a_double_free_at_once(void **state) {
    (void)state;
    struct larder_cache *cache = make("F", 40);
    unsigned char *at = larder_cache_alloc(cache, 0);
    sim_expect_fatal(LARDER_FATAL_INTERIOR_FREE, larder_cache_free(cache, at + 8));
    larder_cache_free(cache, at);
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_cache_free(cache, at));
    sim_expect_fatal(LARDER_FATAL_DOUBLE_FREE, larder_free(larder, at));
}

static void owners_are_remembered(void **state) {
    (void)state;
    struct larder_cache *cache = make("ZU", 40);
    sim_clock_set(100);
    unsigned char *at = larder_cache_alloc(cache, 0);
    at[40] = 0;
    sim_clock_set(200);
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_cache_free(cache, at));
    assert_int_not_equal(sim_fatal_last.fatal.alloc_site, 0);
    assert_int_equal(sim_fatal_last.fatal.free_site, 0);
    assert_int_equal(sim_fatal_last.fatal.alloc_ms, 100);
    at[40] = 0xcc;
    sim_be(1);
    larder_cache_free(cache, at);
    sim_be(0);
    at = larder_cache_alloc(cache, 0);
    struct larder_what what;
    larder_whatis(larder, at, &what);
    assert_int_not_equal(what.alloc_site, 0);
    larder_cache_free(cache, at);
    at[40] = 0;
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_cache_alloc(cache, 0));
    assert_int_not_equal(sim_fatal_last.fatal.free_site, 0);
    assert_int_equal(sim_fatal_last.fatal.free_ms, 200);
    assert_int_equal(sim_fatal_last.fatal.free_slot, 0);
    restart();
}

static uintptr_t leak_site;

static void see_leak(const void *object, uintptr_t site, void *context) {
    (void)object;
    (void)context;
    leak_site = site;
}

static void leaks_name_their_call_site(void **state) {
    (void)state;
    struct larder_cache *cache = make("U", 40);
    void *at = larder_cache_alloc(cache, 0);
    leak_site = 0;
    assert_int_equal(larder_cache_destroy(cache, see_leak, NULL), 1);
    assert_int_not_equal(leak_site, 0);
    larder_cache_free(cache, at);
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void faults_come_at_their_interval(void **state) {
    (void)state;
    struct larder_cache *cache = make("A", 40);
    larder_debug_fault_interval(larder, 5);
    unsigned failed = 0;
    for (unsigned i = 1; i <= 100; i++) {
        void *at = larder_cache_alloc(cache, 0);
        failed += at == NULL;
        assert_int_equal(at == NULL, i % 5 == 0);
        larder_cache_free(cache, at);
    }
    assert_int_equal(failed, 20);
    larder_debug_fault_interval(larder, 0);
    for (unsigned i = 0; i < 100; i++) {
        void *at = larder_cache_alloc(cache, 0);
        assert_non_null(at);
        larder_cache_free(cache, at);
    }
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

static void everything_at_once_on_every_class(void **state) {
    (void)state;
    sim_stop(sim);
    sim = sim_start(&(struct sim_config){.debug = "FZPU"});
    larder = sim->larder;
    void *at[200];
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 200; i++) {
            at[i] = larder_alloc(larder, 1 + i * 37 % 5000);
            memset(at[i], 0xff, larder_size_of(larder, at[i]));
        }
        sim_validate(sim);
        for (unsigned i = 0; i < 200; i++) {
            larder_free(larder, at[i]);
        }
    }
    larder_reclaim(larder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(the_grammar),
        T(bad_options_change_nothing),
        T(options_hold_for_caches_made_later),
        T(size_classes_are_chosen_at_the_start),
        T(red_zones_on_both_sides),
        T(the_validator_sees_damage_too),
        T(poison_fills_what_is_free),
        T(poison_finds_writes_after_free),
        T(constructed_objects_are_not_poisoned),
        T(sanity_sees_a_double_free_at_once),
        T(owners_are_remembered),
        T(leaks_name_their_call_site),
        T(faults_come_at_their_interval),
        T(everything_at_once_on_every_class),
#undef T
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
