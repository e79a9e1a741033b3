/* Each mistake of a caller is named exactly, and what was overwritten is found wherever it is. */
#include "fixture.h"

static void need_checks(void) {
    if (!LARDER_FIT_CHECKS) {
        tap_skip("built without checks");
    }
}

/* With CHECKS 2 the whole heap is looked at first and the mistake is about the place it finds. */
#define ABOUT(pointer) (LARDER_FIT_CHECKS > 1 ? NULL : (const void *)(pointer))

static void twice(void) {
    unsigned char *a = larder_fit_alloc(&heap, 100);
    unsigned char *b = larder_fit_alloc(&heap, 100);
    unsigned char *c = larder_fit_alloc(&heap, 100);
    unsigned char *d = larder_fit_alloc(&heap, 100);
    larder_fit_free(&heap, b);
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, b, larder_fit_free(&heap, b));
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, b, (void)larder_fit_realloc(&heap, b, 5));
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, b, (void)larder_fit_try_resize(&heap, b, 5));
    /* Merged with the chunk before: its header is inside now. */
    larder_fit_free(&heap, c);
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, c, larder_fit_free(&heap, c));
    /* Merged with the one behind. */
    larder_fit_free(&heap, a);
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, b, larder_fit_free(&heap, b));
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, a, larder_fit_free(&heap, a));
    larder_fit_free(&heap, d);
    EXPECT_MISTAKE(LARDER_FIT_DOUBLE_FREE, d, larder_fit_free(&heap, d));
    fixture_sound();
}

static void double_free(void) {
    need_checks();
    fixture_each(twice);
}

static void inside(void) {
    unsigned char *a = larder_fit_alloc(&heap, 600);
    unsigned char *b = larder_fit_alloc(&heap, 600);
    memset(a, 0, 600);
    memset(b, 0x7f, 600);
    for (size_t offset = 1; offset < 600; offset++) {
        EXPECT_MISTAKE(LARDER_FIT_INTERIOR, a + offset, larder_fit_free(&heap, a + offset));
        EXPECT_MISTAKE(LARDER_FIT_INTERIOR, b + offset, larder_fit_free(&heap, b + offset));
    }
    EXPECT_MISTAKE(LARDER_FIT_INTERIOR, a - FIT_HEAD, larder_fit_free(&heap, a - FIT_HEAD));
    EXPECT(larder_fit_size_of(&heap, a + FIT_ALIGN) == 0);
    EXPECT(larder_fit_size_of(&heap, a + 1) == 0);
    larder_fit_free(&heap, a);
    larder_fit_free(&heap, b);
    fixture_sound();
}

static void interior_free(void) {
    need_checks();
    fixture_each(inside);
}

static void elsewhere(void) {
    int local = 0;
    void *beyond = fixture_memory + FIXTURE_BYTES;
    EXPECT_MISTAKE(LARDER_FIT_FOREIGN, &local, larder_fit_free(&heap, &local));
    EXPECT_MISTAKE(LARDER_FIT_FOREIGN, beyond, larder_fit_free(&heap, beyond));
    EXPECT_MISTAKE(LARDER_FIT_FOREIGN, (void *)1, larder_fit_free(&heap, (void *)1));
    EXPECT_MISTAKE(LARDER_FIT_FOREIGN, &heap, (void)larder_fit_realloc(&heap, &heap, 8));
#if LARDER_FIT_OWNER
    EXPECT_MISTAKE(LARDER_FIT_FOREIGN, &local, larder_fit_set_owner(&heap, &local, 1));
#endif
    EXPECT(larder_fit_size_of(&heap, &local) == 0);
    fixture_sound();
}

static void foreign_free(void) {
    fixture_each(elsewhere);
}

/* The object before wrote `value` over the header of the next. */
static void overflow_with(unsigned char value) {
    larder_fit_reset(&heap);
    unsigned char *a = larder_fit_alloc(&heap, 104);
    unsigned char *b = larder_fit_alloc(&heap, 100);
    unsigned char *c = larder_fit_alloc(&heap, 100);
    memset(b - FIT_HEAD, value, FIT_HEAD);
    const void *where = NULL;
    EXPECT(larder_fit_check(&heap, &where) == LARDER_FIT_CORRUPT && where != NULL);
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(b), larder_fit_free(&heap, b));
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(a), larder_fit_free(&heap, a));
    EXPECT(larder_fit_size_of(&heap, b) == 0 && c != NULL);
    larder_fit_reset(&heap);
}

