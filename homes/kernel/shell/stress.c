/* stress.c: see stress.h.
 *
 * Locks: a mailbox is locked for the exchange of two structures, by CPUs in normal context only;
 * the interrupt hook uses nothing but its own CPU's entry of `ticking`. */
#include "stress.h"

#include "larder/heap.h"

#include <stdatomic.h>

#define WORKER_BLOCKS 128u
#define MAILBOXES 64u
#define TICK_BLOCKS 16u
#define TICK_SIZE_MAX ((size_t)16 << 10)
#define LOOK_UP_EVERY 8u     /* operations between looks at the clock */
#define LEAST_OPERATIONS 16u /* before it ends a CPU: an emulated one may be late */
#define RUN_CPUS_MAX 64u

/* Written by its own CPU only. */
struct worker {
    const struct stress_config *config;
    uint64_t random;
    uint64_t end_us;
    uint64_t operations, exchanged;
    struct block_counts counts;
    struct block block[WORKER_BLOCKS];
};

struct mailbox {
    atomic_flag locked;
    struct block block; /* guarded by locked */
};

/* This CPU's interrupts only, while the hook is set. */
struct ticker {
    uint64_t random;
    uint64_t ticks;
    uint64_t rest_until_us;
    struct block_counts counts;
    struct block block[TICK_BLOCKS];
};

static struct mailbox mailbox[MAILBOXES];
static struct ticker *ticking; /* one for each CPU; constant while the hook is set */
static atomic_bool stopping;

/* ---- Interrupts ------------------------------------------------------------------------------ */

/* Each tick gives back what it took TICK_BLOCKS/4 ticks ago, and takes as much again: objects, heap
 * and frames, so every lock of the core is tried inside whatever this interrupted. It then rests
 * for as long as that took: when memory ends a tick tries reclaim four times, and an emulated CPU
 * could do nothing else. */
static void on_tick(void) {
    static const enum block_kind kind[] = {BLOCK_OBJECT, BLOCK_HEAP, BLOCK_FRAMES, BLOCK_RUN};
    struct ticker *ticker = &ticking[cpu_self()];
    uint64_t begin_us = clock_us();
    if (begin_us < ticker->rest_until_us)
        return;
    for (unsigned i = 0; i < 4; i++) {
        struct block *block = &ticker->block[(ticker->ticks * 4 + i) % TICK_BLOCKS];
        block_give(block, &ticker->counts);
        block_take_kind(block, kind[i], TICK_SIZE_MAX, &ticker->random, &ticker->counts);
    }
    ticker->ticks++;
    uint64_t end_us = clock_us();
    ticker->rest_until_us = end_us + (end_us - begin_us);
}

static bool ticking_begin(uint64_t seed) {
    ticking = larder_calloc(kernel_larder, cpu_count(), sizeof(struct ticker));
    if (ticking == NULL)
        return false;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        ticking[cpu].random = seed + 1000 + cpu;
    tick_hook_set(on_tick);
    return true;
}

static void ticking_end(struct stress_result *result) {
    tick_hook_set(NULL);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        for (unsigned i = 0; i < TICK_BLOCKS; i++)
            block_give(&ticking[cpu].block[i], &ticking[cpu].counts);
        block_counts_add(&result->interrupt, &ticking[cpu].counts);
        result->ticks += ticking[cpu].ticks;
        result->cpus_ticked += ticking[cpu].ticks > 0;
    }
    larder_free(kernel_larder, ticking);
    ticking = NULL;
}

/* ---- Workers --------------------------------------------------------------------------------- */

static void exchange(struct worker *worker, struct block *block) {
    struct mailbox *box = &mailbox[block_random(&worker->random) % MAILBOXES];
    if (atomic_flag_test_and_set_explicit(&box->locked, memory_order_acquire))
        return;
    struct block theirs = box->block;
    box->block = *block;
    *block = theirs;
    atomic_flag_clear_explicit(&box->locked, memory_order_release);
    worker->exchanged++;
}

