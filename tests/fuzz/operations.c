/* Bytes as calls: frames, caches and the heap of a small machine, against a list of what is out.
 *
 * Every piece is filled with its own pattern, so that two pieces that overlap are seen when the
 * first of them is freed; a map of who owns each 64 bytes sees most of it at once. At the end all
 * is given back and the balance must be that of the start.
 */
#include "fuzz.h"

#include "larder/stats.h"

#define RAM_BYTES (6 * MIB)
#define LOW_BYTES (2 * MIB) /* a zone of its own */
#define GRANULE 64u
#define PIECES_MAX 1500u
#define CACHES_MAX 5u
#define CPUS 2u
#define OPERATIONS_MAX 1500u
#define VALIDATE_EVERY 64u

enum kind { FRAMES, HEAP, OBJECT };

struct piece {
    unsigned char *at;
    uint64_t bytes;
    enum kind kind;
    unsigned cache;
    unsigned char fill;
};

static struct sim *sim;
static struct larder *larder;
static struct piece piece[PIECES_MAX];
static unsigned piece_count, serial;
static unsigned char owned[RAM_BYTES / GRANULE];
static struct {
    struct larder_cache *cache;
    size_t bytes, align;
    uint32_t flags;
    uint64_t live, limit;
} cache[CACHES_MAX];

/* ---- Pieces
 * --------------------------------------------------------------------------------------- */

static bool is_room(void) {
    return piece_count < PIECES_MAX;
}

/* Whole granules inside the piece; small objects share the others. */
static void own(const struct piece *of, bool now) {
    uint64_t offset = larder_frames_address(larder, of->at) - GIB;
    sim_check(offset < RAM_BYTES && of->bytes <= RAM_BYTES - offset);
    for (uint64_t i = (offset + GRANULE - 1) / GRANULE; i < (offset + of->bytes) / GRANULE; i++) {
        sim_check(owned[i] != now);
        owned[i] = now;
    }
}

static void expect_bytes(const unsigned char *at, uint64_t bytes, unsigned char value) {
    for (uint64_t i = 0; i < bytes; i += i < 64 || i + 65 > bytes ? 1 : 61) {
        sim_check(at[i] == value);
    }
}

static void add_piece(void *at, uint64_t bytes, enum kind kind, unsigned of, bool is_zero) {
    if (at) {
        piece[piece_count] =
            (struct piece){at, bytes, kind, of, (unsigned char)(1 + serial++ % 255)};
        own(&piece[piece_count], true);
        sim_check(larder_owns(larder, at));
        sim_check(larder_size_of(larder, at) >= bytes);
        if (is_zero) {
            expect_bytes(at, bytes, 0);
        }
        memset(at, piece[piece_count++].fill, bytes);
    }
}

static struct piece remove_piece(unsigned which) {
    struct piece gone = piece[which];
    expect_bytes(gone.at, gone.bytes, gone.fill);
    own(&gone, false);
    piece[which] = piece[--piece_count];
    if (gone.kind == OBJECT) {
        cache[gone.cache].live--;
    }
    return gone;
}

static void free_piece(unsigned which, unsigned how) {
    struct piece gone = remove_piece(which);
    if (gone.kind == OBJECT && how % 2) {
        larder_cache_free(cache[gone.cache].cache, gone.at);
    } else if (gone.kind == FRAMES && how % 4 == 1) {
        larder_frames_free(larder, gone.at);
    } else if (gone.kind == FRAMES && how % 4 == 3) {
        void *const one = gone.at;
        larder_frames_free_bulk(larder, 1, &one);
    } else if (how % 8 == 2) {
        larder_free_sized(larder, gone.at, larder_size_of(larder, gone.at));
    } else {
        larder_free(larder, gone.at);
    }
}

static larder_flags draw_flags(struct input *input) {
    return (larder_flags)input_bytes(input, 1) &
           (LARDER_ZERO | LARDER_USE_RESERVE | LARDER_NO_RECLAIM);
}

static uint64_t draw_bytes(struct input *input) {
    return 1 + input_bytes(input, 2) * (input_bytes(input, 1) % 8 ? 1u : 11u) %
                   (input_bytes(input, 1) % 4 ? 3000 : 600000);
}

/* ---- Frames
 * --------------------------------------------------------------------------------------- */

static void take_block(struct input *input) {
    unsigned order = (unsigned)input_bytes(input, 1) % 12;
    larder_flags flags = draw_flags(input) | (order > 9 ? LARDER_ZONE(1) : 0);
    if (is_room()) {
        void *at = larder_frames_alloc(larder, order, flags);
        sim_check((uintptr_t)at % (FRAME << order) == 0);
        add_piece(at, FRAME << order, FRAMES, 0, flags & LARDER_ZERO);
        sim_check(!at || larder_frames_count(larder, at) == (uint64_t)1 << order);
    }
}

