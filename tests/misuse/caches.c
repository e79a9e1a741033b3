/* Objects freed twice, in the middle, to the wrong cache; caches used after their end; bytes
 * written where no object is. */
#include "misuse.h"

#define TWICE BUG("%s: double free: " AT ": the object is free already")
#define INSIDE BUG("%s: free of an interior pointer: " AT ": not the start of an object")
#define WRONG BUG("%s: free to the wrong cache: " AT ": freed to another cache")
#define FOREIGN BUG("nobody: free of foreign memory: " AT ": outside the memory of this instance")
#define NEVER BUG("reserved: free of reserved memory: " AT ": never given out")
#define NO_RAM BUG("hole: free of reserved memory: " AT ": no RAM at this address")
#define FREE BUG("free frames: double free: " AT ": the frames are free already")
#define GONE BUG("gone: use of a destroyed cache: " AT ": used after its destruction")
#define OUT BUG("%s: out of memory: the cache may not run out")

static struct larder_cache *make(const char *name, size_t bytes, uint32_t flags) {
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = name, .size_bytes = bytes, .flags = flags},
        NULL);
    assert_non_null(cache);
    return cache;
}

static void destroy(struct larder_cache *cache) {
    assert_int_equal(larder_cache_destroy(cache, NULL, NULL), 0);
}

/* ---- Noticed at once ---- */

static struct larder_cache *the_cache;

static void free_typed(void *at) {
    larder_cache_free(the_cache, at);
}

static void free_typed_in_bulk(void *at) {
    larder_cache_free_bulk(the_cache, 1, &at);
}

static void free_any(void *at) {
    larder_free(larder, at);
}

static void free_sized(void *at) {
    larder_free_sized(larder, at, larder_cache_object_bytes(the_cache));
}

static void move(void *at) {
    (void)larder_realloc(larder, at, 8);
}

static void (*const ways[])(void *at) = {free_typed, free_typed_in_bulk, free_any, free_sized,
                                         move};

static void expect_each_way(enum larder_fatal_kind kind, void *at, const char *report) {
    for (volatile unsigned i = 0; i < COUNT(ways); i++) {
        sim_expect_fatal(kind, ways[i](at));
        char expected[512];
        snprintf(expected, sizeof expected, report, larder_cache_name(the_cache), number(at));
        expect_report("%s", expected);
        sim_validate(sim);
    }
}

static void expect_double_and_interior(const char *name, size_t bytes, uint32_t flags) {
    the_cache = make(name, bytes, flags);
    struct larder_cache_stats stats;
    unsigned char *kept = larder_cache_alloc(the_cache, 0);
    unsigned char *freed = larder_cache_alloc(the_cache, 0);
    larder_cache_free(the_cache, freed);
    expect_each_way(LARDER_FATAL_DOUBLE_FREE, freed, TWICE);
    expect_each_way(LARDER_FATAL_INTERIOR_FREE, kept + 1, INSIDE);
    expect_each_way(LARDER_FATAL_INTERIOR_FREE, kept + bytes - 1, INSIDE);
    larder_cache_stats(the_cache, &stats);
    assert_int_equal(stats.live, 1);
    larder_cache_free(the_cache, kept);
    destroy(the_cache);
}

static void without_magazines(void **state) {
    (void)state;
    const size_t sizes[] = {8, 24, 48, 100, 1000, 5000, 70000};
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        expect_double_and_interior("plain", sizes[i], LARDER_CACHE_NO_MAGAZINE);
    }
}

static void under_debug_f(void **state) {
    (void)state;
    restart("F,watched*");
    expect_double_and_interior("watched-8", 8, 0);
    expect_double_and_interior("watched-1000", 1000, 0);
}

static void under_all_debug_options(void **state) {
    (void)state;
    restart("FZPU");
    expect_double_and_interior("watched-8", 8, 0);
    expect_double_and_interior("watched-1000", 1000, 0);
}

