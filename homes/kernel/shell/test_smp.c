/* test_smp.c: in-kernel tests with several CPUs and with interrupts. On a machine with one CPU they
 * run on that one. */
#include "kerneltest.h"
#include "stress.h"

#include "lib/log_ring.h"

#include "larder/frames.h"
#include "larder/heap.h"

#include <stdatomic.h>

#define MIB ((uint64_t)1 << 20)

/* ---- cpu_call() ------------------------------------------------------------------------------ */

struct call {
    unsigned cpu, self, calls;
};

static void on_cpu(void *arg) {
    struct call *call = arg;
    call->self = cpu_self();
    call->calls++;
}

static void calls(void) {
    struct call call[64];
    unsigned cpus = cpu_count();
    kerneltest_note("%u CPUs", cpus);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        call[cpu] = (struct call){.cpu = cpu};
        for (unsigned i = 0; i < 100; i++)
            cpu_call(cpu, on_cpu, &call[cpu]);
    }
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        cpu_call_wait(cpu);
        EXPECT_EQUAL(call[cpu].self, cpu);
        EXPECT_EQUAL(call[cpu].calls, 100);
    }
}

/* ---- The log --------------------------------------------------------------------------------- */

#define LOGGED 80u /* lines of all CPUs; ticks add some: fewer than are kept */
#define LOG_TEST "log test "

static void log_some(void *arg) {
    const unsigned *lines = arg;
    for (unsigned i = 0; i < *lines; i++)
        log_line(LOG_DEBUG, LOG_TEST "%u %u", cpu_self(), i);
}

static atomic_uint log_ticks;

static void log_tick(void) {
    if (atomic_fetch_add(&log_ticks, 1) < LOGGED / 4)
        log_line(LOG_DEBUG, "log test: a tick on CPU %u", cpu_self());
}

/* Nothing of a line is another CPU's, each CPU's lines are in order, and time only goes on.
 * Without log_lock, now and then it does not. */
static unsigned read_back(uint64_t number) {
    unsigned next[LARDER_SLOTS_MAX] = {0}, count = 0;
    uint64_t us = 0;
    struct log_entry entry;
    while (log_read(&number, &entry)) {
        char *end;
        EXPECT(entry.us >= us);
        us = entry.us;
        if (strncmp(entry.text, LOG_TEST, sizeof LOG_TEST - 1) != 0)
            continue;
        EXPECT_EQUAL(strtoul(entry.text + sizeof LOG_TEST - 1, &end, 10), entry.cpu);
        EXPECT_EQUAL(strtoul(end + 1, &end, 10), next[entry.cpu]++);
        count++;
    }
    return count;
}

static void log_of_all(void) {
    unsigned lines = LOGGED / cpu_count();
    struct log_entry entry;
    uint64_t number = 0;
    while (log_read(&number, &entry)) {
    }
    atomic_store(&log_ticks, 0);
    tick_hook_set(log_tick);
    for (unsigned cpu = cpu_count(); cpu-- > 0;)
        cpu_call(cpu, log_some, &lines);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        cpu_call_wait(cpu);
    while (atomic_load(&log_ticks) == 0)
        cpu_wait_for_interrupt();
    tick_hook_set(NULL);
    EXPECT_EQUAL(read_back(number), lines * cpu_count());
}

/* ---- One allocates, another frees -------------------------------------------------------------
 */

#define HANDED 512u
#define ROUNDS 40u

struct handed {
    struct larder_cache *cache;
    void *object[HANDED];
    unsigned failed;
};

static void produce(void *arg) {
    struct handed *handed = arg;
    for (unsigned i = 0; i < HANDED; i++) {
        handed->object[i] = larder_cache_alloc(handed->cache, 0);
        handed->failed += handed->object[i] == NULL;
        if (handed->object[i] != NULL)
            *(unsigned *)handed->object[i] = i;
    }
}

static void consume(void *arg) {
    struct handed *handed = arg;
    for (unsigned i = 0; i < HANDED; i++) {
        if (handed->object[i] == NULL)
            continue;
        handed->failed += *(unsigned *)handed->object[i] != i;
        larder_cache_free(handed->cache, handed->object[i]);
    }
}

/* Objects travel from CPU to CPU; their number in slabs must not grow from round to round (trap
 * 28). */
