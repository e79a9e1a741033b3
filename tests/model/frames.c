/* Page frames against a byte per frame: who holds what, what could have been given, what must fail.
 *
 * The reference knows each frame as absent, reserved, free, held by a live block, or the core's own
 * (found once, at the start). Other CPUs stand still between operations and are emptied under
 * pressure, so an allocation may fail only where the reference has no place for it either.
 */
#include "model.h"

#define BASE (3 * GIB)
/* So much higher, in another area, lie the frames from `far_frame` on. */
#define FAR_BYTES (2 * GIB)
#define FRAMES_MAX 16000u
#define LIVE_MAX 3000u
#define RESERVED_MAX 12u
#define CPUS_MAX 3u
#define VALIDATE_EVERY 512u

enum frame_state { ABSENT, TAKEN_OUT, IDLE, LIVE, OWN };

struct block {
    uint64_t first, count;
    uint64_t tag;
    bool has_order;
};

static struct sim *sim;
static unsigned char frame_at[FRAMES_MAX];
static struct block live[LIVE_MAX];
static unsigned live_count;
static struct block reserved[RESERVED_MAX];
static unsigned reserved_count;
static uint64_t zone_end[LARDER_ZONES_MAX]; /* frame numbers */
static unsigned zones, cpus;
static uint64_t idle_at_start, next_tag, steps;
static uint64_t far_frame; /* the one before it is ABSENT */

/* ---- The world ---- */

static uint64_t address_of(uint64_t frame) {
    return BASE + frame * FRAME + (frame < far_frame ? 0 : FAR_BYTES);
}

static uint64_t frame_at_address(uint64_t address) {
    return (address - BASE - (address < BASE + FAR_BYTES ? 0 : FAR_BYTES)) / FRAME;
}

static uint64_t frame_of(const void *pointer) {
    return frame_at_address(larder_frames_address(sim->larder, pointer));
}

static char *pointer_of(uint64_t frame) {
    return larder_frames_pointer(sim->larder, address_of(frame));
}

static unsigned zone_of(uint64_t frame) {
    unsigned zone = 0;
    while (frame >= zone_end[zone]) {
        zone++;
    }
    return zone;
}

/* What is not free right after the start belongs to the core for the rest of the round. */
static void find_own_frames(void) {
    larder_reclaim(sim->larder);
    for (uint64_t i = 0; i < FRAMES_MAX; i++) {
        struct larder_what what;
        if (frame_at[i] == IDLE) {
            larder_whatis(sim->larder, pointer_of(i), &what);
            sim_check(what.kind != LARDER_WHAT_HOLE && what.kind != LARDER_WHAT_FOREIGN);
            if (what.kind != LARDER_WHAT_FREE) {
                frame_at[i] = OWN;
            }
        }
    }
}

/* What lies beyond `far_frame` moves up, and what lies across it is cut in two. */
static unsigned move_far(struct larder_range *range, unsigned count) {
    uint64_t far = BASE + far_frame * FRAME;
    for (unsigned i = count; i-- > 0 && far_frame < FRAMES_MAX;) {
        uint64_t first = range[i].address, end = first + range[i].size_bytes;
        if (first < far && end > far - FRAME) {
            range[i].size_bytes = first < far - FRAME ? far - FRAME - first : 0;
            range[count++] = (struct larder_range){far + FAR_BYTES, end > far ? end - far : 0,
                                                   LARDER_RANGE_USABLE};
        } else if (first >= far) {
            range[i].address += FAR_BYTES;
        }
    }
    return count;
}

static unsigned draw_ranges(struct random *random, struct larder_range *range) {
    unsigned count = 1 + (unsigned)random_below(random, 4);
    uint64_t at = random_below(random, 2) ? 0 : random_below(random, 700) * FRAME + 5;
    for (unsigned i = 0; i < count; i++) {
        uint64_t bytes = (400 + random_below(random, 2000)) * FRAME + random_below(random, 5000);
        range[i] = (struct larder_range){BASE + at, bytes, LARDER_RANGE_USABLE};
        at += bytes + random_below(random, 3) * (3 * MIB + 77);
    }
    return move_far(range, count);
}