/* What lies behind the last slot of a slab is nobody's object. */
static void behind_the_last_object_of_a_slab(void **state) {
    (void)state;
    struct larder_cache_stats stats;
    the_cache = make("tail", 1040, LARDER_CACHE_NO_MAGAZINE);
    unsigned char *first = larder_cache_alloc(the_cache, 0);
    larder_cache_stats(the_cache, &stats);
    size_t used = stats.slab_objects * stats.stride_bytes;
    assert_true(used < stats.slab_bytes);
    expect_each_way(LARDER_FATAL_INTERIOR_FREE, first + used, INSIDE);
    expect_each_way(LARDER_FATAL_INTERIOR_FREE, first + stats.slab_bytes - 1, INSIDE);
    larder_cache_free(the_cache, first);
    destroy(the_cache);
}

/* These ask the slab before anything else, so they know at once whatever lies in magazines. */
static void sized_free_and_realloc_know_at_once(void **state) {
    (void)state;
    unsigned char *const at = larder_alloc(larder, 100);
    MISTAKE(LARDER_FATAL_INTERIOR_FREE, larder_free_sized(larder, at + 16, 84), INSIDE, "heap-112",
            number(at + 16));
    MISTAKE(LARDER_FATAL_INTERIOR_FREE, (void)larder_realloc(larder, at + 16, 84), INSIDE,
            "heap-112", number(at + 16));
    larder_free(larder, at);
    larder_reclaim(larder);
    the_cache = larder_cache_find(larder, "heap-112");
    void *const held = larder_alloc(larder, 100);
    unsigned char *const beside =
        (unsigned char *)held + 145 * 112; /* the slab's last, still free */
    MISTAKE(LARDER_FATAL_DOUBLE_FREE, larder_free_sized(larder, beside, 100), TWICE, "heap-112",
            number(beside));
    MISTAKE(LARDER_FATAL_DOUBLE_FREE, (void)larder_realloc(larder, beside, 100), TWICE, "heap-112",
            number(beside));
    larder_free(larder, held);
}

/* ---- Noticed when the magazine is emptied ---- */

static void by_shrink(void) {
    larder_cache_shrink(the_cache);
}

static void by_reclaim(void) {
    larder_reclaim(larder);
}

static void by_slot_reclaim(void) {
    larder_reclaim_slot(larder, sim_slot_of(sim, 0));
}

static void by_detach(void) {
    sim_detach(sim, 0);
}

static void by_destroy(void) {
    larder_cache_destroy(the_cache, NULL, NULL);
}

static void by_walk(void) {
    larder_cache_walk(the_cache, NULL, NULL);
}

static void (*const emptied[])(void) = {by_shrink, by_reclaim, by_slot_reclaim,
                                        by_detach, by_destroy, by_walk};

static void an_object_twice_into_a_magazine(void **state) {
    (void)state;
    for (volatile unsigned i = 0; i < COUNT(emptied); i++) {
        the_cache = make("late", 48, 0);
        void *const at = larder_cache_alloc(the_cache, 0);
        larder_cache_free(the_cache, at);
        larder_cache_free(the_cache, at);
        LATE_MISTAKE(LARDER_FATAL_DOUBLE_FREE, emptied[i](), TWICE, "late", number(at));
        start(NULL);
    }
}

static void the_middle_of_an_object_into_a_magazine(void **state) {
    (void)state;
    for (volatile unsigned i = 0; i < COUNT(emptied); i++) {
        the_cache = make("late", 48, 0);
        unsigned char *const at = larder_cache_alloc(the_cache, 0);
        larder_cache_free(the_cache, at + 8);
        LATE_MISTAKE(LARDER_FATAL_INTERIOR_FREE, emptied[i](), INSIDE, "late", number(at + 8));
        start(NULL);
    }
}

/* ---- Not this cache's ---- */

static void expect_wrong(const char *owner, void *at) {
    MISTAKE(LARDER_FATAL_WRONG_CACHE, larder_cache_free(the_cache, at), WRONG, owner, number(at));
    MISTAKE(LARDER_FATAL_WRONG_CACHE, larder_cache_free_bulk(the_cache, 1, &at), WRONG, owner,
            number(at));
}

/* No object and no block at all: named as larder_frames_free() names it. */
static void expect_bad(enum larder_fatal_kind kind, const char *report, void *at) {
    sim_expect_fatal(kind, larder_cache_free(the_cache, at));
    char expected[512];
    snprintf(expected, sizeof expected, report, number(at));
    expect_report("%s", expected);
    sim_validate(sim);
}

