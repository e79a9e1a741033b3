/* Replays: where each policy puts the blocks of a trace computed by hand, the equations of
 * replay.h, what fails in little memory, and what is done about policies and traces that are wrong.
 */
#include "lab_test.h"

#include "replay/engine.h"
#include "replay/pattern.h"
#include "replay/result.h"

#define KIB ((uint64_t)1024)

/* ---- Short ways ------------------------------------------------------------------------------ */

static struct replay *begin(const char *policy, uint64_t memory_bytes) {
    char what[REPLAY_WHAT_LENGTH];
    const struct replay_config config = {.policy = policy, .memory_bytes = memory_bytes};
    struct replay *replay = replay_open(&config, what);
    assert_non_null(replay);
    return replay;
}

static bool event(struct replay *replay, enum trace_kind kind, uint32_t id, uint64_t size_bytes,
                  uint64_t align_bytes) {
    const struct trace_event one = {
        .kind = kind, .id = id, .size_bytes = size_bytes, .align_bytes = align_bytes};
    return replay_event(replay, &one);
}

static void allocate(struct replay *replay, uint32_t id, uint64_t size_bytes) {
    assert_true(event(replay, TRACE_MALLOC, id, size_bytes, 0));
}

static void release(struct replay *replay, uint32_t id) {
    assert_true(event(replay, TRACE_FREE, id, 0, 0));
}

static struct replay_figures figures_of(struct replay *replay) {
    struct replay_figures figures;
    replay_figures(replay, &figures);
    return figures;
}

struct search {
    uint32_t id;
    struct replay_block found;
};

static bool find(void *context, const struct replay_block *block) {
    struct search *search = context;
    if (block->id == search->id)
        search->found = *block;
    return true;
}

/* UINT64_MAX: it does not live. */
static uint64_t offset_of(const struct replay *replay, uint32_t id) {
    struct search search = {id, {.offset_bytes = UINT64_MAX}};
    replay_blocks(replay, find, &search);
    return search.found.offset_bytes;
}

static void for_each_policy(void (*body)(const char *policy)) {
    for (unsigned i = 0; replay_policy_name(i); i++)
        body(replay_policy_name(i));
}

/* ---- Placement, by hand ---------------------------------------------------------------------- */

/* Six blocks in a row, three of them freed. A chunk is 8 bytes of header and the request, in units
 * of 16; the first payload lies at 16.
 *
 *   16 A 112 | 128 B 48 | 176 C 208 | 384 D 48 | 432 E 112 | 544 F 48 | 592 … 1024 */
static struct replay *six(const char *policy) {
    struct replay *replay = begin(policy, 1024);
    const uint64_t size[] = {100, 40, 200, 40, 100, 40}, at[] = {16, 128, 176, 384, 432, 544};
    for (uint32_t i = 0; i < COUNT(size); i++)
        allocate(replay, i, size[i]);
    for (uint32_t i = 0; i < COUNT(size); i++)
        assert_int_equal(offset_of(replay, i), at[i]);
    release(replay, 2);
    release(replay, 0);
    release(replay, 4);
    return replay;
}

/* Then 90 bytes, a chunk of 112, and 60, one of 80. */
static void regions_place_by_their_policy(void **state) {
    static const struct {
        const char *policy;
        uint64_t first, second;
    } expected[] = {
        {"first", 16, 176},  /* A; then C, the first that holds it */
        {"next", 592, 704},  /* from where the last one was: behind F, and behind that */
        {"best", 16, 432},   /* A and E fit alike, the lower; then E rather than C */
        {"worst", 592, 704}, /* the rest of the region is the largest each time */
        {"good", 432, 16},   /* the class of 112: E was freed last; then A, of the next class */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct replay *replay = six(expected[i].policy);
        allocate(replay, 0, 90);
        allocate(replay, 2, 60);
        assert_int_equal(offset_of(replay, 0), expected[i].first);
        assert_int_equal(offset_of(replay, 2), expected[i].second);
        replay_close(replay);
    }
}

