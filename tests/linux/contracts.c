/* What C23, POSIX and glibc's manual promise of each function of the family, one call at a time. */
#include "tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The C library of the build may lack these; the library that is tested has them. */
#pragma weak cfree
#pragma weak free_sized
#pragma weak free_aligned_sized
void cfree(void *pointer);
void free_sized(void *pointer, size_t size_bytes);
void free_aligned_sized(void *pointer, size_t align_bytes, size_t size_bytes);

/* So that no compiler warns of sizes that cannot be, nor knows what a call gives back. */
static volatile size_t too_large = (size_t)PTRDIFF_MAX + 1, largest = SIZE_MAX;

static bool is_filled(const void *block, int byte, size_t size_bytes) {
    const unsigned char *bytes = block;
    for (size_t i = 0; i < size_bytes; i++) {
        if (bytes[i] != byte)
            return false;
    }
    return true;
}

static bool is_aligned(const void *block, size_t align_bytes) {
    return ((uintptr_t)block & (align_bytes - 1)) == 0;
}

/* From 1 byte to 8 MiB: powers of two and what is beside them. */
#define EACH_SIZE(size)                                                                            \
    for (size_t power = 1; power <= (size_t)8 << 20; power *= 2)                                   \
        for (size_t size = power - (power > 1); size <= power + 1; size++)

/* ---- sizes and addresses ---- */

static void every_size_can_be_written_to_its_usable_end(void) {
    EACH_SIZE(size) {
        char *block = malloc(size);
        if (!EXPECT(block != NULL))
            return;
        const size_t usable = malloc_usable_size(block);
        EXPECT(usable >= size);
        EXPECT(is_aligned(block, size < 16 ? 8 : 16));
        memset(block, 0x5a, usable);
        EXPECT(is_filled(block, 0x5a, usable));
        free(block);
    }
}

static void no_size_wastes_more_than_an_eighth_above_1_kib(void) {
    for (size_t size = 1024; size < (size_t)1 << 20; size += size / 13) {
        void *block = malloc(size);
        EXPECT(malloc_usable_size(block) <= size + size / 8 + (size > 32768 ? 4096 : 0));
        free(block);
    }
}

static void blocks_of_zero_bytes_are_blocks(void) {
    void *first = malloc(0), *second = malloc(0), *third = calloc(0, 8), *fourth = calloc(8, 0);
    void *fifth = memalign(64, 0), *sixth = realloc(NULL, 0), *seventh = NULL;
    EXPECT(posix_memalign(&seventh, 4096, 0) == 0);
    void *all[] = {first, second, third, fourth, fifth, sixth, seventh};
    for (unsigned i = 0; i < 7; i++) {
        EXPECT(all[i] != NULL);
        for (unsigned j = 0; j < i; j++)
            EXPECT(all[i] != all[j]);
    }
    for (unsigned i = 0; i < 7; i++)
        free(all[i]);
}

static void null_is_no_block(void) {
    free(NULL);
    cfree(NULL);
    free_sized(NULL, 10);
    free_aligned_sized(NULL, 16, 32);
    EXPECT(malloc_usable_size(NULL) == 0);
    void *block = realloc(NULL, 100);
    EXPECT(block != NULL && malloc_usable_size(block) >= 100);
    free(block);
}

static void the_other_names_of_free_free(void) {
    for (unsigned i = 0; i < 100000; i++) {
        void *blocks[] = {malloc(5000), malloc(5000), aligned_alloc(256, 5120)};
        if (!EXPECT(blocks[0] && blocks[1] && blocks[2]))
            return;
        cfree(blocks[0]);
        free_sized(blocks[1], 5000);
        free_aligned_sized(blocks[2], 256, 5120);
    }
    EXPECT(tap_resident_bytes() < (size_t)200 << 20); /* 1.5 GiB went by */
}

/* ---- errors ---- */

#define EXPECT_ENOMEM(call)                                                                        \
    do {                                                                                           \
        errno = 0;                                                                                 \
        EXPECT((call) == NULL);                                                                    \
        EXPECT(errno == ENOMEM);                                                                   \
    } while (0)

static void sizes_that_cannot_be_are_enomem(void) {
    const size_t sizes[] = {too_large, largest, largest - 15, largest - 4095, largest - 65536};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t size = sizes[i];
        void *block = malloc(10), *none = NULL;
        EXPECT_ENOMEM(malloc(size));
        EXPECT_ENOMEM(calloc(size, 1));
        EXPECT_ENOMEM(calloc(1, size));
        EXPECT_ENOMEM(realloc(NULL, size));
        EXPECT_ENOMEM(realloc(block, size));
        EXPECT_ENOMEM(aligned_alloc(16, size));
        EXPECT_ENOMEM(aligned_alloc(64, size));
        EXPECT_ENOMEM(memalign(4096, size));
        EXPECT_ENOMEM(valloc(size));
        EXPECT_ENOMEM(pvalloc(size));
        EXPECT_ENOMEM(reallocarray(block, size, 1));
        errno = 0;
        EXPECT(posix_memalign(&none, 16, size) == ENOMEM);
        EXPECT(posix_memalign(&none, 4096, size) == ENOMEM);
        EXPECT(none == NULL);
        free(block);
    }
}

