/* Object caches against a list of live objects: overlap, contents, constructors, limits, counts. */
#include "model.h"

#define LIVE_MAX 6000u
#define CACHES_MAX 10u
#define CPUS_MAX 3u
#define RAM_BYTES (32 * MIB)
#define GRANULE 8u
#define VALIDATE_EVERY 512u
#define MARK 0x5eed5eed5eed5eedu

struct object {
    unsigned char *at;
    unsigned cache; /* index */
    unsigned char fill;
};

struct kept {
    struct larder_cache *cache; /* NULL: this entry is free */
    size_t bytes, align;
    uint32_t flags;
    bool constructs;
    uint64_t limit, live, constructed;
};

static struct sim *sim;
static struct kept kept[CACHES_MAX];
static struct object live[LIVE_MAX];
static unsigned live_count, cpus, serial;
static unsigned char used[RAM_BYTES / GRANULE];
static uint64_t idle_at_start, steps;

/* ---- Constructors ---- */

static bool construct(void *object, void *context) {
    struct kept *of = context;
    uint64_t mark = MARK;
    memcpy(object, &mark, sizeof mark);
    of->constructed++;
    return true;
}

static void destruct(void *object, void *context) {
    struct kept *of = context;
    uint64_t mark;
    memcpy(&mark, object, sizeof mark);
    sim_check(mark == MARK);
    of->constructed--;
}

/* ---- The world ---- */

static void start(struct random *random) {
    const struct larder_range range = {GIB, RAM_BYTES, LARDER_RANGE_USABLE};
    static const char *const debug[] = {NULL, NULL, NULL, NULL, "F", "FZPU", "U;FZ,cache-1*", "P"};
    cpus = 1 + (unsigned)random_below(random, CPUS_MAX);
    sim = sim_start(&(struct sim_config){.range = &range,
                                         .range_count = 1,
                                         .cpus = cpus,
                                         .dirty = true,
                                         .debug = debug[random_below(random, COUNT(debug))]});
    sim_check(sim->larder != NULL);
    memset(kept, 0, sizeof kept);
    memset(used, 0, sizeof used);
    live_count = serial = 0;
    steps = 0;
    larder_reclaim(sim->larder);
    idle_at_start = frames_idle(sim);
}

static void abandon(void) {
    sim_abandon(sim);
}

static struct kept *pick(uint32_t from) {
    for (unsigned i = 0; i < CACHES_MAX; i++) {
        struct kept *of = &kept[(from + i) % CACHES_MAX];
        if (of->cache) {
            return of;
        }
    }
    return NULL;
}

/* ---- Objects ---- */

/* Granules wholly inside the object: neighbours with small alignments share the others. */
static void mark_used(const unsigned char *at, size_t bytes, bool now) {
    size_t offset = (size_t)(larder_frames_address(sim->larder, at) - GIB);
    for (size_t i = (offset + GRANULE - 1) / GRANULE; i < (offset + bytes) / GRANULE; i++) {
        sim_check(used[i] != now);
        used[i] = now;
    }
}

/* Bytes behind the constructed word are the user's. */
static size_t user_first(const struct kept *of) {
    return of->constructs ? 8 : 0;
}

static void object_add(struct kept *of, void *pointer, larder_flags flags) {
    struct object *object = &live[live_count++];
    *object = (struct object){pointer, (unsigned)(of - kept), (unsigned char)(++serial % 251 + 1)};
    sim_check((uintptr_t)pointer % of->align == 0);
    mark_used(pointer, of->bytes, true);
    if (of->constructs) {
        uint64_t mark;
        memcpy(&mark, pointer, 8);
        sim_check(mark == MARK);
    }
    for (size_t i = 0; i < of->bytes && ((flags & LARDER_ZERO) || (of->flags & LARDER_CACHE_ZERO));
         i++) {
        sim_check(object->at[i] == 0);
    }
    memset(object->at + user_first(of), object->fill, of->bytes - user_first(of));
    of->live++;
}

static void *object_remove(unsigned which) {
    struct object object = live[which];
    struct kept *of = &kept[object.cache];
    for (size_t i = user_first(of); i < of->bytes; i++) {
        sim_check(object.at[i] == object.fill);
    }
    mark_used(object.at, of->bytes, false);
    of->live--;
    live[which] = live[--live_count];
    return object.at;
}

/* ---- Operations ---- */

static size_t draw_size(uint32_t from) {
    switch (from % 8) {
    case 0:
        return 1 + from / 8 % 16;
    case 1:
    case 2:
        return 8 + from / 8 % 120;
    case 3:
    case 4:
        return 100 + from / 8 % 1500;
    case 5:
        return 1 + from / 8 % 9000;
    case 6:
        return (size_t)16 << from / 8 % 9;
    default:
        return from / 8 % 8 ? 1 + from / 64 % 600 : 1 + from / 64 % 100000;
    }
}