/* Four pieces are free: 208 + 112 + 112 and 1016 − 584 = 432 at the end. */
static void regions_tell_their_figures(void **state) {
    (void)state;
    struct replay *replay = six("first");
    struct replay_figures figures = figures_of(replay);
    assert_int_equal(figures.footprint_bytes, 1024);
    assert_int_equal(figures.live_bytes, 120);
    assert_int_equal(figures.held_bytes, 3 * 48);
    assert_int_equal(figures.free_bytes, 208 + 112 + 112 + 432);
    assert_int_equal(figures.largest_free_bytes, 432);
    assert_int_equal(figures.free_pieces, 4);
    assert_int_equal(figures.cached_bytes, 16); /* before the first chunk and behind the last */
    assert_int_equal(replay_external_permille(&figures), 500);
    assert_int_equal(figures.live_bytes_peak, 520);
    assert_int_equal(figures.held_at_peak_bytes, 576);
    assert_int_equal(replay_internal_permille(&figures), 97); /* 56 of 576 */
    assert_int_equal(figures.searches, 6);
    assert_int_equal(figures.searched, 6); /* one chunk was free each time */
    allocate(replay, 0, 150);              /* A is too small, C holds it */
    figures = figures_of(replay);
    assert_int_equal(figures.searched, 8);
    assert_int_equal(figures.searched_max, 2);
    replay_close(replay);
}

/* 5000 bytes are two frames, 100 are one, 20000 are eight; a block begins at a multiple of its
 * size, and the one before is where its buddy comes back. */
static void buddies_round_to_powers_of_two(void **state) {
    (void)state;
    struct replay *replay = begin("buddies", 64 * KIB);
    const uint64_t size[] = {5000, 100, 20000}, held[] = {8192, 4096, 32768};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < COUNT(size); i++) {
        allocate(replay, i, size[i]);
        sum += held[i];
        assert_int_equal(offset_of(replay, i) % held[i], 0);
        assert_int_equal(figures_of(replay).held_bytes, sum);
        assert_int_equal(figures_of(replay).cached_bytes, 0);
    }
    struct replay_figures figures = figures_of(replay);
    assert_int_equal(figures.free_blocks[0] + 2 * figures.free_blocks[1] +
                         4 * figures.free_blocks[2],
                     5); /* 16 − 2 − 1 − 8 frames */
    assert_int_equal(figures.index_permille[0], -1000);
    assert_true(figures.index_permille[3] > 0);
    for (uint32_t i = 0; i < COUNT(size); i++)
        release(replay, i);
    figures = figures_of(replay);
    assert_int_equal(figures.free_blocks[4], 1);
    assert_int_equal(figures.free_bytes, 64 * KIB);
    replay_close(replay);
}

/* 100 bytes are of the class of 112: neighbours in a slab. */
static void slabs_hold_classes(void **state) {
    (void)state;
    struct replay *replay = begin("slab", 0);
    for (uint32_t i = 0; i < 8; i++)
        allocate(replay, i, 100);
    assert_int_equal(figures_of(replay).held_bytes, 8 * 112);
    const uint64_t first = offset_of(replay, 0) & ~(uint64_t)4095;
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal((offset_of(replay, i) - first) % 112, 0);
        assert_true(offset_of(replay, i) - first < 4096);
    }
    assert_non_null(replay_core(replay));
    replay_close(replay);
}

/* ---- Growth ---------------------------------------------------------------------------------- */

/* To the byte: a block of 100 and one of 1000 are 112 + 1008, and 8 + 8 around them. The first 64
 * bytes were there before. */
