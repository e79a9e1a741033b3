/* (b) Frames: orders 0 and 9, one and two threads, pairs, random batches, bulk. */
#include "larder/frames.h"

#include "bench.h"
#include "instance.h"
#include "loops.h"
#include "peers.h"

#include <stdio.h>

enum { THREADS = 2, BATCH_0 = 32768, BATCH_9 = 1024, BULK_MAX = 512 };

static struct instance *instance;

/* What one thread works on. */
struct worker {
    struct batch batch;
    unsigned slot;
    unsigned order;
    uint32_t bulk;
    void *object[BATCH_0];
    uint32_t index[BATCH_0];
};
static struct worker worker[THREADS];

static void *get_0(void *state) {
    (void)state;
    return larder_frames_alloc(instance->larder, 0, 0);
}
static void *get_9(void *state) {
    (void)state;
    return larder_frames_alloc(instance->larder, 9, 0);
}
static void put_frames(void *state, void *frames) {
    (void)state;
    larder_frames_free(instance->larder, frames);
}
static void *get_limit(void *state) {
    (void)state;
    return limit_get();
}
static void put_limit(void *state, void *object) {
    (void)state;
    limit_put(object);
}

/* ---- Loops ----------------------------------------------------------------------------------- */

static double pairs_limit(void *state, uint64_t count) {
    return pair_loop(get_limit, put_limit, state, count);
}
static double pairs_0(void *state, uint64_t count) {
    instance_enter(instance, ((struct worker *)state)->slot);
    return pair_loop(get_0, put_frames, NULL, count);
}
static double pairs_9(void *state, uint64_t count) {
    instance_enter(instance, ((struct worker *)state)->slot);
    return pair_loop(get_9, put_frames, NULL, count);
}
static double batches_limit(void *state, uint64_t count) {
    return batch_loop(get_limit, put_limit, &((struct worker *)state)->batch, count);
}
static double batches_0(void *state, uint64_t count) {
    instance_enter(instance, ((struct worker *)state)->slot);
    return batch_loop(get_0, put_frames, &((struct worker *)state)->batch, count);
}
static double batches_9(void *state, uint64_t count) {
    instance_enter(instance, ((struct worker *)state)->slot);
    return batch_loop(get_9, put_frames, &((struct worker *)state)->batch, count);
}
static double two_pairs_0(void *state, uint64_t count) {
    (void)state;
    return run_both(pairs_0, &worker[0], pairs_0, &worker[1], count);
}
static double two_pairs_9(void *state, uint64_t count) {
    (void)state;
    return run_both(pairs_9, &worker[0], pairs_9, &worker[1], count);
}
static double two_batches_0(void *state, uint64_t count) {
    (void)state;
    return run_both(batches_0, &worker[0], batches_0, &worker[1], count);
}
static double two_batches_9(void *state, uint64_t count) {
    (void)state;
    return run_both(batches_9, &worker[0], batches_9, &worker[1], count);
}

/* Bulk: fill the batch in portions of `bulk`, give it back in portions of another order. */
static double bulks(void *state, uint64_t count) {
    struct worker *w = state;
    void *portion[BULK_MAX];
    const uint32_t size = w->batch.size;
    instance_enter(instance, w->slot);
    const uint64_t start = clock_ns();
    for (uint64_t done = 0; done < count; done += size) {
        for (uint32_t i = 0; i < size; i += w->bulk)
            if (larder_frames_alloc_bulk(instance->larder, w->order, w->bulk, &w->object[i], 0) !=
                w->bulk)
                die("larder_frames_alloc_bulk: out of memory");
        for (uint32_t i = 0; i < size; i += w->bulk) {
            for (uint32_t j = 0; j < w->bulk; j++)
                portion[j] = w->object[w->index[i + j]];
            larder_frames_free_bulk(instance->larder, w->bulk, portion);
        }
    }
    return (double)(clock_ns() - start);
}

/* ---- Contests -------------------------------------------------------------------------------- */

/* A unit is one get or one put, as LLFree counts: half of a pair. The harness divides by counts,
 * so a run says it took half as long. */
#define HALF(name)                                                                                 \
    static double half_##name(void *state, uint64_t count) {                                       \
        return name(state, count) / 2;                                                             \
    }
HALF(pairs_limit)
HALF(pairs_0)
HALF(pairs_9)
HALF(batches_limit)
HALF(batches_0)
HALF(batches_9)
HALF(two_pairs_0)
HALF(two_pairs_9)
HALF(two_batches_0)
HALF(two_batches_9)
HALF(bulks)

static void workers_set(uint32_t size, unsigned order) {
    for (unsigned i = 0; i < THREADS; i++) {
        struct worker *w = &worker[i];
        permutation(w->index, size, 7 + i);
        w->batch = (struct batch){w, size, w->index, w->object, false};
        w->slot = i;
        w->order = order;
    }
}

static void contest(const char *id, const char *title, uint32_t step, run_function limit,
                    run_function one, run_function two) {
    const struct contestant contestant[] = {{"limit", limit, &worker[0]},
                                            {"larder, 1 thread", one, &worker[0]},
                                            {"larder, 2 threads", two, NULL}};
    contest_run(&(struct contest){.id = id,
                                  .title = title,
                                  .unit = "ns per alloc or free",
                                  .step = step,
                                  .contestant = contestant,
                                  .contestants = cpu_count() > 1 ? 3 : 2});
}

static void contest_bulk(const char *id, const char *title, uint32_t size, unsigned order,
                         bool random) {
    enum { SIZES = 10 };
    static struct worker each[SIZES];
    static char name[SIZES][32];
    struct contestant contestant[SIZES];
    workers_set(size, order);
    for (unsigned i = 0; i < SIZES; i++) {
        each[i] = worker[0];
        each[i].bulk = 1u << i;
        if (!random)
            for (uint32_t j = 0; j < size; j++)
                each[i].index[j] = size - 1 - j;
        (void)snprintf(name[i], sizeof name[i], "bulk of %u", each[i].bulk);
        contestant[i] = (struct contestant){name[i], half_bulks, &each[i]};
    }
    contest_run(&(struct contest){.id = id,
                                  .title = title,
                                  .unit = "ns per block and direction",
                                  .step = size,
                                  .contestant = contestant,
                                  .contestants = SIZES});
}

void bench_frames(void) {
    static char memory[BATCH_0];
    instance = instance_open((size_t)8 << 30, THREADS);
    limit_fill(memory, 1, BATCH_0);
    workers_set(BATCH_0, 0);
    contest("frame-0-pair", "frame (order 0): alloc and free in turn", 1, half_pairs_limit,
            half_pairs_0, half_two_pairs_0);
    contest("frame-0-batch", "32768 frames, freed in random order", BATCH_0, half_batches_limit,
            half_batches_0, half_two_batches_0);
    workers_set(BATCH_9, 9);
    contest("frame-9-pair", "2 MiB block (order 9): alloc and free in turn", 1, half_pairs_limit,
            half_pairs_9, half_two_pairs_9);
    contest("frame-9-batch", "1024 blocks of 2 MiB, freed in random order", BATCH_9,
            half_batches_limit, half_batches_9, half_two_batches_9);
    contest_bulk("frame-0-bulk-lifo", "frames in bulk, last in first out", BATCH_0, 0, false);
    contest_bulk("frame-0-bulk-random", "frames in bulk, freed in random order", BATCH_0, 0, true);
    contest_bulk("frame-9-bulk-random", "2 MiB blocks in bulk, freed in random order", BATCH_9, 9,
                 true);
    instance_close(instance);
}