static void overflows(void) {
    static const unsigned char values[] = {0x00, 0x01, 0x02, 0x07, 0x08, 0x10, 0x41, 0x7f, 0xff};
    for (size_t i = 0; i < sizeof values; i++) {
        overflow_with(values[i]);
    }
}

static void overflowed_header(void) {
    need_checks();
    fixture_each(overflows);
}

/* A free chunk's tag or size says something else than the other. */
static void tag(void) {
    unsigned char *a = larder_fit_alloc(&heap, 200);
    unsigned char *b = larder_fit_alloc(&heap, 200);
    unsigned char *c = larder_fit_alloc(&heap, 200);
    larder_fit_free(&heap, a);
    fit_word *at = (fit_word *)(void *)(b - FIT_HEAD) - 1;
    size_t right = *at;
    static const size_t wrong[] = {0, 1, 16, 32, 64, 4096, 1u << 20, SIZE_MAX, SIZE_MAX - 63};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        *at = wrong[i];
        EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
        EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(b), larder_fit_free(&heap, b));
    }
    *at = right;
    larder_fit_free(&heap, b);
    larder_fit_free(&heap, c);
    fixture_sound();
}

static void overwritten_tag(void) {
    need_checks();
    fixture_each(tag);
}

/* Free chunks before, between and behind objects, so that each way round a structure is taken. */
static unsigned char *holes[12];

static void make_holes(void) {
    larder_fit_reset(&heap);
    for (size_t i = 0; i < 12; i++) {
        holes[i] = larder_fit_alloc(&heap, 40 + 24 * (i % 5));
        EXPECT(holes[i] != NULL);
    }
    for (size_t i = 0; i < 12; i += 2) {
        larder_fit_free(&heap, holes[i]);
    }
    fixture_sound();
}

/* Write to a freed object: one link at a time, to nowhere, to itself, to memory in use, to a free
 * chunk that is not its neighbour. Whatever comes next is named, or harmless. */
static void use_after_free_of(size_t which, unsigned link, void *value) {
    make_holes();
    fit_chunk *chunk = chunk_of(holes[which]);
    if (chunk->link[link] == value) {
        return;
    }
    chunk->link[link] = value;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    /* Freeing the neighbours takes the chunk off its structure: nothing worse may happen. */
    tap_catching = true;
    if (setjmp(tap_mistake_jump) == 0) {
        for (volatile size_t i = 1; i < 12; i += 2) {
            larder_fit_free(&heap, holes[i]);
        }
        tap_catching = false;
        return;
    }
    tap_catching = false;
    tap_expect_mistake(LARDER_FIT_CORRUPT, NULL, __FILE__, __LINE__);
}

static void use_after_free(void) {
    for (size_t which = 0; which < 12; which += 2) {
        for (unsigned link = 0; link < 2; link++) {
            use_after_free_of(which, link, NULL);
            use_after_free_of(which, link, (void *)8);
            use_after_free_of(which, link, (void *)(UINTPTR_MAX - 7));
            use_after_free_of(which, link, &heap);
            use_after_free_of(which, link, chunk_of(holes[which]));
            use_after_free_of(which, link, chunk_of(holes[1]));
            use_after_free_of(which, link, chunk_of(holes[(which + 4) % 12]));
            use_after_free_of(which, link, chunk_of(holes[(which + 8) % 12]));
            use_after_free_of(which, link, holes[which]);
            use_after_free_of(which, link, region.end);
        }
    }
    larder_fit_reset(&heap);
}

static void overwritten_links(void) {
    need_checks();
    fixture_each(use_after_free);
}