static void hand_over(void) {
    static struct handed handed;
    struct larder_cache_config config = {.name = "test-handed", .size_bytes = 256};
    struct larder_cache_stats stats;
    handed = (struct handed){.cache = larder_cache_create(kernel_larder, &config, NULL)};
    unsigned last = cpu_count() - 1;
    if (!EXPECT(handed.cache != NULL))
        return;
    for (unsigned round = 0; round < ROUNDS; round++) {
        cpu_call(0, produce, &handed);
        cpu_call(last, consume, &handed);
        cpu_call_wait(last);
    }
    EXPECT_EQUAL(handed.failed, 0);
    larder_cache_stats(handed.cache, &stats);
    kerneltest_note("%lu objects in slabs after handing over %u", stats.taken, HANDED * ROUNDS);
    EXPECT(stats.taken_max <= HANDED * 4);
    EXPECT_EQUAL(stats.live, 0);
    EXPECT_EQUAL(larder_cache_destroy(handed.cache, NULL, NULL), 0);
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static atomic_uint seen[64];
static atomic_bool wrong_context;

static void count_tick(void) {
    void *memory = larder_alloc(kernel_larder, 64 + cpu_self());
    if (memory == NULL)
        atomic_store(&wrong_context, true);
    else
        memset(memory, 0x11, 64);
    larder_free(kernel_larder, memory);
    atomic_fetch_add(&seen[cpu_self()], 1);
}

/* Every CPU is interrupted while CPU 0 allocates without a pause, and the interrupt allocates. */
static void interrupts(void) {
    uint64_t rounds = 0, until_us = clock_us() + 500000;
    memset(seen, 0, sizeof(seen));
    atomic_store(&wrong_context, false);
    tick_hook_set(count_tick);
    while (clock_us() < until_us) {
        void *memory = larder_alloc(kernel_larder, 64 + rounds++ % 1000);
        EXPECT(memory != NULL);
        larder_free(kernel_larder, memory);
    }
    tick_hook_set(NULL);
    kerneltest_note("%lu allocations and %u ticks on CPU 0", rounds, atomic_load(&seen[0]));
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        EXPECT(atomic_load(&seen[cpu]) >= 5);
    EXPECT(!atomic_load(&wrong_context));
    unsigned after = atomic_load(&seen[0]);
    while (clock_us() < until_us + 100000)
        continue;
    EXPECT_EQUAL(atomic_load(&seen[0]), after);
}

/* ---- Stress ---------------------------------------------------------------------------------- */

static void run(const struct stress_config *config, struct stress_result *result) {
    stress_run(config, result);
    kerneltest_note("%lu operations, %lu taken, %lu refused, %lu changed hands, %lu damaged",
                    result->operations, result->work.taken, result->work.refused, result->exchanged,
                    result->work.damaged);
    kerneltest_note("%lu ticks on %u CPUs, %lu taken, %lu refused, %lu damaged", result->ticks,
                    result->cpus_ticked, result->interrupt.taken, result->interrupt.refused,
                    result->interrupt.damaged);
    EXPECT(stress_passed(result));
    EXPECT(result->slowest_cpu_operations > 0);
}

static void stress(void) {
    struct stress_result result;
    struct stress_config config = {.cpus = cpu_count(),
                                   .limit_us = 3000000,
                                   .size_max_bytes = 256 << 10,
                                   .interrupts = true,
                                   .seed = 1};
    run(&config, &result);
    EXPECT_EQUAL(result.cpus_ticked, cpu_count());
    EXPECT(result.interrupt.taken > 100);
    EXPECT(result.exchanged > 100);
    EXPECT_EQUAL(result.work.refused, 0);
}

static void stress_small(void) {
    struct stress_result result;
    struct stress_config config = {.cpus = cpu_count(),
                                   .limit_us = 1500000,
                                   .size_max_bytes = LARDER_FRAME_BYTES,
                                   .interrupts = true,
                                   .seed = 2};
    run(&config, &result);
}

static void stress_large(void) {
    struct stress_result result;
    struct stress_config config = {.cpus = cpu_count(),
                                   .limit_us = 1500000,
                                   .size_max_bytes = 4 << 20,
                                   .interrupts = true,
                                   .seed = 3};
    run(&config, &result);
}

/* ---- Stress with hardly any memory ------------------------------------------------------------
 */

struct taken {
    struct taken *next;
};

#define LEFT_BYTES (6 * MIB)

static uint64_t free_bytes(void) {
    struct larder_frames_stats stats;
    larder_frames_stats(kernel_larder, &stats);
    return (stats.free + stats.in_bins) * LARDER_FRAME_BYTES;
}

/* Allocation fails again and again, on every CPU and in interrupts; nothing may be lost by it. */
static void stress_exhausted(void) {
    struct taken *list = NULL, *block;
    struct stress_result result;
    struct stress_config config = {.cpus = cpu_count(),
                                   .limit_us = 3000000,
                                   .size_max_bytes = 512 << 10,
                                   .interrupts = true,
                                   .seed = 4};
    for (unsigned order = LARDER_ORDER_MAX + 1; order-- > 0;) {
        while (free_bytes() > LEFT_BYTES + (LARDER_FRAME_BYTES << order) &&
               (block = larder_frames_alloc(kernel_larder, order, 0)) != NULL) {
            block->next = list;
            list = block;
        }
    }
    kerneltest_note("%lu KiB are left", free_bytes() >> 10);
    run(&config, &result);
    EXPECT(result.work.refused > 0);
    while (list != NULL) {
        block = list;
        list = block->next;
        larder_frames_free(kernel_larder, block);
    }
}

const struct kerneltest smp_tests[] = {
    {"cpu-calls", calls},
    {"log", log_of_all},
    {"hand-over", hand_over},
    {"interrupts-allocate", interrupts},
    {"stress", stress},
    {"stress-small", stress_small},
    {"stress-large", stress_large},
    {"stress-exhausted", stress_exhausted},
    {NULL, NULL},
};
