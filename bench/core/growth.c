/* (e) Growth: the same operation on more memory, with more slots, with more caches. A flat line is
 * the goal. (f) What start-up costs.
 *
 * One CPU cannot be 256, so one thread works as slot 0, 1, 2 … in turns of TURN operations: long
 * enough that what is measured is the allocator's work and not the reloading of a first-level cache
 * that 256 real CPUs would each have for themselves. Caches take turns alike; the limit's arrays
 * beside them show what such turns cost an allocator that does nothing.
 */
#include "larder/cache.h"
#include "larder/frames.h"

#include "bench.h"
#include "instance.h"
#include "loops.h"
#include "peers.h"

#include <stdio.h>

enum { TURN = 256, SIZES = 6, BATCH = 8192, NAME_BYTES = 32 };
static const size_t GIB = (size_t)1 << 30;

/* ---- Memory: 1 GiB to 1 TiB ------------------------------------------------------------------ */

static void *get_frame(void *larder) {
    return larder_frames_alloc(larder, 0, 0);
}
static void *get_block(void *larder) {
    return larder_frames_alloc(larder, 9, 0);
}
static void put_frames(void *larder, void *frames) {
    larder_frames_free(larder, frames);
}
static double pairs_frame(void *state, uint64_t count) {
    const struct instance *instance = state;
    instance_enter(instance, 0);
    return pair_loop(get_frame, put_frames, instance->larder, count);
}
static double pairs_block(void *state, uint64_t count) {
    const struct instance *instance = state;
    instance_enter(instance, 0);
    return pair_loop(get_block, put_frames, instance->larder, count);
}
static double batches_frame(void *state, uint64_t count) {
    static uint32_t index[BATCH];
    static void *object[BATCH];
    const struct instance *instance = state;
    const struct batch batch = {instance->larder, BATCH, index, object, false};
    if (index[0] == index[1])
        permutation(index, BATCH, 3);
    instance_enter(instance, 0);
    return batch_loop(get_frame, put_frames, &batch, count);
}

static void contest_sizes(const char *id, const char *title, run_function run, uint64_t step,
                          struct instance *const *instance, char (*name)[NAME_BYTES],
                          unsigned count) {
    struct contestant contestant[SIZES];
    for (unsigned i = 0; i < count; i++)
        contestant[i] = (struct contestant){name[i], run, instance[i]};
    contest_run(&(struct contest){.id = id,
                                  .title = title,
                                  .unit = "ns per pair",
                                  .step = step,
                                  .contestant = contestant,
                                  .contestants = count});
}

static void growth_memory(void) {
    static const unsigned gib[SIZES] = {1, 4, 16, 64, 256, 1024};
    static char name[SIZES][NAME_BYTES];
    struct instance *instance[SIZES];
    for (unsigned i = 0; i < SIZES; i++) {
        instance[i] = instance_open(gib[i] * GIB, 1);
        (void)snprintf(name[i], sizeof name[i], "%u GiB", gib[i]);
    }
    contest_sizes("growth-memory-pair", "more memory: a frame, alloc and free in turn", pairs_frame,
                  1, instance, name, SIZES);
    contest_sizes("growth-memory-block", "more memory: a 2 MiB block, alloc and free in turn",
                  pairs_block, 1, instance, name, SIZES);
    contest_sizes("growth-memory-batch", "more memory: 8192 frames, freed in random order",
                  batches_frame, BATCH, instance, name, SIZES);
    for (unsigned i = 0; i < SIZES; i++)
        instance_close(instance[i]);
}

/* ---- Slots: 1 to 256 ------------------------------------------------------------------------- */

struct rotation {
    const struct instance *instance;
    struct larder_cache **cache; /* caches in rotation */
    unsigned count;              /* of slots, of caches or of arrays */
};

/* One turn: TURN pairs on one cache by the current slot. */
TEMPLATE void turn(get_function get, put_function put, void *state) {
    for (unsigned i = 0; i < TURN; i++) {
        void *object = checked(get(state));
        keep(object);
        put(state, object);
    }
}

static void *get_cache(void *cache) {
    return larder_cache_alloc(cache, 0);
}
static void put_cache(void *cache, void *object) {
    larder_cache_free(cache, object);
}
static void *get_array(void *array) {
    return limit_get_of(*(uint32_t *)array);
}
static void put_array(void *array, void *object) {
    limit_put_of(*(uint32_t *)array, object);
}

static double rotate_slots(void *state, uint64_t count) {
    const struct rotation *r = state;
    unsigned slot = 0;
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i += TURN) {
        instance_enter(r->instance, slot);
        turn(get_cache, put_cache, r->cache[0]);
        slot = slot + 1 < r->count ? slot + 1 : 0;
    }
    return (double)(clock_ns() - start);
}

static double rotate_slots_frames(void *state, uint64_t count) {
    const struct rotation *r = state;
    unsigned slot = 0;
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i += TURN) {
        instance_enter(r->instance, slot);
        turn(get_frame, put_frames, r->instance->larder);
        slot = slot + 1 < r->count ? slot + 1 : 0;
    }
    return (double)(clock_ns() - start);
}

static double rotate_caches(void *state, uint64_t count) {
    const struct rotation *r = state;
    unsigned cache = 0;
    instance_enter(r->instance, 0);
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i += TURN) {
        turn(get_cache, put_cache, r->cache[cache]);
        cache = cache + 1 < r->count ? cache + 1 : 0;
    }
    return (double)(clock_ns() - start);
}

