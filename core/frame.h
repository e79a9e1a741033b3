/* frame.h: the global memory map.
 *
 * Two arrays describe every frame of the span from the first to the last RAM, both indexed by frame
 * number: `owner`, one byte that says which cache or kind of memory the frame belongs to, and
 * `record`, 32 bytes with what is known about the head of a block, a run or a slab. The byte is the
 * frame's explicit state and is all that free() reads; records are touched by slow paths only, and
 * where a byte cannot tell which cache it is. Both arrays read as zero where nothing was committed,
 * so holes cost nothing and looking up any frame number below count_frames is safe.
 *
 *   owner               meaning                                                       set by
 *   OWNER_NONE          hole, reserved, free in the buddies, or inside a block or run  frames
 *   OWNER_FRAMES + b    start of an allocated block of order frame_bin_order(b)        frames
 *   OWNER_LATE          every frame of a slab whose cache id is in the record          cache
 *   OWNER_RUN           start of an allocated block or run; record.count_frames        frames
 *   OWNER_METADATA      the same, for the core itself: never a caller's to free        frames
 *   OWNER_BIN           start of a block that lies in a slot's bin                     frames
 *   OWNER_CACHE_FIRST…  every frame of a slab: the id of its cache                     cache
 */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include "check.h"
#include "range.h"

typedef uint32_t frame_index; /* frame number, counted from the start of the map */
#define FRAME_NONE UINT32_MAX
#define SPAN_FRAMES_MAX (UINT64_C(1) << 32) /* 16 TiB: numbers are 32 bits wide */

enum {
    OWNER_NONE = 0,
    OWNER_FRAMES = 1, /* … + number of the bin */
    FRAME_BINS = 5,   /* orders with a bin in every slot: 0 to 3, and 9 */
    OWNER_LATE = 12,
    OWNER_RUN = 13,
    OWNER_METADATA = 14,
    OWNER_BIN = 15,
    OWNER_CACHE_FIRST = 16,
    OWNERS = 256,
};

struct slab;

struct frame {
    struct slab *slab; /* slab frames: its descriptor. Guarded by: constant while the slab lives */
    uint64_t count_frames; /* start of a run: its length. Guarded by the run's owner */
    uintptr_t site;        /* start of a block or run: who allocated it, while that is tracked */
    uint32_t cache_id;     /* slab frames: id of the cache; else 0 */
    uint32_t guard_frames; /* start of a guarded slab or run: of its guard before it; else 0 */
};
_Static_assert(sizeof(struct frame) == 32, "one record of 32 bytes per frame");

struct frame_map {
    uintptr_t base;              /* pointer to frame 0. Constant, as are the next six */
    uint64_t count_frames;       /* frames in the span, holes included */
    uint64_t number_bias;        /* 0 less the number of the address that `base` is: wraps */
    uint8_t *owner;              /* one byte a frame; written by who owns the frame */
    struct frame *record;        /* one record a frame */
    uintptr_t owner_bias;        /* owner less the number of the address that `base` is */
    uint64_t base_address;       /* address of frame 0 */
    uint64_t committed_bytes;    /* of both arrays; atomic, a statistic */
    struct larder_ranges ranges; /* what is RAM now; guarded by the registry lock */
};

/* Reserve the two arrays for the span of RAM in `ranges` and commit what describes it. The first
 * frame of the map is aligned to `align_bytes`, so that frame numbers are aligned as addresses are.
 * The caller copies and closes the table afterwards: other commits may still take from it. */
enum larder_status frame_map_init(struct frame_map *map, struct larder_ranges *ranges,
                                  uintptr_t linear_offset, uint64_t align_bytes);
void frame_map_fini(struct frame_map *map);

/* Make owner bytes and records of [first, first + count) writable. */
bool frame_map_commit(struct frame_map *map, uint64_t first, uint64_t count);

/* Number of the frame that holds a pointer; ≥ count_frames iff the pointer is not in the span. A
 * sum and no difference: some CPUs shift one operand of it on the way. */
static inline uint64_t frame_of(const struct frame_map *map, const void *pointer) {
    return map->number_bias + ((uintptr_t)pointer >> FRAME_SHIFT);
}

/* Owner byte of a pointer that is known to lie in the span: no base to subtract. */
static inline uint8_t *frame_owner_inside(const struct frame_map *map, const void *pointer) {
    return (uint8_t *)(map->owner_bias + ((uintptr_t)pointer >> FRAME_SHIFT));
}

static inline bool frame_is_inside(const struct frame_map *map, const void *pointer) {
    return frame_of(map, pointer) < map->count_frames;
}

/* The first frame from `index` on whose address is aligned, to whatever power of two. */
static inline uint64_t frame_align_up(const struct frame_map *map, uint64_t index,
                                      uint64_t align_frames) {
    uint64_t misalign = map->base_address >> FRAME_SHIFT;
    return align_up(index + misalign, align_frames) - misalign;
}

static inline void *frame_pointer(const struct frame_map *map, uint64_t index) {
    return (void *)(map->base + (index << FRAME_SHIFT));
}

static inline uint64_t frame_address(const struct frame_map *map, uint64_t index) {
    return map->base_address + (index << FRAME_SHIFT);
}

/* Cache id of a slab frame; 0 iff the frame is none. */
static inline unsigned frame_cache_id(const struct frame_map *map, uint64_t index) {
    unsigned owner = map->owner[index];
    if (owner == OWNER_LATE) {
        return map->record[index].cache_id;
    }
    return owner >= OWNER_CACHE_FIRST ? owner : 0;
}

/* Order of the blocks of a frame bin, and back; FRAME_BINS iff an order has none. */
static inline unsigned frame_bin_order(unsigned bin) {
    return bin < FRAME_BINS - 1 ? bin : 9;
}

static inline unsigned frame_bin_of(unsigned order) {
    if (order < FRAME_BINS - 1) {
        return order;
    }
    return order == frame_bin_order(FRAME_BINS - 1) ? FRAME_BINS - 1 : FRAME_BINS;
}

/* Frames of the block or run that starts here; 0 iff none does. */
static inline uint64_t frame_run_length(const struct frame_map *map, uint64_t index) {
    unsigned owner = map->owner[index];
    if (owner == OWNER_RUN || owner == OWNER_METADATA) {
        return map->record[index].count_frames;
    }
    return owner - OWNER_FRAMES < FRAME_BINS ? UINT64_C(1) << frame_bin_order(owner - OWNER_FRAMES)
                                             : 0;
}

/* The same, but 0 also for what the core took for itself. */
static inline uint64_t frame_given_length(const struct frame_map *map, uint64_t index) {
    return map->owner[index] == OWNER_METADATA ? 0 : frame_run_length(map, index);
}

#endif