static void take_first(void *object, void *context) {
    void **first = context;
    *first = *first ? *first : object;
}

static void expect_all_wrong(uint32_t flags) {
    the_cache = make("mine", 48, flags);
    struct larder_cache *other = make("other", 48, flags);
    void *mine = larder_cache_alloc(the_cache, 0), *theirs = larder_cache_alloc(other, 0);
    void *heap = larder_alloc(larder, 48), *frames = larder_frames_alloc(larder, 0, 0);
    void *descriptor = NULL;
    larder_cache_walk(larder_cache_find(larder, "slab"), take_first, &descriptor);
    expect_wrong("other", theirs);
    expect_wrong("heap-48", heap);
    expect_wrong("frames", frames);
    expect_wrong("slab", descriptor);
    expect_bad(LARDER_FATAL_RESERVED_FREE, NEVER, sim_pointer(sim, KERNEL_AT));
    expect_bad(LARDER_FATAL_RESERVED_FREE, NEVER, sim_slot_of(sim, 0));
    expect_bad(LARDER_FATAL_RESERVED_FREE, NO_RAM, sim_pointer(sim, HOLE_AT));
    expect_bad(LARDER_FATAL_DOUBLE_FREE, FREE, sim_pointer(sim, END_AT - FRAME));
    expect_bad(LARDER_FATAL_FOREIGN_FREE, FOREIGN, &flags);
    expect_bad(LARDER_FATAL_FOREIGN_FREE, FOREIGN, (void *)UINTPTR_MAX);
    larder_cache_free(the_cache, mine);
    larder_cache_free(other, theirs);
    larder_free(larder, heap);
    larder_frames_free(larder, frames);
    destroy(other);
    destroy(the_cache);
}

static void what_is_not_the_caches(void **state) {
    (void)state;
    expect_all_wrong(0);
    expect_all_wrong(LARDER_CACHE_NO_MAGAZINE);
}

static void among_many_caches(void) {
    enum { FILL = 300 };
    static struct larder_cache *fill[FILL];
    for (unsigned i = 0; i < FILL; i++) {
        fill[i] = make("fill", 16, 0);
    }
    expect_all_wrong(0);
    for (unsigned i = 0; i < FILL; i++) {
        destroy(fill[i]);
    }
}

/* The slot keeps its page of bins once it was needed, so the balance is drawn at the second time.
 */
static void what_is_not_the_caches_beyond_the_fast_ids(void **state) {
    (void)state;
    among_many_caches();
    larder_reclaim(larder);
    idle = frames_idle(sim);
    among_many_caches();
}

static void an_object_of_another_instance(void **state) {
    (void)state;
    struct sim *other = sim_start(NULL);
    the_cache = make("mine", 48, 0);
    void *const theirs = larder_alloc(other->larder, 48);
    expect_bad(LARDER_FATAL_FOREIGN_FREE, FOREIGN, theirs);
    larder_free(other->larder, theirs);
    sim_stop(other);
    destroy(the_cache);
}

static void another_size(void **state) {
    (void)state;
    void *const at = larder_alloc(larder, 100);
    const size_t wrong[] = {0, 1, 96, 113, 4096, 32769, PTRDIFF_MAX, SIZE_MAX};
    for (volatile unsigned i = 0; i < COUNT(wrong); i++) {
        MISTAKE(LARDER_FATAL_WRONG_ORDER, larder_free_sized(larder, at, wrong[i]),
                BUG("heap-112: free with the wrong order or size: " AT
                    ": the size given does not belong to this memory"),
                number(at));
    }
    larder_free_sized(larder, at, 97);
}

static void a_cache_of_the_heap_ends_with_it(void **state) {
    (void)state;
    void *const at = larder_alloc(larder, 100);
    struct larder_cache *const heap = larder_cache_of(larder, at);
    MISTAKE(LARDER_FATAL_RESERVED_FREE, larder_cache_destroy(heap, NULL, NULL),
            BUG("heap-112: free of reserved memory: " AT ": a cache of the core itself"),
            number(heap));
    larder_free(larder, at);
}