static void apply_create(const struct op *op) {
    struct kept *of = &kept[op->a % CACHES_MAX];
    char name[32];
    enum larder_status status = LARDER_BUSY;
    if (of->cache) {
        return;
    }
    snprintf(name, sizeof name, "cache-%u", op->c % 20);
    size_t bytes = draw_size(op->b);
    *of = (struct kept){
        .bytes = bytes,
        .constructs = op->c % 3 == 0 && bytes >= 8,
        .flags = op->c / 32 % 4 == 0 ? LARDER_CACHE_NO_MAGAZINE : 0,
        .limit = op->c / 128 % 4 == 0 ? 1 + op->c / 512 % 300 : 0,
    };
    of->flags |= !of->constructs && op->c / 4096 % 4 == 0 ? LARDER_CACHE_ZERO : 0;
    size_t align = op->c / 16384 % 4 == 0 ? (size_t)1 << op->c / 65536 % 13 : 0;
    of->align = align ? align : bytes < 16 ? 8 : 16;
    of->cache = larder_cache_create(sim->larder,
                                    &(struct larder_cache_config){
                                        .name = name,
                                        .size_bytes = bytes,
                                        .align_bytes = align,
                                        .construct = of->constructs ? construct : NULL,
                                        .destruct = of->constructs ? destruct : NULL,
                                        .context = of,
                                        .flags = of->flags,
                                        .limit_objects = of->limit,
                                    },
                                    &status);
    sim_check(of->cache && status == LARDER_OK);
    sim_check(strcmp(larder_cache_name(of->cache), name) == 0);
    sim_check(larder_cache_object_bytes(of->cache) == bytes);
}

static void count_leak(const void *object, uintptr_t site, void *context) {
    uint64_t *count = context;
    (void)site;
    sim_check(larder_owns(sim->larder, object));
    ++*count;
}

static void apply_destroy(const struct op *op) {
    struct kept *of = &kept[op->a % CACHES_MAX];
    uint64_t leaks = 0;
    if (!of->cache || op->b % 4) {
        return;
    }
    sim_check(larder_cache_destroy(of->cache, count_leak, &leaks) == of->live);
    sim_check(leaks == of->live);
    if (of->live == 0) {
        sim_check(of->constructed == 0);
        of->cache = NULL;
    }
}

static bool memory_is_ample(const struct kept *of) {
    return frames_idle(sim) * FRAME > 12 * MIB + 40 * of->bytes;
}

/* Without memory pressure only the limit may refuse, and only when the objects are really out. */
static void expect_refusal(const struct kept *of) {
    sim_check(of->limit || !memory_is_ample(of));
    bool sees_all = cpus == 1 && sim_cpu() == 0; /* objects in other slots' magazines count */
    sim_check(!sees_all || of->live >= of->limit || !memory_is_ample(of));
}

static void apply_alloc(const struct op *op) {
    struct kept *of = pick(op->a);
    if (!of || live_count == LIVE_MAX) {
        return;
    }
    larder_flags flags = op->b % 16 == 0 && !of->constructs ? LARDER_ZERO : 0;
    flags |= op->b % 64 == 1 ? LARDER_NO_RECLAIM : 0;
    void *object = larder_cache_alloc(of->cache, flags);
    if (object) {
        object_add(of, object, flags);
        sim_check(larder_cache_of(sim->larder, object) == of->cache);
        sim_check(larder_size_of(sim->larder, object) == of->bytes);
    } else {
        expect_refusal(of);
    }
    sim_check(!of->limit || of->live <= of->limit);
}

static void apply_alloc_bulk(const struct op *op) {
    struct kept *of = pick(op->a);
    void *out[200];
    size_t wanted = op->b % (of && of->bytes > 4096 ? 12 : 200);
    if (!of || live_count + wanted > LIVE_MAX) {
        return;
    }
    size_t got = larder_cache_alloc_bulk(of->cache, wanted, out, 0);
    sim_check(got <= wanted);
    for (size_t i = 0; i < got; i++) {
        object_add(of, out[i], 0);
    }
    if (got < wanted) {
        expect_refusal(of);
    }
}

static void apply_free(const struct op *op) {
    if (live_count == 0) {
        return;
    }
    unsigned which = op->a % live_count;
    struct larder_cache *cache = kept[live[which].cache].cache;
    void *object = object_remove(which);
    if (op->b % 2) {
        larder_free(sim->larder, object);
    } else {
        larder_cache_free(cache, object);
    }
}

