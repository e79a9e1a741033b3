/* What concerns a heap as a whole: its regions, and looking at it. */
#include "fixture.h"

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

/* Just enough, with nothing free at the end and with something; and not a granule less. */
static void grows_by_what_is_missing(void) {
    EXPECT(larder_fit_init(&heap, fixture_policy));
    EXPECT(larder_fit_add_region(&heap, &region, fixture_memory, 1024, 0, 0) > 0);
    void *all = larder_fit_alloc(&heap, fixture_largest());
    EXPECT(larder_fit_limit_for(&heap, &region, 0) == NULL);
    EXPECT(larder_fit_limit_for(&heap, &region, SIZE_MAX) == NULL);
    for (unsigned round = 0; round < 2; round++) {
        unsigned char *limit = larder_fit_limit_for(&heap, &region, 300);
        EXPECT(larder_fit_alloc(&heap, 300) == NULL);
        EXPECT(larder_fit_grow(&heap, &region, limit - FIT_ALIGN) == 0 ||
               larder_fit_alloc(&heap, 300) == NULL);
        EXPECT(larder_fit_limit_for(&heap, &region, 300) == limit);
        EXPECT(larder_fit_grow(&heap, &region, limit) > 0);
        EXPECT(larder_fit_limit_for(&heap, &region, 300) == limit);
        unsigned char *got = larder_fit_alloc(&heap, 300);
        EXPECT(got != NULL && got < limit);
        fixture_sound();
        EXPECT(round == 1 || larder_fit_try_resize(&heap, got, 100));
    }
    larder_fit_free(&heap, all);
    fixture_sound();
}

static void limit_for_is_just_enough(void) {
    fixture_each(grows_by_what_is_missing);
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
    fixture_in_a_row(at, 100);
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
    fixture_in_a_row(at, 500);
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

/* Three holes too small, and the rest of the region: what each policy looks at to serve a request.
 */
static void looks(void) {
    unsigned char *hole[3], *wall[3];
    for (unsigned i = 0; i < 3; i++) {
        hole[i] = larder_fit_alloc(&heap, 64);
        wall[i] = larder_fit_alloc(&heap, 64);
    }
    for (unsigned i = 0; i < 3; i++) {
        larder_fit_free(&heap, hole[i]);
    }
    unsigned long before = hooks_looked;
    EXPECT(larder_fit_alloc(&heap, 400) > (void *)wall[2]);
    unsigned long looked = hooks_looked - before;
    bool is_list = fixture_policy <= LARDER_FIT_NEXT, is_first = fixture_policy == LARDER_FIT_FIRST;
    EXPECT(looked >= 1 && looked <= 4);
    EXPECT(!is_list || looked == (is_first ? 4 : 1));
    EXPECT(fixture_policy != LARDER_FIT_GOOD || looked == 1);
}

static void chunks_looked_at_are_told(void) {
    fixture_each(looks);
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

static const struct tap_test tests[] = {
    TAP_TEST(add_region_refuses_what_it_must),
    TAP_TEST(good_fit_refuses_what_has_no_class),
    TAP_TEST(good_fit_has_no_class_above_the_largest),
    TAP_TEST(small_objects_go_to_small_regions),
    TAP_TEST(small_objects_enter_a_precious_region_last),
    TAP_TEST(grow_extends_a_region_at_its_end),
    TAP_TEST(limit_for_is_just_enough),
    TAP_TEST(reset_forgets_everything),
    TAP_TEST(reserve_takes_an_exact_range),
    TAP_TEST(walk_ends_when_told_or_when_corrupt),
    TAP_TEST(owner_tags_stay_with_their_memory),
    TAP_TEST(diagnosis_adds_up),
    TAP_TEST(permille_of_a_large_heap),
    TAP_TEST(calls_are_traced_outside_the_lock),
    TAP_TEST(chunks_looked_at_are_told),
    TAP_TEST(words_for_everything),
};

TAP_MAIN(tests)