static void mark_ranges(const struct larder_ranges *table) {
    memset(frame_at, ABSENT, sizeof frame_at);
    for (unsigned i = 0; i < table->count; i++) {
        uint64_t first = (table->range[i].address + FRAME - 1) / FRAME;
        uint64_t end = (table->range[i].address + table->range[i].size_bytes) / FRAME;
        if (first < end) {
            uint64_t frame = frame_at_address(first * FRAME);
            sim_check(frame + (end - first) <= FRAMES_MAX);
            memset(frame_at + frame, IDLE, end - first);
        }
    }
}

static void start(struct random *random) {
    struct larder_range range[8];
    far_frame = random_below(random, 2) ? 512 * (1 + random_below(random, 12)) : FRAMES_MAX;
    struct larder_zone_config zone[3] = {{"low", address_of(4 * MIB / FRAME)},
                                         {"middle", address_of(10 * MIB / FRAME)},
                                         {"high", UINT64_MAX}};
    cpus = 1 + (unsigned)random_below(random, CPUS_MAX);
    zones = 1 + (unsigned)random_below(random, 3);
    struct sim_config config = {.range = range,
                                .range_count = draw_ranges(random, range),
                                .zone = zone + 3 - zones,
                                .zone_count = zones,
                                .cpus = cpus,
                                .reserve_frames = random_below(random, 2) * 100,
                                .dirty = true};
    sim = sim_start(&config);
    sim_check(sim->larder != NULL);
    for (unsigned i = 0; i < zones; i++) {
        zone_end[i] = i + 1 == zones ? UINT64_MAX : frame_at_address(config.zone[i].limit_address);
    }
    live_count = reserved_count = 0;
    next_tag = steps = 0;
    mark_ranges(&sim->ranges);
    find_own_frames();
    idle_at_start = frames_idle(sim);
}

static void abandon(void) {
    sim_abandon(sim);
}

/* ---- What the reference can say ---- */

static uint64_t idle_in_zone(unsigned zone) {
    uint64_t count = 0;
    for (uint64_t i = zone == 0 ? 0 : zone_end[zone - 1]; i < FRAMES_MAX && i < zone_end[zone];
         i++) {
        count += frame_at[i] == IDLE;
    }
    return count;
}

static uint64_t reserve_of(unsigned zone) {
    struct larder_zone_stats stats;
    sim_check(larder_zone_stats(sim->larder, zone, &stats));
    return stats.reserve;
}

static bool run_is(uint64_t first, uint64_t count, enum frame_state state) {
    for (uint64_t i = first; i < first + count; i++) {
        if (i >= FRAMES_MAX || frame_at[i] != state) {
            return false;
        }
    }
    return true;
}

/* Is there an aligned idle run within one of the zones 0 … top, with enough above its watermark? */
static bool has_place(uint64_t length, uint64_t counted, uint64_t align, unsigned top,
                      uint64_t limit, larder_flags flags) {
    for (unsigned zone = 0; zone <= top; zone++) {
        uint64_t keep = flags & LARDER_USE_RESERVE ? 0 : reserve_of(zone);
        uint64_t first = zone == 0 ? 0 : zone_end[zone - 1];
        uint64_t end = zone_end[zone] < FRAMES_MAX ? zone_end[zone] : FRAMES_MAX;
        end = end < limit ? end : limit;
        if (idle_in_zone(zone) < counted + keep) {
            continue;
        }
        for (uint64_t at = (first + align - 1) / align * align; at + length <= end; at += align) {
            if (run_is(at, length, IDLE)) {
                return true;
            }
        }
    }
    return false;
}