static void a_region_grows_by_what_is_missing(void **state) {
    (void)state;
    struct replay *replay = begin("first", 0);
    assert_int_equal(figures_of(replay).footprint_bytes, 64);
    allocate(replay, 0, 100);
    assert_int_equal(figures_of(replay).footprint_bytes, 16 + 112);
    allocate(replay, 1, 1000);
    assert_int_equal(figures_of(replay).footprint_bytes, 16 + 112 + 1008);
    /* The last block stretches where it is. */
    assert_true(event(replay, TRACE_REALLOC, 1, 2000, 0));
    assert_in_range(figures_of(replay).footprint_bytes, 16 + 112 + 2008, 16 + 112 + 2008 + 24);
    assert_int_equal(offset_of(replay, 1), 128);
    replay_close(replay);
}

/* Objects of every class, and runs: nothing fails, whatever order its slab has. */
static void grows_for_every_size(const char *policy) {
    struct replay *replay = begin(policy, 0);
    uint32_t id = 0;
    for (uint64_t size = 1; size < (uint64_t)3 << 20; size += size / 3 + 1)
        allocate(replay, id++, size);
    assert_int_equal(figures_of(replay).failures, 0);
    replay_close(replay);
}

static void every_policy_grows_for_every_size(void **state) {
    (void)state;
    for_each_policy(grows_for_every_size);
}

/* Chunks of 256 and 272 bytes are of one class. The first, freed last, hides the other, which lies
 * at the end and just holds the request: the end must grow past it. */
static void good_fit_grows_past_what_it_overlooks(void **state) {
    (void)state;
    struct replay *replay = begin("good", 0);
    allocate(replay, 0, 248);
    allocate(replay, 1, 40);
    allocate(replay, 2, 260);
    release(replay, 2);
    release(replay, 0);
    allocate(replay, 3, 260);
    assert_int_equal(figures_of(replay).failures, 0);
    replay_close(replay);
}

/* ---- Equations ------------------------------------------------------------------------------- */

struct tiles {
    uint64_t end_bytes, used_bytes, free_bytes, asked_bytes, blocks;
    bool was_free;
};

static bool add_tile(void *context, const struct replay_chunk *chunk) {
    struct tiles *tiles = context;
    assert_int_equal(chunk->offset_bytes, tiles->end_bytes);
    assert_false(tiles->was_free && !chunk->is_used); /* two free ones never touch */
    tiles->end_bytes += chunk->size_bytes;
    tiles->was_free = !chunk->is_used;
    if (chunk->is_used) {
        tiles->used_bytes += chunk->size_bytes;
        tiles->asked_bytes += chunk->block.size_bytes;
        tiles->blocks += chunk->block.born_event != 0;
    } else {
        tiles->free_bytes += chunk->size_bytes;
    }
    return true;
}

static void check_tiles(struct replay *replay, const struct replay_figures *figures) {
    struct tiles tiles = {.end_bytes = 8};
    if (!replay_chunks(replay, add_tile, &tiles))
        return;
    assert_int_equal(tiles.end_bytes, figures->footprint_bytes - 8);
    assert_int_equal(tiles.used_bytes, figures->held_bytes);
    assert_int_equal(tiles.free_bytes, figures->free_bytes);
    assert_int_equal(tiles.blocks, figures->live_blocks);
    assert_int_equal(tiles.asked_bytes, figures->live_bytes);
}

static void check_equations(struct replay *replay) {
    const struct replay_figures figures = figures_of(replay);
    assert_int_equal(figures.footprint_bytes,
                     figures.held_bytes + figures.cached_bytes + figures.free_bytes);
    assert_true(figures.live_bytes <= figures.held_bytes);
    assert_true(figures.largest_free_bytes <= figures.free_bytes);
    assert_true(figures.footprint_bytes <= figures.footprint_peak_bytes);
    assert_true(figures.live_bytes <= figures.live_bytes_peak);
    assert_true(figures.live_at_peak_bytes <= figures.held_at_peak_bytes);
    assert_true(replay_internal_permille(&figures) <= 1000);
    assert_true(replay_external_permille(&figures) <= 1000);
    check_tiles(replay, &figures);
}

enum { BLOCKS = 300, STEPS = 6000 };

