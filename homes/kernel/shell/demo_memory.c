/* demo_memory.c: object caches fill and empty, the heap serves any size, RAM fills and empties. */
#include "census.h"
#include "command.h"
#include "demo.h"
#include "out.h"
#include "picture.h"

#include "larder/cache.h"
#include "larder/heap.h"

/* Memory that is held for the picture is linked through its first word. */
struct node {
    struct node *next;
};

static void push(struct node **list, void *memory) {
    struct node *node = memory;
    node->next = *list;
    *list = node;
}

static void *pop(struct node **list) {
    struct node *node = *list;
    if (node != NULL)
        *list = node->next;
    return node;
}

/* ---- Object caches --------------------------------------------------------------------------- */

#define CACHE_OBJECTS 4000u
#define CACHE_OBJECT_BYTES 600u
#define CACHE_STEPS 5u
#define BAR 20u

static void show_cache(struct larder_cache *cache, const char *what) {
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    printf("   %-9s ", what);
    out_bar(&shell_terminal.sink, stats.live, CACHE_OBJECTS, BAR);
    printf(" %4lu live, %3lu slabs (%lu full, %lu partial)\n", stats.live, stats.slabs,
           stats.slabs_full, stats.slabs_partial);
}

static void fill_cache(struct larder_cache *cache, struct node **list) {
    for (unsigned step = 1; step <= CACHE_STEPS; step++) {
        for (unsigned i = 0; i < CACHE_OBJECTS / CACHE_STEPS; i++) {
            void *object = larder_cache_alloc(cache, 0);
            if (object != NULL)
                push(list, object);
        }
        show_cache(cache, "allocate");
    }
}

/* Give back one of every `step` objects that are left, starting with the last. */
static void empty_cache(struct larder_cache *cache, struct node **list, unsigned step,
                        const char *what) {
    struct node *kept = NULL, *object;
    for (unsigned i = 0; (object = pop(list)) != NULL; i++) {
        if (i % step == 0)
            larder_cache_free(cache, object);
        else
            push(&kept, object);
    }
    *list = kept;
    (void)larder_cache_shrink(cache);
    show_cache(cache, what);
}

void demo_caches(void) {
    struct larder_cache_config config = {.name = "demo-inode", .size_bytes = CACHE_OBJECT_BYTES};
    struct larder_cache_stats full, empty;
    struct node *list = NULL;
    demo_chapter("Object caches fill");
    struct larder_cache *cache = larder_cache_create(kernel_larder, &config, NULL);
    if (!demo_claim(cache != NULL, "a cache \"%s\" for objects of %u bytes", config.name,
                    CACHE_OBJECT_BYTES))
        return;
    fill_cache(cache, &list);
    larder_cache_stats(cache, &full);
    empty_cache(cache, &list, 2, "free half");
    empty_cache(cache, &list, 1, "free all");
    larder_cache_stats(cache, &empty);
    demo_claim(full.live == CACHE_OBJECTS && full.live <= full.capacity,
               "%lu objects lived in slabs for %lu, %u in each of %zu KiB", full.live,
               full.capacity, full.slab_objects, full.slab_bytes >> 10);
    demo_claim(empty.live == 0 && empty.slabs == 0, "empty slabs went back to the buddies");
    demo_claim(larder_cache_destroy(cache, NULL, NULL) == 0, "the cache is gone, no object leaked");
}

/* ---- Heap ------------------------------------------------------------------------------------ */

static const size_t sizes[] = {1, 24, 100, 200, 1000, 5000, 33000, 100000, 3000000};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void show_heap(const void *pointer, size_t size) {
    size_t usable = larder_size_of(kernel_larder, pointer);
    struct larder_cache *cache = larder_cache_of(kernel_larder, pointer);
    printf("   asked for %7zu  got %7zu bytes  ", size, usable);
    if (cache != NULL)
        printf("from cache %s\n", larder_cache_name(cache));
    else
        printf("a run of %lu frames\n", larder_frames_count(kernel_larder, pointer));
}

/* Growing a large piece where it stands; whether it can depends on its neighbour, so that is shown
 * and not claimed. What must hold is that the contents survive. */