static void work_once(struct worker *worker) {
    size_t size_max = worker->config->size_max_bytes;
    struct block *block = &worker->block[block_random(&worker->random) % WORKER_BLOCKS];
    uint64_t choice = block_random(&worker->random) % 16;
    if (choice < 4)
        exchange(worker, block);
    if (choice == 4)
        block_resize(block, size_max, &worker->random, &worker->counts);
    else if (block->pointer != NULL)
        block_give(block, &worker->counts);
    else
        block_take(block, size_max, &worker->random, &worker->counts);
    worker->operations++;
}

static bool is_over(struct worker *worker) {
    const struct stress_config *config = worker->config;
    if (config->operations_per_cpu > 0 && worker->operations >= config->operations_per_cpu)
        return true;
    if (worker->operations % LOOK_UP_EVERY != 0)
        return false;
    if (config->limit_us > 0 && worker->operations >= LEAST_OPERATIONS &&
        clock_us() >= worker->end_us)
        return true;
    if (cpu_self() == 0 && config->stop != NULL && config->stop())
        atomic_store(&stopping, true);
    return atomic_load_explicit(&stopping, memory_order_relaxed);
}

static void work(void *arg) {
    struct worker *worker = arg;
    while (!is_over(worker))
        work_once(worker);
    for (unsigned i = 0; i < WORKER_BLOCKS; i++)
        block_give(&worker->block[i], &worker->counts);
}

/* CPU 0 is called last, because its own call runs before cpu_call() returns. */
static void work_everywhere(struct worker *worker, unsigned cpus) {
    for (unsigned cpu = cpus; cpu-- > 0;)
        cpu_call(cpu, work, &worker[cpu]);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        cpu_call_wait(cpu);
}

static void collect(const struct worker *worker, unsigned cpus, struct stress_result *result) {
    result->slowest_cpu_operations = UINT64_MAX;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        block_counts_add(&result->work, &worker[cpu].counts);
        result->operations += worker[cpu].operations;
        result->exchanged += worker[cpu].exchanged;
        if (worker[cpu].operations < result->slowest_cpu_operations)
            result->slowest_cpu_operations = worker[cpu].operations;
    }
    for (unsigned i = 0; i < MAILBOXES; i++)
        block_give(&mailbox[i].block, &result->work);
}

static void run_workers(const struct stress_config *config, struct worker *worker,
                        struct stress_result *result) {
    uint64_t begin_us = clock_us();
    atomic_store(&stopping, false);
    for (unsigned cpu = 0; cpu < config->cpus; cpu++) {
        worker[cpu].config = config;
        worker[cpu].random = config->seed * RUN_CPUS_MAX + cpu + 1;
        worker[cpu].end_us = begin_us + config->limit_us;
    }
    work_everywhere(worker, config->cpus);
    result->elapsed_us = clock_us() - begin_us;
    collect(worker, config->cpus, result);
}

void stress_run(const struct stress_config *config, struct stress_result *result) {
    *result = (struct stress_result){.ran = false};
    struct worker *worker = larder_calloc(kernel_larder, config->cpus, sizeof(struct worker));
    if (worker == NULL)
        return;
    if (!blocks_begin())
        goto free_workers;
    if (config->interrupts && !ticking_begin(config->seed))
        goto end_blocks;
    run_workers(config, worker, result);
    result->ran = true;
    if (config->interrupts)
        ticking_end(result);
end_blocks:
    result->leaked_objects = blocks_end();
free_workers:
    larder_free(kernel_larder, worker);
}

bool stress_passed(const struct stress_result *result) {
    return result->ran && result->work.damaged == 0 && result->interrupt.damaged == 0 &&
           result->leaked_objects == 0 && result->work.taken == result->work.given &&
           result->interrupt.taken == result->interrupt.given;
}
