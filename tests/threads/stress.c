/* Real threads on the same core: each public function beside each other, for the thread sanitizer.
 *
 * Memory goes from thread to thread through mailboxes, so that it is freed elsewhere than where it
 * was allocated. Each piece carries a tag that its taker checks. Afterwards the instance must be
 * whole and empty.
 */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define THREADS 4u
#define MAILBOXES 64u
#define SECONDS_DEFAULT 3u

static struct sim *sim;
static struct larder *larder;
static struct larder_cache *shared_cache, *constructed_cache;
static _Atomic(void *) mailbox[MAILBOXES];
static atomic_bool over;
static atomic_ulong failures;

struct job {
    pthread_t thread;
    unsigned cpu;
    struct random random;
    void (*work)(struct job *job);
    unsigned long rounds;
};

#define EXPECT(condition) ((condition) ? (void)0 : complain(#condition, __LINE__))

static void complain(const char *what, int line) {
    if (atomic_fetch_add(&failures, 1) < 5) {
        fprintf(stderr, "# %s:%d: %s\n", __FILE__, line, what);
    }
}

/* ---- Work ---- */

static uint64_t tag_of(const void *pointer) {
    return (uintptr_t)pointer ^ 0xfeedfacecafef00du;
}

/* Put a piece into a mailbox; free what was there. */
static void pass_on(struct job *job, void *pointer) {
    uint64_t tag = tag_of(pointer);
    if (pointer) {
        memcpy(pointer, &tag, 8);
    }
    void *other = atomic_exchange(&mailbox[random_below(&job->random, MAILBOXES)], pointer);
    if (other) {
        memcpy(&tag, other, 8);
        EXPECT(tag == tag_of(other));
        larder_free(larder, other);
    }
}

static void work_frames(struct job *job) {
    uint64_t draw = random_next(&job->random);
    void *out[20];
    switch (draw % 8) {
    case 0:
        pass_on(job, larder_frames_alloc_exact(larder, 1 + draw / 8 % 70, 0));
        break;
    case 1: {
        size_t got = larder_frames_alloc_bulk(larder, (unsigned)(draw / 8 % 2), 20, out, 0);
        for (size_t i = 0; i < got; i++) {
            pass_on(job, out[i]);
        }
        break;
    }
    case 2:
        pass_on(job, larder_frames_alloc(larder, (unsigned)(draw / 8 % 10),
                                         draw & 4096 ? LARDER_ZERO : 0));
        break;
    case 3:
        if (draw / 8 % 16 == 0) {
            pass_on(job, larder_frames_alloc_contiguous(larder, 1 + draw / 128 % 600, FRAME,
                                                        UINT64_MAX, LARDER_NO_RECLAIM));
        }
        break;
    default:
        pass_on(job, larder_frames_alloc(larder, (unsigned)(draw / 8 % 4), 0));
    }
}

static void work_heap(struct job *job) {
    uint64_t draw = random_next(&job->random);
    size_t bytes = 8 + draw / 16 % (draw % 16 ? 700 : 60000);
    void *pointer = draw & 1 ? larder_alloc(larder, bytes) : larder_zalloc(larder, bytes);
    if (pointer && draw % 7 == 0) {
        void *moved = larder_realloc(larder, pointer, bytes * 2);
        pointer = moved ? moved : pointer;
        EXPECT(!moved || larder_size_of(larder, moved) >= bytes * 2);
    }
    pass_on(job, pointer);
}

static void work_caches(struct job *job) {
    uint64_t draw = random_next(&job->random);
    if (draw % 16 == 0) {
        void *out[30];
        size_t got = larder_cache_alloc_bulk(shared_cache, 30, out, 0);
        larder_cache_free_bulk(shared_cache, got, out);
    } else if (draw % 4 == 1) {
        uint64_t *object = larder_cache_alloc(constructed_cache, 0);
        EXPECT(!object || object[1] == 77);
        larder_cache_free(constructed_cache, object);
    } else {
        pass_on(job, larder_cache_alloc(shared_cache, 0));
    }
}

static void work_registry(struct job *job) {
    uint64_t draw = random_next(&job->random);
    char name[32];
    void *out[10];
    snprintf(name, sizeof name, "own-%u", job->cpu);
    struct larder_cache *cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = name, .size_bytes = 16 + draw % 3000}, NULL);
    if (!cache) {
        return;
    }
    size_t got = larder_cache_alloc_bulk(cache, draw % 11, out, 0);
    EXPECT(got == 0 || larder_cache_of(larder, out[0]) == cache);
    EXPECT(larder_cache_find(larder, name) == cache);
    larder_cache_free_bulk(cache, got, out);
    EXPECT(larder_cache_destroy(cache, NULL, NULL) == 0);
}

static void see_cache(struct larder_cache *cache, void *context) {
    struct larder_cache_stats stats;
    (void)context;
    larder_cache_stats(cache, &stats);
}

static void swallow(void *context, const char *text, size_t length) {
    (void)context;
    (void)text;
    (void)length;
}

/* Only caches that stay may be looked at by others: that is the contract of destroy. */
static void work_looking(struct job *job) {
    const struct larder_sink sink = {swallow, NULL};
    struct larder_zone_stats zone;
    struct larder_frames_stats frames;
    switch (random_below(&job->random, 5)) {
    case 0:
        larder_buddyinfo(larder, &sink);
        break;
    case 1:
        larder_zone_stats(larder, 0, &zone);
        break;
    case 2:
        larder_frames_stats(larder, &frames);
        EXPECT(frames.free <= frames.usable);
        break;
    case 3:
        see_cache(shared_cache, NULL);
        break;
    default:
        larder_cache_shrink(shared_cache);
    }
}

