/* test_objects.c: in-kernel tests of object caches, the heap, debugging and statistics. */
#include "census.h"
#include "kerneltest.h"
#include "words.h"

#include "larder/cache.h"
#include "larder/heap.h"
#include "larder/stats.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* ---- Object caches --------------------------------------------------------------------------- */

static struct larder_cache *make(const char *name, size_t size, size_t align) {
    struct larder_cache_config config = {.name = name, .size_bytes = size, .align_bytes = align};
    enum larder_status status = LARDER_OK;
    struct larder_cache *cache = larder_cache_create(kernel_larder, &config, &status);
    kerneltest_expect(cache != NULL, __FILE__, __LINE__, "cache %s of %zu bytes: %s", name, size,
                      larder_status_text(status));
    return cache;
}

static void end(struct larder_cache *cache) {
    EXPECT_EQUAL(larder_cache_destroy(cache, NULL, NULL), 0);
}

#define OBJECTS 1000u

static void use(struct larder_cache *cache, size_t size, size_t align, unsigned count) {
    static uint8_t *object[OBJECTS];
    for (unsigned i = 0; i < count; i++) {
        object[i] = larder_cache_alloc(cache, 0);
        if (!EXPECT(object[i] != NULL))
            return;
        EXPECT_EQUAL((uintptr_t)object[i] % align, 0);
        object[i][0] = object[i][size - 1] = (uint8_t)i;
    }
    for (unsigned i = 0; i < count; i++) {
        EXPECT(object[i][0] == (uint8_t)i && object[i][size - 1] == (uint8_t)i);
        EXPECT(larder_cache_of(kernel_larder, object[i]) == cache);
        larder_cache_free(cache, object[i]);
    }
}

static void cache_sizes(void) {
    static const size_t sizes[] = {1,   2,    7,    8,    16,   17,    31,    64,     100,
                                   512, 1000, 2048, 4096, 5000, 16384, 65536, 100000, 1048576};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct larder_cache *cache = make("test-size", sizes[i], 0);
        if (cache == NULL)
            continue;
        use(cache, sizes[i], sizes[i] < 16 ? 8 : 16, sizes[i] > 4096 ? 20 : OBJECTS);
        end(cache);
    }
    for (size_t align = 1; align <= MIB; align *= 4) {
        struct larder_cache *cache = make("test-align", 48, align);
        if (cache == NULL)
            continue;
        use(cache, 48, align, align > 4096 ? 8 : 200);
        end(cache);
    }
}

static void expect_refused(struct larder_cache_config config, enum larder_status expected) {
    enum larder_status status = LARDER_OK;
    EXPECT(larder_cache_create(kernel_larder, &config, &status) == NULL);
    EXPECT_EQUAL(status, expected);
}

static bool construct(void *object, void *context) {
    unsigned *constructed = context;
    ++*constructed;
    *(uint64_t *)object = 0x1234;
    return true;
}

static void destruct(void *object, void *context) {
    unsigned *constructed = context;
    --*constructed;
    EXPECT_EQUAL(*(uint64_t *)object, 0x1234);
}

static void cache_refusals(void) {
    static const char long_name[] = "a-name-of-thirty-two-characters-";
    expect_refused((struct larder_cache_config){.name = NULL, .size_bytes = 8}, LARDER_BAD_NAME);
    expect_refused((struct larder_cache_config){.name = "", .size_bytes = 8}, LARDER_BAD_NAME);
    expect_refused((struct larder_cache_config){.name = long_name, .size_bytes = 8},
                   LARDER_BAD_NAME);
    expect_refused((struct larder_cache_config){.name = "x", .size_bytes = 0}, LARDER_BAD_SIZE);
    expect_refused((struct larder_cache_config){.name = "x", .size_bytes = MIB + 1},
                   LARDER_BAD_SIZE);
    expect_refused((struct larder_cache_config){.name = "x", .size_bytes = SIZE_MAX},
                   LARDER_BAD_SIZE);
    expect_refused((struct larder_cache_config){.name = "x", .size_bytes = 8, .align_bytes = 24},
                   LARDER_BAD_ALIGNMENT);
    expect_refused((struct larder_cache_config){.name = "x", .size_bytes = 8, .flags = 0x8000},
                   LARDER_BAD_OPTION);
    expect_refused(
        (struct larder_cache_config){
            .name = "x", .size_bytes = 8, .construct = construct, .flags = LARDER_CACHE_ZERO},
        LARDER_BAD_OPTION);
}