static void products_that_overflow_are_enomem(void) {
    const size_t half = largest / 2 + 1;
    void *block = malloc(10);
    strcpy(block, "unharmed!");
    EXPECT_ENOMEM(calloc(half, 2));
    EXPECT_ENOMEM(calloc(2, half));
    EXPECT_ENOMEM(calloc(half >> 20, half >> 20));
    EXPECT_ENOMEM(reallocarray(block, half, 2));
    EXPECT_ENOMEM(reallocarray(NULL, 2, half));
    EXPECT(strcmp(block, "unharmed!") == 0);
    free(block);
}

/* More than the address space of the machine has, and less than PTRDIFF_MAX. */
static void sizes_that_no_machine_has_are_enomem(void) {
    volatile size_t size = (size_t)1 << 60;
    for (; size >= (size_t)1 << 48; size /= 2) {
        EXPECT_ENOMEM(malloc(size));
        EXPECT_ENOMEM(calloc(1, size));
        EXPECT_ENOMEM(memalign(4096, size));
        EXPECT_ENOMEM(memalign(size, 16));
        EXPECT_ENOMEM(memalign(size, size));
    }
    void *block = malloc(100);
    EXPECT(block != NULL);
    free(block);
}

static void free_leaves_errno_alone(void) {
    EACH_SIZE(size) {
        void *block = malloc(size), *other = malloc(size), *third = memalign(4096, size);
        errno = 4711;
        free(block);
        free_sized(other, size);
        cfree(third);
        free(NULL);
        EXPECT(errno == 4711);
    }
    void *none = NULL;
    errno = 4711;
    EXPECT(posix_memalign(&none, 16, too_large) == ENOMEM);
    EXPECT(posix_memalign(&none, 3, 16) == EINVAL);
    EXPECT(errno == 4711);
}

static void success_leaves_errno_alone(void) {
    errno = 4711;
    EACH_SIZE(size) {
        free(malloc(size));
        free(calloc(1, size));
        free(realloc(malloc(size), 2 * size));
    }
    EXPECT(errno == 4711);
}

/* ---- alignment ---- */

static void check_aligned(void *block, size_t align_bytes, size_t size_bytes) {
    if (!EXPECT(block != NULL))
        return;
    EXPECT(is_aligned(block, align_bytes));
    const size_t usable = malloc_usable_size(block);
    EXPECT(usable >= size_bytes);
    memset(block, 0x3c, size_bytes);
}

static void every_alignment_holds(void) {
    static const size_t sizes[] = {1, 16, 24, 100, 1000, 4096, 5000, 40000, 70000, 3000000};
    for (size_t align = 1; align <= (size_t)64 << 20; align *= 2) {
        for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            void *blocks[6] = {NULL};
            blocks[0] = memalign(align, sizes[i]);
            blocks[1] = aligned_alloc(align, sizes[i]);
            blocks[2] = memalign(align, sizes[i]);
            if (align >= sizeof(void *))
                EXPECT(posix_memalign(&blocks[3], align, sizes[i]) == 0);
            blocks[4] = memalign(align, 2 * sizes[i]);
            for (unsigned j = 0; j < 5; j++) {
                if (j != 3 || align >= sizeof(void *))
                    check_aligned(blocks[j], align, sizes[i]);
            }
            for (unsigned j = 0; j < 5; j++)
                free(blocks[j]);
        }
    }
}

static void alignments_that_are_none_are_refused(void) {
    static const size_t bad[] = {0, 1, 2, 4, 3, 12, 24, 100, 4097};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        void *block = &block;
        EXPECT(posix_memalign(&block, bad[i], 64) == EINVAL);
        EXPECT(block == &block);
    }
    static const size_t no_powers[] = {0, 3, 12, 24, 100, 4097, SIZE_MAX};
    for (unsigned i = 0; i < sizeof no_powers / sizeof no_powers[0]; i++) {
        volatile size_t align = no_powers[i];
        errno = 0;
        EXPECT(aligned_alloc(align, 64) == NULL);
        EXPECT(errno == EINVAL);
    }
    errno = 0;
    EXPECT(memalign(largest, 64) == NULL);
    EXPECT(errno == EINVAL);
}

static void pages_are_those_of_the_machine(void) {
    const char *larger = getenv("LARDER_PAGE_BYTES");
    const size_t page = larger ? strtoul(larger, NULL, 10) : (size_t)sysconf(_SC_PAGESIZE);
    static const size_t sizes[] = {0, 1, 100, 4095, 4096, 4097, 65536, 65537, 1000000};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        void *block = valloc(sizes[i]), *rounded = pvalloc(sizes[i]);
        const size_t whole = sizes[i] ? (sizes[i] + page - 1) / page * page : page;
        check_aligned(block, page, sizes[i]);
        check_aligned(rounded, page, whole);
        free(block);
        free(rounded);
    }
}