static void grow(void) {
    size_t before = (size_t)1 << 20, after = before * 2;
    uint8_t *memory = larder_alloc(kernel_larder, before);
    if (!demo_claim(memory != NULL, "1 MiB"))
        return;
    memory[before - 1] = 0x5a;
    uint8_t *grown = larder_realloc(kernel_larder, memory, after);
    if (grown != NULL)
        printf("   1 MiB made 2 MiB, %s\n", grown == memory ? "where it was" : "by moving");
    demo_claim(grown != NULL && grown[before - 1] == 0x5a, "its contents came along");
    larder_free(kernel_larder, grown);
}

void demo_heap(void) {
    void *pointer[SIZES];
    unsigned got = 0, held = 0;
    demo_chapter("A heap for every size");
    for (unsigned i = 0; i < SIZES; i++) {
        pointer[i] = larder_alloc(kernel_larder, sizes[i]);
        got += pointer[i] != NULL && larder_size_of(kernel_larder, pointer[i]) >= sizes[i];
        if (pointer[i] != NULL) {
            show_heap(pointer[i], sizes[i]);
            memset(pointer[i], (int)i + 1, sizes[i]);
        }
    }
    for (unsigned i = 0; i < SIZES; i++) {
        uint8_t *bytes = pointer[i];
        held += bytes != NULL && bytes[0] == i + 1 && bytes[sizes[i] - 1] == i + 1;
        larder_free(kernel_larder, bytes);
    }
    demo_claim(got == SIZES && held == SIZES, "%u requests from 1 byte to 3 MB kept their contents",
               held);
    grow();
}

/* ---- A picture of RAM: before, during, after --------------------------------------------------
 */

#define OBJECT_BYTES_MAX ((uint64_t)96 << 20)
#define RUN_BYTES_MAX ((uint64_t)768 << 20)
#define RUN_FRAMES 700u
#define ROWS 16u

struct held {
    struct larder_cache *cache;
    struct node *objects, *runs;
    struct node *gaps; /* runs that are given back before the picture is drawn */
};

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void hold_runs(struct held *held, uint64_t frames) {
    for (uint64_t i = 0; i < frames / RUN_FRAMES; i++) {
        void *run = larder_frames_alloc_exact(kernel_larder, RUN_FRAMES, 0);
        if (run == NULL)
            return;
        push(i % 2 == 0 ? &held->runs : &held->gaps, run);
    }
}

static void hold_objects(struct held *held, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes / LARDER_FRAME_BYTES; i++) {
        void *object = larder_cache_alloc(held->cache, 0);
        if (object == NULL)
            return;
        push(&held->objects, object);
    }
}

static void release(struct node **list) {
    while (*list != NULL)
        larder_free(kernel_larder, pop(list));
}

static uint64_t free_frames(void) {
    struct larder_frames_stats stats;
    census_take(&stats);
    return stats.free;
}

/* Every other run is given back at once, so that the picture has gaps, which pages fill. */
static void hold(struct held *held, uint64_t free) {
    uint64_t bytes = free * LARDER_FRAME_BYTES;
    hold_runs(held, least(bytes / 4, RUN_BYTES_MAX) / LARDER_FRAME_BYTES);
    hold_objects(held, least(bytes / 16, OBJECT_BYTES_MAX));
    release(&held->gaps);
}

static uint64_t give_back(struct held *held) {
    release(&held->runs);
    release(&held->objects);
    return larder_cache_destroy(held->cache, NULL, NULL);
}

void demo_picture(void) {
    struct larder_cache_config config = {.name = "demo-page", .size_bytes = LARDER_FRAME_BYTES};
    demo_chapter("A picture of RAM: before, during, after");
    uint64_t before = free_frames();
    struct held held = {.cache = larder_cache_create(kernel_larder, &config, NULL)};
    if (!demo_claim(held.cache != NULL, "a cache of pages"))
        return;
    printf("\n   before:\n\n");
    picture_draw(0, ROWS, true);
    hold(&held, before);
    uint64_t during = free_frames();
    printf("\n   with %lu MiB in use; every other run is free again, slabs fill the gaps:\n\n",
           (before - during) * LARDER_FRAME_BYTES >> 20);
    picture_draw(0, ROWS, false);
    uint64_t leaked = give_back(&held), after = free_frames();
    printf("\n   after giving everything back:\n\n");
    picture_draw(0, ROWS, true);
    printf("\n");
    demo_claim(leaked == 0, "no page leaked");
    demo_claim(during < before, "%lu frames were in use", before - during);
    demo_claim(after == before, "%lu frames are free, %lu were", after, before);
}
