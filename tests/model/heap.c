/* The heap against a list of live pieces: overlap, contents over realloc, sizes, alignment, counts.
 *
 * Some rounds have so little memory that requests fail all the time: then nothing may be lost.
 */
#include "model.h"

#define LIVE_MAX 4000u
#define CPUS_MAX 3u
#define GRANULE 16u
#define VALIDATE_EVERY 512u
#define RAM_MAX (48 * MIB)

struct piece {
    unsigned char *at;
    size_t bytes;
    uint64_t fill;
};

static struct sim *sim;
static struct piece live[LIVE_MAX];
static unsigned live_count, cpus;
static unsigned char used[RAM_MAX / GRANULE];
static uint64_t idle_at_start, steps, serial;
static size_t size_limit;

static void start(struct random *random) {
    static const char *const debug[] = {
        NULL, NULL, NULL, NULL, NULL, "FZPU", "Z,heap-64;P,heap-1*"};
    bool is_small = random_below(random, 3) == 0;
    struct larder_range range = {GIB, is_small ? 3 * MIB : RAM_MAX, LARDER_RANGE_USABLE};
    cpus = 1 + (unsigned)random_below(random, CPUS_MAX);
    sim = sim_start(&(struct sim_config){.range = &range,
                                         .range_count = 1,
                                         .cpus = cpus,
                                         .dirty = true,
                                         .reserve_frames = random_below(random, 2) * 50,
                                         .debug = debug[random_below(random, COUNT(debug))]});
    sim_check(sim->larder != NULL);
    memset(used, 0, sizeof used);
    size_limit = is_small ? 40000 : 400000;
    live_count = 0;
    steps = serial = 0;
    larder_reclaim(sim->larder);
    idle_at_start = frames_idle(sim);
}

static void abandon(void) {
    sim_abandon(sim);
}

/* ---- Contents ---- */

static void mark_used(const unsigned char *at, size_t bytes, bool now) {
    size_t first = (size_t)(larder_frames_address(sim->larder, at) - GIB) / GRANULE;
    for (size_t i = first; i < first + (bytes + GRANULE - 1) / GRANULE; i++) {
        sim_check(used[i] != now);
        used[i] = now;
    }
}

static unsigned char byte_at(uint64_t fill, size_t i) {
    return (unsigned char)(fill * 31 + i * 7 + (i >> 8));
}

/* The first and last bytes, and a few between. */
static size_t next_probe(size_t i, size_t bytes) {
    return i < 64 || i + 64 >= bytes ? i + 1 : i + 509 < bytes - 64 ? i + 509 : bytes - 64;
}

static void piece_fill(const struct piece *piece) {
    for (size_t i = 0; i < piece->bytes; i = next_probe(i, piece->bytes)) {
        piece->at[i] = byte_at(piece->fill, i);
    }
}

/* The first `bytes`, as they were filled for a piece of `of` bytes. */
static void piece_check(const struct piece *piece, const unsigned char *at, size_t bytes) {
    for (size_t i = 0; i < piece->bytes; i = next_probe(i, piece->bytes)) {
        if (i < bytes) {
            sim_check(at[i] == byte_at(piece->fill, i));
        }
    }
}

/* Always nonzero for something that is given out; enough for what was asked. */
static void piece_add(void *pointer, size_t bytes) {
    struct piece *piece = &live[live_count++];
    *piece = (struct piece){pointer, bytes, ++serial};
    sim_check((uintptr_t)pointer % 16 == 0);
    sim_check(larder_owns(sim->larder, pointer));
    sim_check(larder_size_of(sim->larder, pointer) >= bytes);
    mark_used(piece->at, bytes, true);
    piece_fill(piece);
}

static void *piece_remove(unsigned which) {
    struct piece piece = live[which];
    piece_check(&piece, piece.at, piece.bytes);
    mark_used(piece.at, piece.bytes, false);
    live[which] = live[--live_count];
    return piece.at;
}

static size_t draw_size(uint32_t from) {
    size_t most = from % 64 == 0   ? size_limit
                  : from % 64 < 4  ? 40000
                  : from % 64 < 16 ? 4000
                  : from % 64 < 40 ? 300
                                   : 64;
    size_t limited = most < size_limit ? most : size_limit;
    return 1 + from / 64 % limited;
}

static void expect_zero(const unsigned char *at, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        sim_check(at[i] == 0);
    }
}

/* ---- Operations ---- */

static void apply_alloc(const struct op *op) {
    size_t bytes = draw_size(op->a);
    if (live_count == LIVE_MAX) {
        return;
    }
    void *pointer = larder_alloc(sim->larder, bytes);
    if (pointer) {
        sim_check(larder_size_of(sim->larder, pointer) == larder_good_size(bytes));
        if ((bytes & (bytes - 1)) == 0 && bytes >= 16) {
            sim_check((uintptr_t)pointer % (bytes < FRAME ? bytes : FRAME) == 0);
        }
        piece_add(pointer, bytes);
    } else {
        sim_check(frames_idle(sim) * FRAME < bytes * 2 + 2 * MIB);
    }
}