/* ---- After the end ---- */

static void a_destroyed_cache(void **state) {
    void *out[100];
    (void)state;
    struct larder_cache *const gone = make("gone", 48, 0);
    void *const at = larder_cache_alloc(gone, 0);
    larder_cache_free(gone, at);
    destroy(gone);
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_destroy(gone, NULL, NULL),
            BUG("gone: use of a destroyed cache: " AT ": destroyed twice"), number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_alloc(gone, 0), GONE, number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_alloc(gone, LARDER_ZERO), GONE,
            number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_free(gone, at), GONE, number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_alloc_bulk(gone, COUNT(out), out, 0), GONE,
            number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_free_bulk(gone, 1, &at), GONE, number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_prefill(gone, 1), GONE, number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_set_limit(gone, 1), GONE, number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_shrink(gone), GONE, number(gone));
    MISTAKE(LARDER_FATAL_CACHE_DESTROYED, larder_cache_walk(gone, NULL, NULL), GONE, number(gone));
}

#define LEAKS 7u

struct leaks {
    const void *object[LEAKS];
    uintptr_t site[LEAKS];
    unsigned count;
};

static void leak(const void *object, uintptr_t site, void *context) {
    struct leaks *leaks = context;
    assert_true(leaks->count < LEAKS);
    leaks->object[leaks->count] = object;
    leaks->site[leaks->count++] = site;
}

static bool is_near(uintptr_t site, void (*function)(void **)) {
    return site > (uintptr_t)function && site - (uintptr_t)function < 2048;
}

static void a_cache_with_objects_still_out(void **state) {
    (void)state;
    static const char *const options[] = {NULL, "U", "FZPU"};
    for (unsigned i = 0; i < COUNT(options); i++) {
        restart(options[i]);
        struct larder_cache *cache = make("leaky", 48, 0);
        void *objects[LEAKS];
        struct leaks leaks = {.count = 0};
        for (unsigned k = 0; k < LEAKS; k++) {
            objects[k] = larder_cache_alloc(cache, 0);
        }
        larder_cache_free(cache, larder_cache_alloc(cache, 0));
        assert_int_equal(larder_cache_destroy(cache, leak, &leaks), LEAKS);
        assert_int_equal(leaks.count, LEAKS);
        for (unsigned k = 0; k < LEAKS; k++) {
            assert_ptr_equal(leaks.object[k], objects[k]); /* slots in order of address */
            assert_true(i == 0 ? leaks.site[k] == 0
                               : is_near(leaks.site[k], a_cache_with_objects_still_out));
        }
        assert_int_equal(larder_cache_destroy(cache, NULL, NULL), LEAKS);
        sim_validate(sim);
        larder_cache_free_bulk(cache, LEAKS, objects); /* it is as it was */
        destroy(cache);
    }
}

/* ---- Running out ---- */

static void running_out_with_panic(void **state) {
    void *out[3];
    (void)state;
    struct larder_cache *vital = make("vital", 48, LARDER_CACHE_PANIC);
    struct larder_cache *plain = make("plain", 48, 0);
    larder_cache_set_limit(vital, 1);
    larder_cache_set_limit(plain, 1);
    void *first = larder_cache_alloc(vital, 0), *other = larder_cache_alloc(plain, 0);
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_cache_alloc(vital, 0), OUT, "vital");
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_cache_alloc(vital, LARDER_ZONE(0)), OUT, "vital");
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_cache_alloc_bulk(vital, 3, out, 0), OUT, "vital");
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_cache_alloc(plain, LARDER_PANIC), OUT, "plain");
    MISTAKE(LARDER_FATAL_NO_MEMORY, larder_cache_alloc(plain, LARDER_PANIC | 0x80000000u), OUT,
            "plain");
    assert_null(larder_cache_alloc(plain, 0));
    larder_cache_free(vital, first);
    larder_cache_free(plain, other);
    destroy(vital);
    destroy(plain);
}

/* ---- Bytes written where no object is ---- */

struct damage {
    const char *kind, *detail;
    unsigned char *byte, *object;
    size_t object_bytes;
    unsigned char expected;
    const char *events; /* what U adds */
};