static void work_giving_back(struct job *job) {
    switch (random_below(&job->random, 16)) {
    case 0:
        larder_reclaim(larder);
        break;
    case 1:
        sim_clock_advance(20);
        larder_tick(larder);
        break;
    case 2:
        larder_cache_prefill(shared_cache, 50);
        break;
    default:
        work_heap(job);
    }
}

static void work_slots(struct job *job) {
    for (unsigned i = 0; i < 20; i++) {
        work_heap(job);
        work_frames(job);
    }
    sim_detach(sim, job->cpu);
    work_heap(job);
    work_frames(job);
    EXPECT(sim_attach(sim, job->cpu) || true); /* without a slot everything still works */
    if (!sim_slot_of(sim, job->cpu)) {
        larder_reclaim(larder);
        EXPECT(sim_attach(sim, job->cpu));
    }
}

/* Reserve and donate a stretch that nobody else touches. */
static void work_ranges(struct job *job) {
    uint64_t at = GIB + (20 + job->cpu) * MIB + random_below(&job->random, 200) * FRAME;
    if (larder_frames_reserve(larder, at, 3 * FRAME) == LARDER_OK) {
        EXPECT(larder_frames_donate(larder, at, 3 * FRAME) == LARDER_OK);
    }
    work_frames(job);
}

/* ---- Running ---- */

static void *run(void *argument) {
    struct job *job = argument;
    sim_be(job->cpu);
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        job->work(job);
        job->rounds++;
    }
    return NULL;
}

static bool construct(void *object, void *context) {
    (void)context;
    ((uint64_t *)object)[1] = 77;
    return true;
}

/* Half of the memory lies in another area of its zone. */
static void begin(uint64_t ram_bytes) {
    const struct larder_range range[] = {{GIB, ram_bytes / 2, LARDER_RANGE_USABLE},
                                         {3 * GIB, ram_bytes / 2, LARDER_RANGE_USABLE}};
    sim = sim_start(&(struct sim_config){
        .range = range, .range_count = COUNT(range), .cpus = THREADS, .interval_ms = 50});
    larder = sim->larder;
    assert_non_null(larder);
    shared_cache = larder_cache_create(
        larder, &(struct larder_cache_config){.name = "shared", .size_bytes = 200}, NULL);
    constructed_cache =
        larder_cache_create(larder,
                            &(struct larder_cache_config){
                                .name = "constructed", .size_bytes = 64, .construct = construct},
                            NULL);
    atomic_store(&over, false);
    atomic_store(&failures, 0);
}

static void end(void) {
    sim_be(0);
    for (unsigned i = 0; i < MAILBOXES; i++) {
        larder_free(larder, atomic_exchange(&mailbox[i], NULL));
    }
    sim_validate(sim);
    for (unsigned cpu = 0; cpu < THREADS; cpu++) {
        sim_be(cpu);
        larder_reclaim(larder);
    }
    sim_be(0);
    assert_int_equal(larder_cache_destroy(shared_cache, NULL, NULL), 0);
    assert_int_equal(larder_cache_destroy(constructed_cache, NULL, NULL), 0);
    larder_reclaim(larder);
    sim_validate(sim);
    for (unsigned cpu = 0; cpu < THREADS; cpu++) {
        if (sim_slot_of(sim, cpu)) {
            sim_detach(sim, cpu);
        }
    }
    larder_reclaim(larder);
    /* What is left is what the size classes' own descriptors take. */
    struct larder_frames_stats stats;
    larder_frames_stats(larder, &stats);
    assert_true(frames_idle(sim) + 40 >= stats.usable);
    assert_int_equal(atomic_load(&failures), 0);
    sim_stop(sim);
}

static void stress(uint64_t ram_bytes, void (*const work[THREADS])(struct job *job)) {
    struct job jobs[THREADS];
    uint64_t seconds = harness_number("LARDER_STRESS_SECONDS", SECONDS_DEFAULT);
    uint64_t seed = harness_seed();
    begin(ram_bytes);
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.cpu = i, .random = {seed + i}, .work = work[i]};
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, run, &jobs[i]), 0);
    }
    nanosleep(&(struct timespec){.tv_sec = (time_t)seconds}, NULL);
    atomic_store(&over, true);
    unsigned long rounds = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        assert_true(jobs[i].rounds > 0);
        rounds += jobs[i].rounds;
    }
    printf("# %lu rounds\n", rounds);
    end();
}

typedef void work(struct job *job);

static void frames_beside_frames(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_frames, work_frames, work_frames, work_frames});
}

static void everything_beside_everything(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_frames, work_heap, work_caches, work_looking});
}

static void producers_and_consumers(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_caches, work_caches, work_caches, work_heap});
}

static void caches_come_and_go(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_registry, work_registry, work_registry, work_heap});
}

static void caches_come_and_go_under_reclaim(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_registry, work_giving_back, work_registry, work_caches});
}

static void memory_is_short(void **state) {
    (void)state;
    stress(3 * MIB, (work *const[]){work_heap, work_frames, work_caches, work_giving_back});
}

static void slots_come_and_go(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_slots, work_slots, work_giving_back, work_looking});
}

static void ranges_come_and_go(void **state) {
    (void)state;
    stress(64 * MIB, (work *const[]){work_ranges, work_ranges, work_heap, work_looking});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_beside_frames),
        cmocka_unit_test(everything_beside_everything),
        cmocka_unit_test(producers_and_consumers),
        cmocka_unit_test(caches_come_and_go),
        cmocka_unit_test(caches_come_and_go_under_reclaim),
        cmocka_unit_test(memory_is_short),
        cmocka_unit_test(slots_come_and_go),
        cmocka_unit_test(ranges_come_and_go),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
