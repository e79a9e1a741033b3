/* (c) Producer and consumer: one thread allocates, another frees, a ring between them.
 *
 * The ring is ours and the same for everyone, except for the row that uses DPDK's own ring. The
 * producer publishes and the consumer acknowledges in groups, so that the ring costs little beside
 * what is measured; "ring only" is what it costs.
 */
#include "larder/cache.h"
#include "larder/frames.h"

#include "bench.h"
#include "instance.h"
#include "loops.h"
#include "peers.h"

#include <sched.h>
#include <stdlib.h>

enum { OBJECT_BYTES = 64, ENTRIES = 1024, GROUP = 32, POOL_OBJECTS = 65535, SPINS = 2000 };

/* Single producer, single consumer; each end on cache lines of its own. */
struct ring {
    _Alignas(128) uint64_t pushed; /* atomic: release by the producer */
    _Alignas(128) uint64_t popped; /* atomic: release by the consumer */
    _Alignas(128) void *entry[ENTRIES];
};
static struct ring ring;
static struct instance *instance;
static struct larder_cache *cache;
static struct dpdk_pool *object_pool, *frame_pool;
static struct dpdk_ring *dpdk_ring;

/* Wait until *counter reaches `value`. The other thread may have lost its CPU: let it have ours. */
static void wait_for(const uint64_t *counter, uint64_t value) {
    for (unsigned spins = 1; __atomic_load_n(counter, __ATOMIC_ACQUIRE) < value; spins++) {
        larder_port_relax();
        if (spins % SPINS == 0)
            (void)sched_yield();
    }
}

TEMPLATE double produce(get_function get, void *state, uint64_t count) {
    const uint64_t first = ring.pushed, start = clock_ns();
    for (uint64_t i = first; i < first + count; i += GROUP) {
        if (i + GROUP > ENTRIES)
            wait_for(&ring.popped, i + GROUP - ENTRIES);
        for (uint64_t j = i; j < i + GROUP; j++) {
            void *object = checked(get(state));
            *(volatile uint64_t *)object = j;
            ring.entry[j % ENTRIES] = object;
        }
        __atomic_store_n(&ring.pushed, i + GROUP, __ATOMIC_RELEASE);
    }
    return (double)(clock_ns() - start);
}

TEMPLATE double consume(put_function put, void *state, uint64_t count) {
    const uint64_t first = ring.popped, start = clock_ns();
    for (uint64_t i = first; i < first + count; i += GROUP) {
        wait_for(&ring.pushed, i + GROUP);
        for (uint64_t j = i; j < i + GROUP; j++) {
            void *object = ring.entry[j % ENTRIES];
            if (*(volatile uint64_t *)object != j)
                die("an object changed on its way");
            put(state, object);
        }
        __atomic_store_n(&ring.popped, i + GROUP, __ATOMIC_RELEASE);
    }
    return (double)(clock_ns() - start);
}

/* ---- Contestants: a producer, a consumer, and both ------------------------------------------- */

static char memory[2 * ENTRIES][OBJECT_BYTES];
static void *get_same(void *next) {
    uint64_t *n = next;
    return memory[(*n)++ % (sizeof memory / sizeof memory[0])];
}
static void put_same(void *state, void *object) {
    (void)state;
    keep(object);
}
static void *get_cache(void *state) {
    (void)state;
    return larder_cache_alloc(cache, 0);
}
static void put_cache(void *state, void *object) {
    (void)state;
    larder_cache_free(cache, object);
}
static void *get_frame(void *state) {
    (void)state;
    return larder_frames_alloc(instance->larder, 0, 0);
}
static void put_frame(void *state, void *frame) {
    (void)state;
    larder_frames_free(instance->larder, frame);
}
static void *get_glibc(void *state) {
    (void)state;
    return malloc(OBJECT_BYTES);
}
static void *get_glibc_page(void *state) {
    (void)state;
    return aligned_alloc(4096, 4096);
}
static void put_glibc(void *state, void *object) {
    (void)state;
    free(object);
}
static void *get_dpdk(void *state) {
    return dpdk_get(*(struct dpdk_pool **)state);
}
static void put_dpdk(void *state, void *object) {
    dpdk_put(*(struct dpdk_pool **)state, object);
}

