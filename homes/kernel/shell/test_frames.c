/* test_frames.c: in-kernel tests of frames: orders, splitting and merging, exact runs, long runs,
 * zones, and all of memory at once. */
#include "census.h"
#include "kerneltest.h"

#include "larder/heap.h"
#include "larder/stats.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define FRAMES(bytes) ((bytes) / LARDER_FRAME_BYTES)
#define HUGE_ORDER 9u /* a 2 MiB block */

static uint64_t address_of(const void *pointer) {
    return larder_frames_address(kernel_larder, pointer);
}

static uint64_t count_free(void) {
    struct larder_frames_stats stats;
    census_take(&stats);
    return stats.free;
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void one_order(unsigned order) {
    uint64_t bytes = LARDER_FRAME_BYTES << order;
    uint8_t *block = larder_frames_alloc(kernel_larder, order, 0);
    if (!EXPECT(block != NULL))
        return;
    EXPECT_EQUAL(address_of(block) % bytes, 0);
    EXPECT_EQUAL(larder_frames_count(kernel_larder, block), (uint64_t)1 << order);
    EXPECT(larder_frames_pointer(kernel_larder, address_of(block)) == block);
    block[0] = block[bytes / 2] = block[bytes - 1] = 0xa5;
    larder_frames_free_order(kernel_larder, block, order);
}

static void frames(void) {
    struct larder_frames_stats stats;
    larder_frames_stats(kernel_larder, &stats);
    for (unsigned order = 0; order <= stats.largest_free_order; order++)
        one_order(order);
    EXPECT(larder_frames_alloc(kernel_larder, LARDER_ORDER_MAX + 1, 0) == NULL);
    EXPECT(larder_frames_alloc(kernel_larder, UINT32_MAX, 0) == NULL);
    EXPECT(larder_frames_alloc(kernel_larder, 0, ~LARDER_FLAGS_ALL) == NULL);
    larder_frames_free(kernel_larder, NULL);
}

static bool is_zero(const uint64_t *word, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes / sizeof(*word); i++)
        if (word[i] != 0)
            return false;
    return true;
}

/* Dirty a block, give it back, and have the same memory read as zero. */
static void zeroed(void) {
    for (unsigned order = 0; order <= HUGE_ORDER; order++) {
        void *dirty = larder_frames_alloc(kernel_larder, order, 0);
        memset(dirty, 0xff, LARDER_FRAME_BYTES << order);
        larder_frames_free(kernel_larder, dirty);
        void *clean = larder_frames_alloc(kernel_larder, order, LARDER_ZERO);
        EXPECT(is_zero(clean, LARDER_FRAME_BYTES << order));
        larder_frames_free(kernel_larder, clean);
    }
}

#define BULK 600u

static void bulk(void) {
    static void *block[BULK];
    uint64_t before = count_free();
    for (unsigned order = 0; order <= 4; order++) {
        size_t got = larder_frames_alloc_bulk(kernel_larder, order, BULK, block, 0);
        EXPECT_EQUAL(got, BULK);
        for (size_t i = 0; i < got; i++)
            *(size_t *)block[i] = i;
        for (size_t i = 0; i < got; i++)
            EXPECT_EQUAL(*(size_t *)block[i], i);
        EXPECT_EQUAL(before - count_free(), (uint64_t)BULK << order);
        larder_frames_free_bulk(kernel_larder, got, block);
    }
}

/* ---- buddies --------------------------------------------------------------------------------- */

static uint64_t free_in(const void *pointer, uint64_t bytes) {
    struct larder_map_cell cell;
    larder_map_read(kernel_larder, address_of(pointer), bytes, &cell);
    return cell.free;
}

/* Halve a 2 MiB block where it stands; each half that is cut off is free at once, and given back
 * the whole is one block again that can be taken as one. */
static void buddies(void) {
    uint8_t *block = larder_frames_alloc_contiguous(kernel_larder, 512, 2 * MIB, UINT64_MAX, 0);
    if (!EXPECT(block != NULL))
        return;
    EXPECT_EQUAL(address_of(block) % (2 * MIB), 0);
    for (uint64_t left = 256; left >= 1; left /= 2) {
        EXPECT_EQUAL(larder_frames_resize(kernel_larder, block, left), LARDER_OK);
        EXPECT_EQUAL(free_in(block, 2 * MIB), 512 - left);
        EXPECT_EQUAL(larder_frames_count(kernel_larder, block), left);
    }
    larder_frames_free(kernel_larder, block);
    (void)count_free();
    EXPECT_EQUAL(free_in(block, 2 * MIB), 512);
    EXPECT_EQUAL(larder_frames_reserve(kernel_larder, address_of(block), 2 * MIB), LARDER_OK);
    EXPECT_EQUAL(free_in(block, 2 * MIB), 0);
    EXPECT(larder_frames_reserve(kernel_larder, address_of(block), 1) != LARDER_OK);
    EXPECT_EQUAL(larder_frames_donate(kernel_larder, address_of(block), 2 * MIB), LARDER_OK);
}