/* Allocation follows links too. */
static void alloc_after(void) {
    for (volatile size_t which = 0; which < 12; which += 2) {
        make_holes();
        memset(holes[which], 0x11, 2 * sizeof(void *));
        tap_catching = true;
        if (setjmp(tap_mistake_jump) == 0) {
            while (larder_fit_alloc(&heap, 30) != NULL) {
            }
            tap_catching = false;
            EXPECT(!"the overwritten links were never followed");
        }
        tap_catching = false;
        tap_expect_mistake(LARDER_FIT_CORRUPT, NULL, __FILE__, __LINE__);
    }
    larder_fit_reset(&heap);
}

static void allocation_from_overwritten_links(void) {
    need_checks();
    fixture_each(alloc_after);
}

/* A free chunk whose header was overwritten, found by whoever passes it. */
static void header_of_free(void) {
    for (volatile size_t which = 0; which < 12; which += 2) {
        make_holes();
        memset(holes[which] - FIT_HEAD, 0x80, FIT_HEAD);
        EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
        tap_catching = true;
        if (setjmp(tap_mistake_jump) == 0) {
            for (volatile size_t i = 1; i < 12; i += 2) {
                larder_fit_free(&heap, holes[i]);
            }
            tap_catching = false;
            EXPECT(!"the overwritten header was never read");
        }
        tap_catching = false;
        tap_expect_mistake(LARDER_FIT_CORRUPT, NULL, __FILE__, __LINE__);
    }
    larder_fit_reset(&heap);
}

static void overwritten_header_of_a_free_chunk(void) {
    need_checks();
    fixture_each(header_of_free);
}

/* Links that lead back must not be followed for ever. */
static void links_back(void) {
    for (volatile unsigned link = 0; link < 2; link++) {
        make_holes();
        bool as_it_is = chunk_of(holes[4])->link[link] == chunk_of(holes[0]);
        chunk_of(holes[4])->link[link] = chunk_of(holes[0]);
        EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT || as_it_is);
        tap_catching = true;
        if (setjmp(tap_mistake_jump) == 0) {
            while (larder_fit_alloc(&heap, 600) != NULL || larder_fit_alloc(&heap, 60) != NULL) {
            }
        }
        tap_catching = false;
    }
    larder_fit_reset(&heap);
}

static void links_that_lead_back(void) {
    need_checks();
    fixture_each(links_back);
}

/* Each word beside a chunk in use that could tell a lie about it. */
static void lies(void) {
    static unsigned char *at[8];
    for (size_t i = 0; i < 8; i++) {
        at[i] = larder_fit_alloc(&heap, 100);
    }
    larder_fit_free(&heap, at[0]);
    larder_fit_free(&heap, at[2]);
    /* The chunk behind is free, and its tag is wrong. */
    fit_word *tag_of_2 = (fit_word *)(void *)(at[3] - FIT_HEAD) - 1;
    size_t right = *tag_of_2;
    *tag_of_2 = right + FIT_ALIGN;
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(at[1]), larder_fit_free(&heap, at[1]));
    /* The tag before leads to another free chunk. */
    *tag_of_2 = (size_t)(at[3] - at[0]);
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(at[3]), larder_fit_free(&heap, at[3]));
    *tag_of_2 = right;
    fixture_sound();
    /* The one behind says that this one is free; a free one says what only one in use may. */
    chunk_set_prev_free(chunk_of(at[5]), true);
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(at[4]), larder_fit_free(&heap, at[4]));
    chunk_set_prev_free(chunk_of(at[5]), false);
    size_t header = chunk_of(at[2])->header;
    chunk_set_header(chunk_of(at[2]), header | FIT_SLACK);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    chunk_set_header(chunk_of(at[2]), header);
    header = chunk_of(at[3])->header;
    chunk_set_header(chunk_of(at[3]), header | FIT_FREE);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    chunk_set_header(chunk_of(at[3]), header);
    fixture_sound();
    /* A header further on, met by the search for a place in the list, or by nobody. */
    header = chunk_of(at[6])->header;
    chunk_set_header(chunk_of(at[6]), 8);
    EXPECT(larder_fit_reserve(&heap, at[7], 1) == NULL || LARDER_FIT_CHECKS > 1);
    tap_catching = true;
    if (setjmp(tap_mistake_jump) == 0) {
        larder_fit_free(&heap, at[4]);
    }
    tap_catching = false;
    larder_fit_reset(&heap);
}

