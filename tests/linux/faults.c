/* Every system call of the port fails once, and from then on: the program gets NULL and ENOMEM, no
 * more; and what it frees can be had again.
 *
 * The library's calls end in this program's functions of that name, which is before the C library
 * in the order of look-up. The C library's own calls do not come by here. */
#include "tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static volatile int calls;                 /* of the library. malloc() is "leaf": hence volatile */
static volatile int moves;                 /* of pages, by it */
static volatile int first_failure = -1;    /* the number of the first that fails; -1: none does */
static volatile bool is_lasting, is_ready; /* all from there on; the environment has been read */

/* TEST_FAIL_AT=N or N+ in programs that fail at their start. */
static void read_environment(void) {
    const char *text = getenv("TEST_FAIL_AT");
    is_ready = true;
    if (text) {
        first_failure = atoi(text);
        is_lasting = strchr(text, '+') != NULL;
    }
}

static bool must_fail(void) {
    if (!is_ready)
        read_environment();
    const int number = calls++;
    if (first_failure < 0 || number < first_failure || (number > first_failure && !is_lasting))
        return false;
    errno = ENOMEM;
    return true;
}

void *mmap(void *at, size_t bytes, int protection, int flags, int file, off_t offset) {
    return must_fail() ? MAP_FAILED
                       : (void *)syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
}

int mprotect(void *at, size_t bytes, int protection) {
    return must_fail() ? -1 : (int)syscall(SYS_mprotect, at, bytes, protection);
}

int madvise(void *at, size_t bytes, int advice) {
    return must_fail() ? -1 : (int)syscall(SYS_madvise, at, bytes, advice);
}

int munmap(void *at, size_t bytes) {
    return must_fail() ? -1 : (int)syscall(SYS_munmap, at, bytes);
}

/* The fifth argument is only there with MREMAP_FIXED, which is how the library calls it. */
void *mremap(void *at, size_t bytes, size_t new_bytes, int flags, ...) {
    va_list more;
    va_start(more, flags);
    void *to = va_arg(more, void *);
    va_end(more);
    moves++;
    return must_fail() ? MAP_FAILED : (void *)syscall(SYS_mremap, at, bytes, new_bytes, flags, to);
}

/* ---- at the start of a program ---- */

static int start_and_allocate(void) {
    char *block = malloc(100);
    if (!block)
        return errno == ENOMEM ? 0 : 3;
    memset(block, 1, 100);
    free(block);
    char *large = malloc(50 * MIB);
    if (!large && errno != ENOMEM)
        return 3;
    free(large);
    return 0;
}

static bool survives_start(int number, bool lasting) {
    char text[16];
    int status = -1;
    const pid_t child = fork();
    if (child == 0) {
        (void)snprintf(text, sizeof text, "%d%s", number, lasting ? "+" : "");
        (void)setenv("TEST_FAIL_AT", text, 1);
        (void)execl("/proc/self/exe", "faults", "start", (char *)NULL);
        _exit(4);
    }
    /* 127: the loader itself got no memory, and said so. */
    const bool is_seen = waitpid(child, &status, 0) == child && WIFEXITED(status);
    if (!is_seen || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 127))
        tap_note("call %d%s fails: status %#x", number, lasting ? " and later" : "", status);
    return is_seen && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 127);
}

static void any_call_of_the_start_may_fail(void) {
    for (int number = 0; number < 24; number++) {
        EXPECT(survives_start(number, false));
        EXPECT(survives_start(number, true));
    }
}

/* ---- later ---- */

enum { BLOCKS = 4000 };
static char *blocks[BLOCKS];

static size_t size_of(unsigned i) {
    return 64 + (i * 7919u) % 100000;
}

/* How many there is memory for; those after are NULL with ENOMEM. */
static unsigned allocate_all(void) {
    unsigned got = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        errno = 0;
        blocks[i] = malloc(size_of(i));
        if (blocks[i])
            memset(blocks[i], (int)i, size_of(i));
        else if (errno != ENOMEM)
            _exit(3);
        got += blocks[i] != NULL;
    }
    return got;
}

static void free_all(void) {
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (blocks[i] && (blocks[i][0] != (char)i || blocks[i][size_of(i) - 1] != (char)i))
            _exit(5);
        free(blocks[i]);
    }
}