static size_t add_dump(char *text, const struct damage *damage) {
    size_t length = 0;
    for (size_t i = 0; i < damage->object_bytes && i < 128; i++) {
        if (i % 16 == 0) {
            length += (size_t)sprintf(text + length, "%sObject " AT ":", i ? "\n" : "",
                                      number(damage->object + i));
        }
        length += (size_t)sprintf(text + length, " %02x", damage->object[i]);
    }
    return length + (size_t)sprintf(text + length, "\n");
}

static void expect_damage(const struct damage *damage) {
    char dump[2048];
    add_dump(dump, damage);
    long offset = (long)(damage->byte - damage->object);
    expect_report(BUG("watched: %s: " AT ": %s") "INFO: " AT
                                                 " @offset=%ld. First byte 0x%x instead of 0x%x\n%s"
                                                 "INFO: Object " AT " size=%zu\n%s",
                  damage->kind, number(damage->byte), damage->detail, number(damage->byte), offset,
                  *damage->byte, damage->expected, damage->events, number(damage->object),
                  damage->object_bytes, dump);
}

static struct larder_cache *watched;

/* Damage one byte; the validator must notice it, and then whoever frees or allocates the object. */
static void do_damage(const struct damage *damage, enum larder_fatal_kind kind) {
    struct larder_fatal found;
    assert_int_equal(*damage->byte, damage->expected);
    *damage->byte = (unsigned char)~damage->expected;
    assert_false(larder_validate(larder, &found));
    assert_int_equal(found.kind, kind);
    assert_ptr_equal(found.pointer, damage->byte);
}

/* Repaired, the object can be freed. */
static void expect_noticed_by_free(const struct damage *damage) {
    do_damage(damage, LARDER_FATAL_RED_ZONE);
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_cache_free(watched, damage->object));
    expect_damage(damage);
    *damage->byte = damage->expected;
    sim_validate(sim);
}

/* A free object is looked at when it is half taken: the instance is not sound afterwards. */
static void expect_noticed_by_alloc(const struct damage *damage, enum larder_fatal_kind kind) {
    do_damage(damage, kind);
    sim_expect_fatal(kind, larder_cache_alloc(watched, 0));
    expect_damage(damage);
    abandon();
}

/* Where the four outermost bytes of the two red zones are, from the object's start. */
static void red_offsets(size_t bytes, long offsets[4]) {
    struct larder_cache_stats stats;
    larder_cache_stats(watched, &stats);
    offsets[0] = -16;
    offsets[1] = -1;
    offsets[2] = (long)bytes;
    offsets[3] = (long)stats.stride_bytes - 17;
    assert_true(offsets[3] >= (long)bytes + 15);
}

static const size_t watched_bytes[] = {1, 7, 8, 48, 100, 128, 129, 4096};

static struct damage red_damage(unsigned char *object, long offset, size_t bytes,
                                unsigned char expected) {
    return (struct damage){"red zone overwritten",
                           offset < 0 ? "left red zone" : "right red zone",
                           object + offset,
                           object,
                           bytes,
                           expected,
                           ""};
}

static void the_first_and_last_byte_of_red_zones(void **state) {
    (void)state;
    restart("Z");
    for (unsigned i = 0; i < COUNT(watched_bytes); i++) {
        size_t bytes = watched_bytes[i];
        long offsets[4];
        watched = make("watched", bytes, 0);
        red_offsets(bytes, offsets);
        unsigned char *object = larder_cache_alloc(watched, 0);
        memset(object, 0x11, bytes); /* all of it is the caller's */
        for (unsigned k = 0; k < COUNT(offsets); k++) {
            struct damage damage = red_damage(object, offsets[k], bytes, 0xcc);
            expect_noticed_by_free(&damage);
        }
        larder_cache_free(watched, object);
        destroy(watched);
    }
}

/* An object that was just freed is the next one: the lowest of its slab. */
static unsigned char *freed_object(const char *debug, size_t bytes) {
    start(debug);
    watched = make("watched", bytes, 0);
    unsigned char *object = larder_cache_alloc(watched, 0);
    for (size_t i = 0; i < bytes && strchr(debug, 'P'); i++) {
        assert_int_equal(object[i], 0x5a);
    }
    memset(object, 0x11, bytes);
    larder_cache_free(watched, object);
    return object;
}