static double left_same(void *state, uint64_t count) {
    uint64_t next = 0;
    (void)state;
    return produce(get_same, &next, count);
}
static double right_same(void *state, uint64_t count) {
    return consume(put_same, state, count);
}
static double left_cache(void *state, uint64_t count) {
    instance_enter(instance, 0);
    return produce(get_cache, state, count);
}
static double right_cache(void *state, uint64_t count) {
    instance_enter(instance, 1);
    return consume(put_cache, state, count);
}
static double left_frame(void *state, uint64_t count) {
    instance_enter(instance, 0);
    return produce(get_frame, state, count);
}
static double right_frame(void *state, uint64_t count) {
    instance_enter(instance, 1);
    return consume(put_frame, state, count);
}
static double left_glibc(void *state, uint64_t count) {
    return produce(get_glibc, state, count);
}
static double left_glibc_page(void *state, uint64_t count) {
    return produce(get_glibc_page, state, count);
}
static double right_glibc(void *state, uint64_t count) {
    return consume(put_glibc, state, count);
}
static double left_dpdk(void *pool, uint64_t count) {
    dpdk_attach_thread();
    return produce(get_dpdk, pool, count);
}
static double right_dpdk(void *pool, uint64_t count) {
    dpdk_attach_thread();
    return consume(put_dpdk, pool, count);
}

/* DPDK's own ring, object by object, as its users write it. */
static double left_dpdk_ring(void *pool, uint64_t count) {
    dpdk_attach_thread();
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        void *object = checked(get_dpdk(pool));
        *(volatile uint64_t *)object = i;
        while (!dpdk_ring_push(dpdk_ring, object))
            larder_port_relax();
    }
    return (double)(clock_ns() - start);
}
static double right_dpdk_ring(void *pool, uint64_t count) {
    dpdk_attach_thread();
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        void *object;
        while (!(object = dpdk_ring_pop(dpdk_ring)))
            larder_port_relax();
        put_dpdk(pool, object);
    }
    return (double)(clock_ns() - start);
}

struct pipe {
    run_function left, right;
    void *state;
};
static double run_pipe(void *pipe, uint64_t count) {
    const struct pipe *p = pipe;
    return run_both(p->left, p->state, p->right, p->state, count);
}

/* ---- Contests -------------------------------------------------------------------------------- */

static void contest(const char *id, const char *title, const struct contestant *contestant,
                    unsigned contestants) {
    contest_run(&(struct contest){.id = id,
                                  .title = title,
                                  .unit = "ns per object",
                                  .step = GROUP,
                                  .contestant = contestant,
                                  .contestants = contestants});
}

static void contests(void) {
    static struct pipe same = {left_same, right_same, NULL};
    static struct pipe with_cache = {left_cache, right_cache, NULL};
    static struct pipe with_frame = {left_frame, right_frame, NULL};
    static struct pipe with_glibc = {left_glibc, right_glibc, NULL};
    static struct pipe with_pages = {left_glibc_page, right_glibc, NULL};
    static struct pipe with_objects = {left_dpdk, right_dpdk, &object_pool};
    static struct pipe with_blocks = {left_dpdk, right_dpdk, &frame_pool};
    static struct pipe with_ring = {left_dpdk_ring, right_dpdk_ring, &object_pool};
    const struct contestant objects[] = {
        {"ring only", run_pipe, &same},
        {"larder cache", run_pipe, &with_cache},
        {"glibc malloc", run_pipe, &with_glibc},
        {"rte_mempool", run_pipe, &with_objects},
        {"rte_mempool + rte_ring", run_pipe, &with_ring},
    };
    const struct contestant frames[] = {
        {"ring only", run_pipe, &same},
        {"larder frames", run_pipe, &with_frame},
        {"glibc aligned_alloc", run_pipe, &with_pages},
        {"rte_mempool of 4 KiB", run_pipe, &with_blocks},
    };
    contest("pipe-object", "64-byte objects: one thread allocates, another frees", objects,
            object_pool ? 5 : 3);
    contest("pipe-frame", "frames: one thread allocates, another frees", frames,
            frame_pool ? 4 : 3);
}

void bench_pipe(void) {
    const struct larder_cache_config config = {.name = "bench-64", .size_bytes = OBJECT_BYTES};
    if (cpu_count() < 2) {
        note("one CPU: producer and consumer are not measured");
        return;
    }
    instance = instance_open((size_t)1 << 30, 2);
    cache = larder_cache_create(instance->larder, &config, NULL);
    if (!cache)
        die("larder_cache_create failed");
    if (dpdk_start()) {
        object_pool = dpdk_pool_create("pipe-objects", POOL_OBJECTS, OBJECT_BYTES);
        frame_pool = dpdk_pool_create("pipe-frames", POOL_OBJECTS, 4096);
        dpdk_ring = dpdk_ring_create("pipe-ring", ENTRIES);
    }
    contests();
    instance_close(instance);
}
