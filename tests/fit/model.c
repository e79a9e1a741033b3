/* model.c: see model.h. */
#include "model.h"

#include "chunk.h"

struct slot {
    unsigned char *pointer;
    size_t bytes;
    size_t align;
    uint16_t kinds;
    unsigned char mark; /* first byte of what is written there */
};

static _Alignas(64) unsigned char arena[MODEL_ARENA];
static struct larder_fit heap;
static struct larder_fit_region regions[MODEL_REGIONS];
static size_t region_count;
static struct slot slots[MODEL_SLOTS];
static enum larder_fit_policy policy;
static size_t least_free; /* what minimum_free_bytes must be */

bool model_has_policy(enum larder_fit_policy which) {
    return (LARDER_FIT_POLICIES & (1 << which)) != 0;
}

/* ---- Content --------------------------------------------------------------------------------- */

static unsigned char byte_at(const struct slot *slot, size_t i) {
    return (unsigned char)(slot->mark + i * 7);
}

static void write_content(struct slot *slot, size_t from) {
    for (size_t i = from; i < slot->bytes; i++) {
        slot->pointer[i] = byte_at(slot, i);
    }
}

static bool content_is(const struct slot *slot, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (slot->pointer[i] != byte_at(slot, i)) {
            return false;
        }
    }
    return true;
}

/* ---- Invariants ------------------------------------------------------------------------------ */

struct account {
    size_t used;
    size_t asked;
    size_t found; /* chunks in use that a slot knows */
    size_t free_bytes;
    const unsigned char *last_end;
    const struct larder_fit_region *region;
};

static bool add_block(void *context, const struct larder_fit_block *block) {
    struct account *account = context;
    const unsigned char *at = block->pointer;
    if (block->region != account->region) {
        account->region = block->region;
        account->last_end = block->region->first;
    }
    EXPECT(at - FIT_HEAD == account->last_end);
    account->last_end = at + block->bytes;
    if (!block->used) {
        account->free_bytes += block->bytes + FIT_HEAD;
        return true;
    }
    account->used++;
    account->asked += block->asked_bytes;
    for (size_t i = 0; i < MODEL_SLOTS; i++) {
        if (slots[i].pointer == at) {
            account->found++;
            EXPECT(block->bytes >= slots[i].bytes);
            EXPECT(!FIT_TRACK || block->asked_bytes == slots[i].bytes);
        }
    }
    return true;
}

static void check_figures(const struct account *account) {
    struct larder_fit_diagnosis figures;
    larder_fit_diagnose(&heap, &figures);
    EXPECT(figures.capacity_bytes == figures.free_bytes + figures.live_bytes);
    EXPECT(figures.free_bytes == heap.free_bytes && figures.free_bytes == account->free_bytes);
    EXPECT(figures.asked_bytes == account->asked && figures.asked_bytes <= figures.live_bytes);
    EXPECT(figures.live_chunks == account->used);
    EXPECT(figures.largest_free_bytes <= figures.free_bytes);
    EXPECT(figures.smallest_free_bytes <= figures.largest_free_bytes);
    EXPECT(figures.external_permille <= 1000 && figures.internal_permille <= 1000);
    EXPECT(figures.minimum_free_bytes <= least_free);
}

static void check_all(void) {
    struct account account;
    size_t live = 0, asked = 0;
    const void *where = NULL;
    memset(&account, 0, sizeof account);
    EXPECT(larder_fit_check(&heap, &where) == LARDER_FIT_SOUND && where == NULL);
    least_free = heap.free_bytes < least_free ? heap.free_bytes : least_free;
    EXPECT(larder_fit_walk(&heap, add_block, &account));
    for (size_t i = 0; i < MODEL_SLOTS; i++) {
        if (slots[i].pointer != NULL) {
            live++;
            asked += slots[i].bytes;
            EXPECT(content_is(&slots[i], slots[i].bytes));
            EXPECT(larder_fit_size_of(&heap, slots[i].pointer) >= slots[i].bytes);
        }
    }
    EXPECT(account.used == live && account.found == live);
    EXPECT(!FIT_TRACK || account.asked == asked);
    check_figures(&account);
}

