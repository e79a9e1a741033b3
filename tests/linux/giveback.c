/* Free memory goes back to the system: within 10 s in a process that makes no call at all, at once
 * on malloc_trim(), from sleeping threads too, and around blocks that stay. */
#include "tap.h"

#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define BLOCKS_MAX ((size_t)1 << 20)

/* What a test holds; none of it from malloc. */
static char **blocks;
static uint32_t *sizes;
static size_t block_count, base_bytes, rise_bytes;

static void *map(size_t bytes) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

/* From 64 bytes to `largest`, each power of two as often as the next. */
static size_t random_size(uint64_t *random, size_t largest) {
    const size_t power = (size_t)__builtin_ctzl(largest) - 6;
    const size_t least = (size_t)64 << tap_random(random) % power;
    return least + tap_random(random) % least;
}

static void allocate(size_t total_bytes, size_t largest) {
    uint64_t random = tap_seed();
    base_bytes = tap_resident_bytes();
    block_count = 0;
    for (size_t got = 0; got < total_bytes && block_count < BLOCKS_MAX; block_count++) {
        const size_t size = random_size(&random, largest);
        char *block = malloc(size);
        if (!EXPECT(block != NULL))
            return;
        memset(block, (int)size, size);
        blocks[block_count] = block;
        sizes[block_count] = (uint32_t)size;
        got += size;
    }
    rise_bytes = tap_resident_bytes() - base_bytes;
    EXPECT(rise_bytes >= total_bytes / 2);
}

static void free_all(void) {
    for (size_t i = 0; i < block_count; i++)
        free(blocks[i]);
}

/* Resident beyond the start and `kept_bytes`, as tenths of the rise, rounded up. */
static size_t tenths_left(size_t kept_bytes) {
    const size_t now = tap_resident_bytes(), floor = base_bytes + kept_bytes;
    return now > floor ? (10 * (now - floor) + rise_bytes - 1) / rise_bytes : 0;
}

static void expect_shrunk(size_t kept_bytes) {
    if (!EXPECT(tenths_left(kept_bytes) <= 1))
        tap_note("base %zu, rise %zu, kept %zu, now %zu", base_bytes, rise_bytes, kept_bytes,
                 tap_resident_bytes());
}

/* The contract has a limit in time, so this test has one too: 10 s, left early. */
static void wait_until_shrunk(size_t kept_bytes) {
    for (unsigned i = 0; i < 100 && tenths_left(kept_bytes) > 1; i++)
        tap_sleep_ms(100);
    expect_shrunk(kept_bytes);
}

static size_t gibibyte_or_less(void) {
    const size_t quarter = tap_free_bytes() / 4;
    const size_t bytes = quarter < 1024 * MIB ? quarter : 1024 * MIB;
    return bytes > 256 * MIB ? bytes : 256 * MIB;
}

/* ---- one thread ---- */

static void an_idle_process_shrinks(void) {
    allocate(gibibyte_or_less(), 65536);
    free_all();
    wait_until_shrunk(0);
}

/* Background thread or not, once more: it must not stop after the first time. */
static void an_idle_process_shrinks_again(void) {
    allocate(256 * MIB, 65536);
    free_all();
    wait_until_shrunk(0);
}

static void trim_gives_back_at_once(void) {
    allocate(gibibyte_or_less() / 2, 65536);
    free_all();
    EXPECT(malloc_trim(0) == 1);
    expect_shrunk(0);
}

static void large_blocks_go_back_too(void) {
    allocate(256 * MIB, 16 * MIB);
    free_all();
    wait_until_shrunk(0);
}

static void find_ends(uintptr_t *first, uintptr_t *last) {
    *first = UINTPTR_MAX;
    *last = 0;
    for (size_t i = 0; i < block_count; i++) {
        const uintptr_t at = (uintptr_t)blocks[i];
        *first = at < *first ? at : *first;
        *last = at > *last ? at : *last;
    }
}

/* Keep one block in every page of every second 2 MiB; whatever else is free goes. The bytes of the
 * pages that cannot go. */
static size_t free_all_but_one_in_a_page(void) {
    size_t kept = 0, kept_pages = 0;
    uintptr_t first, last;
    find_ends(&first, &last);
    const size_t pages = ((last - first) >> 12) + 2;
    unsigned char *is_kept = map(pages);
    for (size_t i = 0; i < block_count; i++) {
        const size_t page = ((uintptr_t)blocks[i] - (first & ~(uintptr_t)4095)) >> 12;
        if (page >> 9 & 1 && !is_kept[page]) {
            kept_pages += 1u + !is_kept[page + 1];
            is_kept[page] = is_kept[page + 1] = 1; /* a block may reach into the next */
            sizes[kept] = sizes[i];
            blocks[kept++] = blocks[i];
        } else {
            free(blocks[i]);
        }
    }
    block_count = kept;
    (void)munmap(is_kept, pages);
    return kept_pages * 4096;
}

