/* naive.c: see fuzz.h. Split at both ends, then paint: nothing like the core's one pass. */
#include "fuzz.h"

#define START_RAM_MAX (24 * MIB) /* more takes too long for a fuzzer */
#define START_SPAN_MAX (4 * GIB)
#define SPAN_FRAMES_MAX (((uint64_t)1 << 32) - 1)
#define USE_UP_MAX 1024u     /* frames */
#define START_FRAMES_MAX 64u /* an instance starts with fewer than that */

void naive_init(struct naive *naive) {
    naive->count = 1;
    naive->part[0].first = 0;
    naive->part[0].kind = 0;
}

uint64_t naive_end(const struct naive *naive, unsigned i) {
    return i + 1 < naive->count ? naive->part[i + 1].first : UINT64_MAX;
}

static unsigned part_of(const struct naive *naive, uint64_t address) {
    unsigned i = naive->count - 1;
    while (naive->part[i].first > address) {
        i--;
    }
    return i;
}

unsigned naive_kind(const struct naive *naive, uint64_t address) {
    return naive->part[part_of(naive, address)].kind;
}

static void split(struct naive *naive, uint64_t address) {
    unsigned i = part_of(naive, address);
    if (naive->part[i].first == address) {
        return;
    }
    sim_check(naive->count < NAIVE_MAX);
    memmove(&naive->part[i + 2], &naive->part[i + 1],
            (naive->count - i - 1) * sizeof naive->part[0]);
    naive->part[i + 1] = naive->part[i];
    naive->part[i + 1].first = address;
    naive->count++;
}

static void join(struct naive *naive) {
    unsigned kept = 1;
    for (unsigned i = 1; i < naive->count; i++) {
        if (naive->part[i].kind != naive->part[kept - 1].kind) {
            naive->part[kept++] = naive->part[i];
        }
    }
    naive->count = kept;
}

static unsigned entries(const struct naive *naive) {
    unsigned count = 0;
    for (unsigned i = 0; i < naive->count; i++) {
        count += naive->part[i].kind != 0;
    }
    return count;
}

/* False, and nothing changed, iff that needs more entries than there are. */
static bool paint(struct naive *naive, uint64_t first, uint64_t end, unsigned kind, bool force) {
    struct naive before = *naive;
    split(naive, first);
    split(naive, end);
    for (unsigned i = 0; i < naive->count; i++) {
        if (naive->part[i].first >= first && naive->part[i].first < end &&
            (force || kind > naive->part[i].kind)) {
            naive->part[i].kind = kind;
        }
    }
    join(naive);
    if (entries(naive) > LARDER_RANGES_MAX) {
        *naive = before;
        return false;
    }
    return true;
}

enum larder_status naive_add(struct naive *naive, uint64_t address, uint64_t size_bytes,
                             unsigned kind) {
    if (kind < 1 || kind > 5) {
        return LARDER_BAD_OPTION;
    }
    if (size_bytes > UINT64_MAX - address) {
        return LARDER_BAD_RANGE;
    }
    if (size_bytes == 0 || paint(naive, address, address + size_bytes, kind, false)) {
        return LARDER_OK;
    }
    return LARDER_TOO_MANY;
}

uint64_t naive_take(struct naive *naive, uint64_t size_bytes, uint64_t align_bytes, uint64_t limit,
                    unsigned kind) {
    bool is_power = align_bytes != 0 && (align_bytes & (align_bytes - 1)) == 0;
    uint64_t align = align_bytes < FRAME ? FRAME : align_bytes;
    if (size_bytes == 0 || size_bytes > UINT64_MAX - FRAME + 1 || !is_power ||
        (kind != LARDER_RANGE_DONATED && kind != LARDER_RANGE_RESERVED)) {
        return LARDER_ADDRESS_NONE;
    }
    uint64_t size = (size_bytes + FRAME - 1) / FRAME * FRAME;
    for (unsigned i = naive->count; i-- > 0;) {
        uint64_t end = naive_end(naive, i) < limit ? naive_end(naive, i) : limit;
        uint64_t frames_end = end / FRAME * FRAME;
        if (naive->part[i].kind != LARDER_RANGE_USABLE || frames_end < size) {
            continue;
        }
        uint64_t at = (frames_end - size) / align * align;
        if (at >= naive->part[i].first) {
            return paint(naive, at, at + size, kind, true) ? at : LARDER_ADDRESS_NONE;
        }
    }
    return LARDER_ADDRESS_NONE;
}