/* ---- Policies by their definitions ----------------------------------------------------------- */

/* Free chunks of one region, by address. */
struct choice {
    const struct larder_fit_region *region;
    size_t bytes;
    const unsigned char *first, *best, *worst;
    size_t best_bytes, worst_bytes;
};

static bool consider(void *context, const struct larder_fit_block *block) {
    struct choice *choice = context;
    const unsigned char *at = block->pointer;
    if (block->region != choice->region || block->used || block->bytes < choice->bytes + FIT_TAIL) {
        return true;
    }
    choice->first = choice->first != NULL ? choice->first : at;
    if (choice->best == NULL || block->bytes < choice->best_bytes) {
        choice->best = at;
        choice->best_bytes = block->bytes;
    }
    if (choice->worst == NULL || block->bytes >= choice->worst_bytes) {
        choice->worst = at;
        choice->worst_bytes = block->bytes;
    }
    return true;
}

/* What a request of `bytes` would get from the region by the book. */
static struct choice choose(const struct larder_fit_region *region, size_t bytes) {
    struct choice choice;
    memset(&choice, 0, sizeof choice);
    choice.region = region;
    choice.bytes = bytes;
    EXPECT(larder_fit_walk(&heap, consider, &choice));
    return choice;
}

/* Good fit finds any chunk of twice the size; whether it finds a smaller one depends on classes. */
static bool must_succeed(const struct larder_fit_region *region, size_t align, size_t bytes) {
    size_t least = bytes + FIT_HEAD > FIT_MIN ? bytes : FIT_MIN - FIT_HEAD;
    size_t wide = align > FIT_ALIGN ? least + align + FIT_MIN + FIT_ALIGN : bytes;
    if (policy == LARDER_FIT_GOOD) {
        wide = 2 * wide + 2 * FIT_MIN;
    }
    return choose(region, wide).first != NULL;
}

static void check_choice(const struct choice *choice, const unsigned char *got) {
    if (policy == LARDER_FIT_FIRST) {
        EXPECT(got == choice->first);
    } else if (policy == LARDER_FIT_BEST) {
        EXPECT(got == choice->best);
    } else if (policy == LARDER_FIT_WORST) {
        EXPECT(got == choice->worst);
    } else {
        EXPECT(choice->first != NULL);
    }
}