static void take_low(struct input *input) {
    uint64_t count = input_bytes(input, 1);
    larder_flags flags = draw_flags(input) | LARDER_ZONE(0);
    if (is_room()) {
        unsigned char *at = larder_frames_alloc_exact(larder, count, flags);
        sim_check(!at || (count && larder_frames_address(larder, at) < GIB + LOW_BYTES));
        add_piece(at, FRAME * count, FRAMES, 0, flags & LARDER_ZERO);
    }
}

static void take_contiguous(struct input *input) {
    uint64_t count = input_bytes(input, 2) % 1600;
    uint64_t align = (uint64_t)1 << input_bytes(input, 1) % 23;
    uint64_t limit = input_bytes(input, 1) % 2 ? UINT64_MAX : GIB + input_bytes(input, 3);
    larder_flags flags = draw_flags(input);
    if (is_room()) {
        void *at = larder_frames_alloc_contiguous(larder, count, align, limit, flags);
        uint64_t address = at ? larder_frames_address(larder, at) : 0;
        sim_check(!at || (count && address % align == 0 && address + count * FRAME <= limit));
        add_piece(at, count * FRAME, FRAMES, 0, flags & LARDER_ZERO);
    }
}

static void take_bulk(struct input *input) {
    void *out[80];
    unsigned order = (unsigned)input_bytes(input, 1) % 3;
    size_t count = input_bytes(input, 1) % COUNT(out);
    larder_flags flags = draw_flags(input);
    if (piece_count + count <= PIECES_MAX) {
        size_t taken = larder_frames_alloc_bulk(larder, order, count, out, flags);
        sim_check(taken <= count);
        for (size_t i = 0; i < taken; i++) {
            add_piece(out[i], FRAME << order, FRAMES, 0, flags & LARDER_ZERO);
        }
    }
}

/* The next piece of a kind from somewhere on; PIECES_MAX iff there is none. */
static unsigned draw_piece(struct input *input, enum kind kind) {
    unsigned from = (unsigned)input_bytes(input, 2);
    for (unsigned i = 0; i < piece_count; i++) {
        if (piece[(from + i) % piece_count].kind == kind) {
            return (from + i) % piece_count;
        }
    }
    return PIECES_MAX;
}

/* Often by a few frames only, so that the neighbour begins where the new end is. */
static void resize_frames(struct input *input) {
    unsigned which = draw_piece(input, FRAMES);
    uint64_t count = input_bytes(input, 2) % 700;
    if (which == PIECES_MAX) {
        return;
    }
    count = count % 4 ? piece[which].bytes / FRAME + count / 4 % 8 : count;
    struct piece old = piece[which];
    uint64_t frames = old.bytes / FRAME;
    enum larder_status status = larder_frames_resize(larder, old.at, count);
    sim_check(count ? status == LARDER_OK || (status == LARDER_BUSY && count > frames)
                    : status == LARDER_BAD_SIZE);
    if (status == LARDER_OK) {
        expect_bytes(old.at, (count < frames ? count : frames) * FRAME, old.fill);
        own(&old, false);
        piece[which] = piece[--piece_count];
        add_piece(old.at, count * FRAME, FRAMES, 0, false);
        sim_check(larder_frames_count(larder, old.at) == count);
    }
}

/* Reserve a stretch if nothing is there, and donate it again. */
static void reserve_and_donate(struct input *input) {
    uint64_t address = GIB + input_bytes(input, 3), size = 1 + input_bytes(input, 2);
    uint64_t first = address / FRAME * FRAME, end = (address + size + FRAME - 1) / FRAME * FRAME;
    enum larder_status status = larder_frames_reserve(larder, address, size);
    if (end > GIB + RAM_BYTES) {
        sim_check(status == LARDER_BAD_RANGE);
    } else if (status == LARDER_OK) {
        for (uint64_t at = first - GIB; at < end - GIB; at += GRANULE) {
            sim_check(!owned[at / GRANULE]);
        }
        sim_check(larder_frames_donate(larder, first, end - first) == LARDER_OK);
        sim_check(larder_frames_donate(larder, first, end - first) == LARDER_BAD_RANGE);
    } else {
        sim_check(status == LARDER_BUSY);
    }
}

/* ---- The heap
 * ------------------------------------------------------------------------------------- */

static void take_heap(struct input *input) {
    uint64_t bytes = draw_bytes(input);
    larder_flags flags = draw_flags(input);
    if (is_room()) {
        void *at = flags ? larder_alloc_flags(larder, bytes, flags) : larder_alloc(larder, bytes);
        sim_check((uintptr_t)at % 16 == 0);
        sim_check(!at || larder_size_of(larder, at) == larder_good_size(bytes));
        add_piece(at, bytes, HEAP, 0, flags & LARDER_ZERO);
    }
}

