/* (d) Fragmentation under churn, after Wrenger et al. (LLFree, USENIX ATC 2023): fill the memory
 * to 90 % with single frames, free at random down to 50 %, then free one random frame and allocate
 * one, ten million times. How many whole 2 MiB blocks are free, of those that could be?
 */
#include "larder/frames.h"
#include "larder/stats.h"

#include "bench.h"
#include "instance.h"
#include "peers.h"

#include <stdlib.h>

enum { GIB_COUNT = 8, HUGE_ORDER = 9 };
static const size_t MEMORY_BYTES = (size_t)GIB_COUNT << 30;

/* One allocator under test. Frames are whatever it calls them. */
struct subject {
    const char *name;
    void (*open)(void);
    void (*close)(void);
    uint32_t (*get)(void);
    void (*put)(uint32_t frame);
    uint64_t (*huge_free)(void); /* whole 2 MiB blocks free: counted by allocating all of them */
};

/* ---- Subjects -------------------------------------------------------------------------------- */

static struct instance *instance;
static struct plain_buddy *plain;
static uint64_t usable;

static void larder_open(void) {
    struct larder_frames_stats stats;
    instance = instance_open(MEMORY_BYTES, 1);
    instance_enter(instance, 0);
    larder_frames_stats(instance->larder, &stats);
    usable = stats.usable;
}
static void larder_close(void) {
    instance_close(instance);
}
static uint32_t larder_get(void) {
    const char *frame = larder_frames_alloc(instance->larder, 0, 0);
    if (!frame)
        die("out of frames");
    return (uint32_t)((size_t)(frame - (char *)instance->memory) >> 12);
}
static void larder_put(uint32_t frame) {
    larder_frames_free(instance->larder, (char *)instance->memory + ((size_t)frame << 12));
}
static uint64_t larder_huge_free(void) {
    uint64_t count = 0;
    (void)larder_reclaim(instance->larder); /* the slot's bin goes back to the buddies */
    while (larder_frames_alloc(instance->larder, HUGE_ORDER, LARDER_NO_RECLAIM))
        count++;
    return count;
}

static void plain_open(void) {
    usable = MEMORY_BYTES >> 12;
    plain = plain_buddy_create((uint32_t)usable);
}
static void plain_close(void) {
    plain_buddy_destroy(plain);
}
static uint32_t plain_get(void) {
    const uint32_t frame = plain_buddy_alloc(plain, 0);
    if (frame == PLAIN_NONE)
        die("out of frames");
    return frame;
}
static void plain_put(uint32_t frame) {
    plain_buddy_free(plain, frame, 0);
}
static uint64_t plain_huge_free(void) {
    uint64_t count = 0;
    while (plain_buddy_alloc(plain, HUGE_ORDER) != PLAIN_NONE)
        count++;
    return count;
}

/* The loop itself: random numbers, random reads and writes of the table of live frames. */
static uint32_t none_next;
static void none_open(void) {
    usable = MEMORY_BYTES >> 12;
    none_next = 0;
}
static void none_close(void) {
}
static uint32_t none_get(void) {
    return none_next++;
}
static void none_put(uint32_t frame) {
    none_next = frame;
}

static const struct subject subjects[] = {
    {"larder", larder_open, larder_close, larder_get, larder_put, larder_huge_free},
    {"plain LIFO buddy", plain_open, plain_close, plain_get, plain_put, plain_huge_free},
    {"loop without allocator", none_open, none_close, none_get, none_put, NULL},
};

/* ---- The experiment -------------------------------------------------------------------------- */

static uint32_t *live;

/* Fill to 90 %, free at random down to 50 %. Returns the number of live frames. */
static uint32_t prepare(const struct subject *subject, struct chance *chance) {
    const uint32_t full = (uint32_t)(usable / 10 * 9), half = (uint32_t)(usable / 2);
    for (uint32_t i = 0; i < full; i++)
        live[i] = subject->get();
    for (uint32_t count = full; count > half; count--) {
        const uint32_t i = chance_below(chance, count);
        subject->put(live[i]);
        live[i] = live[count - 1];
    }
    return half;
}

static double churn(const struct subject *subject, struct chance *chance, uint32_t count,
                    uint64_t pairs) {
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < pairs; i++) {
        const uint32_t victim = chance_below(chance, count);
        subject->put(live[victim]);
        live[victim] = subject->get();
    }
    return (double)(clock_ns() - start) / (double)pairs;
}

static void measure(const struct subject *subject, uint64_t seed, uint64_t pairs) {
    struct chance chance = {.state = seed};
    subject->open();
    const uint32_t count = prepare(subject, &chance);
    const double ns = churn(subject, &chance, count, pairs);
    const uint64_t ideal = (usable - count) >> HUGE_ORDER;
    record("churn-ns", "8 GiB half full: free a random frame, allocate one", "ns per pair",
           subject->name, ns);
    if (subject->huge_free)
        record("churn-share", "free 2 MiB blocks after that, as a share of the ideal number",
               "% of ideal", subject->name, (double)subject->huge_free() / (double)ideal * 100);
    subject->close();
}

void bench_churn(void) {
    const uint64_t pairs = quick ? 1000000 : 10000000;
    const unsigned rounds = quick ? 2 : 11;
    live = malloc((MEMORY_BYTES >> 12) * sizeof *live);
    if (!live)
        die("no memory for the table of live frames");
    say("%-24s", "churn");
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < sizeof subjects / sizeof subjects[0]; i++)
            measure(&subjects[i], 0x1eaf + round, pairs);
        say(".");
    }
    say("\n");
    free(live);
}