/* Sizes of 1 byte to 8 KiB, small ones more often; never 0, so that asked sizes agree. */
static uint64_t random_size(uint64_t *seed) {
    return 1 + random_next(seed) % (1u << (1 + random_next(seed) % 13));
}

static void step(struct replay *replay, uint64_t *seed, bool lives[BLOCKS]) {
    const uint32_t id = (uint32_t)(random_next(seed) % BLOCKS);
    const uint64_t size = random_size(seed), dice = random_next(seed) % 8;
    if (!lives[id] && dice == 0)
        assert_true(event(replay, TRACE_ALIGNED, id, size, 1u << random_next(seed) % 13));
    else if (!lives[id])
        assert_true(event(replay, dice < 3 ? TRACE_CALLOC : TRACE_MALLOC, id, size, 0));
    else if (dice < 3)
        assert_true(event(replay, TRACE_REALLOC, id, size, 0));
    else
        assert_true(event(replay, dice < 5 ? TRACE_FREE : TRACE_FREE_SIZED, id, size, 0));
    lives[id] = !lives[id] || dice < 3;
}

static void runs_by_the_equations(const char *policy, uint64_t memory_bytes) {
    struct replay *replay = begin(policy, memory_bytes);
    bool lives[BLOCKS] = {false};
    uint64_t seed = 5;
    for (unsigned i = 0; i < STEPS; i++) {
        step(replay, &seed, lives);
        if (i % 97 == 0)
            check_equations(replay);
    }
    for (uint32_t id = 0; id < BLOCKS; id++) {
        if (lives[id])
            release(replay, id);
    }
    check_equations(replay);
    const struct replay_figures figures = figures_of(replay);
    assert_int_equal(figures.live_blocks, 0);
    assert_int_equal(figures.live_bytes, 0);
    assert_int_equal(figures.held_bytes, 0);
    assert_int_equal(figures.failures == 0, memory_bytes == 0);
    assert_null(replay_fault(replay));
    replay_close(replay);
}

static void in_growing_memory(const char *policy) {
    runs_by_the_equations(policy, 0);
}

static void in_little_memory(const char *policy) {
    runs_by_the_equations(policy, 128 * KIB);
}

static void equations_hold_in_growing_memory(void **state) {
    (void)state;
    for_each_policy(in_growing_memory);
}

static void equations_hold_in_little_memory(void **state) {
    (void)state;
    for_each_policy(in_little_memory);
}

/* Two at once, step by step: neither knows of the other. */
static void replays_may_take_turns(void **state) {
    (void)state;
    struct replay *slab = begin("slab", 0), *other = begin("slab", 0);
    bool lives[2][BLOCKS] = {{false}};
    uint64_t seed[2] = {1, 2};
    for (unsigned i = 0; i < STEPS; i++) {
        step(slab, &seed[0], lives[0]);
        step(other, &seed[1], lives[1]);
    }
    check_equations(slab);
    check_equations(other);
    replay_close(slab);
    check_equations(other);
    replay_close(other);
}

/* ---- Failures -------------------------------------------------------------------------------- */

/* A request that failed leaves a block that is none; a realloc of it tries again; a realloc that
 * failed leaves the block it had. */
static void failures_are_lived_with(void **state) {
    (void)state;
    struct replay *replay = begin("first", 1024);
    allocate(replay, 0, 2000);
    assert_int_equal(figures_of(replay).failures, 1);
    assert_int_equal(figures_of(replay).live_blocks, 0);
    assert_true(event(replay, TRACE_REALLOC, 0, 400, 0));
    assert_int_equal(offset_of(replay, 0), 16);
    assert_true(event(replay, TRACE_REALLOC, 0, 4000, 0));
    assert_int_equal(figures_of(replay).failures, 2);
    assert_int_equal(figures_of(replay).live_bytes, 400);
    allocate(replay, 1, 5000);
    release(replay, 1);
    release(replay, 0);
    assert_int_equal(figures_of(replay).frees, 1);
    assert_int_equal(figures_of(replay).held_bytes, 0);
    replay_close(replay);
}