uint64_t naive_bytes(const struct naive *naive, unsigned kind) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < naive->count; i++) {
        bytes += naive->part[i].kind == kind ? naive_end(naive, i) - naive->part[i].first : 0;
    }
    return bytes;
}

void naive_compare(const struct naive *naive, const struct larder_ranges *table) {
    unsigned entry = 0;
    for (unsigned i = 0; i < naive->count; i++) {
        if (naive->part[i].kind != 0) {
            const struct larder_range *range = &table->range[entry++];
            sim_check(entry <= table->count);
            sim_check(range->address == naive->part[i].first);
            sim_check(range->address + range->size_bytes == naive_end(naive, i));
            sim_check(range->kind == (enum larder_range_kind)naive->part[i].kind);
        }
    }
    sim_check(entry == table->count);
}

/* ---- Starting on it
 * ------------------------------------------------------------------------------ */

static bool is_ram(unsigned kind) {
    return kind == LARDER_RANGE_USABLE || kind == LARDER_RANGE_DONATED;
}

/* The whole frames of a part. */
static uint64_t frames_first(const struct naive *naive, unsigned i) {
    uint64_t first = naive->part[i].first;
    return first > UINT64_MAX - FRAME + 1 ? UINT64_MAX : (first + FRAME - 1) / FRAME * FRAME;
}

static uint64_t frames_end(const struct naive *naive, unsigned i) {
    return naive_end(naive, i) / FRAME * FRAME;
}

struct ram {
    uint64_t first, end, usable_frames, bytes;
};

static struct ram ram_of(const struct naive *naive) {
    struct ram ram = {UINT64_MAX, 0, 0, 0};
    for (unsigned i = 0; i < naive->count; i++) {
        uint64_t first = frames_first(naive, i), end = frames_end(naive, i);
        if (is_ram(naive->part[i].kind) && first < end) {
            ram.first = first < ram.first ? first : ram.first;
            ram.end = end;
            ram.bytes += end - first;
            ram.usable_frames +=
                naive->part[i].kind == LARDER_RANGE_USABLE ? (end - first) / FRAME : 0;
        }
    }
    return ram;
}

static struct sim *start(const struct naive *naive, const struct ram *ram, uint64_t zone_limit) {
    static struct larder_range range[LARDER_RANGES_MAX];
    unsigned count = 0;
    /* The machine of the simulation spans the whole table: leave out what lies far away. */
    for (unsigned i = 0; i < naive->count; i++) {
        if (naive->part[i].kind != 0 && naive->part[i].first < ram->end &&
            naive_end(naive, i) > ram->first) {
            uint64_t first = naive->part[i].first, end = naive_end(naive, i);
            first = is_ram(naive->part[i].kind) || first > ram->first ? first : ram->first;
            end = is_ram(naive->part[i].kind) || end < ram->end ? end : ram->end;
            range[count++] = (struct larder_range){first, end - first,
                                                   (enum larder_range_kind)naive->part[i].kind};
        }
    }
    const struct larder_zone_config zones[] = {{"low", zone_limit}, {"high", UINT64_MAX}};
    return sim_start(&(struct sim_config){.range = range,
                                          .range_count = count,
                                          .zone = zones,
                                          .zone_count = zone_limit ? 2 : 0,
                                          .unattached = true});
}