/* The header behind the last chunk, and the flag before the first. */
static void lies_at_the_ends(void) {
    unsigned char *all = larder_fit_alloc(&heap, fixture_largest());
    chunk_set_header(chunk_at(region.end), 64);
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(all), larder_fit_free(&heap, all));
    chunk_set_header(chunk_at(region.end), FIT_FREE);
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(all), larder_fit_free(&heap, all));
    chunk_set_header(chunk_at(region.end), 0);
    chunk_set_prev_free(chunk_of(all), true);
    EXPECT_MISTAKE(LARDER_FIT_CORRUPT, ABOUT(all), larder_fit_free(&heap, all));
    chunk_set_prev_free(chunk_of(all), false);
    larder_fit_free(&heap, all);
    fixture_sound();
}

static void headers_that_lie(void) {
    if (LARDER_FIT_CHECKS != 1) {
        tap_skip("the whole heap is looked at first, or nothing");
    }
    fixture_each(lies);
    fixture_each(lies_at_the_ends);
}

/* The checker alone: structures that are wrong though each chunk is right. */
static void structures(void) {
    make_holes();
    union larder_fit_free_ saved = region.free;
    memset(&region.free, 0, sizeof region.free);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    region.free = saved;
    region.free.root = chunk_of(holes[1]);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT || heap.regions == NULL ||
           fixture_policy == LARDER_FIT_GOOD);
    region.free = saved;
    heap.free_bytes -= FIT_ALIGN;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    heap.free_bytes += FIT_ALIGN;
    size_t minimum = heap.minimum_free_bytes;
    heap.minimum_free_bytes = heap.free_bytes + 1;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    heap.minimum_free_bytes = minimum;
    chunk_set_header(chunk_at(region.end), 64 | (chunk_at(region.end)->header & FIT_PREV_FREE));
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    chunk_set_header(chunk_at(region.end), FIT_PREV_FREE);
    chunk_set_prev_free(chunk_at(region.first), true);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    chunk_set_prev_free(chunk_at(region.first), false);
    fixture_sound();
    /* A full heap whose structure still names a chunk. */
    larder_fit_reset(&heap);
    saved = region.free;
    EXPECT(larder_fit_alloc(&heap, fixture_largest()) != NULL);
    fixture_sound();
    region.free = saved;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
}

static void checker_adds_up_structures(void) {
    fixture_each(structures);
}

#if FIT_HAS(1)
static void checker_finds_a_lost_rover(void) {
    fixture_make(LARDER_FIT_NEXT);
    make_holes();
    region.free.list.rover = chunk_of(holes[1]);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    region.free.list.rover = chunk_of(holes[2]);
    fixture_sound();
}
#else
static void checker_finds_a_lost_rover(void) {
    tap_skip("not compiled in");
}
#endif

#if FIT_HAS_CLASSES
/* Bitmaps that say more or less than the lists. */
static void checker_compares_bitmaps_with_lists(void) {
    fixture_make(LARDER_FIT_GOOD);
    make_holes();
    size_t doublings = region.free.classes.doublings;
    region.free.classes.doublings ^= 1u << word_lowest(doublings);
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    region.free.classes.doublings = doublings;
    unsigned last = LARDER_FIT_DOUBLINGS_ - 1;
    region.free.classes.steps[last] ^= 1;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    region.free.classes.doublings ^= (size_t)1 << last;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    region.free.classes.doublings ^= (size_t)1 << last;
    region.free.classes.steps[last] ^= 1;
    fixture_sound();
    /* A chunk in a list that is not its own, and the same list twice. */
    unsigned used = word_lowest(doublings);
    unsigned step = word_lowest(region.free.classes.steps[used]);
    region.free.classes.head[last][0] = region.free.classes.head[used][step];
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
    region.free.classes.head[last][0] = NULL;
    fixture_sound();
    unsigned wrong = step == 0 ? 1 : 0;
    if (LARDER_FIT_STEPS_LOG2 > 0) {
        fit_chunk *kept = region.free.classes.head[used][wrong];
        region.free.classes.head[used][wrong] = region.free.classes.head[used][step];
        EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_CORRUPT);
        region.free.classes.head[used][wrong] = kept;
        fixture_sound();
    }
}
#else
static void checker_compares_bitmaps_with_lists(void) {
    tap_skip("not compiled in");
}
#endif