static void take_aligned(struct input *input) {
    uint64_t bytes = draw_bytes(input), align = (uint64_t)1 << input_bytes(input, 1) % 24;
    if (is_room()) {
        void *at = larder_aligned(larder, align, bytes);
        sim_check((uintptr_t)at % align == 0);
        add_piece(at, bytes, HEAP, 0, false);
    }
}

static void move_heap(struct input *input) {
    unsigned which = draw_piece(input, HEAP);
    uint64_t bytes = draw_bytes(input);
    if (which == PIECES_MAX) {
        return;
    }
    struct piece old = piece[which];
    uint64_t kept = old.bytes < bytes ? old.bytes : bytes;
    unsigned char *at = larder_realloc(larder, old.at, bytes);
    expect_bytes(at ? at : old.at, at ? kept : old.bytes, old.fill);
    if (at) {
        own(&old, false);
        piece[which] = piece[--piece_count];
        add_piece(at, bytes, HEAP, 0, false);
    }
}

static void resize_heap(struct input *input) {
    unsigned which = draw_piece(input, HEAP);
    uint64_t bytes = draw_bytes(input);
    if (which == PIECES_MAX) {
        return;
    }
    struct piece old = piece[which];
    uint64_t usable = larder_size_of(larder, old.at);
    bool is_done = larder_try_resize(larder, old.at, bytes);
    sim_check(is_done ? larder_size_of(larder, old.at) >= bytes
                      : larder_size_of(larder, old.at) == usable);
    if (is_done) {
        expect_bytes(old.at, old.bytes < bytes ? old.bytes : bytes, old.fill);
        own(&old, false);
        piece[which] = piece[--piece_count];
        add_piece(old.at, bytes, HEAP, 0, false);
    }
}

/* ---- Caches
 * --------------------------------------------------------------------------------------- */

static void make_cache(struct input *input) {
    static const size_t sizes[] = {1, 8, 16, 24, 48, 100, 256, 1000, 4096, 9000};
    unsigned which = (unsigned)input_bytes(input, 1) % CACHES_MAX;
    size_t bytes = sizes[input_bytes(input, 1) % COUNT(sizes)];
    unsigned how = (unsigned)input_bytes(input, 1);
    uint64_t limit = how & 16 ? input_bytes(input, 1) : 0;
    if (cache[which].cache) {
        return;
    }
    struct larder_cache_config config = {.name = how & 32 ? "watched" : "plain",
                                         .size_bytes = bytes,
                                         .align_bytes = how & 64 ? (size_t)1 << how % 8 : 0,
                                         .flags = (how & 1 ? LARDER_CACHE_ZERO : 0u) |
                                                  (how & 2 ? LARDER_CACHE_NO_MAGAZINE : 0u) |
                                                  (how & 8 ? LARDER_CACHE_DMA : 0u),
                                         .limit_objects = limit};
    cache[which].cache = larder_cache_create(larder, &config, NULL);
    cache[which].bytes = bytes;
    cache[which].align = config.align_bytes ? config.align_bytes : bytes < 16 ? 8 : 16;
    cache[which].flags = config.flags;
    cache[which].limit = limit;
    cache[which].live = 0;
}

static void count_leak(const void *object, uintptr_t site, void *context) {
    uint64_t *count = context;
    (void)object;
    (void)site;
    ++*count;
}

static void end_cache(unsigned which) {
    uint64_t leaks = 0;
    if (cache[which].cache) {
        sim_check(larder_cache_destroy(cache[which].cache, count_leak, &leaks) ==
                  cache[which].live);
        sim_check(leaks == cache[which].live);
        cache[which].cache = leaks ? cache[which].cache : NULL;
    }
}

static void add_object(unsigned which, void *at, larder_flags flags) {
    if (at) {
        sim_check((uintptr_t)at % cache[which].align == 0);
        sim_check(!(cache[which].flags & LARDER_CACHE_DMA) ||
                  larder_frames_address(larder, at) < GIB + LOW_BYTES);
        sim_check(larder_cache_of(larder, at) == cache[which].cache);
        cache[which].live++;
        sim_check(!cache[which].limit || cache[which].live <= cache[which].limit);
        add_piece(at, cache[which].bytes, OBJECT, which,
                  (flags & LARDER_ZERO) || (cache[which].flags & LARDER_CACHE_ZERO));
    }
}

static void take_objects(struct input *input) {
    void *out[200];
    unsigned which = (unsigned)input_bytes(input, 1) % CACHES_MAX;
    size_t count = input_bytes(input, 1) % COUNT(out);
    larder_flags flags = draw_flags(input);
    if (!cache[which].cache || piece_count + count > PIECES_MAX) {
        return;
    }
    if (count % 2) {
        size_t taken = larder_cache_alloc_bulk(cache[which].cache, count, out, flags);
        sim_check(taken <= count);
        for (size_t i = 0; i < taken; i++) {
            add_object(which, out[i], flags);
        }
    } else if (is_room()) {
        add_object(which, larder_cache_alloc(cache[which].cache, flags), flags);
    }
}

