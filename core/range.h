/* range.h: the inside of the range table: what the frame map needs beside larder/ranges.h. */
#ifndef CORE_RANGE_H
#define CORE_RANGE_H

#include "base.h"
#include "larder/ranges.h"

/* Change [first, end) to `kind` whatever it is now. TOO_MANY iff it does not fit; then unchanged.
 */
enum larder_status range_assign(struct larder_ranges *ranges, uint64_t first, uint64_t end,
                                enum larder_range_kind kind);

/* True iff every byte of [first, end) is of a kind in `kinds`, a set of 1 << kind. */
bool range_is_all(const struct larder_ranges *ranges, uint64_t first, uint64_t end, unsigned kinds);

/* Kinds that the frame map describes, as a set of 1 << kind. */
#define RAM_KINDS ((1u << LARDER_RANGE_USABLE) | (1u << LARDER_RANGE_DONATED))

/* Kinds that it has room for. */
#define SPAN_KINDS (RAM_KINDS | (1u << LARDER_RANGE_ABSENT))

/* The next stretch of whole frames of these kinds that ends above `address`; false iff there is
 * none. Looks the place up anew each time, so the table may change between calls. */
bool range_next(const struct larder_ranges *ranges, unsigned kinds, uint64_t address,
                uint64_t *first, uint64_t *end);

/* End address of an entry; never wraps, entries are checked when they come in. */
static inline uint64_t range_end(const struct larder_range *range) {
    return range->address + range->size_bytes;
}

/* The whole frames inside an entry: [*first, *end), empty iff *first >= *end. */
static inline void range_round_inward(const struct larder_range *range, uint64_t *first,
                                      uint64_t *end) {
    *end = align_down(range_end(range), FRAME_BYTES);
    if (!checked_align_up(range->address, FRAME_BYTES, first)) {
        *first = *end;
    }
}

/* Do the buddies have the frame at an address of this range (NULL: of none)? They get whole ones
 * only. */
bool range_gives_frame(const struct larder_range *range, uint64_t address);

#endif