static void too_little_to_begin(void **state) {
    char what[REPLAY_WHAT_LENGTH] = "";
    (void)state;
    assert_null(replay_open(&(struct replay_config){.policy = "first", .memory_bytes = 8}, what));
    assert_non_null(strstr(what, "first fit"));
    assert_null(replay_open(&(struct replay_config){.policy = "slab", .memory_bytes = 100}, what));
    assert_non_null(strstr(what, "slab"));
    assert_null(replay_open(&(struct replay_config){.policy = "no such"}, what));
    assert_non_null(strstr(what, "no such"));
}

static void hostile_events(const char *policy) {
    static const uint64_t size[] = {UINT64_MAX, UINT64_MAX - 15, (uint64_t)1 << 63, INT64_MAX,
                                    (uint64_t)1 << 47};
    static const uint64_t align[] = {3, 48, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 50};
    struct replay *replay = begin(policy, 0);
    uint32_t id = 0;
    for (size_t i = 0; i < COUNT(size); i++) {
        assert_true(event(replay, TRACE_MALLOC, id++, size[i], 0));
        assert_true(event(replay, TRACE_ALIGNED, id++, size[i], 64));
    }
    for (size_t i = 0; i < COUNT(align); i++)
        assert_true(event(replay, TRACE_ALIGNED, id++, 10, align[i]));
    const struct replay_figures figures = figures_of(replay);
    assert_int_equal(figures.failures, id);
    assert_int_equal(figures.live_blocks, 0);
    assert_true(figures.footprint_bytes < KIB * KIB); /* none of them has made it grow */
    allocate(replay, id, 0);                          /* of nothing there is a block too */
    assert_true(event(replay, TRACE_REALLOC, id, 0, 0));
    assert_int_equal(figures_of(replay).live_blocks, 1);
    release(replay, id);
    release(replay, id);                                 /* dead already: nothing */
    assert_true(event(replay, TRACE_REALLOC, id, 7, 0)); /* likewise */
    assert_true(event(replay, (enum trace_kind)99, id, 7, 0));
    assert_int_equal(figures_of(replay).live_blocks, 0);
    replay_close(replay);
}

static void hostile_traces_do_no_harm(void **state) {
    (void)state;
    for_each_policy(hostile_events);
}

static void a_block_that_lives_is_not_made_again(void **state) {
    (void)state;
    struct replay *replay = begin("best", 0);
    allocate(replay, 7, 10);
    assert_false(event(replay, TRACE_MALLOC, 7, 10, 0));
    assert_string_equal(replay_fault(replay), "event 2: block 7 lives already");
    replay_close(replay);
}

/* ---- Policies that are wrong ----------------------------------------------------------------- */

static unsigned char same[256] __attribute__((aligned(16)));
static size_t same_offset;

static struct policy *wrong_open(const struct policy_kind *kind, uint64_t memory_bytes,
                                 char what[REPLAY_WHAT_LENGTH]) {
    static struct policy policy;
    (void)memory_bytes;
    (void)what;
    policy.kind = kind;
    policy.memory = same;
    return &policy;
}

static void wrong_close(struct policy *policy) {
    (void)policy;
}

static void *wrong_alloc(struct policy *policy, size_t size_bytes) {
    (void)policy;
    return size_bytes <= sizeof same - same_offset ? same + same_offset : NULL;
}

static void *wrong_resize(struct policy *policy, void *pointer, size_t size_bytes) {
    (void)pointer;
    return wrong_alloc(policy, size_bytes);
}

static void wrong_free(struct policy *policy, void *pointer) {
    (void)policy;
    (void)pointer;
}

static uint64_t wrong_bytes(const struct policy *policy) {
    (void)policy;
    return sizeof same;
}

static const struct policy_kind policy_wrong = {
    .name = "wrong",
    .title = "one place for all",
    .open = wrong_open,
    .close = wrong_close,
    .alloc = wrong_alloc,
    .resize = wrong_resize,
    .free = wrong_free,
    .held = wrong_bytes,
    .footprint = wrong_bytes,
};

