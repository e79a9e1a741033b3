/* Threads that are many, short, or only free; and forks while others are inside malloc. */
#include "tap.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static void *allocate_a_little(void *unused) {
    void *blocks[64];
    (void)unused;
    for (unsigned i = 0; i < 64; i++)
        blocks[i] = memset(malloc(16u << i % 10), 1, 16);
    for (unsigned i = 0; i < 64; i++)
        free(blocks[i]);
    return NULL;
}

static bool run_threads(unsigned count, unsigned at_once, void *(*body)(void *)) {
    pthread_t threads[64];
    for (unsigned done = 0; done < count; done += at_once) {
        for (unsigned i = 0; i < at_once; i++) {
            if (!EXPECT(pthread_create(&threads[i], NULL, body, NULL) == 0))
                return false;
        }
        for (unsigned i = 0; i < at_once; i++)
            (void)pthread_join(threads[i], NULL);
    }
    return true;
}

/* If each left its magazines or its slot behind, 10,000 would leave hundreds of MiB. */
static void ten_thousand_short_threads_leave_nothing(void) {
    if (!run_threads(200, 20, allocate_a_little))
        return;
    const size_t before = tap_resident_bytes();
    (void)run_threads(10000, 20, allocate_a_little);
    const size_t after = tap_resident_bytes();
    tap_note("resident: %zu KiB before, %zu KiB after", before >> 10, after >> 10);
    EXPECT(after < before + 8 * MIB);
}

/* ---- threads that only free ---- */

enum { BATCH = 2000, BATCHES = 500 };

static void *handed[BATCH];
static pthread_barrier_t barrier;

static void *only_free(void *unused) {
    (void)unused;
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        (void)pthread_barrier_wait(&barrier);
        for (unsigned i = 0; i < BATCH; i++)
            free(handed[i]);
        (void)pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/* 500 MiB pass through; at most 1 MiB is alive at a time. */
static void a_thread_that_only_frees_does_not_hoard(void) {
    pthread_t thread;
    (void)pthread_barrier_init(&barrier, NULL, 2);
    const size_t before = tap_resident_bytes();
    if (!EXPECT(pthread_create(&thread, NULL, only_free, NULL) == 0))
        return;
    for (unsigned batch = 0; batch < BATCHES; batch++) {
        for (unsigned i = 0; i < BATCH; i++) {
            const size_t size = 16 + (i * 37 + batch) % 1000;
            handed[i] = memset(malloc(size), 1, size);
        }
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_barrier_wait(&barrier);
    }
    (void)pthread_join(thread, NULL);
    EXPECT(tap_resident_bytes() < before + 32 * MIB);
}

/* ---- destructors of thread data ---- */

static pthread_key_t key;
static unsigned rounds; /* atomic */

/* Allocates after the slot of its thread was parked, in every round there is. */
static void allocate_at_the_end(void *value) {
    free(value);
    void *more = malloc(5000);
    EXPECT(more != NULL);
    free(malloc(100000));
    if (__atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED) % 3)
        (void)pthread_setspecific(key, more);
    else
        free(more);
}

static void *set_a_destructor(void *unused) {
    (void)unused;
    (void)pthread_setspecific(key, malloc(5000));
    return NULL;
}

static void destructors_of_thread_data_may_allocate(void) {
    EXPECT(pthread_key_create(&key, allocate_at_the_end) == 0);
    (void)run_threads(2000, 4, set_a_destructor);
    EXPECT(rounds >= 2000);
}

/* ---- fork ---- */

static bool is_over; /* atomic */

static void *hammer(void *seed) {
    enum { COUNT = 128 };
    uint64_t random = (uintptr_t)seed;
    char *blocks[COUNT] = {NULL};
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        const uint64_t draw = tap_random(&random);
        const size_t size = (size_t)1 << (draw >> 8) % 18;
        char **block = &blocks[draw % COUNT];
        free(*block);
        *block = malloc(size);
        if (*block)
            **block = 1;
    }
    for (unsigned i = 0; i < COUNT; i++)
        free(blocks[i]);
    return NULL;
}

static void in_child(char *from_parent) {
    (void)alarm(60); /* a lock that nobody holds any more is waited for for ever */
    bool good = from_parent[4999] == 7;
    free(from_parent);
    for (size_t size = 1; size < MIB; size += size / 3 + 1) {
        char *block = malloc(size);
        good = good && block;
        free(block);
    }
    pthread_t thread;
    good = good && pthread_create(&thread, NULL, allocate_a_little, NULL) == 0 &&
           pthread_join(thread, NULL) == 0;
    (void)malloc_trim(0);
    _exit(good ? 0 : 1);
}

static bool fork_once(void) {
    int status = -1;
    char *block = memset(malloc(5000), 7, 5000);
    const pid_t child = fork();
    if (child == 0)
        in_child(block);
    free(block);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void two_hundred_forks_under_load(void) {
    enum { HAMMERS = 3 };
    pthread_t threads[HAMMERS];
    for (uintptr_t i = 0; i < HAMMERS; i++)
        EXPECT(pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)) == 0);
    for (unsigned i = 0; i < 200; i++) {
        if (!EXPECT(fork_once()))
            break;
    }
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < HAMMERS; i++)
        (void)pthread_join(threads[i], NULL);
}

static const struct tap_test tests[] = {
    TAP_TEST(ten_thousand_short_threads_leave_nothing),
    TAP_TEST(a_thread_that_only_frees_does_not_hoard),
    TAP_TEST(destructors_of_thread_data_may_allocate),
    TAP_TEST(two_hundred_forks_under_load),
};

TAP_MAIN(tests)
