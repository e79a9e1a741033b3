/* DPDK's mempool and ring as peers, without huge pages, devices or files. The only file compiled
 * with DPDK's headers; without them it is the lower half.
 */
#include "peers.h"

#include "bench.h"

#ifdef BENCH_DPDK

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_ring.h>

/* The same struct by two names: bench files need not see DPDK's. */
static struct rte_mempool *real_pool(struct dpdk_pool *pool) {
    return (struct rte_mempool *)(void *)pool;
}
static struct rte_ring *real_ring(struct dpdk_ring *ring) {
    return (struct rte_ring *)(void *)ring;
}

static bool start(void) {
    char *arguments[] = {"bench", "--no-huge",   "--no-pci",       "--no-shconf",
                         "-m",    "1024",        "--no-telemetry", "-l",
                         "0",     "--log-level", "lib.eal:2",      NULL};
    const int count = sizeof arguments / sizeof arguments[0] - 1;
    if (rte_eal_init(count, arguments) < 0) {
        note("DPDK's environment does not start here (%s): its rows are missing",
             rte_strerror(rte_errno));
        return false;
    }
    pin_to_cpu(0); /* it has chosen a CPU by number */
    return true;
}

bool dpdk_start(void) {
    static enum { UNTRIED, RUNNING, IMPOSSIBLE } state;
    if (state == UNTRIED)
        state = start() ? RUNNING : IMPOSSIBLE;
    return state == RUNNING;
}

struct dpdk_pool *dpdk_pool_create(const char *name, uint32_t objects, uint32_t object_bytes) {
    struct rte_mempool *pool =
        rte_mempool_create(name, objects, object_bytes, RTE_MEMPOOL_CACHE_MAX_SIZE, 0, NULL, NULL,
                           NULL, NULL, SOCKET_ID_ANY, 0);
    if (!pool)
        die("rte_mempool_create(%s): %s", name, rte_strerror(rte_errno));
    return (struct dpdk_pool *)(void *)pool;
}

void dpdk_pool_destroy(struct dpdk_pool *pool) {
    rte_mempool_free(real_pool(pool));
}

void dpdk_attach_thread(void) {
    if (rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() != 0)
        die("rte_thread_register: %s", rte_strerror(rte_errno));
}

void *dpdk_get(struct dpdk_pool *pool) {
    void *object = NULL;
    return rte_mempool_get(real_pool(pool), &object) == 0 ? object : NULL;
}

void dpdk_put(struct dpdk_pool *pool, void *object) {
    rte_mempool_put(real_pool(pool), object);
}

double dpdk_inline_pairs(struct dpdk_pool *pool, uint64_t count) {
    struct rte_mempool *real = real_pool(pool);
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < count; i++) {
        void *object = NULL;
        if (rte_mempool_get(real, &object) != 0)
            die("rte_mempool_get: empty");
        keep(object);
        rte_mempool_put(real, object);
    }
    return (double)(clock_ns() - start);
}

struct dpdk_ring *dpdk_ring_create(const char *name, uint32_t entries) {
    struct rte_ring *ring =
        rte_ring_create(name, entries, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (!ring)
        die("rte_ring_create: %s", rte_strerror(rte_errno));
    return (struct dpdk_ring *)(void *)ring;
}

bool dpdk_ring_push(struct dpdk_ring *ring, void *object) {
    return rte_ring_enqueue(real_ring(ring), object) == 0;
}

void *dpdk_ring_pop(struct dpdk_ring *ring) {
    void *object = NULL;
    return rte_ring_dequeue(real_ring(ring), &object) == 0 ? object : NULL;
}

#else

bool dpdk_start(void) {
    note("built without DPDK: its rows are missing");
    return false;
}

struct dpdk_pool *dpdk_pool_create(const char *name, uint32_t objects, uint32_t object_bytes) {
    (void)objects;
    (void)object_bytes;
    die("%s: built without DPDK", name);
}

void dpdk_pool_destroy(struct dpdk_pool *pool) {
    (void)pool;
}

void dpdk_attach_thread(void) {
}

void *dpdk_get(struct dpdk_pool *pool) {
    (void)pool;
    return NULL;
}

void dpdk_put(struct dpdk_pool *pool, void *object) {
    (void)pool;
    (void)object;
}

double dpdk_inline_pairs(struct dpdk_pool *pool, uint64_t count) {
    (void)pool;
    return (double)count;
}

struct dpdk_ring *dpdk_ring_create(const char *name, uint32_t entries) {
    (void)entries;
    die("%s: built without DPDK", name);
}

bool dpdk_ring_push(struct dpdk_ring *ring, void *object) {
    (void)ring;
    (void)object;
    return false;
}

void *dpdk_ring_pop(struct dpdk_ring *ring) {
    (void)ring;
    return NULL;
}

#endif