static struct replay *begin_wrong(bool is_unchecked) {
    char what[REPLAY_WHAT_LENGTH];
    const struct replay_config config = {.is_unchecked = is_unchecked};
    struct replay *replay = replay_open_kind(&policy_wrong, &config, what);
    assert_non_null(replay);
    return replay;
}

static void blocks_that_overlap_are_found_out(void **state) {
    (void)state;
    struct replay *replay = begin_wrong(false);
    allocate(replay, 0, 100);
    allocate(replay, 1, 10);
    assert_false(event(replay, TRACE_FREE, 0, 0, 0));
    assert_string_equal(replay_fault(replay),
                        "event 3: block 0 of 100 bytes was overwritten at byte 0");
    assert_false(event(replay, TRACE_FREE, 1, 0, 0)); /* it is over */
    replay_close(replay);
    /* Unless nobody looks. */
    replay = begin_wrong(true);
    allocate(replay, 0, 100);
    allocate(replay, 1, 10);
    release(replay, 0);
    replay_close(replay);
}

static void what_a_realloc_lost_is_found_out(void **state) {
    (void)state;
    struct replay *replay = begin_wrong(false);
    allocate(replay, 0, 100);
    same[60]++;
    assert_false(event(replay, TRACE_REALLOC, 0, 200, 0));
    assert_string_equal(replay_fault(replay),
                        "event 2: block 0 of 200 bytes was overwritten at byte 60");
    replay_close(replay);
}

static void blocks_that_are_misaligned_are_found_out(void **state) {
    (void)state;
    struct replay *replay = begin_wrong(false);
    same_offset = 4;
    assert_false(event(replay, TRACE_MALLOC, 0, 100, 0));
    same_offset = 0;
    assert_non_null(strstr(replay_fault(replay), "is not aligned to 8 bytes"));
    replay_close(replay);
}

/* ---- The parts ------------------------------------------------------------------------------- */

static unsigned count_mappings(void) {
    unsigned lines = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    for (int letter; maps && (letter = fgetc(maps)) != EOF;)
        lines += letter == '\n';
    assert_non_null(maps);
    (void)fclose(maps);
    return lines;
}

/* A memory that ends within a page leaves nothing behind, so the next one begins at the same place.
 */
static void space_is_given_back_whole(void **state) {
    (void)state;
    struct replay *replay = begin("best", 10000);
    const void *memory = replay_memory(replay);
    replay_close(replay);
    const unsigned mappings = count_mappings();
    for (unsigned i = 0; replay_policy_name(i); i++)
        replay_close(begin(replay_policy_name(i), 100000));
    assert_int_equal(count_mappings(), mappings);
    replay = begin("best", 10000);
    assert_ptr_equal(replay_memory(replay), memory);
    replay_close(replay);
}

/* Every byte of a block of so many is looked at, and only those. */
static void patterns_show_each_byte(void **state) {
    static unsigned char block[4096 * 3];
    (void)state;
    for (uint64_t size = 1; size < 80; size++) {
        pattern_write(block, 9, 0, size);
        assert_true(pattern_check(block, 9, 0, size) == PATTERN_NONE);
        assert_false(pattern_check(block, 10, 0, size) == PATTERN_NONE);
        for (uint64_t i = 0; i < size; i++) {
            block[i] ^= 0x40;
            assert_int_equal(pattern_check(block, 9, 0, size), i);
            assert_true(pattern_check(block, 9, i + 1, size) == PATTERN_NONE);
            block[i] ^= 0x40;
        }
    }
}

