/* One word of the region overwritten, each in turn, with each of many values; then the heap is
 * used. Whatever was overwritten, no call reads or writes outside the region, and each call ends.
 * The region lies in the middle of fixture_memory: what is around it must stay as it was. */
#include "fixture.h"

#define GUARD 2048u
#define ROOM 4096u
#define GROWTH 256u
#define PATTERN 0x3cu

static unsigned char kept[ROOM];
static struct larder_fit kept_heap;
static struct larder_fit_region kept_region;
#define HELD 12u
static unsigned char *held[HELD];

static size_t bytes_of(size_t i) {
    return i % 8 == 4 || i == 6 ? 90 : 30;
}

/* Free, in use, in use, in use, and so on, and a hole at the end: what is freed next to a hole
 * merges, what is freed between two in use goes on a list or into a tree. */
static void make(void) {
    memset(fixture_memory, PATTERN, sizeof fixture_memory);
    EXPECT(larder_fit_init(&heap, fixture_policy));
    EXPECT(larder_fit_add_region(&heap, &region, fixture_memory + GUARD, ROOM, 0, 0) > 0);
    for (size_t i = 0; i < HELD; i++) {
        held[i] = larder_fit_alloc(&heap, bytes_of(i));
        EXPECT(held[i] != NULL);
        memset(held[i], 0, bytes_of(i));
    }
    for (size_t i = 0; i < HELD; i += 4) {
        larder_fit_free(&heap, held[i]);
    }
    memcpy(kept, fixture_memory + GUARD, ROOM);
    kept_heap = heap;
    kept_region = region;
}

static void restore(void) {
    memcpy(fixture_memory + GUARD, kept, ROOM);
    heap = kept_heap;
    region = kept_region;
}

static bool surroundings_are_whole(void) {
    const unsigned char *end = fixture_memory + GUARD + ROOM;
    return bytes_are(fixture_memory, fixture_memory + GUARD, PATTERN) &&
           bytes_are(end, fixture_memory + FIXTURE_BYTES, PATTERN);
}

/* ---- What is done after the damage ----------------------------------------------------------- */

static void free_between(void) {
    larder_fit_free(&heap, held[6]);
    larder_fit_free(&heap, held[2]);
    larder_fit_free(&heap, held[10]);
}

static void free_beside(void) {
    larder_fit_free(&heap, held[3]);
    larder_fit_free(&heap, held[11]);
    larder_fit_free(&heap, held[1]);
    larder_fit_free(&heap, held[5]);
}

/* Smaller than the chunk, so that the rest becomes a free one. */
static void shrink(void) {
    (void)larder_fit_try_resize(&heap, held[6], 1);
    unsigned char *large = larder_fit_alloc(&heap, 85);
    (void)larder_fit_try_resize(&heap, large != NULL ? large : held[1], 8);
    (void)larder_fit_try_resize(&heap, held[5], 1);
}

/* The damaged word may lie in an object: `at` is where, from the start of the region's memory. */
static void objects_are_whole(size_t at) {
    const unsigned char *damaged = fixture_memory + GUARD + at;
    for (size_t i = 0; i < HELD; i++) {
        bool hit = damaged + FIT_WORD > held[i] && damaged < held[i] + bytes_of(i);
        EXPECT(i % 4 == 0 || hit || bytes_are(held[i], held[i] + bytes_of(i), 0));
    }
}

static void fill_by(size_t align) {
    unsigned char *got = NULL;
    size_t bytes = 1;
    while ((got = larder_fit_aligned(&heap, align, bytes)) != NULL) {
        memset(got, 0xee, bytes);
        bytes = bytes % 80 + 7;
    }
}

static void fill(void) {
    fill_by(1);
}

static void fill_aligned(void) {
    fill_by(64);
}

static void resize(void) {
    (void)larder_fit_realloc(&heap, held[3], 100);
    (void)larder_fit_realloc(&heap, held[5], 200);
    (void)larder_fit_realloc(&heap, held[9], 50);
}

static void grow(void) {
    (void)larder_fit_grow(&heap, &region, fixture_memory + GUARD + ROOM + GROWTH);
}

static void reserve(void) {
    (void)larder_fit_reserve(&heap, held[4] + 32, 16);
    (void)larder_fit_reserve(&heap, fixture_memory + GUARD + ROOM - 64, 8);
}

static void (*const uses[])(void) = {free_between, free_beside, shrink, fill,
                                     fill_aligned, resize,      grow,   reserve};

/* ---- Damage ---------------------------------------------------------------------------------- */

#define VALUES 17u

static size_t value_of(unsigned which, size_t before) {
    const size_t values[VALUES] = {0,
                                   SIZE_MAX,
                                   before ^ FIT_FREE,
                                   before ^ FIT_PREV_FREE,
                                   before + FIT_ALIGN,
                                   before - FIT_ALIGN,
                                   before + 4 * FIT_ALIGN,
                                   before * 2,
                                   FIT_MIN | FIT_FREE,
                                   (size_t)(uintptr_t)&heap,
                                   (size_t)(uintptr_t)fixture_memory + GUARD / 2,
                                   (size_t)(uintptr_t)fixture_memory + GUARD + ROOM + GUARD / 2,
                                   (size_t)(uintptr_t)chunk_of(held[0]),
                                   (size_t)(uintptr_t)chunk_of(held[1]),
                                   (size_t)(uintptr_t)chunk_of(held[4]),
                                   (size_t)(uintptr_t)held[4],
                                   (size_t)(uintptr_t)region.end};
    return values[which];
}

static void use_damaged(size_t at, size_t value, void (*use)(void)) {
    restore();
    memcpy(fixture_memory + GUARD + at, &value, sizeof value);
    tap_catching = true;
    if (setjmp(tap_mistake_jump) == 0) {
        use();
    }
    tap_catching = false;
    if (use == grow) {
        memset(fixture_memory + GUARD + ROOM, PATTERN, GROWTH);
    }
    EXPECT(surroundings_are_whole());
    if (use == fill || use == fill_aligned) {
        objects_are_whole(at);
    }
    (void)larder_fit_check(&heap, NULL);
}

static void damage_word(size_t at) {
    size_t before = 0;
    memcpy(&before, kept + at, sizeof before);
    for (volatile unsigned which = 0; which < VALUES; which++) {
        for (volatile size_t use = 0; use < sizeof uses / sizeof uses[0]; use++) {
            use_damaged(at, value_of(which, before), uses[use]);
        }
    }
}

/* All but the inside of the last hole, where there is nothing of ours. */
static void damage_each_word(void) {
    make();
    size_t last = (size_t)(held[HELD - 1] - fixture_memory) - GUARD + 8 * FIT_ALIGN;
    for (volatile size_t at = 0; at + FIT_WORD <= ROOM; at += FIT_WORD) {
        if (at < last || at + 4 * FIT_ALIGN > ROOM) {
            damage_word(at);
        }
    }
}

static void one_overwritten_word_leads_nowhere(void) {
    if (!LARDER_FIT_CHECKS) {
        tap_skip("built without checks");
    }
    fixture_each(damage_each_word);
}

static const struct tap_test tests[] = {TAP_TEST(one_overwritten_word_leads_nowhere)};

TAP_MAIN(tests)