/* Take single frames and give them back in another order: the free blocks of every order are what
 * they were. */
#define SCATTER 2048u

static void free_blocks(uint64_t count[LARDER_ORDER_MAX + 1]) {
    struct larder_zone_stats stats;
    memset(count, 0, sizeof(uint64_t) * (LARDER_ORDER_MAX + 1));
    (void)count_free();
    for (unsigned zone = 0; larder_zone_stats(kernel_larder, zone, &stats); zone++)
        for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++)
            count[order] += stats.free_blocks[order];
}

static void merging(void) {
    static void *frame[SCATTER];
    uint64_t before[LARDER_ORDER_MAX + 1], after[LARDER_ORDER_MAX + 1];
    free_blocks(before);
    for (unsigned i = 0; i < SCATTER; i++)
        frame[i] = larder_frames_alloc(kernel_larder, i % 5, 0);
    for (unsigned i = 0; i < SCATTER; i++)
        larder_frames_free(kernel_larder, frame[i * 769 % SCATTER]);
    free_blocks(after);
    for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++)
        EXPECT_EQUAL(after[order], before[order]);
}

/* ---- exact and contiguous -------------------------------------------------------------------- */

/* Exact runs are cut from a block: is there one of that order, or larger? */
static bool block_is_free_for(uint64_t count) {
    uint64_t blocks[LARDER_ORDER_MAX + 1], found = 0;
    free_blocks(blocks);
    for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++)
        found += (uint64_t)1 << order >= count ? blocks[order] : 0;
    return found != 0;
}

static void exact(void) {
    static const uint64_t counts[] = {1, 3, 5, 31, 33, 511, 513, 1000, 1025, 5000};
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t before = count_free();
        bool can_be = block_is_free_for(counts[i]); /* not 5000 on 64 MiB */
        void *run = larder_frames_alloc_exact(kernel_larder, counts[i], 0);
        EXPECT_EQUAL(run != NULL, can_be);
        if (run == NULL)
            continue;
        EXPECT_EQUAL(before - count_free(), counts[i]);
        EXPECT_EQUAL(larder_frames_count(kernel_larder, run), counts[i]);
        memset(run, 0x5a, counts[i] * LARDER_FRAME_BYTES);
        larder_frames_free(kernel_larder, run);
    }
    EXPECT(larder_frames_alloc_exact(kernel_larder, 0, 0) == NULL);
    EXPECT(larder_frames_alloc_exact(kernel_larder, UINT64_MAX, 0) == NULL);
}

/* The part of a range that lies in a zone: a run does not reach from one into another. */
static uint64_t overlap(const struct larder_range *range, const struct larder_zone_stats *zone) {
    uint64_t end = least(range->address + range->size_bytes, zone->end_address);
    uint64_t first = range->address > zone->first_address ? range->address : zone->first_address;
    return range->kind == LARDER_RANGE_USABLE && end > first ? end - first : 0;
}

static uint64_t longest_range(void) {
    const struct larder_ranges *ranges = memory_ranges();
    struct larder_zone_stats stats;
    uint64_t longest = 0;
    for (unsigned zone = 0; larder_zone_stats(kernel_larder, zone, &stats); zone++)
        for (unsigned i = 0; i < ranges->count; i++)
            if (overlap(&ranges->range[i], &stats) > longest)
                longest = overlap(&ranges->range[i], &stats);
    return longest;
}

static void try_contiguous(uint64_t bytes, uint64_t align, uint64_t limit) {
    uint8_t *run = larder_frames_alloc_contiguous(kernel_larder, FRAMES(bytes), align, limit, 0);
    if (!kerneltest_expect(run != NULL, __FILE__, __LINE__, "no run of %lu MiB", bytes / MIB))
        return;
    EXPECT_EQUAL(address_of(run) % align, 0);
    EXPECT(address_of(run) + bytes <= limit);
    EXPECT_EQUAL(larder_frames_count(kernel_larder, run), FRAMES(bytes));
    run[0] = run[bytes / 2] = run[bytes - 1] = 1;
    larder_frames_free(kernel_larder, run);
}

