/* Each call by its contract, the edges first. */
#include "fixture.h"

static void refuses_policies_it_does_not_have(void) {
    EXPECT(!larder_fit_init(&heap, LARDER_FIT_POLICY_COUNT));
    for (unsigned i = 0; i < LARDER_FIT_POLICY_COUNT; i++) {
        EXPECT(larder_fit_init(&heap, (enum larder_fit_policy)i) ==
               fixture_has((enum larder_fit_policy)i));
    }
    EXPECT(larder_fit_create(fixture_memory, FIXTURE_BYTES, LARDER_FIT_POLICY_COUNT) == NULL);
    EXPECT(larder_fit_create(NULL, FIXTURE_BYTES, LARDER_FIT_FIRST) == NULL);
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static void odd_requests(void) {
    size_t before = heap.free_bytes;
    EXPECT(larder_fit_alloc(&heap, 0) == NULL);
    EXPECT(larder_fit_alloc(&heap, SIZE_MAX) == NULL);
    EXPECT(larder_fit_alloc(&heap, SIZE_MAX - FIT_HEAD) == NULL);
    EXPECT(larder_fit_alloc(&heap, SIZE_MAX - FIT_HEAD - FIT_ALIGN + 1) == NULL);
    EXPECT(larder_fit_alloc(&heap, (size_t)PTRDIFF_MAX + 1) == NULL);
    EXPECT(larder_fit_alloc(&heap, PTRDIFF_MAX) == NULL);
    EXPECT(larder_fit_alloc(&heap, FIXTURE_BYTES) == NULL);
    EXPECT(larder_fit_calloc(&heap, SIZE_MAX / 2 + 2, 2) == NULL);
    EXPECT(larder_fit_calloc(&heap, 2, SIZE_MAX / 2 + 2) == NULL);
    EXPECT(larder_fit_calloc(&heap, 0, 8) == NULL);
    EXPECT(larder_fit_calloc(&heap, 8, 0) == NULL);
    EXPECT(larder_fit_realloc(&heap, NULL, 0) == NULL);
    EXPECT(larder_fit_realloc(&heap, NULL, SIZE_MAX) == NULL);
    EXPECT(heap.free_bytes == before);
    fixture_sound();
}

static void odd_requests_are_null(void) {
    fixture_each(odd_requests);
}

static void odd_alignments(void) {
    size_t before = heap.free_bytes;
    EXPECT(larder_fit_aligned(&heap, 0, 8) == NULL);
    EXPECT(larder_fit_aligned(&heap, 3, 8) == NULL);
    EXPECT(larder_fit_aligned(&heap, 48, 8) == NULL);
    EXPECT(larder_fit_aligned(&heap, SIZE_MAX, 8) == NULL);
    EXPECT(larder_fit_aligned(&heap, SIZE_MAX / 2 + 1, 8) == NULL);
    EXPECT(larder_fit_aligned(&heap, SIZE_MAX / 2 + 1, PTRDIFF_MAX) == NULL);
    EXPECT(larder_fit_aligned(&heap, 16, SIZE_MAX) == NULL);
    EXPECT(larder_fit_aligned(&heap, 16, 0) == NULL);
    EXPECT(larder_fit_aligned(&heap, 2 * FIXTURE_BYTES, 8) == NULL || heap.free_bytes < before);
    for (size_t align = 1; align <= 2048; align *= 2) {
        void *pointer = larder_fit_aligned(&heap, align, 24);
        EXPECT(pointer != NULL && (uintptr_t)pointer % align == 0);
        fixture_sound();
        larder_fit_free(&heap, pointer);
    }
    fixture_sound();
}

static void odd_alignments_are_null(void) {
    fixture_each(odd_alignments);
}

/* A free chunk that is aligned by itself holds an aligned request of its own size. */
static void exact_aligned(void) {
    size_t align = 4096, room = fixture_largest();
    void *low = larder_fit_alloc(&heap, 4096 - (size_t)(region.first - fixture_memory) -
                                            2 * FIT_HEAD - FIT_TAIL);
    void *at = larder_fit_aligned(&heap, align, 512);
    EXPECT(at != NULL && (uintptr_t)at % align == 0);
    larder_fit_free(&heap, low);
    larder_fit_free(&heap, at);
    EXPECT(fixture_largest() == room);
}

static void aligned_to_half_of_the_region(void) {
    fixture_each(exact_aligned);
}

static void calloc_zero(void) {
    unsigned char *dirty = larder_fit_alloc(&heap, 1000);
    memset(dirty, 0xff, 1000);
    larder_fit_free(&heap, dirty);
    unsigned char *clean = larder_fit_calloc(&heap, 10, 100);
    EXPECT(clean != NULL);
    for (size_t i = 0; i < 1000; i++) {
        EXPECT(clean[i] == 0);
    }
}

static void calloc_reads_as_zero(void) {
    fixture_each(calloc_zero);
}

static void null_pointers(void) {
    larder_fit_free(&heap, NULL);
    larder_fit_unreserve(&heap, NULL);
    EXPECT(larder_fit_size_of(&heap, NULL) == 0);
    EXPECT(larder_fit_size_of(&heap, &heap) == 0);
    void *pointer = larder_fit_realloc(&heap, NULL, 10);
    EXPECT(pointer != NULL);
    EXPECT(larder_fit_realloc(&heap, pointer, 0) == NULL);
    EXPECT(larder_fit_realloc_aligned(&heap, pointer, 3, 8) == NULL);
    EXPECT(larder_fit_realloc_aligned(&heap, pointer, 0, 8) == NULL);
    EXPECT(!larder_fit_try_resize(&heap, pointer, 0));
    EXPECT(!larder_fit_try_resize(&heap, pointer, SIZE_MAX));
    EXPECT(larder_fit_size_of(&heap, pointer) >= 10);
    EXPECT(!FIT_TRACK || larder_fit_size_of(&heap, pointer) == 10);
    larder_fit_free(&heap, pointer);
    fixture_sound();
}

static void null_does_nothing_and_zero_frees_nothing(void) {
    fixture_each(null_pointers);
}

/* ---- Changing the size ----------------------------------------------------------------------- */

static void grow_forward(void) {
    unsigned char *at[4];
    fixture_in_a_row(at, 300);
    EXPECT(!larder_fit_try_resize(&heap, at[0], 400));
    larder_fit_free(&heap, at[1]);
    EXPECT(larder_fit_try_resize(&heap, at[0], 302));
    EXPECT(larder_fit_realloc(&heap, at[0], 500) == at[0]);
    fixture_sound();
    /* All of it, to the last byte. */
    EXPECT(larder_fit_realloc(&heap, at[0], (size_t)(at[2] - at[0]) - FIT_HEAD - FIT_TAIL) ==
           at[0]);
    EXPECT(!larder_fit_try_resize(&heap, at[0], (size_t)(at[2] - at[0])));
    EXPECT(at[0][0] == 'a' && at[0][299] == 'a' && at[2][0] == 'c');
    EXPECT(larder_fit_try_resize(&heap, at[0], 10));
    fixture_sound();
    EXPECT(larder_fit_realloc(&heap, at[0], 500) == at[0] && at[0][9] == 'a');
}

static void realloc_grows_in_place(void) {
    fixture_each(grow_forward);
}

static void grow_backward(void) {
    unsigned char *at[4];
    fixture_in_a_row(at, 300);
    larder_fit_free(&heap, at[0]);
    EXPECT(larder_fit_realloc(&heap, at[1], 450) == at[0] && at[0][0] == 'b' && at[0][299] == 'b');
    fixture_sound();
    larder_fit_free(&heap, at[2]);
    EXPECT(larder_fit_realloc(&heap, at[3], 2000) != NULL);
    fixture_sound();
    /* With the free chunk behind as well. */
    larder_fit_reset(&heap);
    fixture_in_a_row(at, 300);
    larder_fit_free(&heap, at[0]);
    larder_fit_free(&heap, at[2]);
    EXPECT(larder_fit_realloc(&heap, at[1], 900) == at[0] && at[0][299] == 'b' && at[3][0] == 'd');
    fixture_sound();
}

static void realloc_slides_into_the_chunk_before(void) {
    fixture_each(grow_backward);
}

static void keeps_alignment(void) {
    void *pad = larder_fit_alloc(&heap, 40);
    unsigned char *at = larder_fit_aligned(&heap, 256, 100);
    void *stop = larder_fit_alloc(&heap, 40);
    EXPECT(at != NULL && pad != NULL && stop != NULL);
    memset(at, 'x', 100);
    unsigned char *moved = larder_fit_realloc_aligned(&heap, at, 256, 700);
    EXPECT(moved != NULL && (uintptr_t)moved % 256 == 0 && moved[0] == 'x' && moved[99] == 'x');
    /* A stricter alignment moves it even when it shrinks. */
    unsigned char *strict = larder_fit_realloc_aligned(&heap, moved, 2048, 50);
    EXPECT(strict != NULL && (uintptr_t)strict % 2048 == 0 && strict[49] == 'x');
    fixture_sound();
}

static void realloc_keeps_the_alignment_asked_for(void) {
    fixture_each(keeps_alignment);
}

static void move_fails(void) {
    unsigned char *at[4];
    fixture_in_a_row(at, 1900);
    size_t before = heap.free_bytes;
    EXPECT(larder_fit_realloc(&heap, at[1], 4000) == NULL);
    EXPECT(at[1][0] == 'b' && at[1][1899] == 'b' && heap.free_bytes == before);
    fixture_sound();
}

static void realloc_that_fails_changes_nothing(void) {
    fixture_each(move_fails);
}

/* Slack of 255 bytes and more needs its long form: between a chunk and one too small to split. */
static void exact_sizes(void) {
    for (size_t bytes = 1; bytes < 1500; bytes += 3) {
        void *pointer = larder_fit_alloc(&heap, bytes);
        size_t size = larder_fit_size_of(&heap, pointer);
        EXPECT(FIT_TRACK ? size == bytes : size >= bytes);
        EXPECT(larder_fit_try_resize(&heap, pointer, bytes / 2 + 1));
        size = larder_fit_size_of(&heap, pointer);
        EXPECT(FIT_TRACK ? size == bytes / 2 + 1 : size > bytes / 2);
        larder_fit_free(&heap, pointer);
    }
}

static void size_of_is_what_was_asked_for(void) {
    fixture_each(exact_sizes);
}

/* ---- Policies -------------------------------------------------------------------------------- */

/* Next fit goes on where it was, and comes round. */
static void next_fit_goes_round(void) {
    if (!fixture_has(LARDER_FIT_NEXT)) {
        tap_skip("not compiled in");
    }
    fixture_make(LARDER_FIT_NEXT);
    unsigned char *at[4];
    fixture_in_a_row(at, 1800);
    larder_fit_free(&heap, at[0]);
    larder_fit_free(&heap, at[2]);
    unsigned char *next = larder_fit_alloc(&heap, 100);
    EXPECT(next > at[3]);
    EXPECT(larder_fit_alloc(&heap, 1400) == at[0]);
    /* What is left of the first hole comes next, then the second. */
    EXPECT(larder_fit_alloc(&heap, 1000) == at[2]);
    next = larder_fit_alloc(&heap, 100);
    EXPECT(next > at[2] && next < at[3]);
    fixture_sound();
}

/* A good fit of the request's own class, which the class above does not hold. */
static void good_fit_falls_back_on_its_own_class(void) {
    if (!fixture_has(LARDER_FIT_GOOD)) {
        tap_skip("not compiled in");
    }
    fixture_make(LARDER_FIT_GOOD);
    size_t largest = fixture_largest();
    void *all = larder_fit_alloc(&heap, largest);
    EXPECT(all != NULL && larder_fit_alloc(&heap, 1) == NULL);
    larder_fit_free(&heap, all);
    EXPECT(larder_fit_alloc(&heap, largest + FIT_ALIGN) == NULL);
}

/* The size the issue of small machines is about: 32 bytes on 32-bit ones. */
static void control_structures_are_small(void) {
    printf("# struct larder_fit %u bytes, struct larder_fit_region %u bytes\n",
           (unsigned)sizeof(struct larder_fit), (unsigned)sizeof(struct larder_fit_region));
    EXPECT(LARDER_FIT_POLICIES != 1 ||
           sizeof(struct larder_fit) + sizeof(struct larder_fit_region) <= 8 * sizeof(void *));
}

static const struct tap_test tests[] = {
    TAP_TEST(refuses_policies_it_does_not_have),
    TAP_TEST(odd_requests_are_null),
    TAP_TEST(odd_alignments_are_null),
    TAP_TEST(aligned_to_half_of_the_region),
    TAP_TEST(calloc_reads_as_zero),
    TAP_TEST(null_does_nothing_and_zero_frees_nothing),
    TAP_TEST(realloc_grows_in_place),
    TAP_TEST(realloc_slides_into_the_chunk_before),
    TAP_TEST(realloc_keeps_the_alignment_asked_for),
    TAP_TEST(realloc_that_fails_changes_nothing),
    TAP_TEST(size_of_is_what_was_asked_for),
    TAP_TEST(next_fit_goes_round),
    TAP_TEST(good_fit_falls_back_on_its_own_class),
    TAP_TEST(control_structures_are_small),
};

TAP_MAIN(tests)
