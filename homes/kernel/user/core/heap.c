/* heap.c: malloc of a process: the core's heap, on memory that mmap gives at a place of its own and
 * that grows there. The frame map has room for as much as the process may hold. */
#include "user.h"

#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/port.h"
#include "larder/ranges.h"
#include "larder/stats.h"

#define HEAP_START (256ul << 30) /* mmap's own choice is far below */
#define STEP_BYTES (256ul << 10)
#define LARDER ((struct larder *)(void *)storage.bytes)

static struct larder_storage storage;
static uint64_t heap_end; /* 0: not begun */

static bool map_at_end(uint64_t bytes) {
    return system_call(SYSCALL_MMAP, heap_end, bytes, PROTECTION_WRITE) == (int64_t)heap_end;
}

/* The map costs 34 bytes of addresses for a page that may come. */
static bool init(uint64_t limit_bytes) {
    static struct larder_ranges ranges;
    struct larder_config config = {.ranges = &ranges,
                                   .slot_count = 1,
                                   .is_reserved = true,
                                   .storage_is_zero = true,
                                   .has_no_frame_bins = true};

    larder_ranges_init(&ranges);
    (void)larder_ranges_add(&ranges, HEAP_START, STEP_BYTES, LARDER_RANGE_USABLE);
    (void)larder_ranges_add(&ranges, HEAP_START + STEP_BYTES, limit_bytes, LARDER_RANGE_ABSENT);
    return larder_init(&storage, &config, NULL) != NULL;
}

static void attach(void) {
    struct larder_slot *slot = larder_slot_attach(LARDER, 0);

    larder_port_only_slot = slot != NULL ? slot : larder_slot_none;
}

/* Where the kernel refuses, the next malloc() begins anew. */
static bool begin(void) {
    struct meminfo info;

    heap_end = HEAP_START;
    if (meminfo(&info) == 0 && map_at_end(STEP_BYTES) && init(info.limit_bytes)) {
        heap_end += STEP_BYTES;
        attach();
        return true;
    }
    munmap((void *)HEAP_START, STEP_BYTES);
    memset(&storage, 0, sizeof storage);
    heap_end = 0;
    return false;
}

/* By a quarter of what there is, but at least by what is asked for, or not at all. */
static bool grow(size_t bytes) {
    uint64_t least = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    uint64_t step = (heap_end - HEAP_START) / 4 / STEP_BYTES * STEP_BYTES;

    if (step < least || !map_at_end(step)) {
        step = least;
        if (!map_at_end(step))
            return false;
    }
    if (larder_frames_donate(LARDER, heap_end, step) != LARDER_OK) {
        munmap((void *)heap_end, step);
        return false;
    }
    heap_end += step;
    return true;
}

static bool make_room(size_t bytes) {
    return larder_good_size(bytes) != 0 && (heap_end != 0 ? grow(bytes) : begin());
}

/* ---- The heap -------------------------------------------------------------------------------- */

static void *take(size_t bytes) {
    void *pointer = NULL;

    do {
        if (heap_end != 0)
            pointer = larder_alloc_flags(LARDER, bytes, LARDER_NO_RECLAIM);
    } while (pointer == NULL && make_room(bytes));
    return pointer != NULL || heap_end == 0 ? pointer : larder_alloc(LARDER, bytes);
}

static void *resize(void *pointer, size_t bytes) {
    void *moved;

    if (larder_try_resize(LARDER, pointer, bytes))
        return pointer;
    moved = take(bytes);
    if (moved == NULL)
        return NULL;
    memcpy(moved, pointer,
           larder_size_of(LARDER, pointer) < bytes ? larder_size_of(LARDER, pointer) : bytes);
    larder_free(LARDER, pointer);
    return moved;
}

static void give(void *pointer) {
    larder_free(LARDER, pointer);
}

static void trim(void) {
    if (heap_end == 0)
        return;
    (void)larder_reclaim(LARDER);
    (void)larder_purge(LARDER);
}

static void account(struct heap_account *account) {
    struct larder_frames_stats frames;
    struct larder_zone_stats zone;
    unsigned order = LARDER_ORDER_MAX + 1;

    *account = (struct heap_account){0};
    if (heap_end == 0)
        return;
    larder_frames_stats(LARDER, &frames);
    larder_zone_stats(LARDER, 0, &zone);
    account->capacity_bytes = frames.usable * LARDER_FRAME_BYTES;
    account->free_bytes = frames.free * LARDER_FRAME_BYTES;
    while (order-- > 0) {
        if (account->pieces == 0 && zone.free_blocks[order] != 0)
            account->largest_bytes = LARDER_FRAME_BYTES << order;
        account->pieces += zone.free_blocks[order];
    }
}

const struct heap heap_core = {"core", take, resize, give, trim, account};
