/* by_cache.c: object caches by hand. What the person took from a cache is a stack of pointers in
 * memory of the heap; CPU 0 only, so no lock. */
#include "command.h"

#include "larder/cache.h"
#include "larder/heap.h"

#define OWN_MAX 16u          /* caches made at the prompt */
#define OBJECTS_MAX 1000000u /* taken from one cache by one command */
#define LEAKS_SHOWN 8u

struct own {
    struct larder_cache *cache; /* NULL: free entry */
    void **object;              /* [0 .. count) are taken */
    size_t count, capacity;
};

static struct own own[OWN_MAX];

static struct own *own_find(const char *name) {
    for (unsigned i = 0; i < OWN_MAX; i++)
        if (own[i].cache != NULL && words_equal(larder_cache_name(own[i].cache), name))
            return &own[i];
    return NULL;
}

static struct own *own_free(void) {
    for (unsigned i = 0; i < OWN_MAX; i++)
        if (own[i].cache == NULL)
            return &own[i];
    return NULL;
}

static bool make_room(struct own *owned, size_t count) {
    if (owned->count + count <= owned->capacity)
        return true;
    size_t capacity = owned->count + count;
    void **object = larder_realloc(kernel_larder, owned->object, capacity * sizeof(void *));
    if (object == NULL)
        return false;
    owned->object = object;
    owned->capacity = capacity;
    return true;
}

static void show(const struct own *owned) {
    struct larder_cache_stats stats;
    larder_cache_stats(owned->cache, &stats);
    printf("%s: %lu live, %lu in magazines, %lu in the depot, %lu slabs of %u\n", stats.name,
           stats.live, stats.in_magazines, stats.in_depot, stats.slabs, stats.slab_objects);
}

/* ---- Verbs ----------------------------------------------------------------------------------- */

static void create(unsigned count, char **word) {
    uint64_t bytes;
    unsigned used;
    enum larder_status status;
    struct own *owned = own_free();
    if (count < 4) {
        printf("usage: cache create NAME SIZE\n");
        return;
    }
    if (!command_size(count, word, 3, &bytes, &used))
        return;
    if (larder_cache_find(kernel_larder, word[2]) != NULL) {
        printf("There is a cache \"%s\" already; \"caches\" lists them.\n", word[2]);
        return;
    }
    if (owned == NULL) {
        printf("%u caches were made here; \"cache destroy NAME\" one first.\n", OWN_MAX);
        return;
    }
    struct larder_cache_config config = {.name = word[2], .size_bytes = bytes};
    *owned = (struct own){.cache = larder_cache_create(kernel_larder, &config, &status)};
    if (owned->cache == NULL)
        printf("The cache cannot be made: %s.\n", larder_status_text(status));
    else
        show(owned);
}

static void alloc(struct own *owned, uint64_t count) {
    if (!make_room(owned, count)) {
        printf("There is no memory to remember %lu objects.\n", count);
        return;
    }
    size_t taken = larder_cache_alloc_bulk(owned->cache, count, owned->object + owned->count, 0);
    owned->count += taken;
    if (taken < count)
        printf("Only %zu of %lu: the memory is used up.\n", taken, count);
    if (taken > 0)
        printf("%zu taken, the last at %p\n", taken, owned->object[owned->count - 1]);
    show(owned);
}

static void give(struct own *owned, uint64_t count) {
    if (count > owned->count) {
        printf("Only %zu objects of \"%s\" are held.\n", owned->count,
               larder_cache_name(owned->cache));
        return;
    }
    owned->count -= count;
    larder_cache_free_bulk(owned->cache, count, owned->object + owned->count);
    printf("%lu given back\n", count);
    show(owned);
}

struct leaks {
    unsigned shown;
};

static void show_leak(const void *object, uintptr_t site, void *context) {
    struct leaks *leaks = context;
    size_t offset = 0;
    const char *name = site == 0 ? NULL : symbol_find(site, &offset);
    if (leaks->shown++ >= LEAKS_SHOWN)
        return;
    if (name == NULL)
        printf("  still allocated: %p\n", object);
    else
        printf("  still allocated: %p, from %s+0x%zx\n", object, name, offset);
}

static void destroy(struct own *owned) {
    struct leaks leaks = {0};
    uint64_t live = larder_cache_destroy(owned->cache, show_leak, &leaks);
    if (live > 0) {
        printf("%lu objects are still allocated; the cache stays. \"cache free %s all\" first.\n",
               live, larder_cache_name(owned->cache));
        return;
    }
    larder_free(kernel_larder, owned->object);
    owned->cache = NULL;
    printf("The cache is gone.\n");
}

/* ---- Command --------------------------------------------------------------------------------- */

static bool parse_count(const struct own *owned, unsigned count, char **word, uint64_t *objects) {
    *objects = 1;
    if (count < 4)
        return true;
    if (words_equal(word[1], "free") && words_equal(word[3], "all")) {
        *objects = owned->count;
        return true;
    }
    return command_number("How many", word[3], 1, OBJECTS_MAX, objects);
}

static void run_verb(struct own *owned, unsigned count, char **word) {
    uint64_t objects;
    if (words_equal(word[1], "destroy"))
        destroy(owned);
    else if (words_equal(word[1], "shrink"))
        printf("%lu frames given back.\n", larder_cache_shrink(owned->cache));
    else if (parse_count(owned, count, word, &objects)) {
        if (words_equal(word[1], "alloc"))
            alloc(owned, objects);
        else
            give(owned, objects);
    }
}

static bool is_verb(const char *text) {
    return words_equal(text, "alloc") || words_equal(text, "free") || words_equal(text, "shrink") ||
           words_equal(text, "destroy");
}

static void run_cache(unsigned count, char **word) {
    if (words_equal(word[1], "create")) {
        create(count, word);
        return;
    }
    if (!is_verb(word[1])) {
        printf("After \"cache\" comes create, alloc, free, shrink or destroy, not \"%.40s\".\n",
               word[1]);
        return;
    }
    struct own *owned = own_find(word[2]);
    if (owned != NULL)
        run_verb(owned, count, word);
    else
        printf("No cache \"%.40s\" was made here; \"cache create NAME SIZE\" makes one.\n",
               word[2]);
}

static const struct command commands[] = {
    {"cache", "VERB NAME ...", "make an object cache and use it",
     "  cache create NAME SIZE   a cache for objects of SIZE bytes, up to 1 MiB\n"
     "  cache alloc NAME [N]     take N objects, or one\n"
     "  cache free NAME [N|all]  give the last N back, or one, or all\n"
     "  cache shrink NAME        give its empty slabs back\n"
     "  cache destroy NAME       end it; says which objects are still allocated\n",
     3, 5, OPERAND_CACHE, run_cache},
};

const struct command_table cache_commands = {"Object caches by hand", commands,
                                             sizeof(commands) / sizeof(commands[0])};