static void apply_free_bulk(const struct op *op) {
    void *out[100];
    unsigned count = 0;
    if (live_count == 0) {
        return;
    }
    unsigned cache = live[op->a % live_count].cache;
    for (unsigned i = live_count; i-- > 0 && count < op->b % 100;) {
        if (live[i].cache == cache) {
            out[count++] = object_remove(i);
        }
    }
    larder_cache_free_bulk(kept[cache].cache, count, out);
}

static void apply_prefill(const struct op *op) {
    struct kept *of = pick(op->a);
    size_t count = op->b % 64;
    if (!of || count * of->bytes > MIB) {
        return;
    }
    enum larder_status status = larder_cache_prefill(of->cache, count);
    sim_check(status == LARDER_OK || (status == LARDER_TOO_MANY && of->limit) ||
              (status == LARDER_NO_MEMORY && !memory_is_ample(of)));
}

static void apply_limit(const struct op *op) {
    struct kept *of = pick(op->a);
    if (of && op->b % 4 == 0) {
        /* Above what may lie in magazines and the depot: those were taken before, and are given
         * out whatever the limit is now. */
        uint64_t limit = op->c % 3 ? op->c / 4 % 400 + of->live + 2000 : 0;
        of->limit = limit;
        larder_cache_set_limit(of->cache, limit);
    }
}

static void apply_shrink(const struct op *op) {
    struct kept *of = pick(op->a);
    if (of && op->b % 8 == 0) {
        larder_cache_shrink(of->cache);
    } else if (op->b % 8 == 1) {
        larder_reclaim(sim->larder);
    } else {
        sim_clock_advance(op->c % 1500);
        larder_tick(sim->larder);
    }
}

static void apply_cpu(const struct op *op) {
    sim_be(op->a % (cpus + 1)); /* one of them has no slot */
}

static const struct {
    const char *name;
    void (*apply)(const struct op *op);
} kinds[] = {
    {"create", apply_create},       {"destroy", apply_destroy}, {"alloc", apply_alloc},
    {"alloc", apply_alloc},         {"alloc", apply_alloc},     {"alloc", apply_alloc},
    {"alloc", apply_alloc},         {"alloc", apply_alloc},     {"free", apply_free},
    {"free", apply_free},           {"free", apply_free},       {"free", apply_free},
    {"free", apply_free},           {"free", apply_free},       {"alloc bulk", apply_alloc_bulk},
    {"free bulk", apply_free_bulk}, {"prefill", apply_prefill}, {"limit", apply_limit},
    {"shrink", apply_shrink},       {"cpu", apply_cpu},
};

static void expect_counts(void) {
    sim_validate(sim);
    for (unsigned i = 0; i < CACHES_MAX; i++) {
        struct larder_cache_stats stats;
        if (!kept[i].cache) {
            continue;
        }
        larder_cache_stats(kept[i].cache, &stats);
        sim_check(stats.live == kept[i].live);
        sim_check(stats.taken == stats.live + stats.in_magazines + stats.in_depot);
        sim_check(stats.taken <= stats.capacity && stats.taken <= stats.taken_max);
        sim_check(stats.slabs == stats.slabs_full + stats.slabs_partial + stats.slabs_empty);
        sim_check(stats.slabs == stats.slabs_made - stats.slabs_returned);
        sim_check(!kept[i].constructs || kept[i].constructed == stats.capacity);
    }
}

static void apply(const struct op *op) {
    kinds[op->kind].apply(op);
    if (++steps % VALIDATE_EVERY == 0) {
        expect_counts();
    }
}

static void finish(void) {
    expect_counts();
    while (live_count > 0) {
        unsigned cache = live[live_count - 1].cache;
        larder_cache_free(kept[cache].cache, object_remove(live_count - 1));
    }
    for (unsigned i = 0; i < CACHES_MAX; i++) {
        if (kept[i].cache) {
            sim_check(larder_cache_destroy(kept[i].cache, NULL, NULL) == 0);
            sim_check(kept[i].constructed == 0);
        }
    }
    larder_reclaim(sim->larder);
    sim_validate(sim);
    sim_check(frames_idle(sim) == idle_at_start);
    sim_stop(sim);
}

static void print(char *text, size_t bytes, const struct op *op) {
    snprintf(text, bytes, "%s a=%u b=%u c=%u", kinds[op->kind].name, op->a, op->b, op->c);
}

static void caches_agree_with_a_list_of_live_objects(void **state) {
    (void)state;
    const struct model model = {"caches", COUNT(kinds), start, apply, finish, abandon, print};
    model_run(&model, 2500000, 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caches_agree_with_a_list_of_live_objects),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