static unsigned order_of(uint64_t count) {
    unsigned order = 0;
    while ((uint64_t)1 << order < count) {
        order++;
    }
    return order;
}

/* ---- Live blocks ---- */

/* First and last word of the block carry its tag: two owners of one frame are found when one is
 * freed. */
static void tag_write(const struct block *block) {
    char *at = pointer_of(block->first);
    memcpy(at + 8, &block->tag, 8);
    memcpy(at + block->count * FRAME - 8, &block->tag, 8);
}

static void tag_check(const struct block *block) {
    char *at = pointer_of(block->first);
    sim_check(memcmp(at + 8, &block->tag, 8) == 0);
    sim_check(memcmp(at + block->count * FRAME - 8, &block->tag, 8) == 0);
}

static void expect_zero(const char *at, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        sim_check(word == 0);
    }
}

static void block_add(void *pointer, uint64_t count, bool has_order, larder_flags flags) {
    struct block block = {frame_of(pointer), count, ++next_tag, has_order};
    unsigned top = flags >> LARDER_ZONE_SHIFT ? (flags >> LARDER_ZONE_SHIFT) - 1 : zones - 1;
    sim_check(run_is(block.first, count, IDLE));
    sim_check(zone_of(block.first) <= top || top >= zones);
    memset(frame_at + block.first, LIVE, count);
    if (flags & LARDER_ZERO) {
        expect_zero(pointer, count * FRAME);
    }
    tag_write(&block);
    live[live_count++] = block;
}

static struct block block_remove(unsigned which) {
    struct block block = live[which];
    tag_check(&block);
    memset(frame_at + block.first, IDLE, block.count);
    live[which] = live[--live_count];
    return block;
}

/* ---- Operations ---- */

static larder_flags draw_flags(uint32_t from) {
    larder_flags flags = 0;
    if (from % 4 == 0) {
        flags |= from & 16 ? LARDER_ZERO : 0;
        flags |= from & 32 ? LARDER_USE_RESERVE : 0;
        flags |= from & 64 ? LARDER_NO_RECLAIM : 0;
        flags |= from & 128 ? LARDER_ZONE(from / 256 % 4) : 0;
    }
    return flags;
}

static unsigned top_zone(larder_flags flags) {
    unsigned zone = flags >> LARDER_ZONE_SHIFT;
    return zone == 0 || zone > zones ? zones - 1 : zone - 1;
}

static void apply_alloc(const struct op *op) {
    unsigned order = op->a % 32 == 0 ? op->a / 32 % 12 : op->a / 32 % 4;
    larder_flags flags = draw_flags(op->b);
    if (live_count == LIVE_MAX) {
        return;
    }
    uint64_t count = (uint64_t)1 << order;
    void *frames = larder_frames_alloc(sim->larder, order, flags);
    if (frames) {
        sim_check(frame_of(frames) % count == 0);
        block_add(frames, count, true, flags);
    } else if (!(flags & LARDER_NO_RECLAIM)) {
        sim_check(!has_place(count, count, count, top_zone(flags), UINT64_MAX, flags));
    }
}

static void apply_exact(const struct op *op) {
    uint64_t count = 1 + op->a % (op->c % 4 ? 40 : 1500);
    larder_flags flags = draw_flags(op->b);
    if (live_count == LIVE_MAX) {
        return;
    }
    uint64_t length = (uint64_t)1 << order_of(count);
    void *frames = larder_frames_alloc_exact(sim->larder, count, flags);
    if (frames) {
        sim_check(frame_of(frames) % length == 0);
        block_add(frames, count, false, flags);
    } else if (!(flags & LARDER_NO_RECLAIM)) {
        sim_check(!has_place(length, count, length, top_zone(flags), UINT64_MAX, flags));
    }
}