static void red_zones_of_a_freed_object(void **state) {
    (void)state;
    sim_stop(sim);
    for (unsigned i = 0; i < COUNT(watched_bytes); i++) {
        for (unsigned k = 0; k < 4; k++) {
            long offsets[4];
            unsigned char *object = freed_object("Z", watched_bytes[i]);
            red_offsets(watched_bytes[i], offsets);
            struct damage damage = red_damage(object, offsets[k], watched_bytes[i], 0xbb);
            expect_noticed_by_alloc(&damage, LARDER_FATAL_RED_ZONE);
        }
    }
}

static void a_freed_object_that_is_written(void **state) {
    (void)state;
    sim_stop(sim);
    for (unsigned i = 0; i < COUNT(watched_bytes); i++) {
        size_t bytes = watched_bytes[i];
        const size_t offsets[] = {0, bytes / 2, bytes - 1};
        for (unsigned k = 0; k < COUNT(offsets); k++) {
            unsigned char *object = freed_object("P", bytes);
            struct damage damage = {"written after free",
                                    "poison",
                                    object + offsets[k],
                                    object,
                                    bytes,
                                    offsets[k] == bytes - 1 ? 0xa5 : 0x6b,
                                    ""};
            expect_noticed_by_alloc(&damage, LARDER_FATAL_POISON);
        }
    }
}

static void a_report_says_who_and_when(void **state) {
    (void)state;
    char events[256];
    restart("FZPU");
    watched = make("watched", 20, 0);
    sim_clock_set(1234);
    unsigned char *const object = larder_cache_alloc(watched, 0);
    sim_clock_set(4294967296000);
    larder_cache_free(watched, object);
    struct damage damage = {"written after free", "poison", object, object, 20, 0x6b, events};
    do_damage(&damage, LARDER_FATAL_POISON);
    sim_expect_fatal(LARDER_FATAL_POISON, larder_cache_alloc(watched, 0));
    uintptr_t alloc_site = sim_fatal_last.fatal.alloc_site;
    uintptr_t free_site = sim_fatal_last.fatal.free_site;
    assert_true(is_near(alloc_site, a_report_says_who_and_when));
    assert_true(is_near(free_site, a_report_says_who_and_when) && free_site > alloc_site);
    sprintf(events,
            "INFO: Allocated in 0x%lx at 1234 ms, cpu 0\n"
            "INFO: Freed in 0x%lx at 4294967296000 ms, cpu 0\n",
            alloc_site, free_site);
    expect_damage(&damage);
    abandon();
}

/* The size classes of the heap are caches like any other. */
static void an_overrun_in_the_heap(void **state) {
    (void)state;
    restart("Z,heap-*");
    unsigned char *const at = larder_alloc(larder, 48);
    at[48] = 0;
    sim_expect_fatal(LARDER_FATAL_RED_ZONE, larder_free(larder, at));
    assert_string_equal(sim_fatal_last.owner, "heap-48");
    assert_int_equal(sim_fatal_last.fatal.offset_bytes, 48);
    at[48] = 0xcc;
    larder_free(larder, at);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(without_magazines),
        CASE(under_debug_f),
        CASE(under_all_debug_options),
        CASE(behind_the_last_object_of_a_slab),
        CASE(sized_free_and_realloc_know_at_once),
        CASE(an_object_twice_into_a_magazine),
        CASE(the_middle_of_an_object_into_a_magazine),
        CASE(what_is_not_the_caches),
        CASE(what_is_not_the_caches_beyond_the_fast_ids),
        CASE(an_object_of_another_instance),
        CASE(another_size),
        CASE(a_cache_of_the_heap_ends_with_it),
        CASE(a_destroyed_cache),
        CASE(a_cache_with_objects_still_out),
        CASE(running_out_with_panic),
        CASE(the_first_and_last_byte_of_red_zones),
        CASE(red_zones_of_a_freed_object),
        CASE(a_freed_object_that_is_written),
        CASE(a_report_says_who_and_when),
        CASE(an_overrun_in_the_heap),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