/* Objects stay constructed while they are free; the destructor runs when a slab goes. */
static void constructors(void) {
    static unsigned constructed;
    struct larder_cache_config config = {.name = "test-constructed",
                                         .size_bytes = 200,
                                         .construct = construct,
                                         .destruct = destruct,
                                         .context = &constructed};
    constructed = 0;
    struct larder_cache *cache = larder_cache_create(kernel_larder, &config, NULL);
    if (!EXPECT(cache != NULL))
        return;
    for (unsigned round = 0; round < 3; round++) {
        void *object[50];
        EXPECT_EQUAL(larder_cache_alloc_bulk(cache, 50, object, 0), 50);
        for (unsigned i = 0; i < 50; i++)
            EXPECT_EQUAL(*(uint64_t *)object[i], 0x1234);
        EXPECT(constructed >= 50);
        larder_cache_free_bulk(cache, 50, object);
    }
    (void)larder_cache_shrink(cache);
    EXPECT_EQUAL(constructed, 0);
    end(cache);
}

static unsigned leaks;

static void count_leak(const void *object, uintptr_t site, void *context) {
    (void)site;
    leaks += object == context;
}

static void limits_and_leaks(void) {
    struct larder_cache *cache = make("test-limit", 64, 0);
    void *object[11];
    if (cache == NULL)
        return;
    larder_cache_set_limit(cache, 10);
    EXPECT_EQUAL(larder_cache_alloc_bulk(cache, 11, object, 0), 10);
    EXPECT(larder_cache_alloc(cache, 0) == NULL);
    EXPECT_EQUAL(larder_cache_prefill(cache, 11), LARDER_TOO_MANY);
    larder_cache_free_bulk(cache, 9, object);
    leaks = 0;
    EXPECT_EQUAL(larder_cache_destroy(cache, count_leak, object[9]), 1);
    EXPECT_EQUAL(leaks, 1);
    larder_cache_free(cache, object[9]);
    larder_cache_set_limit(cache, 0);
    EXPECT_EQUAL(larder_cache_prefill(cache, 5000), LARDER_OK);
    end(cache);
}

/* More caches than one level of bins and than an owner byte can name. */
#define MANY 600u

static void many_caches(void) {
    static struct larder_cache *cache[MANY];
    static void *object[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        cache[i] = make("test-many", 32 + i, 0);
        object[i] = cache[i] == NULL ? NULL : larder_cache_alloc(cache[i], 0);
        if (!EXPECT(object[i] != NULL))
            return;
        *(unsigned *)object[i] = i;
    }
    for (unsigned i = 0; i < MANY; i++) {
        EXPECT_EQUAL(*(unsigned *)object[i], i);
        EXPECT(larder_cache_of(kernel_larder, object[i]) == cache[i]);
        larder_free(kernel_larder, object[i]);
    }
    for (unsigned i = 0; i < MANY; i++)
        end(cache[i]);
}

static void cache_dma(void) {
    struct larder_zone_stats zone;
    struct larder_cache_config config = {
        .name = "test-dma", .size_bytes = 256, .flags = LARDER_CACHE_DMA};
    struct larder_cache *cache = larder_cache_create(kernel_larder, &config, NULL);
    EXPECT(larder_zone_stats(kernel_larder, 0, &zone));
    if (!EXPECT(cache != NULL))
        return;
    for (unsigned i = 0; i < 100; i++) {
        void *object = larder_cache_alloc(cache, 0);
        EXPECT(larder_frames_address(kernel_larder, object) < zone.end_address);
        larder_cache_free(cache, object);
    }
    end(cache);
}

/* ---- Heap ------------------------------------------------------------------------------------ */

static void one_size(size_t size) {
    uint8_t *memory = larder_alloc(kernel_larder, size);
    if (!kerneltest_expect(memory != NULL, __FILE__, __LINE__, "no %zu bytes", size))
        return;
    EXPECT_EQUAL((uintptr_t)memory % 16, 0);
    EXPECT(larder_size_of(kernel_larder, memory) >= size);
    EXPECT_EQUAL(larder_size_of(kernel_larder, memory), larder_good_size(size));
    memory[0] = memory[size - 1] = 1;
    larder_free(kernel_larder, memory);
}