/* ---- contents ---- */

static void calloc_is_zero_where_memory_was_dirty(void) {
    EACH_SIZE(size) {
        for (unsigned round = 0; round < 3; round++) {
            char *block = calloc(1, size);
            if (!EXPECT(block != NULL))
                return;
            EXPECT(is_filled(block, 0, size));
            memset(block, 0xff, malloc_usable_size(block));
            free(block);
        }
    }
}

/* Many at a time, so that slabs and runs are given back to the buddies in between, and purged. */
static void calloc_is_zero_after_giving_back(void) {
    enum { COUNT = 64 };
    static char *blocks[COUNT];
    for (unsigned round = 0; round < 4; round++) {
        for (size_t size = 1000; size <= 1000000; size *= 10) {
            for (unsigned i = 0; i < COUNT; i++) {
                blocks[i] = calloc(size / 100, 100);
                EXPECT(blocks[i] && is_filled(blocks[i], 0, size));
                memset(blocks[i], 0xff, size);
            }
            for (unsigned i = 0; i < COUNT; i++)
                free(blocks[(i * 7) % COUNT]);
            if (round % 2)
                (void)malloc_trim(0);
        }
    }
}

static void fill(unsigned char *block, size_t first, size_t end) {
    for (size_t i = first; i < end; i++)
        block[i] = (unsigned char)(i * 131 >> 3);
}

static bool is_kept(const unsigned char *block, size_t end) {
    for (size_t i = 0; i < end; i++) {
        if (block[i] != (unsigned char)(i * 131 >> 3))
            return false;
    }
    return true;
}

/* Up and down again in uneven steps: through classes, into runs, through large runs, and back. */
static void realloc_keeps_what_fits(void) {
    unsigned char *block = NULL;
    size_t size = 0;
    for (size_t next = 1; next < (size_t)32 << 20; next += next / 3 + 1) {
        block = realloc(block, next);
        if (!EXPECT(block != NULL && is_kept(block, size)))
            return;
        fill(block, size, next);
        size = next;
    }
    for (size_t next = size; next > 1; next -= next / 3 + 1) {
        block = realloc(block, next);
        if (!EXPECT(block != NULL && is_kept(block, next)))
            return;
        EXPECT(malloc_usable_size(block) >= next);
    }
    free(block);
}

static void realloc_keeps_a_block_that_it_cannot_move(void) {
    for (size_t size = 10; size < (size_t)1 << 22; size *= 10) {
        unsigned char *block = malloc(size);
        fill(block, 0, size);
        EXPECT_ENOMEM(realloc(block, too_large));
        volatile size_t none = (size_t)1 << 55;
        EXPECT_ENOMEM(realloc(block, none));
        EXPECT(is_kept(block, size));
        free(block);
    }
}

static void realloc_to_nothing_frees(void) {
    volatile size_t nothing = 0;
    for (unsigned i = 0; i < 20000; i++)
        EXPECT(realloc(malloc(100000), nothing) == NULL);
    EXPECT(tap_resident_bytes() < (size_t)200 << 20); /* 2 GiB went by */
}

static void realloc_of_aligned_blocks_keeps_what_fits(void) {
    for (size_t align = 32; align <= (size_t)1 << 20; align *= 2) {
        unsigned char *block = memalign(align, 3000);
        fill(block, 0, 3000);
        block = realloc(block, 300000);
        EXPECT(block && is_kept(block, 3000));
        free(block);
    }
}

static const struct tap_test tests[] = {
    TAP_TEST(every_size_can_be_written_to_its_usable_end),
    TAP_TEST(no_size_wastes_more_than_an_eighth_above_1_kib),
    TAP_TEST(blocks_of_zero_bytes_are_blocks),
    TAP_TEST(null_is_no_block),
    TAP_TEST(the_other_names_of_free_free),
    TAP_TEST(sizes_that_cannot_be_are_enomem),
    TAP_TEST(products_that_overflow_are_enomem),
    TAP_TEST(sizes_that_no_machine_has_are_enomem),
    TAP_TEST(free_leaves_errno_alone),
    TAP_TEST(success_leaves_errno_alone),
    TAP_TEST(every_alignment_holds),
    TAP_TEST(alignments_that_are_none_are_refused),
    TAP_TEST(pages_are_those_of_the_machine),
    TAP_TEST(calloc_is_zero_where_memory_was_dirty),
    TAP_TEST(calloc_is_zero_after_giving_back),
    TAP_TEST(realloc_keeps_what_fits),
    TAP_TEST(realloc_keeps_a_block_that_it_cannot_move),
    TAP_TEST(realloc_to_nothing_frees),
    TAP_TEST(realloc_of_aligned_blocks_keeps_what_fits),
};

TAP_MAIN(tests)
