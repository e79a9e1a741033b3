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

/* Four objects in a row by address, whatever the policy: from one chunk. */
static void in_a_row(unsigned char *at[4], size_t bytes) {
    for (unsigned i = 0; i < 4; i++) {
        at[i] = larder_fit_alloc(&heap, bytes);
        EXPECT(at[i] != NULL && (i == 0 || at[i] > at[i - 1]));
        memset(at[i], 'a' + (int)i, bytes);
    }
}

static void grow_forward(void) {
    unsigned char *at[4];
    in_a_row(at, 300);
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
    in_a_row(at, 300);
    larder_fit_free(&heap, at[0]);
    EXPECT(larder_fit_realloc(&heap, at[1], 450) == at[0] && at[0][0] == 'b' && at[0][299] == 'b');
    fixture_sound();
    larder_fit_free(&heap, at[2]);
    EXPECT(larder_fit_realloc(&heap, at[3], 2000) != NULL);
    fixture_sound();
    /* With the free chunk behind as well. */
    larder_fit_reset(&heap);
    in_a_row(at, 300);
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
    in_a_row(at, 1900);
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

/* ---- Regions --------------------------------------------------------------------------------- */

static void odd_regions(void) {
    struct larder_fit_region other;
    size_t free_bytes = heap.free_bytes;
    unsigned char *top = (unsigned char *)UINTPTR_MAX;
    EXPECT(larder_fit_add_region(&heap, &other, NULL, 4096, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &other, top - 100, 4096, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &other, top - 4, SIZE_MAX, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &other, (void *)8, SIZE_MAX - 16, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &other, fixture_memory, 4096, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &other, fixture_memory + 4000, 8192, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &other, fixture_memory + 16, 64 + FIT_MIN, 0, 0) == 0);
    EXPECT(heap.regions == &region && heap.free_bytes == free_bytes);
    fixture_sound();
}

static void add_region_refuses_what_it_must(void) {
    fixture_each(odd_regions);
}

/* 512 bytes beyond what good fit can hold, and just not. */
static void good_fit_refuses_what_has_no_class(void) {
    if (!fixture_has(LARDER_FIT_GOOD)) {
        tap_skip("not compiled in");
    }
#if LARDER_FIT_SIZE_LOG2 < 30
    static unsigned char big[(1ul << LARDER_FIT_SIZE_LOG2) + 8192];
    EXPECT(larder_fit_init(&heap, LARDER_FIT_GOOD));
    EXPECT(larder_fit_add_region(&heap, &region, big, sizeof big, 0, 0) == 0);
    EXPECT(larder_fit_add_region(&heap, &region, big, 1ul << LARDER_FIT_SIZE_LOG2, 0, 0) > 0);
    EXPECT(larder_fit_grow(&heap, &region, big + sizeof big) == 0);
    fixture_sound();
    EXPECT(larder_fit_alloc(&heap, 1ul << LARDER_FIT_SIZE_LOG2) == NULL);
    larder_fit_free(&heap, larder_fit_alloc(&heap, heap.free_bytes - FIT_HEAD - FIT_TAIL));
#else
    EXPECT(larder_fit_init(&heap, LARDER_FIT_GOOD));
    EXPECT(larder_fit_add_region(&heap, &region, (void *)64, (size_t)1 << LARDER_FIT_SIZE_LOG2 << 1,
                                 0, 0) == 0);
#endif
}

/* Together two regions have room for more than any class holds. */
static void good_fit_has_no_class_above_the_largest(void) {
#if LARDER_FIT_SIZE_LOG2 < 20
    static unsigned char big[2][(1ul << LARDER_FIT_SIZE_LOG2) / 4 * 3];
    struct larder_fit_region other;
    EXPECT(larder_fit_init(&heap, LARDER_FIT_GOOD));
    EXPECT(larder_fit_add_region(&heap, &region, big[0], sizeof big[0], 0, 0) > 0);
    EXPECT(larder_fit_add_region(&heap, &other, big[1], sizeof big[1], 0, 0) > 0);
    EXPECT(larder_fit_alloc(&heap, 1ul << LARDER_FIT_SIZE_LOG2) == NULL);
    fixture_sound();
#else
    tap_skip("regions are larger than this machine");
#endif
}

static bool stop_at_once(void *context, const struct larder_fit_block *block) {
    (void)context;
    (void)block;
    return false;
}

static void small_ones_elsewhere(void) {
    static unsigned char memory[3][2048];
    struct larder_fit_region small, large;
    EXPECT(larder_fit_init(&heap, fixture_policy));
    /* Smaller regions first, whatever the order they come in. */
    EXPECT(larder_fit_add_region(&heap, &large, memory[0], 4096, 1, 0) > 0);
    EXPECT(larder_fit_add_region(&heap, &small, memory[2], 2048, 3, 0) > 0);
    EXPECT(heap.regions == &small && small.next == &large);
    unsigned char *at = larder_fit_alloc(&heap, 100);
    EXPECT(at >= small.first && at < small.end);
    unsigned char *wide = larder_fit_alloc(&heap, 2500);
    EXPECT(wide >= large.first && wide < large.end);
    EXPECT(!larder_fit_walk(&heap, stop_at_once, NULL));
    /* Kinds. */
    EXPECT(larder_fit_request(&heap, 1, 8, 4) == NULL);
    EXPECT(larder_fit_request(&heap, 1, 2500, 2) == NULL);
    at = larder_fit_request(&heap, 1, 100, 2);
    EXPECT(at >= small.first && at < small.end);
    fixture_sound();
}

static void small_objects_go_to_small_regions(void) {
    fixture_each(small_ones_elsewhere);
}

static void second_round(void) {
    static unsigned char memory[2][4096];
    struct larder_fit_region precious, common;
    EXPECT(larder_fit_init(&heap, fixture_policy));
    EXPECT(larder_fit_add_region(&heap, &precious, memory[0], 2048, 0, 256) > 0);
    EXPECT(larder_fit_add_region(&heap, &common, memory[1], 4096, 0, 0) > 0);
    unsigned char *at = larder_fit_alloc(&heap, 255);
    EXPECT(at >= common.first && at < common.end);
    at = larder_fit_alloc(&heap, 256);
    EXPECT(at >= precious.first && at < precious.end);
    /* A full heap still gives small objects the precious memory. */
    while ((at = larder_fit_alloc(&heap, 200)) != NULL && at >= common.first && at < common.end) {
    }
    EXPECT(at != NULL && at >= precious.first && at < precious.end);
    fixture_sound();
}

static void small_objects_enter_a_precious_region_last(void) {
    fixture_each(second_round);
}

static void grows(void) {
    struct larder_fit_region low, high;
    EXPECT(larder_fit_init(&heap, fixture_policy));
    EXPECT(larder_fit_add_region(&heap, &low, fixture_memory, 2500, 0, 0) > 0);
    EXPECT(larder_fit_add_region(&heap, &high, fixture_memory + 5000, 2600, 0, 0) > 0);
    void *all = larder_fit_alloc(&heap, (size_t)(low.end - low.first) - FIT_HEAD - FIT_TAIL);
    EXPECT(all != NULL);
    /* Backwards, nothing, less than a granule, less than a chunk, into the next region. */
    EXPECT(larder_fit_grow(&heap, &low, fixture_memory) == 0);
    EXPECT(larder_fit_grow(&heap, &low, low.end + FIT_HEAD) == 0);
    EXPECT(larder_fit_grow(&heap, &low, low.end + FIT_HEAD + FIT_ALIGN - 1) == 0);
    EXPECT(larder_fit_grow(&heap, &low, low.end + FIT_HEAD + FIT_MIN - FIT_ALIGN) == 0);
    EXPECT(larder_fit_grow(&heap, &low, fixture_memory + 5001 + FIT_ALIGN) == 0);
    EXPECT(larder_fit_grow(&heap, &low, (void *)(UINTPTR_MAX - 64)) == 0);
    fixture_sound();
    size_t before = heap.free_bytes;
    EXPECT(larder_fit_grow(&heap, &low, low.end + FIT_HEAD + FIT_MIN) == FIT_MIN);
    EXPECT(heap.free_bytes == before + FIT_MIN);
    fixture_sound();
    /* A free chunk at the end takes any granule; the larger region moves back in the order. */
    EXPECT(larder_fit_grow(&heap, &low, low.end + FIT_HEAD + FIT_ALIGN) == FIT_ALIGN);
    EXPECT(larder_fit_grow(&heap, &low, fixture_memory + 4900) > 0);
    EXPECT(heap.regions == &high && high.next == &low);
    EXPECT(larder_fit_alloc(&heap, 2000) != NULL && larder_fit_alloc(&heap, 2000) != NULL);
    /* The last in the order. */
    EXPECT(larder_fit_grow(&heap, &low, fixture_memory + 4990) > 0);
    fixture_sound();
    larder_fit_free(&heap, all);
    fixture_sound();
}

static void grow_extends_a_region_at_its_end(void) {
    fixture_each(grows);
}

static void starts_anew(void) {
    size_t room = fixture_largest();
    void *held = larder_fit_alloc(&heap, 100);
    memset(held, 0xff, 100);
    /* Even a heap overwritten from end to end. */
    memset(fixture_memory, 0xa5, sizeof fixture_memory);
    larder_fit_reset(&heap);
    fixture_sound();
    EXPECT(fixture_largest() == room && heap.minimum_free_bytes == heap.free_bytes);
}

static void reset_forgets_everything(void) {
    fixture_each(starts_anew);
}

static void exact_range(void) {
    size_t room = fixture_largest();
    unsigned char *want = fixture_memory + 4001;
    unsigned char *handle = larder_fit_reserve(&heap, want, 777);
    EXPECT(handle != NULL && handle <= want);
    fixture_sound();
    EXPECT(larder_fit_reserve(&heap, want + 700, 100) == NULL);
    EXPECT(larder_fit_reserve(&heap, want - 100, 200) == NULL);
    EXPECT(larder_fit_reserve(&heap, fixture_memory, 8) == NULL);
    EXPECT(larder_fit_reserve(&heap, fixture_memory + 2500, 0) == NULL);
    EXPECT(larder_fit_reserve(&heap, fixture_memory + 2500, SIZE_MAX) == NULL);
    EXPECT(larder_fit_reserve(&heap, fixture_memory + FIXTURE_BYTES - 8, 8) == NULL);
    EXPECT(larder_fit_reserve(&heap, &heap, 8) == NULL);
    /* Nobody gets a byte of it. */
    unsigned char *at;
    while ((at = larder_fit_alloc(&heap, 8)) != NULL) {
        EXPECT(at + 8 <= want || at >= want + 777);
    }
    larder_fit_unreserve(&heap, handle);
    fixture_sound();
    larder_fit_reset(&heap);
    /* Every byte of a free chunk but its header, and what lies before as a chunk or not at all. */
    unsigned char *first = region.first + FIT_HEAD;
    EXPECT(larder_fit_reserve(&heap, first, room) == first);
    larder_fit_unreserve(&heap, first);
    for (size_t offset = 0; offset < 3 * FIT_MIN; offset++) {
        handle = larder_fit_reserve(&heap, first + offset, 1);
        EXPECT(handle != NULL && handle <= first + offset);
        fixture_sound();
        larder_fit_unreserve(&heap, handle);
        handle = larder_fit_reserve(&heap, first + room - 1 - offset, 1 + offset);
        EXPECT(handle != NULL && handle <= first + room - 1 - offset);
        fixture_sound();
        larder_fit_unreserve(&heap, handle);
    }
    EXPECT(larder_fit_reserve(&heap, first + 1, room) == NULL);
    EXPECT(fixture_largest() == room);
}

static void reserve_takes_an_exact_range(void) {
    fixture_each(exact_range);
}

/* ---- Looking at it --------------------------------------------------------------------------- */

static bool count_some(void *context, const struct larder_fit_block *block) {
    unsigned *left = context;
    EXPECT(block->pointer != NULL);
    return --*left > 0;
}

static void walk_stops(void) {
    unsigned char *at[4];
    in_a_row(at, 100);
    unsigned left = 2;
    EXPECT(!larder_fit_walk(&heap, count_some, &left) && left == 0);
    left = 100;
    EXPECT(larder_fit_walk(&heap, count_some, &left) && left == 100 - 5);
    /* A corrupt header ends it. */
    memset(at[1] - FIT_HEAD, 0xff, FIT_HEAD);
    left = 100;
    EXPECT(!larder_fit_walk(&heap, count_some, &left) && left == 100 - 1);
    larder_fit_reset(&heap);
}

static void walk_ends_when_told_or_when_corrupt(void) {
    fixture_each(walk_stops);
}

static bool find_owner(void *context, const struct larder_fit_block *block) {
    uintptr_t *owner = context;
    if (block->used) {
        owner[0] = block->owner;
    }
    return true;
}

static void owned(void) {
    uintptr_t owner = 1;
    void *pointer = larder_fit_alloc(&heap, 10);
    EXPECT(larder_fit_walk(&heap, find_owner, &owner) && owner == 0);
    larder_fit_set_owner(&heap, pointer, 0x1234);
    EXPECT(larder_fit_walk(&heap, find_owner, &owner));
    EXPECT(owner == (LARDER_FIT_OWNER ? 0x1234u : 0u));
    /* It moves along: by sliding, and to other memory. */
    void *stop = larder_fit_alloc(&heap, 10);
    larder_fit_set_owner(&heap, stop, 0x99);
    pointer = larder_fit_realloc(&heap, pointer, 3000);
    larder_fit_free(&heap, stop);
    pointer = larder_fit_realloc(&heap, pointer, 6000);
    EXPECT(pointer != NULL && larder_fit_walk(&heap, find_owner, &owner));
    EXPECT(owner == (LARDER_FIT_OWNER ? 0x1234u : 0u));
}

static void owner_tags_stay_with_their_memory(void) {
    fixture_each(owned);
}

static void figures(void) {
    struct larder_fit_diagnosis one;
    unsigned char *at[4];
    in_a_row(at, 500);
    larder_fit_free(&heap, at[1]);
    EXPECT(larder_fit_alloc(&heap, FIXTURE_BYTES) == NULL);
    larder_fit_diagnose(&heap, &one);
    EXPECT(one.live_chunks == 3 && one.free_chunks == 2);
    EXPECT(one.largest_free_bytes > one.smallest_free_bytes);
    EXPECT(one.external_permille > 0 && one.external_permille < 500);
    EXPECT(one.minimum_free_bytes + 500 <= one.free_bytes);
#if LARDER_FIT_STATS
    EXPECT(one.peak_request_bytes == FIXTURE_BYTES && one.failures == 1);
    EXPECT(one.allocations == 4 && one.frees == 1 && one.asked_bytes == 1500);
#else
    EXPECT(one.peak_request_bytes == 0 && one.failures == 0 && one.allocations == 0);
#endif
    while (larder_fit_alloc(&heap, 1) != NULL) {
    }
    larder_fit_diagnose(&heap, &one);
    EXPECT(one.external_permille <= 1000 && one.internal_permille <= 1000);
    EXPECT(one.internal_permille > 0);
    EXPECT(larder_fit_init(&heap, fixture_policy));
    larder_fit_diagnose(&heap, &one);
    EXPECT(one.capacity_bytes == 0 && one.external_permille == 0 && one.internal_permille == 0);
}

static void diagnosis_adds_up(void) {
    fixture_each(figures);
}

/* 1000 · part does not fit a word when the heap is large. */
static void permille_of_a_large_heap(void) {
    static unsigned char memory[3u << 20];
    enum larder_fit_policy policy =
        fixture_has(LARDER_FIT_BEST) ? LARDER_FIT_BEST : LARDER_FIT_FIRST;
    if (LARDER_FIT_SIZE_LOG2 < 22 || !larder_fit_init(&heap, policy)) {
        tap_skip("not compiled in");
    }
    EXPECT(larder_fit_add_region(&heap, &region, memory, sizeof memory, 0, 0) > 0);
    void *low = larder_fit_alloc(&heap, sizeof memory / 3);
    void *middle = larder_fit_alloc(&heap, sizeof memory / 3);
    larder_fit_free(&heap, low);
    struct larder_fit_diagnosis one;
    larder_fit_diagnose(&heap, &one);
    EXPECT(one.external_permille >= 490 && one.external_permille <= 510 && middle != NULL);
}

static void events(void) {
    unsigned long before = hooks_trace_last.count;
    void *pointer = larder_fit_alloc(&heap, 77);
    EXPECT(hooks_trace_last.event == LARDER_FIT_EVENT_ALLOC && hooks_trace_last.bytes == 77);
    EXPECT(hooks_trace_last.pointer == pointer && hooks_trace_last.heap == &heap);
    EXPECT(!larder_fit_try_resize(&heap, pointer, SIZE_MAX));
    EXPECT(hooks_trace_last.event == LARDER_FIT_EVENT_RESIZE && hooks_trace_last.pointer == NULL);
    pointer = larder_fit_realloc(&heap, pointer, 99);
    EXPECT(hooks_trace_last.pointer == pointer && hooks_trace_last.bytes == 99);
    larder_fit_free(&heap, pointer);
    EXPECT(hooks_trace_last.event == LARDER_FIT_EVENT_FREE && hooks_trace_last.pointer == pointer);
    EXPECT(hooks_trace_last.count == before + 4);
}

static void calls_are_traced_outside_the_lock(void) {
    fixture_each(events);
}

static void words_for_everything(void) {
    for (unsigned i = 0; i <= LARDER_FIT_POLICY_COUNT; i++) {
        const char *text = larder_fit_policy_text((enum larder_fit_policy)i);
        EXPECT((strcmp(text, "unknown policy") == 0) == (i == LARDER_FIT_POLICY_COUNT));
    }
    for (unsigned i = 0; i <= LARDER_FIT_POISONED + 1u; i++) {
        const char *text = larder_fit_mistake_text((enum larder_fit_mistake)i);
        EXPECT((strcmp(text, "unknown mistake") == 0) == (i > LARDER_FIT_POISONED));
    }
}

/* ---- Policies -------------------------------------------------------------------------------- */

/* Next fit goes on where it was, and comes round. */
static void next_fit_goes_round(void) {
    if (!fixture_has(LARDER_FIT_NEXT)) {
        tap_skip("not compiled in");
    }
    fixture_make(LARDER_FIT_NEXT);
    unsigned char *at[4];
    in_a_row(at, 1800);
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
    TAP_TEST(add_region_refuses_what_it_must),
    TAP_TEST(good_fit_refuses_what_has_no_class),
    TAP_TEST(good_fit_has_no_class_above_the_largest),
    TAP_TEST(small_objects_go_to_small_regions),
    TAP_TEST(small_objects_enter_a_precious_region_last),
    TAP_TEST(grow_extends_a_region_at_its_end),
    TAP_TEST(reset_forgets_everything),
    TAP_TEST(reserve_takes_an_exact_range),
    TAP_TEST(walk_ends_when_told_or_when_corrupt),
    TAP_TEST(owner_tags_stay_with_their_memory),
    TAP_TEST(diagnosis_adds_up),
    TAP_TEST(permille_of_a_large_heap),
    TAP_TEST(calls_are_traced_outside_the_lock),
    TAP_TEST(words_for_everything),
    TAP_TEST(next_fit_goes_round),
    TAP_TEST(good_fit_falls_back_on_its_own_class),
    TAP_TEST(control_structures_are_small),
};

TAP_MAIN(tests)
