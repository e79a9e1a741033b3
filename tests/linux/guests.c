/* One free() for all heaps: the process's free(), realloc() and malloc_usable_size() take the
 * blocks of region heaps (larder/fit.h) that lie in memory of the program, metadata included. */
#include "tap.h"

#include "larder/fit.h"
#include "larder/process.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma weak larder_process_adopt
#pragma weak larder_process_disown

enum { REGION_BYTES = 1 << 18, BLOCKS = 200 };

void free_sized(void *pointer, size_t size_bytes) __attribute__((weak));

static char of_the_program[REGION_BYTES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all the region heaps here */

static void fit_free(struct larder_guest *guest, void *pointer) {
    pthread_mutex_lock(&lock);
    larder_fit_free(guest->context, pointer);
    pthread_mutex_unlock(&lock);
    errno = EIO; /* free() must leave the program's alone */
}

static void *fit_realloc(struct larder_guest *guest, void *pointer, size_t size_bytes) {
    pthread_mutex_lock(&lock);
    void *memory = larder_fit_realloc(guest->context, pointer, size_bytes);
    pthread_mutex_unlock(&lock);
    return memory;
}

static size_t fit_size_of(struct larder_guest *guest, const void *pointer) {
    return larder_fit_size_of(guest->context, pointer);
}

static void *fit_alloc(struct larder_guest *guest, size_t size_bytes) {
    pthread_mutex_lock(&lock);
    void *memory = larder_fit_alloc(guest->context, size_bytes);
    pthread_mutex_unlock(&lock);
    return memory;
}

static struct larder_guest guest_in(void *memory, enum larder_fit_policy policy) {
    return (struct larder_guest){.memory = memory,
                                 .size_bytes = REGION_BYTES,
                                 .free = fit_free,
                                 .realloc = fit_realloc,
                                 .size_of = fit_size_of,
                                 .context = larder_fit_create(memory, REGION_BYTES, policy)};
}

static size_t live_bytes(struct larder_guest *guest) {
    struct larder_fit_diagnosis found;
    larder_fit_diagnose(guest->context, &found);
    return found.live_bytes;
}

/* Fill it, grow and free it by the functions of the C library; blocks of malloc() in between. */
static void use(struct larder_guest *guest) {
    char *block[BLOCKS], *other[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) {
        block[i] = memset(fit_alloc(guest, 100 + i), (int)i, 100 + i);
        other[i] = memset(malloc(100 + i), (int)~i, 100 + i);
    }
    for (unsigned i = 0; i < BLOCKS; i += 3) {
        block[i] = realloc(block[i], 3 * (100 + i));
        EXPECT(block[i] >= (char *)guest->memory &&
               block[i] < (char *)guest->memory + REGION_BYTES);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        EXPECT(malloc_usable_size(block[i]) >= (i % 3 ? 1 : 3) * (100 + i));
        EXPECT(block[i][0] == (char)i && block[i][99 + i] == (char)i);
        EXPECT(other[i][0] == (char)~i && other[i][99 + i] == (char)~i);
        errno = 4711;
        if (free_sized && i % 2)
            free_sized(block[i], (i % 3 ? 1 : 3) * (100 + i));
        else
            free(block[i]);
        EXPECT(errno == 4711);
        free(other[i]);
    }
    EXPECT(larder_fit_check(guest->context, NULL) == LARDER_FIT_SOUND);
}

static void adopt_use_disown(void *memory, enum larder_fit_policy policy) {
    struct larder_guest guest = guest_in(memory, policy);
    const size_t before = live_bytes(&guest);
    EXPECT(guest.context && larder_process_adopt(&guest));
    use(&guest);
    EXPECT(live_bytes(&guest) == before);
    EXPECT(larder_process_disown(&guest));
    EXPECT(!larder_process_disown(&guest));
}

static void every_policy_in_memory_of_the_program(void) {
    for (unsigned policy = 0; policy < LARDER_FIT_POLICY_COUNT; policy++)
        adopt_use_disown(of_the_program, (enum larder_fit_policy)policy);
}

static void in_memory_of_the_system_and_of_malloc(void) {
    void *mapped =
        mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    adopt_use_disown(mapped, LARDER_FIT_GOOD);
    (void)munmap(mapped, REGION_BYTES);
    void *block = malloc(REGION_BYTES);
    adopt_use_disown(block, LARDER_FIT_BEST);
    free(block);
}

static void what_cannot_be_a_guest_is_refused(void) {
    struct larder_guest guest = guest_in(of_the_program, LARDER_FIT_FIRST), bad = guest;
    void *object = malloc(20000);
    bad.memory = NULL;
    EXPECT(!larder_process_adopt(&bad));
    bad = guest, bad.size_bytes = 0;
    EXPECT(!larder_process_adopt(&bad));
    bad = guest, bad.size_bytes = SIZE_MAX;
    EXPECT(!larder_process_adopt(&bad));
    bad = guest, bad.size_of = NULL;
    EXPECT(!larder_process_adopt(&bad));
    bad = guest, bad.memory = object, bad.size_bytes = 20000;
    EXPECT(!larder_process_adopt(&bad));
    EXPECT(larder_process_adopt(&guest));
    bad = guest, bad.memory = of_the_program + REGION_BYTES - 1;
    EXPECT(!larder_process_adopt(&bad));
    EXPECT(!larder_process_adopt(&guest));
    EXPECT(larder_process_disown(&guest));
    free(object);
}

static void the_ends_of_realloc(void) {
    struct larder_guest guest = guest_in(of_the_program, LARDER_FIT_GOOD);
    const size_t before = live_bytes(&guest);
    EXPECT(larder_process_adopt(&guest));
    char *block = memset(fit_alloc(&guest, 100), 7, 100);
    errno = 0;
    EXPECT(realloc(block, 2 * (size_t)REGION_BYTES) == NULL && errno == ENOMEM);
    EXPECT(block[0] == 7 && block[99] == 7);
    EXPECT(realloc(block, 0) == NULL && live_bytes(&guest) == before);
    EXPECT(larder_process_disown(&guest));
}

static void *free_half(void *argument) {
    void **block = argument;
    for (unsigned i = 0; i < BLOCKS; i += 2)
        free(block[i]);
    return NULL;
}

/* Threads free each other's blocks, and a child of fork its copies. */
static void by_any_thread_and_in_a_child(void) {
    struct larder_guest guest = guest_in(of_the_program, LARDER_FIT_NEXT);
    const size_t before = live_bytes(&guest);
    void *block[BLOCKS];
    pthread_t even, odd;
    int status = -1;
    EXPECT(larder_process_adopt(&guest));
    for (unsigned i = 0; i < BLOCKS; i++)
        block[i] = fit_alloc(&guest, 8 + i);
    const pid_t child = fork();
    if (child == 0) {
        (void)free_half(block);
        (void)free_half(block + 1);
        _exit(live_bytes(&guest) == before ? 0 : 1);
    }
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    EXPECT(pthread_create(&even, NULL, free_half, block) == 0);
    EXPECT(pthread_create(&odd, NULL, free_half, block + 1) == 0);
    EXPECT(pthread_join(even, NULL) == 0 && pthread_join(odd, NULL) == 0);
    EXPECT(live_bytes(&guest) == before);
    EXPECT(larder_process_disown(&guest));
}

static const struct tap_test tests[] = {
    TAP_TEST(every_policy_in_memory_of_the_program),
    TAP_TEST(in_memory_of_the_system_and_of_malloc),
    TAP_TEST(what_cannot_be_a_guest_is_refused),
    TAP_TEST(the_ends_of_realloc),
    TAP_TEST(by_any_thread_and_in_a_child),
};

TAP_MAIN(tests)