/* 200 MB in a process that has 4 MiB: it grows, or cannot. */
static _Noreturn void fail_while_growing(int number, bool lasting) {
    calls = 0;
    first_failure = number;
    is_lasting = lasting;
    const unsigned got = allocate_all();
    if (lasting && number == 0 && got == BLOCKS)
        _exit(6); /* nothing failed: this test tests nothing */
    free_all();
    (void)malloc_trim(0);
    first_failure = -1;
    const size_t resident = tap_resident_bytes();
    for (unsigned round = 0; round < 3; round++) {
        if (allocate_all() != BLOCKS)
            _exit(7);
        free_all();
    }
    (void)malloc_trim(0);
    _exit(tap_resident_bytes() < resident + 20 * MIB ? 0 : 8);
}

static bool survives_growth(int number, bool lasting) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0)
        fail_while_growing(number, lasting);
    const bool is_good = waitpid(child, &status, 0) == child && status == 0;
    if (!is_good)
        tap_note("call %d%s fails: status %#x", number, lasting ? " and later" : "", status);
    return is_good;
}

static void any_call_of_growth_may_fail(void) {
    for (int number = 0; number < 24; number++) {
        EXPECT(survives_growth(number, false));
        EXPECT(survives_growth(number, true));
    }
}

/* ---- while pages are moved ---- */

enum { STEPS = 5, OBSTACLES = 400 };

static void *obstacle[OBSTACLES];
static unsigned obstacles;

/* Take blocks until one lies behind this one (a run that grew has an eighth of room); those before
 * fill holes elsewhere. */
static void stand_in_the_way(const char *block, size_t size) {
    bool is_behind = false;
    while (!is_behind && obstacles < OBSTACLES && (obstacle[obstacles] = malloc(MIB / 2)) != NULL) {
        const uintptr_t at = (uintptr_t)obstacle[obstacles++], end = (uintptr_t)block + size;
        is_behind = at >= end && at < end + size / 4 + MIB;
    }
}

/* One MiB more each time, past a block that lies in the way. How often it could not. */
static unsigned grow_step_by_step(void) {
    unsigned failed = 0;
    size_t size = MIB;
    char *block = malloc(size);
    for (unsigned i = 0; block && i < STEPS; i++) {
        memset(block + size - MIB, (int)i, MIB);
        stand_in_the_way(block, size);
        errno = 0;
        char *larger = realloc(block, size + MIB);
        if (!larger && errno != ENOMEM)
            _exit(3);
        failed += larger == NULL;
        block = larger ? larger : block;
        size += larger ? MIB : 0;
        for (size_t at = 0; !failed && at < size - MIB; at += 4096) {
            if (block[at] != (char)(at / MIB))
                _exit(5);
        }
    }
    free(block);
    while (obstacles > 0)
        free(obstacle[--obstacles]);
    return failed;
}

static _Noreturn void fail_while_moving(int number, bool lasting) {
    calls = moves = 0;
    first_failure = number;
    is_lasting = lasting;
    (void)grow_step_by_step();
    (void)malloc_trim(0);
    first_failure = -1;
    const size_t resident = tap_resident_bytes();
    for (unsigned round = 0; round < 3; round++) {
        if (grow_step_by_step() != 0)
            _exit(7);
    }
    /* What failed to be purged is still there, and blocks are copied to where memory is: they may
     * have no reason to move once all calls have failed. */
    if (moves == 0 && !lasting)
        _exit(6); /* this test tests nothing */
    (void)malloc_trim(0);
    _exit(tap_resident_bytes() < resident + 4 * MIB ? 0 : 8);
}

static bool survives_moving(int number, bool lasting) {
    int status = -1;
    const pid_t child = fork();
    if (child == 0)
        fail_while_moving(number, lasting);
    const bool is_good = waitpid(child, &status, 0) == child && status == 0;
    if (!is_good)
        tap_note("call %d%s fails: status %#x", number, lasting ? " and later" : "", status);
    return is_good;
}

static void any_call_of_moving_may_fail(void) {
    for (int number = 0; number < 24; number++) {
        EXPECT(survives_moving(number, false));
        EXPECT(survives_moving(number, true));
    }
}

static void the_library_calls_what_fails_here(void) {
    calls = 0;
    free(malloc(300 * MIB));
    EXPECT(calls > 0);
}

static const struct tap_test tests[] = {
    TAP_TEST(any_call_of_the_start_may_fail),
    TAP_TEST(any_call_of_growth_may_fail),
    TAP_TEST(any_call_of_moving_may_fail),
    TAP_TEST(the_library_calls_what_fails_here),
};

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "start") == 0)
        return start_and_allocate();
    return tap_main(argv, tests, sizeof tests / sizeof tests[0]);
}
