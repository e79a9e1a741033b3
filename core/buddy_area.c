/* buddy_area.c: the areas of the zones: making them, adding them up, and which one to take from.
 *
 * A slot keeps to one area of a zone, so that what it takes and gives back meets no other slot. It
 * goes where a fuller page block serves it, as long as nobody else takes from there: so areas are
 * to a zone what one list of all its page blocks would be, full ones stay full and nearly empty
 * ones become empty. Whole page blocks come from where the smallest run of them is, lowest first.
 *
 * Whom an area belongs to is a hint, not a lock: who finds nothing elsewhere takes from any area.
 */
#include "buddy.h"

#include "larder/port.h"

#define SCAN_AREAS_MAX 64u /* hints read in one search: 16 cache lines */

/* ---- hints ---- */

/* What an area has is a word of hexadecimal digits. Digit k < 9: one more than the bucket of the
 * fullest OPEN page block whose largest free order is k; 0: there is none. Digit 9: one more than
 * the order, in page blocks, above which no run of whole ones is free; 0: none is whole. */
#define DIGIT_BITS 4u
#define DIGIT 0xfu
#define WHOLE_SHIFT (PAGEBLOCK_ORDER * DIGIT_BITS)

static uint64_t area_has(const struct area *area) {
    uint64_t has = area->whole.count_free == 0 ? 0 : area->whole.largest + UINT64_C(1);
    for (unsigned order = PAGEBLOCK_ORDER; order-- > 0;) {
        unsigned buckets = area->open_buckets[order];
        has = has << DIGIT_BITS | (buckets == 0 ? 0 : lowest_bit(buckets) + 1);
    }
    return has;
}

/* Mostly nothing changes; and who only reads hints keeps its copy of their lines. */
static void publish(struct buddies *buddies, struct area *area) {
    uint64_t has = area_has(area);
    if (area->published != has) {
        area->published = has;
        __atomic_store_n(&buddies->hint[area - buddies->area].has, has, __ATOMIC_RELAXED);
    }
}

/* How good an area is for a block, smaller is better; RANK_NONE: it has none. */
#define RANK_NONE UINT32_MAX

/* Out of an OPEN page block: as fullest_open(). */
static uint32_t rank_open(uint64_t has, unsigned order) {
    uint64_t open = has & ((UINT64_C(1) << WHOLE_SHIFT) - 1);
    open = open >> order * DIGIT_BITS << order * DIGIT_BITS;
    if (open == 0) {
        return RANK_NONE;
    }
    unsigned largest = lowest_bit(open) / DIGIT_BITS;
    return largest << DIGIT_BITS | (open >> largest * DIGIT_BITS & DIGIT);
}

/* Out of wholly free ones. */
static uint32_t rank_whole(uint64_t has, unsigned order) {
    unsigned needed = order > PAGEBLOCK_ORDER ? order - PAGEBLOCK_ORDER + 1 : 1;
    unsigned whole = has >> WHOLE_SHIFT & DIGIT;
    return whole >= needed ? whole : RANK_NONE;
}

/* Does another slot take from it / did another take from it last? */
static bool is_anothers(uint32_t taker, const struct area_seat *seat) {
    return (taker & SEATED) != 0 && taker != (seat->taker | SEATED);
}

static bool was_anothers(uint32_t taker, const struct area_seat *seat) {
    return taker != TAKER_NOBODY && (taker & ~SEATED) != seat->taker;
}

/* The one with the least rank that is nobody else's; the seat's own if it is as good, else the
 * lowest. */
