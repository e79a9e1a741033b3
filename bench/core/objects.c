/* (a) Objects of 64 bytes on one thread: larder's cache and heap against the limit, DPDK, glibc. */
#include "larder/cache.h"
#include "larder/heap.h"

#include "bench.h"
#include "instance.h"
#include "loops.h"
#include "peers.h"

#include <stdlib.h>

enum { OBJECT_BYTES = 64, BATCH_SMALL = 64, BATCH_LARGE = 8192, POOL_OBJECTS = 65535 };

static struct instance *instance;

/* ---- Adapters: inlined into the loops -------------------------------------------------------- */

static void *get_limit(void *state) {
    (void)state;
    return limit_get();
}
static void put_limit(void *state, void *object) {
    (void)state;
    limit_put(object);
}
static void *get_cache(void *cache) {
    return larder_cache_alloc(cache, 0);
}
static void put_cache(void *cache, void *object) {
    larder_cache_free(cache, object);
}
static void *get_heap(void *larder) {
    return larder_alloc(larder, OBJECT_BYTES);
}
static void put_heap(void *larder, void *object) {
    larder_free(larder, object);
}
static void *get_dpdk(void *pool) {
    return dpdk_get(pool);
}
static void put_dpdk(void *pool, void *object) {
    dpdk_put(pool, object);
}
static void *get_glibc(void *state) {
    (void)state;
    return malloc(OBJECT_BYTES);
}
static void put_glibc(void *state, void *object) {
    (void)state;
    free(object);
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

static double pairs_limit(void *state, uint64_t count) {
    return pair_loop(get_limit, put_limit, state, count);
}
static double pairs_cache(void *cache, uint64_t count) {
    return pair_loop(get_cache, put_cache, cache, count);
}
static double pairs_heap(void *larder, uint64_t count) {
    return pair_loop(get_heap, put_heap, larder, count);
}
static double pairs_dpdk(void *pool, uint64_t count) {
    return pair_loop(get_dpdk, put_dpdk, pool, count);
}
static double pairs_dpdk_inline(void *pool, uint64_t count) {
    return dpdk_inline_pairs(pool, count);
}
static double pairs_glibc(void *state, uint64_t count) {
    return pair_loop(get_glibc, put_glibc, state, count);
}

/* ---- Batches --------------------------------------------------------------------------------- */

static double batches_limit(void *batch, uint64_t count) {
    return batch_loop(get_limit, put_limit, batch, count);
}
static double batches_cache(void *batch, uint64_t count) {
    return batch_loop(get_cache, put_cache, batch, count);
}
static double batches_heap(void *batch, uint64_t count) {
    return batch_loop(get_heap, put_heap, batch, count);
}
static double batches_dpdk(void *batch, uint64_t count) {
    return batch_loop(get_dpdk, put_dpdk, batch, count);
}
static double batches_glibc(void *batch, uint64_t count) {
    return batch_loop(get_glibc, put_glibc, batch, count);
}

/* ---- Contests -------------------------------------------------------------------------------- */

static void contest_pairs(struct larder_cache *cache, struct dpdk_pool *pool) {
    const struct contestant contestant[] = {
        {"limit", pairs_limit, NULL},
        {"larder cache", pairs_cache, cache},
        {"larder heap", pairs_heap, instance->larder},
        {"glibc malloc", pairs_glibc, NULL},
        {"rte_mempool", pairs_dpdk, pool},
        {"rte_mempool inlined", pairs_dpdk_inline, pool},
    };
    contest_run(&(struct contest){.id = "object-pair",
                                  .title = "64-byte object: alloc and free in turn, one thread",
                                  .unit = "ns per pair",
                                  .contestant = contestant,
                                  .contestants = pool ? 6 : 4});
}

static void contest_batch(const char *id, const char *title, uint32_t size, uint64_t seed,
                          struct larder_cache *cache, struct dpdk_pool *pool) {
    static uint32_t index[BATCH_LARGE];
    static void *object[BATCH_LARGE];
    struct batch batch[5];
    void *const state[5] = {NULL, cache, instance->larder, NULL, pool};
    permutation(index, size, seed);
    for (unsigned i = 0; i < 5; i++)
        batch[i] = (struct batch){state[i], size, index, object, true};
    const struct contestant contestant[] = {
        {"limit", batches_limit, &batch[0]},      {"larder cache", batches_cache, &batch[1]},
        {"larder heap", batches_heap, &batch[2]}, {"glibc malloc", batches_glibc, &batch[3]},
        {"rte_mempool", batches_dpdk, &batch[4]},
    };
    contest_run(&(struct contest){.id = id,
                                  .title = title,
                                  .unit = "ns per pair",
                                  .step = size,
                                  .contestant = contestant,
                                  .contestants = pool ? 5 : 4});
}

void bench_objects(void) {
    static _Alignas(64) char memory[BATCH_LARGE][OBJECT_BYTES];
    const struct larder_cache_config config = {.name = "bench-64", .size_bytes = OBJECT_BYTES};
    instance = instance_open((size_t)1 << 30, 1);
    instance_enter(instance, 0);
    struct larder_cache *cache = larder_cache_create(instance->larder, &config, NULL);
    if (!cache)
        die("larder_cache_create failed");
    struct dpdk_pool *pool =
        dpdk_start() ? dpdk_pool_create("objects", POOL_OBJECTS, OBJECT_BYTES) : NULL;
    limit_fill(memory, OBJECT_BYTES, BATCH_LARGE);
    contest_pairs(cache, pool);
    contest_batch("object-batch-64", "64 objects of 64 bytes, written to, freed in random order",
                  BATCH_SMALL, 1, cache, pool);
    contest_batch("object-batch-8192",
                  "8192 objects of 64 bytes, written to, freed in random order", BATCH_LARGE, 2,
                  cache, pool);
    if (pool)
        dpdk_pool_destroy(pool);
    instance_close(instance);
}