static void apply_contiguous(const struct op *op) {
    uint64_t count = 1 + op->a % 900, align = (uint64_t)1 << op->c % 11;
    uint64_t limit = op->c & 2048 ? UINT64_MAX : op->c / 4096 % FRAMES_MAX;
    larder_flags flags = draw_flags(op->b);
    if (live_count == LIVE_MAX || op->a % 4) {
        return;
    }
    void *frames =
        larder_frames_alloc_contiguous(sim->larder, count, align * FRAME,
                                       limit == UINT64_MAX ? UINT64_MAX : address_of(limit), flags);
    if (frames) {
        sim_check(frame_of(frames) % align == 0 && frame_of(frames) + count <= limit);
        block_add(frames, count, false, flags);
    } else if (!(flags & LARDER_NO_RECLAIM)) {
        sim_check(!has_place(count, count, align, top_zone(flags), limit, flags));
    }
}

static void apply_bulk(const struct op *op) {
    void *out[100];
    unsigned order = op->c % 3, wanted = op->a % 100;
    larder_flags flags = draw_flags(op->b);
    if (live_count + wanted > LIVE_MAX) {
        return;
    }
    size_t got = larder_frames_alloc_bulk(sim->larder, order, wanted, out, flags);
    sim_check(got <= wanted);
    for (size_t i = 0; i < got; i++) {
        block_add(out[i], (uint64_t)1 << order, true, flags);
    }
    uint64_t count = (uint64_t)1 << order;
    if (got < wanted && !(flags & LARDER_NO_RECLAIM)) {
        sim_check(!has_place(count, count, count, top_zone(flags), UINT64_MAX, flags));
    }
}

static void apply_free(const struct op *op) {
    if (live_count == 0) {
        return;
    }
    struct block block = block_remove(op->a % live_count);
    sim_check(larder_frames_count(sim->larder, pointer_of(block.first)) == block.count);
    if (op->b % 4 == 0 && block.has_order) {
        larder_frames_free_order(sim->larder, pointer_of(block.first), order_of(block.count));
    } else if (op->b % 4 == 1) {
        larder_free(sim->larder, pointer_of(block.first));
    } else {
        larder_frames_free(sim->larder, pointer_of(block.first));
    }
}

static void apply_free_bulk(const struct op *op) {
    void *out[64];
    unsigned count = op->a % 64 < live_count ? op->a % 64 : live_count;
    for (unsigned i = 0; i < count; i++) {
        out[i] = pointer_of(block_remove(op->b % live_count).first);
    }
    larder_frames_free_bulk(sim->larder, count, out);
}

static void apply_resize(const struct op *op) {
    if (live_count == 0) {
        return;
    }
    struct block *block = &live[op->a % live_count];
    uint64_t count = 1 + op->b % (2 * block->count + 8);
    uint64_t behind = block->first + block->count;
    unsigned zone = zone_of(block->first);
    if (op->c % 2) {
        larder_reclaim(sim->larder);
    }
    tag_check(block);
    enum larder_status status = larder_frames_resize(sim->larder, pointer_of(block->first), count);
    if (status != LARDER_OK) {
        uint64_t more = count - block->count;
        sim_check(status == LARDER_BUSY && count > block->count);
        bool fits = run_is(behind, more, IDLE) && zone_of(behind + more - 1) == zone &&
                    idle_in_zone(zone) >= more + reserve_of(zone);
        sim_check(!(fits && op->c % 2));
        return;
    }
    if (count > block->count) {
        sim_check(run_is(behind, count - block->count, IDLE));
        sim_check(zone_of(block->first + count - 1) == zone);
        memset(frame_at + behind, LIVE, count - block->count);
    } else {
        memset(frame_at + block->first + count, IDLE, block->count - count);
    }
    block->count = count;
    block->has_order = false;
    tag_write(block);
}

/* Is every frame of the range RAM that is neither taken out nor absent? */
static bool is_ram(uint64_t first, uint64_t count) {
    for (uint64_t i = first; i < first + count; i++) {
        if (i >= FRAMES_MAX || frame_at[i] == ABSENT || frame_at[i] == TAKEN_OUT) {
            return false;
        }
    }
    return true;
}