static uint32_t best_area(const struct buddies *buddies, const struct zone *zone,
                          const struct area_seat *seat, unsigned order, bool is_whole) {
    uint32_t count = __atomic_load_n(&zone->end_area, __ATOMIC_RELAXED), best = AREA_NONE;
    uint32_t least = RANK_NONE;
    bool is_seated = seat->area < count;
    uint32_t at = is_seated && count > SCAN_AREAS_MAX ? seat->area : 0;
    for (uint32_t left = count < SCAN_AREAS_MAX ? count : SCAN_AREAS_MAX; left > 0; left--) {
        const struct area_hint *hint = &buddies->hint[zone->first_area + at];
        uint64_t has = __atomic_load_n(&hint->has, __ATOMIC_RELAXED);
        uint32_t taker = __atomic_load_n(&hint->taker, __ATOMIC_RELAXED);
        uint32_t rank = is_whole ? rank_whole(has, order) : rank_open(has, order);
        if (is_whole && rank != RANK_NONE && was_anothers(taker, seat)) {
            rank += DIGIT + 1; /* what it took there comes back */
        }
        bool is_better = rank < least || (rank == least && at == seat->area);
        if (rank != RANK_NONE && is_better && !is_anothers(taker, seat)) {
            best = at;
            least = rank;
        }
        at = at + 1 < count ? at + 1 : 0;
    }
    return best;
}

uint32_t zone_fullest_area(const struct buddies *buddies, const struct zone *zone,
                           const struct area_seat *seat, unsigned order) {
    return best_area(buddies, zone, seat, order, false);
}

uint32_t zone_whole_area(const struct buddies *buddies, const struct zone *zone,
                         const struct area_seat *seat, unsigned order) {
    return best_area(buddies, zone, seat, order, true);
}

/* ---- seats ---- */

