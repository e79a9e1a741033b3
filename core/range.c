/* range.c: the table of what is RAM, and the allocator before the allocator.
 *
 * The table is sorted and disjoint. One transition does everything: rebuild the table with [first,
 * end) laid over it, each stretch taking the stronger of the two kinds (larder_ranges_add) or
 * simply the new one (range_assign). The rebuild goes into a second table, so a failure leaves the
 * first untouched and no undo is needed.
 */
#include "range.h"

#include "check.h"

void larder_ranges_init(struct larder_ranges *ranges) {
    ranges->count = 0;
    ranges->closed = false;
}

/* Append a stretch, merging it with a neighbour of the same kind. */
static bool append(struct larder_ranges *to, uint64_t first, uint64_t end,
                   enum larder_range_kind kind) {
    if (first == end) {
        return true;
    }
    struct larder_range *last = to->count > 0 ? &to->range[to->count - 1] : NULL;
    if (last != NULL && last->kind == kind && range_end(last) == first) {
        last->size_bytes += end - first;
        return true;
    }
    if (to->count == LARDER_RANGES_MAX) {
        return false;
    }
    to->range[to->count++] = (struct larder_range){first, end - first, kind};
    return true;
}

struct overlay {
    uint64_t first, end;
    enum larder_range_kind kind;
    bool force; /* the new kind holds even where the old one is stronger */
};

/* One old entry under the overlay: what is before it, gaps included, what is covered, what remains.
 * `at` is how far the overlay has been laid. */
static bool lay_over_entry(struct larder_ranges *to, const struct larder_range *old,
                           const struct overlay *new, uint64_t *at) {
    uint64_t old_end = range_end(old);
    if (old_end <= new->first || old->address >= new->end) {
        if (old->address >= new->end &&*at < new->end) {
            if (!append(to, *at, new->end, new->kind)) {
                return false;
            }
            *at = new->end;
        }
        return append(to, old->address, old_end, old->kind);
    }
    uint64_t both_first = max_u64(old->address, new->first);
    uint64_t both_end = min_u64(old_end, new->end);
    enum larder_range_kind both = new->force || new->kind > old->kind ? new->kind : old->kind;
    uint64_t gap_first = *at;
    *at = both_end;
    return (old->address >= new->first || append(to, old->address, new->first, old->kind)) &&
           (gap_first >= both_first || append(to, gap_first, both_first, new->kind)) &&
           append(to, both_first, both_end, both) && append(to, both_end, old_end, old->kind);
}

static enum larder_status lay_over(struct larder_ranges *ranges, const struct overlay *new) {
    struct larder_ranges result;
    uint64_t at = new->first;
    larder_ranges_init(&result);
    for (unsigned i = 0; i < ranges->count; i++) {
        if (!lay_over_entry(&result, &ranges->range[i], new, &at)) {
            return LARDER_TOO_MANY;
        }
    }
    if (at < new->end && !append(&result, at, new->end, new->kind)) {
        return LARDER_TOO_MANY;
    }
    result.closed = ranges->closed;
    *ranges = result;
    return LARDER_OK;
}

enum larder_status larder_ranges_add(struct larder_ranges *ranges, uint64_t address,
                                     uint64_t size_bytes, enum larder_range_kind kind) {
    struct overlay new = {.first = address, .kind = kind};
    if (kind < LARDER_RANGE_USABLE || kind > LARDER_RANGE_ABSENT) {
        return LARDER_BAD_OPTION;
    }
    if (ranges->closed || !checked_add(address, size_bytes, &new.end)) {
        return LARDER_BAD_RANGE;
    }
    return size_bytes == 0 ? LARDER_OK : lay_over(ranges, &new);
}

enum larder_status range_assign(struct larder_ranges *ranges, uint64_t first, uint64_t end,
                                enum larder_range_kind kind) {
    struct overlay new = {.first = first, .end = end, .kind = kind, .force = true};
    return lay_over(ranges, &new);
}

bool range_is_all(const struct larder_ranges *ranges, uint64_t first, uint64_t end,
                  unsigned kinds) {
    for (unsigned i = 0; i < ranges->count && first < end; i++) {
        const struct larder_range *range = &ranges->range[i];
        if (range_end(range) <= first) {
            continue;
        }
        if (range->address > first || (kinds & (1u << range->kind)) == 0) {
            return false;
        }
        first = range_end(range);
    }
    return first >= end;
}

bool range_next(const struct larder_ranges *ranges, unsigned kinds, uint64_t address,
                uint64_t *first, uint64_t *end) {
    for (unsigned i = 0; i < ranges->count; i++) {
        range_round_inward(&ranges->range[i], first, end);
        *first = max_u64(*first, address);
        if ((kinds >> ranges->range[i].kind & 1) != 0 && *first < *end) {
            return true;
        }
    }
    return false;
}

/* The highest aligned place for `size` bytes in one entry below the limit. */
static bool fits(const struct larder_range *range, uint64_t size, uint64_t align, uint64_t limit,
                 uint64_t *address) {
    uint64_t first, end;
    range_round_inward(range, &first, &end);
    end = min_u64(end, align_down(limit, FRAME_BYTES));
    if (range->kind != LARDER_RANGE_USABLE || first >= end || end - first < size) {
        return false;
    }
    *address = align_down(end - size, align);
    return *address >= first;
}

uint64_t larder_ranges_take(struct larder_ranges *ranges, uint64_t size_bytes, uint64_t align_bytes,
                            uint64_t limit_address, enum larder_range_kind kind) {
    uint64_t size, address;
    uint64_t align = max_u64(align_bytes, FRAME_BYTES);
    bool kind_is_taken = kind == LARDER_RANGE_DONATED || kind == LARDER_RANGE_RESERVED;
    if (size_bytes == 0 || !is_power_of_two(align_bytes) || ranges->closed || !kind_is_taken ||
        !checked_align_up(size_bytes, FRAME_BYTES, &size)) {
        return LARDER_ADDRESS_NONE;
    }
    for (unsigned i = ranges->count; i-- > 0;) {
        if (fits(&ranges->range[i], size, align, limit_address, &address)) {
            enum larder_status status = range_assign(ranges, address, address + size, kind);
            return status == LARDER_OK ? address : LARDER_ADDRESS_NONE;
        }
    }
    return LARDER_ADDRESS_NONE;
}

uint64_t larder_ranges_bytes(const struct larder_ranges *ranges, enum larder_range_kind kind) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < ranges->count; i++) {
        bytes += ranges->range[i].kind == kind ? ranges->range[i].size_bytes : 0;
    }
    return bytes;
}

const struct larder_range *larder_ranges_find(const struct larder_ranges *ranges,
                                              uint64_t address) {
    for (unsigned i = 0; i < ranges->count; i++) {
        const struct larder_range *range = &ranges->range[i];
        if (address >= range->address && address - range->address < range->size_bytes) {
            return range;
        }
    }
    return NULL;
}

bool range_gives_frame(const struct larder_range *range, uint64_t address) {
    return range != NULL && range->kind == LARDER_RANGE_USABLE &&
           range_end(range) - address >= FRAME_BYTES;
}