/* Each operation on another cache: what a first-level cache of the CPU does not hold shows here. */
static double scatter_caches(void *state, uint64_t count) {
    const struct rotation *r = state;
    struct chance chance = {.state = 11};
    instance_enter(r->instance, 0);
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        struct larder_cache *cache = r->cache[chance_below(&chance, r->count)];
        void *object = checked(larder_cache_alloc(cache, 0));
        keep(object);
        larder_cache_free(cache, object);
    }
    return (double)(clock_ns() - start);
}

static double scatter_arrays(void *state, uint64_t count) {
    const struct rotation *r = state;
    struct chance chance = {.state = 11};
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        uint32_t array = chance_below(&chance, r->count);
        void *object = checked(get_array(&array));
        keep(object);
        put_array(&array, object);
    }
    return (double)(clock_ns() - start);
}

static void contest_rotations(const char *id, const char *title, run_function run, uint64_t step,
                              struct rotation *rotation, char (*name)[NAME_BYTES], unsigned count) {
    struct contestant contestant[SIZES];
    for (unsigned i = 0; i < count; i++)
        contestant[i] = (struct contestant){name[i], run, &rotation[i]};
    contest_run(&(struct contest){.id = id,
                                  .title = title,
                                  .unit = "ns per pair",
                                  .step = step,
                                  .contestant = contestant,
                                  .contestants = count});
}

static struct larder_cache *cache_create(struct larder *larder, unsigned number) {
    char name[NAME_BYTES];
    enum larder_status status = LARDER_OK;
    (void)snprintf(name, sizeof name, "growth-%u", number);
    const struct larder_cache_config config = {.name = name, .size_bytes = 64};
    struct larder_cache *cache = larder_cache_create(larder, &config, &status);
    if (!cache)
        die("larder_cache_create(%s): %s", name, larder_status_text(status));
    return cache;
}

static void growth_slots(void) {
    enum { COUNTS = 5 };
    static const unsigned slots[COUNTS] = {1, 4, 16, 64, 256};
    static char name[COUNTS][NAME_BYTES];
    struct rotation rotation[COUNTS];
    struct instance *instance = instance_open(4 * GIB, 256);
    struct larder_cache *cache = cache_create(instance->larder, 0);
    for (unsigned i = 0; i < COUNTS; i++) {
        rotation[i] = (struct rotation){instance, &cache, slots[i]};
        (void)snprintf(name[i], sizeof name[i], "%u slot%s", slots[i], slots[i] > 1 ? "s" : "");
    }
    contest_rotations("growth-slots-object", "more slots in turns: a 64-byte object", rotate_slots,
                      TURN, rotation, name, COUNTS);
    contest_rotations("growth-slots-frame", "more slots in turns: a frame", rotate_slots_frames,
                      TURN, rotation, name, COUNTS);
    instance_close(instance);
}

static void growth_caches(void) {
    enum { COUNTS = 5, CACHES = 4096 };
    static const unsigned caches[COUNTS] = {10, 100, 500, 1000, CACHES};
    static struct larder_cache *cache[CACHES];
    static char name[COUNTS][NAME_BYTES];
    struct rotation rotation[COUNTS];
    struct instance *instance = instance_open(4 * GIB, 1);
    instance_enter(instance, 0);
    for (unsigned i = 0; i < CACHES; i++)
        cache[i] = cache_create(instance->larder, i);
    for (unsigned i = 0; i < COUNTS; i++) {
        rotation[i] = (struct rotation){instance, cache, caches[i]};
        (void)snprintf(name[i], sizeof name[i], "%u caches", caches[i]);
    }
    contest_rotations("growth-caches-turns", "more caches in turns: a 64-byte object",
                      rotate_caches, TURN, rotation, name, COUNTS);
    contest_rotations("growth-caches-scatter", "more caches, a random one each time",
                      scatter_caches, 1, rotation, name, COUNTS);
    limit_arrays(CACHES, 8);
    contest_rotations("growth-arrays-scatter", "as many plain arrays, a random one each time",
                      scatter_arrays, 1, rotation, name, COUNTS);
    limit_arrays(0, 0);
    instance_close(instance);
}

void bench_growth(void) {
    growth_memory();
    growth_slots();
    growth_caches();
}

/* ---- Start-up -------------------------------------------------------------------------------- */

static long resident_kib(void) {
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2)
        die("cannot read /proc/self/statm");
    (void)fclose(file);
    return resident * (long)(larder_port_page_bytes() / 1024);
}

void bench_startup(void) {
    static const unsigned gib[] = {1, 8, 64, 1024};
    char name[NAME_BYTES];
    say("%-24s", "startup");
    for (unsigned round = 0; round < round_count(); round++) {
        for (unsigned i = 0; i < sizeof gib / sizeof gib[0]; i++) {
            const long before = resident_kib();
            const uint64_t start = clock_ns();
            struct instance *instance = instance_open(gib[i] * GIB, 1);
            const double us = (double)(clock_ns() - start) / 1000;
            (void)snprintf(name, sizeof name, "%u GiB", gib[i]);
            record("startup-us", "start-up: larder_init and one slot", "µs", name, us);
            record("startup-us-per-gib", "start-up, per GiB of memory", "µs per GiB", name,
                   us / gib[i]);
            record("startup-kib", "resident memory after start-up", "KiB", name,
                   (double)(resident_kib() - before));
            instance_close(instance);
        }
        say(".");
    }
    say("\n");
}
