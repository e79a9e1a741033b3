/* realloc() of large blocks: it grows where it stands, or moves pages instead of copying them; what
 * it costs is counted in page faults, and what it leaves behind in mappings. */
#include "tap.h"

#include "larder/process.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)

#pragma weak larder_process_try_resize
#define try_resize larder_process_try_resize

static size_t page_faults(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_minflt : 0;
}

/* Lines of /proc/self/maps. Allocates nothing. */
static unsigned mappings(void) {
    char text[4096];
    unsigned lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    for (size_t length; file && (length = fread(text, 1, sizeof text, file)) > 0;) {
        for (size_t i = 0; i < length; i++)
            lines += text[i] == '\n';
    }
    if (file)
        (void)fclose(file);
    return lines;
}

/* A word in each page says which page it is. */
static void fill(char *block, size_t first, size_t end, uint64_t salt) {
    for (size_t at = (first + PAGE - 1) & ~(PAGE - 1); at + 8 <= end; at += PAGE)
        *(uint64_t *)(void *)(block + at) = at ^ salt;
}

static bool is_kept(const char *block, size_t end, uint64_t salt) {
    for (size_t at = 0; at + 8 <= end; at += PAGE) {
        if (*(const uint64_t *)(const void *)(block + at) != (at ^ salt))
            return false;
    }
    return true;
}

/* Can this kernel leave the place of moved pages mapped? Linux 5.7 can. */
static bool can_move(void) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS, dontunmap = 4;
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
    const bool can = mremap(pages, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | dontunmap,
                            pages + PAGE) != MAP_FAILED;
    if (!can)
        tap_skip("this kernel does not move pages");
    (void)munmap(pages, 2 * PAGE);
    return can;
}

/* ---- in place ---- */

/* The heap has 4 MiB at the start: it grows under the block. */
static void the_last_block_grows_with_the_heap(void) {
    char *block = malloc(5 * MIB);
    unsigned moves = 0;
    fill(block, 0, 5 * MIB, 1);
    for (size_t size = 6 * MIB; size <= 400 * MIB; size += MIB) {
        const uintptr_t old = (uintptr_t)block;
        block = realloc(block, size);
        if (!EXPECT(block != NULL))
            return;
        moves += (uintptr_t)block != old;
    }
    EXPECT(is_kept(block, 5 * MIB, 1));
    tap_note("%u moves", moves);
    EXPECT(moves <= 4);
    free(block);
}

static void try_resize_never_moves(void) {
    char *small = malloc(100), *block = malloc(100 * MIB);
    EXPECT(try_resize(block, 3 * MIB) && malloc_usable_size(block) == 3 * MIB);
    EXPECT(!try_resize(NULL, 100) && !try_resize(block, 0) && !try_resize(&small, 8));
    fill(block, 0, 3 * MIB, 2);
    for (size_t size = 3 * MIB; size <= 100 * MIB; size += MIB)
        EXPECT(try_resize(block, size) && malloc_usable_size(block) >= size);
    void *behind = malloc(2 * MIB);
    EXPECT(!try_resize(block, (size_t)PTRDIFF_MAX));
    EXPECT(try_resize(block, 3 * MIB));
    EXPECT(is_kept(block, 3 * MIB, 2));
    const size_t usable = malloc_usable_size(block);
    EXPECT(!try_resize(block, (size_t)1 << 45) && malloc_usable_size(block) == usable);
    EXPECT(try_resize(small, 112) && !try_resize(small, 113) && !try_resize(small, 10));
    free(behind);
    free(block);
    free(small);
}

/* ---- moving ---- */

enum { STEPS = 50, OBSTACLES = 4000 };

/* Another block lies behind it each time: it has to move. */
static size_t grow_past_obstacles(size_t *faults) {
    static void *obstacle[OBSTACLES];
    unsigned count = 0;
    size_t copied = 0, size = 2 * MIB;
    char *block = malloc(size);
    fill(block, 0, size, 3);
    *faults = page_faults();
    for (unsigned i = 0; i < STEPS; i++) {
        const uintptr_t old = (uintptr_t)block;
        /* Until one lies behind it; those before filled holes elsewhere. */
        while (count < OBSTACLES && try_resize(block, size + MIB) && try_resize(block, size))
            obstacle[count++] = malloc(MIB / 2);
        block = realloc(block, size + MIB);
        if (!EXPECT(block && is_kept(block, size, 3)))
            break;
        copied += (uintptr_t)block != old ? size : 0;
        fill(block, size, size + MIB, 3);
        size += MIB;
    }
    *faults = page_faults() - *faults;
    free(block);
    while (count > 0)
        free(obstacle[--count]);
    return copied;
}

