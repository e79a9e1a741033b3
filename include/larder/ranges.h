/* larder/ranges.h: what is RAM, what is not, and memory before there is an allocator.
 *
 * A table of sorted, disjoint byte ranges. It takes what a device tree, firmware or an operating
 * system reports, in any order, unaligned, overlapping, adjacent or empty; and it is the early
 * allocator: what start-up takes from it stays reserved, or is marked to be donated when start-up
 * is over. Boundaries stay exact to the byte until larder_init() rounds usable ranges inward to
 * frames, so two halves of a frame reported separately still make one frame.
 */
#ifndef LARDER_RANGES_H
#define LARDER_RANGES_H

#include "larder/larder.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* In ascending strength: where ranges overlap, the stronger kind holds, whatever the order of
 * calls. */
enum larder_range_kind {
    LARDER_RANGE_USABLE = 1, /* RAM for the buddies */
    LARDER_RANGE_DONATED,    /* RAM in use by start-up, described by the map, donated later */
    LARDER_RANGE_RESERVED,   /* RAM that is never given out: the kernel, firmware, the frame map */
    LARDER_RANGE_DEVICE,     /* not RAM */
    LARDER_RANGE_ABSENT,     /* nothing, but RAM may come, by larder_frames_donate(): the map has
                                room for it and commits nothing */
};

struct larder_range {
    uint64_t address;
    uint64_t size_bytes;
    enum larder_range_kind kind;
};

struct larder_ranges {
    struct larder_range range[LARDER_RANGES_MAX]; /* sorted by address, disjoint, never empty; equal
                                                     neighbours of one kind are merged */
    unsigned count;
    bool closed; /* larder_init() has taken the table over */
};

#define LARDER_ADDRESS_NONE UINT64_MAX

/* An empty, open table. */
void larder_ranges_init(struct larder_ranges *ranges);

/* Add a range. RESERVED and DONATED only mark memory that is, or later becomes, usable or a hole.
 * LARDER_OK; BAD_RANGE iff address + size wraps beyond 2^64 or the table is closed; BAD_OPTION iff
 * the kind is none of the five; TOO_MANY iff the result needs more than LARDER_RANGES_MAX entries.
 * An empty range is accepted and changes nothing. On failure the table is unchanged. Cost:
 * O(entries). */
enum larder_status larder_ranges_add(struct larder_ranges *ranges, uint64_t address,
                                     uint64_t size_bytes, enum larder_range_kind kind);

/* Take memory out of a usable range, as high as it fits below `limit_address`, so that low memory
 * stays for devices. `size_bytes` and `align_bytes` are rounded up to a frame. `kind` says what it
 * becomes: RESERVED (for ever) or DONATED (until larder_frames_donate()).
 * Result: an address, or LARDER_ADDRESS_NONE iff size is 0, alignment is not a power of two, the
 * table is full or closed, or nothing fits. The memory is not touched. Cost: O(entries). */
uint64_t larder_ranges_take(struct larder_ranges *ranges, uint64_t size_bytes, uint64_t align_bytes,
                            uint64_t limit_address, enum larder_range_kind kind);

/* Bytes of one kind in the table. */
uint64_t larder_ranges_bytes(const struct larder_ranges *ranges, enum larder_range_kind kind);

/* The entry that holds an address, or NULL. */
const struct larder_range *larder_ranges_find(const struct larder_ranges *ranges, uint64_t address);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