static void contiguous(void) {
    uint64_t limit = memory_ranges()->range[0].address + 512 * MIB;
    bool is_small = longest_range() < 128 * MIB; /* 64 MiB: the only place is the kernel's */
    try_contiguous(3 * MIB, 4096, UINT64_MAX);
    if (is_small)
        try_contiguous(9 * MIB, 16 * MIB, UINT64_MAX);
    else
        try_contiguous(37 * MIB, 64 * MIB, UINT64_MAX);
    try_contiguous(5 * MIB, MIB, limit);
    EXPECT(larder_frames_alloc_contiguous(kernel_larder, 1, 3, UINT64_MAX, 0) == NULL);
    EXPECT(larder_frames_alloc_contiguous(kernel_larder, 0, 4096, UINT64_MAX, 0) == NULL);
    EXPECT(larder_frames_alloc_contiguous(kernel_larder, UINT64_MAX / 2, 4096, UINT64_MAX, 0) ==
           NULL);
    EXPECT(larder_frames_alloc_contiguous(kernel_larder, 1, 4096, 4096, 0) == NULL);
}

/* Longer than the largest order can give. Half of the first page block may be in use. */
static void beyond_largest_order(void) {
    uint64_t largest = LARDER_FRAME_BYTES << LARDER_ORDER_MAX, longest = longest_range();
    if (longest < largest + 64 * MIB) {
        kerneltest_skip("no stretch of RAM is longer than the largest order");
        return;
    }
    uint64_t bytes = (longest - 32 * MIB) / (2 * MIB) * (2 * MIB) + LARDER_FRAME_BYTES;
    kerneltest_note("%lu MiB in one piece", bytes / MIB);
    try_contiguous(bytes, LARDER_FRAME_BYTES, UINT64_MAX);
}

static void resize(void) {
    uint8_t *run = larder_frames_alloc_contiguous(kernel_larder, 4096, 2 * MIB, UINT64_MAX, 0);
    if (!EXPECT(run != NULL))
        return;
    EXPECT_EQUAL(larder_frames_resize(kernel_larder, run, 0), LARDER_BAD_SIZE);
    EXPECT_EQUAL(larder_frames_resize(kernel_larder, run, 1111), LARDER_OK);
    EXPECT_EQUAL(larder_frames_count(kernel_larder, run), 1111);
    EXPECT_EQUAL(larder_frames_resize(kernel_larder, run, 4096), LARDER_OK);
    EXPECT_EQUAL(larder_frames_count(kernel_larder, run), 4096);
    EXPECT_EQUAL(larder_frames_resize(kernel_larder, run, UINT64_MAX / 2), LARDER_BUSY);
    EXPECT_EQUAL(larder_frames_resize(kernel_larder, run + LARDER_FRAME_BYTES, 1),
                 LARDER_BAD_RANGE);
    larder_frames_free(kernel_larder, run);
}

/* ---- zones ----------------------------------------------------------------------------------- */

static void zone_holds(unsigned zone, const struct larder_zone_stats *stats) {
    for (unsigned order = 0; order <= HUGE_ORDER; order += 3) {
        void *block = larder_frames_alloc(kernel_larder, order, LARDER_ZONE(zone));
        if (!EXPECT(block != NULL))
            continue;
        EXPECT(address_of(block) + (LARDER_FRAME_BYTES << order) <= stats->end_address);
        larder_frames_free(kernel_larder, block);
    }
}

/* Most peripherals of a Pi 4 reach the first GiB only. */
static void zones(void) {
    struct larder_zone_stats stats;
    EXPECT(larder_zone_count(kernel_larder) >= 1);
    for (unsigned zone = 0; larder_zone_stats(kernel_larder, zone, &stats); zone++) {
        kerneltest_note("zone %s: %lu frames below 0x%lx", stats.name, stats.usable,
                        stats.end_address);
        if (stats.usable > 2 * 512)
            zone_holds(zone, &stats);
    }
    EXPECT(larder_zone_stats(kernel_larder, 0, &stats));
    if (strncmp(machine_name(), "Raspberry Pi 4", 14) == 0) {
        EXPECT(stats.end_address <= GIB);
        EXPECT(strcmp(stats.name, "dma") == 0);
        EXPECT(stats.usable > 0);
    }
}