static void growing_moves_pages(void) {
    size_t faults;
    if (!can_move())
        return;
    (void)malloc_trim(0);
    const size_t moved = grow_past_obstacles(&faults);
    tap_note("%zu MiB moved in %zu page faults", moved / MIB, faults);
    EXPECT(moved > 100 * MIB);
    EXPECT(faults < 2 * STEPS * MIB / PAGE); /* one for each page of the end, and as many again */
}

/* Blocks of all sizes grow and go, in any order: their mappings go with them. */
static void mappings_are_few_and_go(void) {
    enum { BLOCKS = 24, ROUNDS = 3000 };
    static struct {
        char *block;
        size_t size;
    } slot[BLOCKS];
    uint64_t random = tap_seed();
    unsigned most = 0;
    const unsigned before = mappings();
    for (unsigned round = 0; round < ROUNDS; round++) {
        const uint64_t draw = tap_random(&random), which = draw % BLOCKS;
        const size_t size = slot[which].size ? slot[which].size * 5 / 4 + PAGE : MIB + draw % MIB;
        if (size > 12 * MIB || draw >> 40 & 1) {
            free(slot[which].block);
            slot[which].block = NULL;
            slot[which].size = 0;
            continue;
        }
        slot[which].block = realloc(slot[which].block, size);
        EXPECT(slot[which].block && is_kept(slot[which].block, slot[which].size, which));
        fill(slot[which].block, 0, size, which);
        slot[which].size = size;
        if (round % 100 == 0) {
            most = mappings() > most ? mappings() : most;
            (void)malloc_trim(0);
        }
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        free(slot[i].block);
    tap_note("mappings: %u before, %u at most, %u after", before, most, mappings());
    EXPECT(most <= before + 600);
    EXPECT(mappings() <= before + 60); /* an emulator has some too */
}

static void moved_memory_is_zero_where_calloc_finds_it(void) {
    size_t faults;
    (void)grow_past_obstacles(&faults);
    char *block = calloc(1, 130 * MIB);
    for (size_t at = 0; block && at < 130 * MIB; at += PAGE / 2)
        EXPECT(block[at] == 0);
    free(block);
}

static void *grow_often(void *salt) {
    for (unsigned round = 0; round < 8; round++) {
        char *block = NULL;
        size_t size = 0;
        for (size_t next = MIB; next < 30 * MIB; next += next / 3) {
            block = realloc(block, next);
            if (!EXPECT(block && is_kept(block, size, (uintptr_t)salt)))
                return NULL;
            fill(block, size, next, (uintptr_t)salt);
            size = next;
        }
        free(block);
    }
    return NULL;
}

static void threads_move_side_by_side(void) {
    pthread_t thread[4];
    for (uintptr_t i = 0; i < 4; i++)
        EXPECT(pthread_create(&thread[i], NULL, grow_often, (void *)(i << 40)) == 0);
    for (unsigned i = 0; i < 4; i++)
        (void)pthread_join(thread[i], NULL);
}

static const struct tap_test tests[] = {
    TAP_TEST(the_last_block_grows_with_the_heap),
    TAP_TEST(try_resize_never_moves),
    TAP_TEST(growing_moves_pages),
    TAP_TEST(mappings_are_few_and_go),
    TAP_TEST(moved_memory_is_zero_where_calloc_finds_it),
    TAP_TEST(threads_move_side_by_side),
};

/* What is being purged cannot be grown into at that moment, and here it is counted who moves. */
int main(int argc, char **argv) {
    (void)argc;
    (void)setenv("LARDER_BACKGROUND", "0", 1);
    (void)setenv("LARDER_PURGE_MS", "1000000", 1);
    return tap_main(argv, tests, sizeof tests / sizeof tests[0]);
}