/* The area is the slot's own from now on, if no other's. */
static void sit_down(struct area_hint *hint, const struct area_seat *seat) {
    uint32_t taker = __atomic_load_n(&hint->taker, __ATOMIC_RELAXED);
    if (taker != (seat->taker | SEATED) && !is_anothers(taker, seat)) {
        __atomic_compare_exchange_n(&hint->taker, &taker, seat->taker | SEATED, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
}

static void stand_up(struct area_hint *hint, const struct area_seat *seat) {
    uint32_t taker = seat->taker | SEATED;
    __atomic_compare_exchange_n(&hint->taker, &taker, seat->taker, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

/* The page block that the seat was at is nobody's from now on. */
static void leave_block(struct buddies *buddies, struct area_seat *seat) {
    uint64_t number = (uint64_t)(seat->block - buddies->pageblock);
    struct area *area = buddies_area_of(buddies, number * PAGEBLOCK_FRAMES);
    area_enter(area);
    if (seat->block->taker == seat->taker) {
        seat->block->taker = TAKER_NOBODY;
    }
    area_leave(buddies, area);
    seat->block = NULL;
}

void seat_move(struct buddies *buddies, const struct zone *zone, struct area_seat *seat,
               uint32_t to) {
    struct area_hint *hint = &buddies->hint[zone->first_area];
    bool is_slot = seat->taker != TAKER_NOBODY;
    if (seat->area != to && seat->block != NULL) {
        leave_block(buddies, seat);
    }
    if (is_slot && seat->area != to && seat->area != AREA_NONE) {
        stand_up(&hint[seat->area], seat);
    }
    if (is_slot && to != AREA_NONE) {
        sit_down(&hint[to], seat);
    }
    seat->area = to;
}

/* ---- entering and leaving ---- */

void area_enter(struct area *area) {
    lock_acquire(&area->lock);
}

/* Called where the count of a zone seems lower than ever: it is added up then. */
static void lower_minimum(struct buddies *buddies, struct zone *zone) {
    uint64_t free = zone_free(buddies, zone);
    uint64_t old = __atomic_load_n(&zone->free_min, __ATOMIC_RELAXED);
    while (free < old && !__atomic_compare_exchange_n(&zone->free_min, &old, free, false,
                                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/* A zone of one area knows at once; of several, when it matters: its count is on a line that all
 * slots write. */
static void settle(struct buddies *buddies, struct area *area) {
    struct zone *zone = area->zone;
    int64_t step = zone->count_areas > 1 ? SETTLE_FRAMES : 1;
    if (area->unsettled >= step || area->unsettled <= -step) {
        uint64_t change = (uint64_t)area->unsettled;
        area->unsettled = 0;
        uint64_t free = __atomic_add_fetch(&zone->free, change, __ATOMIC_RELAXED);
        if (free < __atomic_load_n(&zone->free_min, __ATOMIC_RELAXED)) {
            lower_minimum(buddies, zone);
        }
    }
}

void area_leave(struct buddies *buddies, struct area *area) {
    publish(buddies, area);
    settle(buddies, area);
    lock_release(&area->lock);
}

/* ---- adding up ---- */

uint64_t buddies_usable(const struct buddies *buddies) {
    uint64_t usable = 0;
    for (unsigned i = 0; i < buddies->zone_count; i++) {
        usable += __atomic_load_n(&buddies->zone[i].usable, __ATOMIC_RELAXED);
    }
    return usable;
}

uint64_t zone_free(struct buddies *buddies, const struct zone *zone) {
    uint64_t free = 0;
    EACH_AREA_OF(area, buddies, zone) {
        free += __atomic_load_n(&area->free, __ATOMIC_RELAXED);
    }
    return free;
}

void zone_begin(struct buddies *buddies, struct zone *zone) {
    EACH_AREA_OF(area, buddies, zone) {
        zone->free += (uint64_t)area->unsettled;
        area->unsettled = 0;
    }
    zone->free_min = zone->free;
}

uint64_t zone_spare(struct buddies *buddies, const struct zone *zone, uint64_t wanted,
                    larder_flags flags) {
    uint64_t keep = (flags & LARDER_USE_RESERVE) != 0 ? 0 : zone->reserve;
    uint64_t unsure = (uint64_t)__atomic_load_n(&zone->end_area, __ATOMIC_RELAXED) * SETTLE_FRAMES;
    if (keep == 0 || __atomic_load_n(&zone->free, __ATOMIC_RELAXED) >= unsure + keep + wanted) {
        return wanted;
    }
    uint64_t free = zone_free(buddies, zone);
    return free > keep ? min_u64(wanted, free - keep) : 0;
}

/* ---- set-up ---- */

static void area_init(struct buddies *buddies, struct area *area, struct zone *zone) {
    uint64_t gib = zone->first_pageblock / AREA_PAGEBLOCKS +
                   ((uint64_t)(area - buddies->area) - zone->first_area);
    lock_init(&area->lock, LOCK_RANK_AREA, buddies->book);
    area->first_pageblock = gib * AREA_PAGEBLOCKS;
    area->low_pageblock = max_u64(area->first_pageblock, zone->first_pageblock);
    area->end_pageblock = min_u64(area->first_pageblock + AREA_PAGEBLOCKS, zone->end_pageblock);
    for (unsigned i = 0; i < PAGEBLOCK_ORDER * FULLNESS_BUCKETS; i++) {
        list_init(&area->open[i / FULLNESS_BUCKETS][i % FULLNESS_BUCKETS]);
    }
    for (unsigned age = 0; age < DIRTY_AGES; age++) {
        list_init(&area->dirty[age]);
    }
    __atomic_store_n(&area->zone, zone, __ATOMIC_RELEASE);
}

void buddies_make_areas(struct buddies *buddies, uint64_t first, uint64_t count) {
    for (uint64_t end = first + count; first < end;) {
        struct zone *zone = buddies_zone_of(buddies, first);
        struct area *area = buddies_area_of(buddies, first);
        uint32_t number = (uint32_t)((uint64_t)(area - buddies->area) - zone->first_area);
        if (!area_is_made(area)) {
            area_init(buddies, area, zone);
        }
        if (number >= zone->end_area) {
            __atomic_store_n(&zone->end_area, number + 1, __ATOMIC_RELEASE);
        }
        first = area->end_pageblock * PAGEBLOCK_FRAMES;
    }
}

static bool commit(struct buddies *buddies, void *first, const void *end) {
    size_t bytes = (size_t)((const unsigned char *)end - (unsigned char *)first);
    if (!larder_port_commit(first, bytes)) {
        return false;
    }
    __atomic_add_fetch(&buddies->committed_bytes, bytes, __ATOMIC_RELAXED);
    return true;
}

bool buddies_commit(struct buddies *buddies, uint64_t first, uint64_t count) {
    uint64_t last = first + count - 1;
    uint64_t first_area = (uint64_t)(buddies_area_of(buddies, first) - buddies->area);
    uint64_t last_area = (uint64_t)(buddies_area_of(buddies, last) - buddies->area);
    return commit(buddies, &buddies->pageblock[first / PAGEBLOCK_FRAMES],
                  &buddies->pageblock[last / PAGEBLOCK_FRAMES + 1]) &&
           commit(buddies, &buddies->area[first_area], &buddies->area[last_area + 1]) &&
           commit(buddies, &buddies->hint[first_area], &buddies->hint[last_area + 1]);
}

/* One reservation: page blocks, then areas, then hints. */
static size_t pageblock_bytes(const struct buddies *buddies) {
    return align_up(buddies->count_pageblocks * sizeof(struct pageblock), FRAME_BYTES);
}

static size_t area_bytes(const struct buddies *buddies) {
    return align_up(buddies->count_areas * sizeof(struct area), FRAME_BYTES);
}

static size_t reserved_bytes(const struct buddies *buddies) {
    return pageblock_bytes(buddies) + area_bytes(buddies) +
           align_up(buddies->count_areas * sizeof(struct area_hint), FRAME_BYTES);
}

/* Page block number of an address limit, clipped to the map. */
static uint64_t limit_pageblock(const struct buddies *buddies, const struct frame_map *map,
                                uint64_t limit_address) {
    if (limit_address <= map->base_address) {
        return 0;
    }
    return min_u64((limit_address - map->base_address) / PAGEBLOCK_BYTES,
                   buddies->count_pageblocks);
}

/* Areas of the zone [first, end) of page blocks: a GiB that two zones share is an area of each. */
static uint32_t count_areas(uint64_t first, uint64_t end) {
    return first == end ? 0 : (uint32_t)((end - 1) / AREA_PAGEBLOCKS - first / AREA_PAGEBLOCKS + 1);
}

static void zones_init(struct buddies *buddies, const struct frame_map *map,
                       const struct larder_config *config) {
    uint64_t at = 0;
    buddies->zone_count = config->zone_count > 0 ? config->zone_count : 1;
    for (unsigned i = 0; i < buddies->zone_count; i++) {
        bool is_last = i + 1 == buddies->zone_count;
        uint64_t end = is_last ? buddies->count_pageblocks
                               : limit_pageblock(buddies, map, config->zone[i].limit_address);
        buddies->zone[i] = (struct zone){
            .name = config->zone_count > 0 ? config->zone[i].name : "normal",
            .first_pageblock = at,
            .end_pageblock = end,
            .first_area = buddies->count_areas,
            .count_areas = count_areas(at, end),
        };
        buddies->count_areas += buddies->zone[i].count_areas;
        at = end;
    }
}

enum larder_status buddies_init(struct buddies *buddies, const struct frame_map *map,
                                const struct larder_config *config, struct lock_book *book) {
    *buddies = (struct buddies){
        .count_pageblocks = align_up(map->count_frames, PAGEBLOCK_FRAMES) / PAGEBLOCK_FRAMES,
        .is_purgeable = config->is_reserved,
        .book = book,
    };
    zones_init(buddies, map, config);
    unsigned char *memory = larder_port_reserve(reserved_bytes(buddies), FRAME_BYTES);
    if (memory == NULL) {
        return LARDER_NO_MEMORY;
    }
    buddies->pageblock = (struct pageblock *)(void *)memory;
    buddies->area = (struct area *)(void *)(memory + pageblock_bytes(buddies));
    buddies->hint =
        (struct area_hint *)(void *)(memory + pageblock_bytes(buddies) + area_bytes(buddies));
    return LARDER_OK;
}

void buddies_fini(struct buddies *buddies) {
    larder_port_release(buddies->pageblock, reserved_bytes(buddies));
}