static void tend_cache(struct input *input) {
    unsigned which = (unsigned)input_bytes(input, 1) % CACHES_MAX;
    unsigned how = (unsigned)input_bytes(input, 1);
    if (!cache[which].cache) {
        return;
    }
    struct larder_cache_stats stats;
    larder_cache_stats(cache[which].cache, &stats);
    sim_check(stats.live == cache[which].live);
    sim_check(stats.taken == stats.live + stats.in_magazines + stats.in_depot);
    sim_check(stats.taken <= stats.capacity);
    if (how % 4 == 0) {
        larder_cache_shrink(cache[which].cache);
    } else if (how % 4 == 1) {
        enum larder_status status = larder_cache_prefill(cache[which].cache, how / 4);
        sim_check(status == LARDER_OK || status == LARDER_NO_MEMORY ||
                  (status == LARDER_TOO_MANY && cache[which].limit));
    } else if (how % 4 == 2) {
        end_cache(which);
    }
}

/* ---- Everything else
 * -------------------------------------------------------------------------------- */

static void free_some(struct input *input) {
    unsigned count = 1 + (unsigned)input_bytes(input, 1) % 40;
    unsigned which = (unsigned)input_bytes(input, 2), how = (unsigned)input_bytes(input, 1);
    for (unsigned i = 0; i < count && piece_count; i++) {
        free_piece((which + i * (1 + how)) % piece_count, how);
    }
}

static void tend(struct input *input) {
    unsigned how = (unsigned)input_bytes(input, 1);
    switch (how % 8) {
    case 0:
        larder_reclaim(larder);
        break;
    case 1:
        sim_clock_advance(how * 10);
        larder_tick(larder);
        break;
    case 2:
        larder_debug_track_frames(larder, how & 8);
        break;
    case 3:
        sim_fail_nth(1 + how / 8); /* the next calls may fail; nothing may be lost */
        break;
    case 4:
        sim_be(CPUS); /* one that is not attached */
        break;
    default:
        sim_be(how / 8 % CPUS);
        break;
    }
}

static void (*const operations[])(struct input *) = {
    take_block,   take_low,     take_contiguous, take_bulk, resize_frames, reserve_and_donate,
    take_heap,    take_heap,    take_aligned,    move_heap, resize_heap,   make_cache,
    take_objects, take_objects, tend_cache,      free_some, free_some,     tend};

static uint64_t idle(void) {
    struct larder_frames_stats stats;
    larder_reclaim(larder);
    larder_frames_stats(larder, &stats);
    sim_check(stats.usable == stats.free + stats.allocated + stats.in_bins);
    return stats.free + stats.in_bins;
}

static void begin(unsigned head) {
    static const char *const debug[] = {
        NULL, NULL, "F", "FZPU,watched", "Z,heap-*;P,plain", "U", "A,watched", "FZPU"};
    static const struct larder_range range = {GIB, RAM_BYTES, LARDER_RANGE_USABLE};
    static const struct larder_zone_config zones[] = {{"low", GIB + LOW_BYTES},
                                                      {"high", UINT64_MAX}};
    sim = sim_start(&(struct sim_config){.range = &range,
                                         .range_count = 1,
                                         .zone = zones,
                                         .zone_count = 2,
                                         .cpus = CPUS,
                                         .dirty = true,
                                         .reserve_frames = head & 8 ? 40 : 0,
                                         .debug = debug[head % 8]});
    sim_check(sim->larder != NULL);
    larder = sim->larder;
    memset(owned, 0, sizeof owned);
    memset(cache, 0, sizeof cache);
    piece_count = 0;
}

static void end(uint64_t idle_before) {
    sim_fail_off();
    sim_validate(sim);
    while (piece_count) {
        free_piece(piece_count - 1, piece_count);
    }
    larder_debug_track_frames(larder, false);
    for (unsigned which = 0; which < CACHES_MAX; which++) {
        end_cache(which);
        sim_check(cache[which].cache == NULL);
    }
    sim_check(idle() == idle_before);
    sim_validate(sim);
    sim_stop(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct input input = {data, data + size};
    begin((unsigned)input_bytes(&input, 1));
    uint64_t idle_before = idle();
    for (unsigned i = 1; i <= OPERATIONS_MAX && !input_is_empty(&input); i++) {
        operations[input_bytes(&input, 1) % COUNT(operations)](&input);
        if (i % VALIDATE_EVERY == 0) {
            sim_validate(sim);
        }
    }
    end(idle_before);
    return 0;
}