static bool is_whole(const char *block, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (block[i] != (char)size)
            return false;
    }
    return true;
}

static void blocks_that_stay_hold_only_their_slabs(void) {
    allocate(256 * MIB, 2048);
    const size_t kept_bytes = free_all_but_one_in_a_page();
    EXPECT(kept_bytes < rise_bytes * 3 / 4);
    wait_until_shrunk(kept_bytes);
    for (size_t i = 0; i < block_count; i++)
        EXPECT(is_whole(blocks[i], sizes[i]));
    free_all();
    (void)malloc_trim(0);
    expect_shrunk(0);
}

/* ---- threads that sleep ---- */

enum { SLEEPERS = 8, EACH = 4 };

static int futex_word, ready, go_on; /* atomic */
static int pipe_ends[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void sleep_in(unsigned way) {
    char byte;
    if (way == 0) {
        while (!__atomic_load_n(&futex_word, __ATOMIC_RELAXED))
            (void)syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, NULL, NULL, 0);
    } else if (way == 1) {
        (void)!read(pipe_ends[0], &byte, 1);
    } else if (way == 2) {
        while (!__atomic_load_n(&go_on, __ATOMIC_RELAXED))
            tap_sleep_ms(50);
    } else {
        (void)pthread_mutex_lock(&mutex);
        while (!go_on)
            (void)pthread_cond_wait(&condition, &mutex);
        (void)pthread_mutex_unlock(&mutex);
    }
}

/* All sizes, so that the thread's magazines of every class are full when it sleeps. */
static void *hoard(void *way) {
    enum { COUNT = 400 };
    char *mine[COUNT];
    for (size_t size = 64; size <= 32768; size += size / 8) {
        const unsigned count = 262144 / size < COUNT ? (unsigned)(262144 / size) : COUNT;
        for (unsigned i = 0; i < count; i++)
            mine[i] = memset(malloc(size), 1, size);
        for (unsigned i = 0; i < count; i++)
            free(mine[i]);
    }
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    sleep_in((unsigned)(uintptr_t)way);
    free(malloc(100)); /* what was taken from it while it slept does not harm it */
    for (size_t size = 64; size <= 32768; size += size / 8)
        free(malloc(size));
    return NULL;
}

static void wake_all(void) {
    __atomic_store_n(&futex_word, 1, __ATOMIC_SEQ_CST);
    (void)syscall(SYS_futex, &futex_word, FUTEX_WAKE, 100, NULL, NULL, 0);
    (void)close(pipe_ends[1]);
    (void)pthread_mutex_lock(&mutex);
    __atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
    (void)pthread_cond_broadcast(&condition);
    (void)pthread_mutex_unlock(&mutex);
}

static void trim_reaches_threads_that_sleep(void) {
    pthread_t threads[SLEEPERS];
    if (!EXPECT(pipe(pipe_ends) == 0))
        return;
    base_bytes = tap_resident_bytes();
    for (uintptr_t i = 0; i < SLEEPERS; i++)
        EXPECT(pthread_create(&threads[i], NULL, hoard, (void *)(i % EACH)) == 0);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < SLEEPERS)
        tap_sleep_ms(10);
    tap_sleep_ms(100); /* until they sleep, most likely; the loop below does not depend on it */
    rise_bytes = tap_resident_bytes() - base_bytes;
    tap_note("%zu KiB held by sleeping threads", rise_bytes >> 10);
    for (unsigned i = 0; i < 50 && tenths_left(SLEEPERS * 65536) > 1; i++) {
        (void)malloc_trim(0);
        tap_sleep_ms(20);
    }
    expect_shrunk(SLEEPERS * 65536); /* their stacks */
    wake_all();
    for (unsigned i = 0; i < SLEEPERS; i++)
        EXPECT(pthread_join(threads[i], NULL) == 0);
}

static const struct tap_test tests[] = {
    TAP_TEST(trim_reaches_threads_that_sleep), TAP_TEST(an_idle_process_shrinks),
    TAP_TEST(an_idle_process_shrinks_again),   TAP_TEST(trim_gives_back_at_once),
    TAP_TEST(large_blocks_go_back_too),        TAP_TEST(blocks_that_stay_hold_only_their_slabs),
};

int main(int argc, char **argv) {
    (void)argc;
    blocks = map(BLOCKS_MAX * sizeof *blocks);
    sizes = map(BLOCKS_MAX * sizeof *sizes);
    return tap_main(argv, tests, sizeof tests / sizeof tests[0]);
}
