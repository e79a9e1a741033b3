/* Memory that is not ours in free(), realloc() and malloc_usable_size(): the C library's own, from
 * before we came or by its private names, gets through; nothing of ours is harmed. Beside it, what
 * the library promises programs that are not plain: handlers, locked memory. */
#include "tap.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *(*libc_malloc)(size_t size_bytes);

static bool has_libc_malloc(void) {
    void *symbol = dlsym(RTLD_DEFAULT, "__libc_malloc");
    memcpy(&libc_malloc, &symbol, sizeof symbol);
    if (!symbol)
        tap_skip("the C library has no __libc_malloc");
    return symbol != NULL;
}

static void memory_of_the_c_library_can_be_freed(void) {
    if (!has_libc_malloc())
        return;
    const size_t before = tap_resident_bytes();
    for (unsigned i = 0; i < 20000; i++) {
        void *block = libc_malloc(i % 2 ? 50000 : 500000);
        memset(block, 1, 50000);
        errno = 4711;
        free(block);
        EXPECT(errno == 4711);
    }
    EXPECT(tap_resident_bytes() < before + ((size_t)64 << 20)); /* a GiB went by */
}

static void memory_of_the_c_library_can_grow(void) {
    if (!has_libc_malloc())
        return;
    for (size_t size = 1; size < (size_t)1 << 21; size *= 3) {
        char *block = libc_malloc(size);
        memset(block, 9, size);
        block = realloc(block, 2 * size);
        EXPECT(block && block[0] == 9 && block[size - 1] == 9);
        memset(block, 8, 2 * size);
        free(block);
    }
}

static void the_size_of_foreign_memory_harms_nothing(void) {
    char local[64];
    (void)malloc_usable_size(local + 16);
    if (has_libc_malloc()) {
        void *block = libc_malloc(1000);
        (void)malloc_usable_size(block);
        free(block);
    }
}

/* ---- handlers ---- */

static unsigned handled; /* atomic */
static bool is_over;     /* atomic */

static void allocate_in_handler(int signal) {
    (void)signal;
    char *block = malloc(1000 + handled % 3000);
    block[0] = 1;
    free(block);
    __atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void *sleep_until_over(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&is_over, __ATOMIC_SEQ_CST))
        (void)pause();
    return NULL;
}

/* POSIX lets a handler do anything while its thread is outside functions that are not safe: here
 * in pause(). malloc_trim() meanwhile takes what it thinks sleeps. */
static void handlers_may_allocate_in_a_sleeping_thread(void) {
    pthread_t thread;
    (void)signal(SIGUSR1, allocate_in_handler);
    EXPECT(pthread_create(&thread, NULL, sleep_until_over, NULL) == 0);
    for (unsigned i = 0; i < 2000; i++) {
        const unsigned seen = __atomic_load_n(&handled, __ATOMIC_SEQ_CST);
        (void)pthread_kill(thread, SIGUSR1);
        if (i % 4 == 0)
            (void)malloc_trim(0);
        while (__atomic_load_n(&handled, __ATOMIC_SEQ_CST) == seen)
            (void)sched_yield();
    }
    __atomic_store_n(&is_over, true, __ATOMIC_SEQ_CST);
    (void)pthread_kill(thread, SIGUSR1);
    (void)pthread_join(thread, NULL);
}

/* ---- locked memory ---- */

static void calloc_is_zero_in_locked_memory(void) {
    char *first = memset(malloc((size_t)1 << 20), 0xff, (size_t)1 << 20);
    if (mlockall(MCL_CURRENT) != 0) {
        tap_skip("mlockall() is not permitted");
        return;
    }
    for (size_t size = 100; size < (size_t)4 << 20; size *= 2) {
        memset(first, 0xff, malloc_usable_size(first));
        free(first);
        (void)malloc_trim(0); /* which cannot give back what is locked */
        first = calloc(1, size);
        for (size_t i = 0; i < size; i++)
            EXPECT(first[i] == 0);
    }
    free(first);
    (void)munlockall();
}

static const struct tap_test tests[] = {
    TAP_TEST(memory_of_the_c_library_can_be_freed),
    TAP_TEST(memory_of_the_c_library_can_grow),
    TAP_TEST(the_size_of_foreign_memory_harms_nothing),
    TAP_TEST(handlers_may_allocate_in_a_sleeping_thread),
    TAP_TEST(calloc_is_zero_in_locked_memory),
};

TAP_MAIN(tests)