/* ---- Canaries and poison --------------------------------------------------------------------- */

static void beyond_the_end(void) {
    for (volatile size_t bytes = 1; bytes < 700; bytes += 11) {
        unsigned char *at = larder_fit_alloc(&heap, bytes);
        memset(at, 0, bytes);
        volatile unsigned char kept = at[bytes];
        at[bytes] ^= 0xff;
        EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_OVERRUN);
        EXPECT_MISTAKE(LARDER_FIT_OVERRUN, ABOUT(at), larder_fit_free(&heap, at));
        at[bytes] = kept;
        /* The byte that counts them. */
        unsigned char *last = chunk_end(chunk_of(at)) - 1;
        static const unsigned char wrong[] = {0, 1, 254, 255};
        for (size_t i = 0; i < sizeof wrong; i++) {
            kept = *last;
            *last = wrong[i];
            EXPECT(kept == wrong[i] || larder_fit_check(&heap, NULL) == LARDER_FIT_OVERRUN);
            EXPECT(larder_fit_size_of(&heap, at) == (kept == wrong[i] ? bytes : 0));
            *last = kept;
        }
        larder_fit_free(&heap, at);
    }
    fixture_sound();
}

static void write_beyond_the_end(void) {
    if (!LARDER_FIT_CANARY || !LARDER_FIT_CHECKS) {
        tap_skip("built without canaries");
    }
    fixture_each(beyond_the_end);
}

static void after_free(void) {
    unsigned char *at = larder_fit_alloc(&heap, 300);
    unsigned char *stop = larder_fit_alloc(&heap, 8);
    larder_fit_free(&heap, at);
    at[100] ^= 1;
    EXPECT(larder_fit_check(&heap, NULL) == LARDER_FIT_POISONED);
    if (LARDER_FIT_CHECKS > 1) {
        EXPECT_MISTAKE(LARDER_FIT_POISONED, NULL, (void)larder_fit_alloc(&heap, 8));
    } else {
        tap_catching = true;
        if (setjmp(tap_mistake_jump) == 0) {
            while (larder_fit_alloc(&heap, 250) != NULL) {
            }
            tap_catching = false;
            EXPECT(!"memory that was written to was given out");
        }
        tap_catching = false;
        tap_expect_mistake(LARDER_FIT_POISONED, at, __FILE__, __LINE__);
    }
    at[100] ^= 1;
    fixture_sound();
    larder_fit_free(&heap, stop);
}

static void write_after_free(void) {
    if (!LARDER_FIT_POISON) {
        tap_skip("built without poison");
    }
    fixture_each(after_free);
}

/* Asked sizes that were overwritten stay within the chunk. */
static void lying_slack(void) {
    unsigned char *at = larder_fit_alloc(&heap, 1);
    size_t capacity = chunk_capacity(chunk_of(at));
    unsigned char *last = at + capacity - 1;
    for (unsigned value = 0; value < 256; value++) {
        *last = (unsigned char)value;
        EXPECT(larder_fit_size_of(&heap, at) <= capacity);
    }
}

static void overwritten_slack(void) {
    fixture_each(lying_slack);
}

static const struct tap_test tests[] = {
    TAP_TEST(double_free),
    TAP_TEST(interior_free),
    TAP_TEST(foreign_free),
    TAP_TEST(overflowed_header),
    TAP_TEST(overwritten_tag),
    TAP_TEST(overwritten_links),
    TAP_TEST(allocation_from_overwritten_links),
    TAP_TEST(overwritten_header_of_a_free_chunk),
    TAP_TEST(links_that_lead_back),
    TAP_TEST(headers_that_lie),
    TAP_TEST(checker_adds_up_structures),
    TAP_TEST(checker_finds_a_lost_rover),
    TAP_TEST(checker_compares_bitmaps_with_lists),
    TAP_TEST(write_beyond_the_end),
    TAP_TEST(write_after_free),
    TAP_TEST(overwritten_slack),
};

TAP_MAIN(tests)