static void apply_reserve(const struct op *op) {
    uint64_t first = op->a % FRAMES_MAX, count = 1 + op->b % 60;
    if (reserved_count == RESERVED_MAX) {
        return;
    }
    larder_reclaim(sim->larder);
    enum larder_status status = larder_frames_reserve(
        sim->larder, address_of(first) + op->c % 4 * 500, (count - 1) * FRAME + 1);
    if (!is_ram(first, count)) {
        sim_check(status == LARDER_BAD_RANGE);
    } else if (!run_is(first, count, IDLE)) {
        sim_check(status == LARDER_BUSY);
    } else {
        sim_check(status == LARDER_OK);
        memset(frame_at + first, TAKEN_OUT, count);
        reserved[reserved_count++] = (struct block){first, count, 0, false};
    }
}

static void donate(unsigned which) {
    struct block block = reserved[which];
    sim_check(larder_frames_donate(sim->larder, address_of(block.first), block.count * FRAME) ==
              LARDER_OK);
    memset(frame_at + block.first, IDLE, block.count);
    reserved[which] = reserved[--reserved_count];
}

static void apply_donate(const struct op *op) {
    if (reserved_count > 0 && op->b % 2) {
        donate(op->a % reserved_count);
    } else if (run_is(op->a % FRAMES_MAX, 1, IDLE)) {
        sim_check(larder_frames_donate(sim->larder, address_of(op->a % FRAMES_MAX), FRAME) ==
                  LARDER_BAD_RANGE);
    }
}

static void apply_cpu(const struct op *op) {
    sim_be(op->a % cpus);
}

static void apply_reclaim(const struct op *op) {
    if (op->a % 8 == 0) {
        larder_reclaim(sim->larder);
    } else {
        sim_clock_advance(op->b % 2000);
        larder_tick(sim->larder);
    }
}

static const struct {
    const char *name;
    void (*apply)(const struct op *op);
} kinds[] = {
    {"alloc", apply_alloc},     {"alloc", apply_alloc},
    {"alloc", apply_alloc},     {"alloc", apply_alloc},
    {"alloc", apply_alloc},     {"exact", apply_exact},
    {"exact", apply_exact},     {"contiguous", apply_contiguous},
    {"bulk", apply_bulk},       {"free", apply_free},
    {"free", apply_free},       {"free", apply_free},
    {"free", apply_free},       {"free", apply_free},
    {"free", apply_free},       {"free bulk", apply_free_bulk},
    {"resize", apply_resize},   {"reserve", apply_reserve},
    {"donate", apply_donate},   {"cpu", apply_cpu},
    {"reclaim", apply_reclaim},
};

static void expect_counts(void) {
    uint64_t idle = 0;
    for (uint64_t i = 0; i < FRAMES_MAX; i++) {
        idle += frame_at[i] == IDLE;
    }
    sim_validate(sim);
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    sim_check(stats.free + stats.in_bins == idle);
    sim_check(stats.usable == stats.free + stats.in_bins + stats.allocated);
    sim_check(stats.free_min <= stats.free);
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
        larder_frames_free(sim->larder, pointer_of(block_remove(live_count - 1).first));
    }
    while (reserved_count > 0) {
        donate(reserved_count - 1);
    }
    larder_reclaim(sim->larder);
    expect_counts();
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    sim_check(stats.free == idle_at_start);
    sim_stop(sim);
}

static void print(char *text, size_t bytes, const struct op *op) {
    snprintf(text, bytes, "%s a=%u b=%u c=%u", kinds[op->kind].name, op->a, op->b, op->c);
}

static void frames_agree_with_a_byte_per_frame(void **state) {
    (void)state;
    const struct model model = {"frames", COUNT(kinds), start, apply, finish, abandon, print};
    model_run(&model, 2500000, 8000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_agree_with_a_byte_per_frame),
    };
    harness_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
