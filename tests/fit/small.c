/* What depends on the width of a word, small enough for a machine of 16 bits: a region of 2 KiB,
 * few words of text. */
#include "tap.h"

#include "chunk.h"

static _Alignas(LARDER_FIT_ALIGN) unsigned char memory[2048];
static struct larder_fit heap;
static struct larder_fit_region region;

static void make(enum larder_fit_policy policy) {
    EXPECT(larder_fit_init(&heap, policy));
    EXPECT(larder_fit_add_region(&heap, &region, memory, sizeof memory, 0, 0) > 1500);
}

static void each(void (*body)(void)) {
    for (unsigned i = 0; i < LARDER_FIT_POLICY_COUNT; i++) {
        if (LARDER_FIT_POLICIES & 1 << i) {
            make((enum larder_fit_policy)i);
            body();
            EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_SOUND);
        }
    }
}

static void odd_sizes(void) {
    static const size_t odd[] = {0,
                                 SIZE_MAX,
                                 SIZE_MAX - 1,
                                 SIZE_MAX - FIT_HEAD,
                                 SIZE_MAX - FIT_ALIGN,
                                 (size_t)PTRDIFF_MAX + 1,
                                 PTRDIFF_MAX,
                                 PTRDIFF_MAX - FIT_HEAD};
    void *one = larder_fit_alloc(&heap, 100);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        EXPECT(larder_fit_alloc(&heap, odd[i]) == NULL);
        EXPECT(larder_fit_aligned(&heap, 64, odd[i]) == NULL);
        EXPECT(larder_fit_realloc(&heap, one, odd[i]) == NULL);
        EXPECT(!larder_fit_try_resize(&heap, one, odd[i]));
    }
    EXPECT(larder_fit_calloc(&heap, SIZE_MAX / 2 + 1, 2) == NULL);
    EXPECT(larder_fit_calloc(&heap, SIZE_MAX / 256 + 1, 256) == NULL);
    larder_fit_free(&heap, one);
}

static void odd_sizes_are_null(void) {
    each(odd_sizes);
}

static void alignments(void) {
    for (size_t align = 1; align != 0; align *= 2) {
        unsigned char *got = larder_fit_aligned(&heap, align, 24);
        EXPECT(got != NULL || align > 512);
        EXPECT(((uintptr_t)got & (align - 1)) == 0);
        larder_fit_free(&heap, got);
    }
    EXPECT(larder_fit_aligned(&heap, 0, 24) == NULL);
    EXPECT(larder_fit_aligned(&heap, 24, 24) == NULL);
    EXPECT(larder_fit_aligned(&heap, SIZE_MAX, 24) == NULL);
}

static void alignments_hold_or_are_null(void) {
    each(alignments);
}

static void mistakes(void) {
    unsigned char *a = larder_fit_alloc(&heap, 40), *b = larder_fit_alloc(&heap, 40);
    EXPECT(a != NULL && b != NULL);
    bytes_fill(b, b + 40, 0x7f);
    larder_fit_free(&heap, a);
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, a, larder_fit_free(&heap, a));
    EXPECT_MISTAKE(LARDER_FIT_INTERIOR, b + 8, larder_fit_free(&heap, b + 8));
    EXPECT_MISTAKE(LARDER_FIT_FOREIGN, &heap, larder_fit_free(&heap, &heap));
    larder_fit_free(&heap, b);
}

static void mistakes_are_named(void) {
    if (!LARDER_FIT_CHECKS) {
        tap_skip("built without checks");
    }
    each(mistakes);
}

/* A hole of each size is found again when nothing else is left, whatever class it is in. */
static void every_hole(void) {
    for (size_t bytes = 1; bytes < 400; bytes += 3) {
        void *hole = larder_fit_alloc(&heap, bytes);
        void *fence = larder_fit_alloc(&heap, 1);
        EXPECT(hole != NULL && fence != NULL);
        larder_fit_free(&heap, hole);
        struct larder_fit_diagnosis figures;
        larder_fit_diagnose(&heap, &figures);
        void *rest = larder_fit_alloc(&heap, figures.largest_free_bytes);
        void *again = larder_fit_alloc(&heap, bytes);
        EXPECT(rest != NULL && again == hole);
        larder_fit_free(&heap, rest);
        larder_fit_free(&heap, again);
        larder_fit_free(&heap, fence);
    }
}

static void every_hole_is_found_again(void) {
    each(every_hole);
}

static const struct tap_test tests[] = {
    TAP_TEST(odd_sizes_are_null), TAP_TEST(alignments_hold_or_are_null),
    TAP_TEST(mistakes_are_named), TAP_TEST(every_hole_is_found_again)};

TAP_MAIN(tests)