static void heap(void) {
    for (size_t size = 1; size <= 2048; size++)
        one_size(size);
    for (size_t size = 2048; size <= 8 * MIB; size += size / 7)
        one_size(size);
    EXPECT(larder_alloc(kernel_larder, 0) == NULL);
    EXPECT(larder_alloc(kernel_larder, (size_t)PTRDIFF_MAX + 1) == NULL);
    EXPECT(larder_alloc(kernel_larder, SIZE_MAX) == NULL);
    EXPECT(larder_calloc(kernel_larder, SIZE_MAX / 2, 3) == NULL);
    EXPECT(larder_aligned(kernel_larder, 24, 100) == NULL);
    EXPECT_EQUAL(larder_good_size(0), 0);
    EXPECT_EQUAL(larder_good_size(SIZE_MAX), 0);
    larder_free(kernel_larder, NULL);
}

/* Internal waste by class stays at an eighth from 128 bytes on. */
static void classes(void) {
    for (size_t size = 129; size <= LARDER_CLASS_MAX_BYTES; size++)
        EXPECT(larder_good_size(size) - size <= size / 8);
}

static void heap_aligned(void) {
    for (size_t align = 1; align <= 4 * MIB; align *= 2) {
        void *memory = larder_aligned(kernel_larder, align, 1000);
        if (EXPECT(memory != NULL))
            EXPECT_EQUAL((uintptr_t)memory % align, 0);
        larder_free(kernel_larder, memory);
    }
}

static bool holds(const uint8_t *memory, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (memory[i] != (uint8_t)(i * 7))
            return false;
    return true;
}

static void realloc_keeps(void) {
    uint8_t *memory = NULL;
    size_t size = 0;
    for (size_t next = 1; next < 3 * MIB; next = next * 3 / 2 + 1) {
        memory = larder_realloc(kernel_larder, memory, next);
        if (!EXPECT(memory != NULL))
            return;
        EXPECT(holds(memory, size));
        for (size = 0; size < next; size++)
            memory[size] = (uint8_t)(size * 7);
    }
    for (size_t next = size; next > 0; next /= 3) {
        memory = larder_realloc(kernel_larder, memory, next);
        EXPECT(holds(memory, next));
    }
    EXPECT(larder_realloc(kernel_larder, memory, 0) == NULL);
    EXPECT(larder_realloc(kernel_larder, memory, SIZE_MAX) == NULL);
    EXPECT(holds(memory, 1));
    larder_free_sized(kernel_larder, memory, 1);
}

static void heap_zeroed(void) {
    static const size_t sizes[] = {8, 100, 4096, 50000, 300000};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *memory = larder_alloc(kernel_larder, sizes[i]);
        memset(memory, 0xff, sizes[i]);
        larder_free(kernel_larder, memory);
        memory = larder_zalloc(kernel_larder, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            if (!EXPECT(memory[at] == 0))
                break;
        larder_free(kernel_larder, memory);
    }
}

/* ---- Debugging ------------------------------------------------------------------------------- */

static void debug(void) {
    EXPECT_EQUAL(larder_debug_parse(kernel_larder, "FZPU,test-debug*;A,test-fault"), LARDER_OK);
    EXPECT_EQUAL(larder_debug_flags(kernel_larder, "test-debug-1"), 0xf);
    EXPECT_EQUAL(larder_debug_flags(kernel_larder, "other"), 0);
    EXPECT_EQUAL(larder_debug_parse(kernel_larder, "Q"), LARDER_BAD_OPTION);
    struct larder_cache *cache = make("test-debug-1", 40, 0);
    if (cache != NULL) {
        use(cache, 40, 16, 500);
        end(cache);
    }
    cache = make("test-fault", 40, 0);
    unsigned failed = 0;
    for (unsigned i = 0; i < 100 && cache != NULL; i++) {
        void *object = larder_cache_alloc(cache, 0);
        failed += object == NULL;
        larder_cache_free(cache, object);
    }
    kerneltest_note("%u of 100 allocations failed as asked", failed);
    EXPECT(failed >= 5 && failed <= 20);
    if (cache != NULL)
        end(cache);
    EXPECT_EQUAL(larder_debug_parse(kernel_larder, ""), LARDER_OK);
}

/* ---- Statistics ------------------------------------------------------------------------------ */

static char text[64 * 1024];
static size_t text_bytes;

static void keep(void *context, const char *more, size_t length) {
    (void)context;
    if (length > sizeof(text) - 1 - text_bytes)
        length = sizeof(text) - 1 - text_bytes;
    memcpy(text + text_bytes, more, length);
    text_bytes += length;
    text[text_bytes] = '\0';
}

static const struct larder_sink keeper = {keep, NULL};

static bool said(const char *what) {
    for (const char *at = text; *at != '\0'; at++)
        if (words_begins(at, what))
            return true;
    return false;
}