static void large_patterns_have_pieces(void **state) {
    const uint64_t size = PATTERN_WHOLE_BYTES + 3 * 4096 + 10;
    unsigned char *block = calloc(1, size);
    (void)state;
    pattern_write(block, 3, 0, size - 5);
    pattern_write(block, 3, size - 5, size);
    assert_true(pattern_check(block, 3, 0, size) == PATTERN_NONE);
    for (uint64_t at = PATTERN_WHOLE_BYTES; at < size; at += 4096) {
        block[at + 3]++;
        assert_int_equal(pattern_check(block, 3, 0, size), at + 3);
        block[at + 3]--;
    }
    assert_int_equal(block[PATTERN_WHOLE_BYTES + PATTERN_PIECE_BYTES + 1], 0);
    free(block);
}

/* 1 … 10,000 ns once each: the median is 5,000, the 99th percentile 9,900, within a step of 1/32.
 */
static void times_know_their_percentiles(void **state) {
    static struct times times, twice;
    (void)state;
    for (uint64_t ns = 1; ns <= 10000; ns++)
        times_add(&times, ns);
    times_merge(&twice, &times);
    times_merge(&twice, &times);
    const struct replay_times one = times_summary(&times), two = times_summary(&twice);
    assert_in_range(one.median_ns, 5000 - 5000 / 32, 5000);
    assert_in_range(one.p99_ns, 9900 - 9900 / 32, 9900);
    assert_int_equal(one.max_ns, 10000);
    assert_int_equal(one.total_ns, 10000 * 10001 / 2);
    assert_int_equal(two.count, 20000);
    assert_int_equal(two.median_ns, one.median_ns);
    times_add(&times, UINT64_MAX);
    times_add(&times, 0);
    assert_int_equal(times_summary(&times).max_ns, UINT64_MAX);
}

static void samples_are_not_too_many(uint64_t count_events, uint64_t events, unsigned least) {
    static struct result result;
    struct sampler sampler;
    struct replay *replay = begin("first", 0);
    memset(&result, 0, sizeof result);
    sampler_begin(&sampler, &result, count_events);
    for (uint64_t i = 0; i < events; i++) {
        assert_true(event(replay, i % 2 ? TRACE_FREE : TRACE_MALLOC, 0, 100, 0));
        sampler_event(&sampler, replay);
    }
    sampler_end(&sampler, replay);
    replay_close(replay);
    assert_in_range(result.sample_count, least, RESULT_SAMPLES);
    for (unsigned i = 1; i < result.sample_count; i++)
        assert_true(result.sample[i].event > result.sample[i - 1].event ||
                    i + 1 == result.sample_count);
    assert_int_equal(result.sample[result.sample_count - 1].event, events);
    assert_int_equal(result.figures.events, events);
}

static void samples_are_even(void **state) {
    (void)state;
    samples_are_not_too_many(20000, 20000, 100);
    samples_are_not_too_many(0, 20000, RESULT_SAMPLES / 2);
    samples_are_not_too_many(0, 10, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_place_by_their_policy),
        cmocka_unit_test(regions_tell_their_figures),
        cmocka_unit_test(buddies_round_to_powers_of_two),
        cmocka_unit_test(slabs_hold_classes),
        cmocka_unit_test(a_region_grows_by_what_is_missing),
        cmocka_unit_test(every_policy_grows_for_every_size),
        cmocka_unit_test(good_fit_grows_past_what_it_overlooks),
        cmocka_unit_test(equations_hold_in_growing_memory),
        cmocka_unit_test(equations_hold_in_little_memory),
        cmocka_unit_test(replays_may_take_turns),
        cmocka_unit_test(failures_are_lived_with),
        cmocka_unit_test(too_little_to_begin),
        cmocka_unit_test(hostile_traces_do_no_harm),
        cmocka_unit_test(a_block_that_lives_is_not_made_again),
        cmocka_unit_test(blocks_that_overlap_are_found_out),
        cmocka_unit_test(what_a_realloc_lost_is_found_out),
        cmocka_unit_test(blocks_that_are_misaligned_are_found_out),
        cmocka_unit_test(space_is_given_back_whole),
        cmocka_unit_test(patterns_show_each_byte),
        cmocka_unit_test(large_patterns_have_pieces),
        cmocka_unit_test(times_know_their_percentiles),
        cmocka_unit_test(samples_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
