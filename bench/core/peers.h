/* What larder is measured against: the limit, and the peers. */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- The limit: a plain per-thread array, pushed and popped behind a call that is not inlined --
 */

/* No allocator that hands out pointers through a function can be faster: there is no check for an
 * empty or a full array. */
enum { LIMIT_OBJECTS = 65536 };
void *limit_get(void);
void limit_put(void *object);

/* Fill the calling thread's array with `count` objects of `stride_bytes` each, out of `memory`. */
void limit_fill(void *memory, size_t stride_bytes, uint32_t count);

/* A set of such arrays, as many as there are caches: for the growth measurements. */
void *limit_get_of(uint32_t array);
void limit_put_of(uint32_t array, void *object);
void limit_arrays(uint32_t count, uint32_t objects_each);

/* ---- DPDK's rte_mempool with its per-lcore cache ------------------------------------------------
 */

/* False iff this program was built without DPDK or its environment cannot start; says why. */
bool dpdk_start(void);

struct dpdk_pool;
struct dpdk_pool *dpdk_pool_create(const char *name, uint32_t objects, uint32_t object_bytes);
void dpdk_pool_destroy(struct dpdk_pool *pool);

/* Make the calling thread known to DPDK, so that it has a cache. */
void dpdk_attach_thread(void);

/* Behind a call, as larder and malloc are. */
void *dpdk_get(struct dpdk_pool *pool);
void dpdk_put(struct dpdk_pool *pool, void *object);

/* As DPDK's own users compile it: the pair inlined in the loop. Nanoseconds for `count` pairs. */
double dpdk_inline_pairs(struct dpdk_pool *pool, uint64_t count);

struct dpdk_ring;
struct dpdk_ring *dpdk_ring_create(const char *name, uint32_t entries);
bool dpdk_ring_push(struct dpdk_ring *ring, void *object);
void *dpdk_ring_pop(struct dpdk_ring *ring);

/* ---- A plain buddy allocator with last-in-first-out free lists ----------------------------------
 */

/* What most kernels' textbooks describe: split from the smallest block that fits, merge on free,
 * take the block that was freed last. Here to show what (d) measures. Frames are numbers. */
struct plain_buddy;
enum { PLAIN_NONE = UINT32_MAX };
struct plain_buddy *plain_buddy_create(uint32_t frames);
void plain_buddy_destroy(struct plain_buddy *buddy);
uint32_t plain_buddy_alloc(struct plain_buddy *buddy, unsigned order);
void plain_buddy_free(struct plain_buddy *buddy, uint32_t frame, unsigned order);

#endif