/* Regions in the order the contract says: of the kind, small ones last, then by capacity. */
static void check_region_choice(size_t align, size_t bytes, uint16_t kinds,
                                const struct choice *before, const unsigned char *got) {
    const struct choice *taken = NULL;
    for (size_t i = 0; i < region_count; i++) {
        const struct larder_fit_region *region = before[i].region;
        if (got != NULL && got >= region->first && got < region->end) {
            taken = &before[i];
        }
    }
    EXPECT((got != NULL) == (taken != NULL));
    if (taken == NULL) {
        return;
    }
    EXPECT((taken->region->kinds & kinds) == kinds);
    for (size_t i = 0; i < region_count; i++) {
        const struct larder_fit_region *other = before[i].region;
        bool small_here = bytes < taken->region->small_bytes;
        bool small_there = bytes < other->small_bytes;
        size_t size_here = (size_t)(taken->region->end - taken->region->first);
        size_t size_there = (size_t)(other->end - other->first);
        bool earlier = small_here != small_there ? small_here : size_there < size_here;
        if (earlier && (other->kinds & kinds) == kinds && align <= FIT_ALIGN &&
            policy != LARDER_FIT_GOOD) {
            EXPECT(before[i].first == NULL);
        }
    }
    if (align <= FIT_ALIGN) {
        check_choice(taken, got);
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static void forget(struct slot *slot) {
    memset(slot, 0, sizeof *slot);
}

static void free_slot(struct slot *slot) {
    larder_fit_free(&heap, slot->pointer);
    forget(slot);
}

static void alloc_slot(struct slot *slot, size_t align, size_t bytes, uint16_t kinds) {
    struct choice before[MODEL_REGIONS];
    bool must = false;
    for (size_t i = 0; i < region_count; i++) {
        before[i] = choose(&regions[i], bytes);
        must = must ||
               ((regions[i].kinds & kinds) == kinds && must_succeed(&regions[i], align, bytes));
    }
    unsigned char *got = larder_fit_request(&heap, align, bytes, kinds);
    EXPECT(got != NULL || !must || bytes == 0);
    EXPECT(got == NULL || bytes != 0);
    check_region_choice(align, bytes, kinds, before, got);
    if (got != NULL) {
        EXPECT(((uintptr_t)got & (align - 1)) == 0);
        EXPECT(((uintptr_t)got & (FIT_ALIGN - 1)) == 0);
        slot->pointer = got;
        slot->bytes = bytes;
        slot->align = align;
        slot->kinds = kinds;
        slot->mark = (unsigned char)(bytes * 3 + align);
        write_content(slot, 0);
    }
}

static void calloc_slot(struct slot *slot, size_t count, size_t bytes) {
    slot->pointer = larder_fit_calloc(&heap, count, bytes);
    slot->bytes = slot->pointer != NULL ? count * bytes : 0;
    slot->align = 1;
    slot->kinds = 0;
    for (size_t i = 0; i < slot->bytes; i++) {
        EXPECT(slot->pointer[i] == 0);
    }
    write_content(slot, 0);
}

static void realloc_slot(struct slot *slot, size_t align, size_t bytes) {
    size_t kept = slot->bytes < bytes ? slot->bytes : bytes;
    size_t before = heap.free_bytes;
    unsigned char *old = slot->pointer;
    unsigned char *got = larder_fit_realloc_aligned(&heap, slot->pointer, align, bytes);
    if (got == NULL) {
        EXPECT(old == NULL || bytes == 0 || bytes > slot->bytes || align > slot->align);
        EXPECT(heap.free_bytes == before);
        return;
    }
    EXPECT(bytes != 0 && ((uintptr_t)got & (align - 1)) == 0);
    if (((uintptr_t)old & (align - 1)) == 0 && bytes <= slot->bytes) {
        EXPECT(got == old);
    }
    slot->pointer = got;
    EXPECT(content_is(slot, kept));
    slot->bytes = bytes;
    slot->align = align;
    write_content(slot, kept);
    least_free = heap.minimum_free_bytes < least_free ? heap.minimum_free_bytes : least_free;
}

static void resize_slot(struct slot *slot, size_t bytes) {
    bool done = larder_fit_try_resize(&heap, slot->pointer, bytes);
    EXPECT(done || bytes == 0 || bytes > slot->bytes);
    EXPECT(!done || bytes != 0);
    if (done) {
        size_t kept = slot->bytes < bytes ? slot->bytes : bytes;
        slot->bytes = bytes;
        EXPECT(content_is(slot, kept));
        write_content(slot, kept);
    }
}

static void reserve_slot(struct slot *slot, size_t offset, size_t bytes) {
    unsigned char *start = arena + offset % MODEL_ARENA;
    unsigned char *got = larder_fit_reserve(&heap, start, bytes);
    if (got != NULL) {
        EXPECT(got <= start && bytes != 0);
        slot->pointer = got;
        slot->bytes = (size_t)(start - got) + bytes;
        slot->align = 1;
        slot->mark = (unsigned char)offset;
        EXPECT(!FIT_TRACK || larder_fit_size_of(&heap, got) == slot->bytes);
        write_content(slot, 0);
    }
}

enum {
    CALL_FREE,
    CALL_ALLOC,
    CALL_ALIGNED,
    CALL_KIND,
    CALL_CALLOC,
    CALL_REALLOC,
    CALL_REALLOC_ALIGNED,
    CALL_RESIZE,
    CALL_RESERVE,
    CALL_RESET,
    CALLS
};

/* Mostly small, sometimes large. */
static size_t bytes_of(const struct model_step *step) {
    return step->b % 4 == 0 ? step->a % 2048u : step->b % 4 == 1 ? step->a % 400u : step->a % 100u;
}

static void do_step(const struct model_step *step) {
    struct slot *slot = &slots[step->slot % MODEL_SLOTS];
    size_t align = (size_t)1 << step->b % 9, bytes = bytes_of(step);
    unsigned call = step->call % CALLS;
    if (call == CALL_RESET) {
        if (step->a % 32 == 0) {
            memset(slots, 0, sizeof slots);
            larder_fit_reset(&heap);
            least_free = heap.free_bytes;
        }
    } else if (slot->pointer != NULL && call == CALL_RESIZE) {
        resize_slot(slot, bytes);
    } else if (call == CALL_REALLOC) {
        realloc_slot(slot, LARDER_FIT_ALIGN, bytes);
    } else if (call == CALL_REALLOC_ALIGNED) {
        realloc_slot(slot, align, bytes);
    } else if (slot->pointer != NULL) {
        free_slot(slot);
    } else if (call == CALL_RESERVE) {
        reserve_slot(slot, step->a, step->b % 300u);
    } else if (call == CALL_CALLOC) {
        calloc_slot(slot, step->b % 5, bytes);
    } else {
        alloc_slot(slot, call == CALL_ALIGNED ? align : 1, bytes,
                   call == CALL_KIND ? (uint16_t)(step->b % 4) : 0);
    }
}

void model_print(const struct model_step *step) {
    static const char *const name[] = {"free or alloc", "alloc",   "aligned",         "kind",
                                       "calloc",        "realloc", "realloc_aligned", "try_resize",
                                       "reserve",       "reset"};
    printf("#   %s slot %u: bytes %u, align %u, a %u, b %u\n", name[step->call % CALLS],
           step->slot % MODEL_SLOTS, (unsigned)bytes_of(step), 1u << step->b % 9, step->a, step->b);
}

/* ---- A run ----------------------------------------------------------------------------------- */

static size_t below(uint64_t *seed, size_t bound) {
    return (size_t)(tap_random(seed) % bound);
}

static void make_heap(uint64_t seed) {
    size_t offset = 0, wanted = 1 + below(&seed, MODEL_REGIONS);
    memset(slots, 0, sizeof slots);
    memset(arena, (int)(seed & 0xff), sizeof arena);
    EXPECT(larder_fit_init(&heap, policy));
    region_count = 0;
    least_free = 0;
    for (size_t i = 0; i < wanted; i++) {
        size_t room = MODEL_ARENA - offset;
        size_t bytes = i + 1 < wanted ? room / 4 + below(&seed, room / 4) : room;
        uint16_t kinds = i == 0 ? 3 : (uint16_t)below(&seed, 4);
        uint16_t small = (uint16_t)(below(&seed, 2) * 64);
        size_t skip = below(&seed, 20);
        if (larder_fit_add_region(&heap, &regions[region_count], arena + offset + skip,
                                  bytes - skip, kinds, small) > 0) {
            region_count++;
        }
        offset += bytes;
    }
    EXPECT(region_count > 0);
    least_free = heap.free_bytes;
}

void model_run(enum larder_fit_policy which, uint64_t seed, const struct model_step *steps,
               size_t count, size_t *at) {
    policy = which;
    *at = 0;
    make_heap(seed);
    check_all();
    for (*at = 0; *at < count; ++*at) {
        do_step(&steps[*at]);
        check_all();
    }
    for (size_t i = 0; i < MODEL_SLOTS; i++) {
        free_slot(&slots[i]);
    }
    check_all();
    for (size_t i = 0; i < region_count; i++) {
        struct choice all = choose(&regions[i], 1);
        EXPECT(all.first == all.worst && all.first != NULL);
    }
}