static void statistics(void) {
    struct larder_zone_stats zone;
    struct larder_cache *cache = make("test-stats", 300, 0);
    void *object = larder_cache_alloc(cache, 0);
    EXPECT(larder_zone_stats(kernel_larder, 0, &zone));
    text_bytes = 0;
    larder_buddyinfo(kernel_larder, &keeper);
    EXPECT(said(zone.name));
    text_bytes = 0;
    larder_slabinfo(kernel_larder, &keeper);
    EXPECT(said("test-stats"));
    text_bytes = 0;
    larder_fragmentation(kernel_larder, &keeper);
    EXPECT(text_bytes > 0);
    EXPECT_EQUAL(larder_fragmentation_index(&zone, 0), -1000);
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    EXPECT_EQUAL(stats.live, 1);
    EXPECT_EQUAL(stats.taken, stats.live + stats.in_magazines + stats.in_depot);
    EXPECT_EQUAL(stats.capacity, stats.slabs * stats.slab_objects);
    larder_cache_free(cache, object);
    end(cache);
}

static void owners(void) {
    larder_debug_track_frames(kernel_larder, true);
    void *block = larder_frames_alloc(kernel_larder, 4, 0);
    size_t offset = 0;
    uintptr_t site = larder_frames_owner(kernel_larder, block);
    const char *name = site == 0 ? NULL : symbol_find(site, &offset);
    EXPECT(name != NULL && words_equal(name, "owners"));
    text_bytes = 0;
    larder_page_owner(kernel_larder, &keeper);
    EXPECT(text_bytes > 0);
    larder_frames_free(kernel_larder, block);
    larder_debug_track_frames(kernel_larder, false);
}

/* In turn, the fast paths give the same object again and leave the depot alone. tools/fastpath
 * counts their instructions while this runs: oftener than start-up asks for zeroed frames. */
#define TURNS 1200u

static void fast_paths(void) {
    struct larder_cache *cache = make("test-fast", 64, 0);
    struct larder_cache_stats before, after;
    void *first_object = NULL, *first_heap = NULL;
    for (unsigned i = 0; i <= TURNS; i++) {
        void *object = larder_cache_alloc(cache, 0);
        void *heap_object = larder_alloc(kernel_larder, 200);
        larder_cache_free(cache, object);
        larder_free(kernel_larder, heap_object);
        larder_frames_free(kernel_larder, larder_frames_alloc(kernel_larder, 0, 0));
        if (i == 0) {
            first_object = object;
            first_heap = heap_object;
            larder_cache_stats(cache, &before);
        }
        EXPECT(object == first_object && heap_object == first_heap);
    }
    larder_cache_stats(cache, &after);
    EXPECT_EQUAL(after.refills, before.refills);
    EXPECT_EQUAL(after.drains, before.drains);
    end(cache);
}

static void expect_what(const void *pointer, enum larder_what_kind kind, const void *start) {
    struct larder_what what;
    larder_whatis(kernel_larder, pointer, &what);
    EXPECT_EQUAL(what.kind, kind);
    if (start != NULL)
        EXPECT_EQUAL((uintptr_t)what.start, (uintptr_t)start);
}

static void whatis(void) {
    struct larder_cache *cache = make("test-what", 100, 0);
    uint8_t *object = larder_cache_alloc(cache, 0);
    uint8_t *run = larder_frames_alloc_exact(kernel_larder, 7, 0);
    static uint8_t in_image;
    expect_what(object + 99, LARDER_WHAT_OBJECT, object);
    expect_what(run + 6 * LARDER_FRAME_BYTES, LARDER_WHAT_RUN, run);
    expect_what(&in_image, LARDER_WHAT_FOREIGN, NULL);
    expect_what(NULL, LARDER_WHAT_FOREIGN, NULL);
    EXPECT(larder_owns(kernel_larder, run) && !larder_owns(kernel_larder, &in_image));
    larder_frames_free(kernel_larder, run);
    larder_cache_free(cache, object);
    end(cache);
}

const struct kerneltest object_tests[] = {
    {"cache-sizes", cache_sizes},
    {"cache-refusals", cache_refusals},
    {"cache-constructors", constructors},
    {"cache-limits-and-leaks", limits_and_leaks},
    {"cache-many", many_caches},
    {"cache-dma", cache_dma},
    {"heap", heap},
    {"heap-classes", classes},
    {"heap-aligned", heap_aligned},
    {"heap-realloc", realloc_keeps},
    {"heap-zeroed", heap_zeroed},
    {"debug", debug},
    {"statistics", statistics},
    {"owners", owners},
    {"whatis", whatis},
    {"fast-paths", fast_paths},
    {NULL, NULL},
};