/* The map begins at a multiple of the largest block, or of what holds all RAM if that is less. */
static uint64_t map_first(const struct ram *ram) {
    uint64_t align = 512 * FRAME;
    while (align < ram->end - ram->first && align < GIB) {
        align *= 2;
    }
    return ram->first / align * align;
}

static void look_at(struct sim *sim, const struct naive *naive, const struct ram *ram,
                    uint64_t address) {
    struct larder_what what;
    uint64_t frame = address / FRAME * FRAME, first, end;
    unsigned part = part_of(naive, frame);
    larder_whatis(sim->larder, larder_frames_pointer(sim->larder, address), &what);
    larder_map_span(sim->larder, &first, &end);
    sim_check(first == map_first(ram) && end == ram->end);
    bool is_whole = frames_first(naive, part) <= frame && frame < frames_end(naive, part);
    if (frame < first || frame >= end) {
        sim_check(what.kind == LARDER_WHAT_FOREIGN);
    } else if (naive->part[part].kind == 0) {
        sim_check(what.kind == LARDER_WHAT_HOLE);
    } else if (naive->part[part].kind == LARDER_RANGE_USABLE && is_whole) {
        sim_check(what.kind > LARDER_WHAT_RESERVED);
    } else if (frame >= ram->first) { /* what was left out in start() is a hole there */
        sim_check(what.kind == LARDER_WHAT_RESERVED);
    }
}

static uint64_t frames_free(struct sim *sim) {
    struct larder_frames_stats stats;
    larder_frames_stats(sim->larder, &stats);
    sim_check(stats.usable == stats.free + stats.allocated + stats.in_bins);
    return stats.free;
}

/* Every frame once, each of them usable, none missing; then all of them back. */
static void use_up(struct sim *sim, const struct naive *naive) {
    static void *frame[USE_UP_MAX];
    uint64_t count = 0, free = frames_free(sim);
    for (void *at; (at = larder_frames_alloc(sim->larder, 0, 0)) != NULL; count++) {
        uint64_t address = larder_frames_address(sim->larder, at);
        unsigned part = part_of(naive, address);
        sim_check(count < free && naive->part[part].kind == LARDER_RANGE_USABLE);
        sim_check(address % FRAME == 0 && naive_end(naive, part) - address >= FRAME);
        memcpy(at, &count, sizeof count);
        frame[count] = at;
    }
    sim_check(count == free);
    for (uint64_t i = 0, value; i < count; i++) {
        memcpy(&value, frame[i], sizeof value);
        sim_check(value == i);
        larder_frames_free(sim->larder, frame[i]);
    }
    sim_check(frames_free(sim) == free);
}

void naive_start(const struct naive *naive, uint64_t zone_limit) {
    struct ram ram = ram_of(naive);
    bool is_nothing = ram.first >= ram.end;
    bool is_too_long = !is_nothing && (ram.end - map_first(&ram)) / FRAME > SPAN_FRAMES_MAX;
    if (!is_nothing && !is_too_long &&
        (ram.bytes > START_RAM_MAX || ram.end - ram.first > START_SPAN_MAX)) {
        return;
    }
    struct sim *sim = start(naive, &ram, zone_limit);
    if (is_nothing || is_too_long) {
        sim_check(sim->larder == NULL && sim->status == LARDER_BAD_RANGE);
    } else if (!sim->larder) {
        sim_check(sim->status == LARDER_NO_MEMORY && ram.usable_frames < START_FRAMES_MAX);
    } else {
        struct larder_frames_stats stats;
        larder_frames_stats(sim->larder, &stats);
        sim_check(stats.usable == ram.usable_frames);
        for (unsigned i = 1; i < naive->count; i++) {
            look_at(sim, naive, &ram, naive->part[i].first);
            look_at(sim, naive, &ram, naive->part[i].first - 1);
        }
        sim_validate(sim);
        if (ram.usable_frames < USE_UP_MAX) {
            larder_reclaim(sim->larder);
            use_up(sim, naive);
            sim_validate(sim);
        }
    }
    sim_stop(sim);
}