/* With nothing but zone 0 left an allocation for any zone is served from it; with zone 0 used up
 * one for zone 0 fails although others have memory. */
static void zone_fallback(void) {
    static void *held[64];
    struct larder_zone_stats stats;
    unsigned count = 0;
    if (larder_zone_count(kernel_larder) < 2 || !larder_zone_stats(kernel_larder, 1, &stats) ||
        stats.usable == 0) {
        kerneltest_skip("all RAM is in one zone");
        return;
    }
    (void)larder_zone_stats(kernel_larder, 0, &stats);
    uint64_t piece = least(stats.free / 8, (uint64_t)1 << LARDER_ORDER_MAX);
    for (; piece >= 1 && count < 64; piece /= 2)
        while (count < 64 && (held[count] = larder_frames_alloc_exact(kernel_larder, piece,
                                                                      LARDER_ZONE(0))) != NULL)
            EXPECT(address_of(held[count++]) < stats.end_address);
    EXPECT(larder_frames_alloc(kernel_larder, HUGE_ORDER, LARDER_ZONE(0)) == NULL);
    void *high = larder_frames_alloc(kernel_larder, HUGE_ORDER, 0);
    EXPECT(high != NULL && address_of(high) >= stats.end_address);
    larder_frames_free(kernel_larder, high);
    while (count > 0)
        larder_frames_free(kernel_larder, held[--count]);
}

/* ---- All of memory --------------------------------------------------------------------------- */

struct taken {
    struct taken *next;
};

/* True iff RAM that is given out holds this stretch: usable from the start, or donated. */
static bool may_be_given(uint64_t address, uint64_t bytes) {
    while (bytes > 0) {
        const struct larder_range *range = larder_ranges_find(memory_ranges(), address);
        if (range == NULL || range->kind == LARDER_RANGE_RESERVED ||
            range->kind == LARDER_RANGE_DEVICE)
            return false;
        uint64_t part = least(bytes, range->address + range->size_bytes - address);
        address += part;
        bytes -= part;
    }
    return true;
}

static uint64_t take_all(unsigned order, larder_flags flags, struct taken **list) {
    uint64_t count = 0;
    struct taken *block;
    while ((block = larder_frames_alloc(kernel_larder, order, flags)) != NULL) {
        EXPECT(may_be_given(address_of(block), LARDER_FRAME_BYTES << order));
        block->next = *list;
        *list = block;
        count++;
    }
    return count << order;
}

/* Every frame that is free can be had, no frame that is reserved ever is, and all come back. */
static void everything(void) {
    struct taken *list = NULL;
    uint64_t before = count_free(), got = 0;
    for (unsigned order = LARDER_ORDER_MAX + 1; order-- > 0;)
        got += take_all(order, LARDER_USE_RESERVE, &list);
    EXPECT_EQUAL(got, before);
    EXPECT(larder_frames_alloc(kernel_larder, 0, LARDER_USE_RESERVE) == NULL);
    EXPECT(larder_alloc(kernel_larder, MIB) == NULL);
    while (list != NULL) {
        struct taken *block = list;
        list = block->next;
        larder_frames_free(kernel_larder, block);
    }
    EXPECT_EQUAL(count_free(), before);
}

/* What is kept back is there for those who may have it. */
static void reserve(void) {
    struct larder_zone_stats stats;
    struct taken *list = NULL;
    uint64_t kept = 0;
    for (unsigned zone = 0; larder_zone_stats(kernel_larder, zone, &stats); zone++)
        kept += stats.reserve;
    for (unsigned order = LARDER_ORDER_MAX + 1; order-- > 0;)
        (void)take_all(order, 0, &list);
    uint64_t got = take_all(0, LARDER_USE_RESERVE, &list);
    kerneltest_note("%lu frames are kept back, %lu were left", kept, got);
    EXPECT(got >= kept);
    while (list != NULL) {
        struct taken *block = list;
        list = block->next;
        larder_frames_free(kernel_larder, block);
    }
}

const struct kerneltest frame_tests[] = {
    {"frames", frames},
    {"frames-zeroed", zeroed},
    {"frames-bulk", bulk},
    {"buddies", buddies},
    {"buddies-merge", merging},
    {"exact", exact},
    {"contiguous", contiguous},
    {"contiguous-beyond-order", beyond_largest_order},
    {"resize", resize},
    {"zones", zones},
    {"zone-fallback", zone_fallback},
    {"everything", everything},
    {"reserve", reserve},
    {NULL, NULL},
};