static void apply_zalloc(const struct op *op) {
    size_t bytes = draw_size(op->a), count = 1 + op->b % 5;
    if (live_count == LIVE_MAX) {
        return;
    }
    bool is_plain = op->b & 8;
    void *pointer =
        is_plain ? larder_zalloc(sim->larder, bytes) : larder_calloc(sim->larder, count, bytes);
    if (pointer) {
        bytes *= is_plain ? 1 : count;
        expect_zero(pointer, bytes);
        piece_add(pointer, bytes);
    }
}

static void apply_aligned(const struct op *op) {
    size_t bytes = draw_size(op->a), align = (size_t)1 << op->b % 16;
    if (live_count == LIVE_MAX) {
        return;
    }
    void *pointer = larder_aligned(sim->larder, align, bytes);
    if (pointer) {
        sim_check((uintptr_t)pointer % align == 0);
        piece_add(pointer, bytes);
    }
}

static void apply_flags(const struct op *op) {
    static const larder_flags choice[] = {LARDER_ZERO, LARDER_USE_RESERVE, LARDER_NO_RECLAIM,
                                          LARDER_ZONE(0), LARDER_ZONE(0) | LARDER_ZERO};
    larder_flags flags = choice[op->b % COUNT(choice)];
    size_t bytes = draw_size(op->a);
    if (live_count == LIVE_MAX) {
        return;
    }
    void *pointer = larder_alloc_flags(sim->larder, bytes, flags);
    if (pointer) {
        if (flags & LARDER_ZERO) {
            expect_zero(pointer, bytes);
        }
        piece_add(pointer, bytes);
    }
}

static void apply_free(const struct op *op) {
    if (live_count == 0) {
        return;
    }
    unsigned which = op->a % live_count;
    size_t bytes = live[which].bytes;
    void *pointer = piece_remove(which);
    bool is_exact = larder_good_size(bytes) == larder_size_of(sim->larder, pointer);
    if (op->b % 4 == 0 && is_exact) {
        larder_free_sized(sim->larder, pointer, bytes);
    } else {
        larder_free(sim->larder, pointer);
    }
}

static void apply_realloc(const struct op *op) {
    if (live_count == 0) {
        return;
    }
    struct piece old = live[op->a % live_count];
    size_t bytes = op->c % 2 ? draw_size(op->b) : old.bytes + op->b % 64;
    unsigned char *moved = larder_realloc(sim->larder, old.at, bytes);
    if (!moved) {
        piece_check(&old, old.at, old.bytes);
        return;
    }
    piece_check(&old, moved, bytes < old.bytes ? bytes : old.bytes);
    mark_used(old.at, old.bytes, false);
    live[op->a % live_count] = live[live_count - 1];
    live_count--;
    piece_add(moved, bytes);
}

static void apply_try_resize(const struct op *op) {
    if (live_count == 0) {
        return;
    }
    unsigned which = op->a % live_count;
    struct piece old = live[which];
    size_t usable = larder_size_of(sim->larder, old.at);
    size_t bytes = op->c % 2 ? draw_size(op->b) : old.bytes + op->b % 9000;
    bool done = larder_try_resize(sim->larder, old.at, bytes);
    size_t now = larder_size_of(sim->larder, old.at);
    sim_check(done ? now >= bytes : now == usable);
    piece_check(&old, old.at, old.bytes < bytes || !done ? old.bytes : bytes);
    if (done) {
        mark_used(old.at, old.bytes, false);
        live[which] = live[--live_count];
        piece_add(old.at, bytes);
    }
}

static void apply_cpu(const struct op *op) {
    sim_be(op->a % (cpus + 1));
}

static void apply_reclaim(const struct op *op) {
    if (op->a % 16 == 0) {
        larder_reclaim(sim->larder);
    } else {
        sim_clock_advance(op->b % 1500);
        larder_tick(sim->larder);
    }
}

static const struct {
    const char *name;
    void (*apply)(const struct op *op);
} kinds[] = {
    {"alloc", apply_alloc},     {"alloc", apply_alloc},       {"alloc", apply_alloc},
    {"alloc", apply_alloc},     {"alloc", apply_alloc},       {"zalloc", apply_zalloc},
    {"aligned", apply_aligned}, {"flags", apply_flags},       {"free", apply_free},
    {"free", apply_free},       {"free", apply_free},         {"free", apply_free},
    {"free", apply_free},       {"free", apply_free},         {"realloc", apply_realloc},
    {"realloc", apply_realloc}, {"resize", apply_try_resize}, {"cpu", apply_cpu},
    {"reclaim", apply_reclaim},
};

static void apply(const struct op *op) {
    kinds[op->kind].apply(op);
    if (++steps % VALIDATE_EVERY == 0) {
        sim_validate(sim);
    }
}

static void finish(void) {
    sim_validate(sim);
    while (live_count > 0) {
        larder_free(sim->larder, piece_remove(live_count - 1));
    }
    larder_reclaim(sim->larder);
    sim_validate(sim);
    sim_check(frames_idle(sim) == idle_at_start);
    sim_stop(sim);
}

static void print(char *text, size_t bytes, const struct op *op) {
    snprintf(text, bytes, "%s a=%u b=%u c=%u", kinds[op->kind].name, op->a, op->b, op->c);
}

static void the_heap_agrees_with_a_list_of_live_pieces(void **state) {
    (void)state;
    const struct model model = {"heap", COUNT(kinds), start, apply, finish, abandon, print};
    model_run(&model, 4600000, 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heap_agrees_with_a_list_of_live_pieces),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
