/* requested.c: see requested.h. */
#include "requested.h"

#include "larder/heap.h"

/* Up to 128 bytes a row for each 16, then eight to each doubling, as the size classes are, and one
 * for runs of frames. Should a home choose other classes, several share a row. */
#define LINEAR_BYTES ((size_t)128)
#define LINEAR_ROWS 8u
#define ROWS_PER_DOUBLING 8u
#define BITS_OF(value) (64u - (unsigned)__builtin_clzll(value))
#define ROW_OF_RUNS                                                                                \
    (LINEAR_ROWS + ROWS_PER_DOUBLING * (BITS_OF(LARDER_CLASS_MAX_BYTES) - BITS_OF(LINEAR_BYTES)))

static struct {
    uint64_t asked_bytes, granted_bytes; /* atomic, one after the other */
} row[ROW_OF_RUNS + 1];

static unsigned row_of(size_t granted_bytes) {
    const size_t last = granted_bytes - 1;
    if (granted_bytes > LARDER_CLASS_MAX_BYTES)
        return ROW_OF_RUNS;
    if (granted_bytes <= LINEAR_BYTES)
        return (unsigned)(last / (LINEAR_BYTES / LINEAR_ROWS));
    const unsigned bits = BITS_OF(last);
    const unsigned step = (unsigned)(last >> (bits - 4)) & (ROWS_PER_DOUBLING - 1);
    return LINEAR_ROWS + ROWS_PER_DOUBLING * (bits - BITS_OF(LINEAR_BYTES)) + step;
}

void requested_note(size_t size_bytes) {
    const size_t granted = larder_good_size(size_bytes);
    const unsigned here = row_of(granted);
    __atomic_add_fetch(&row[here].asked_bytes, size_bytes, __ATOMIC_RELAXED);
    __atomic_add_fetch(&row[here].granted_bytes, granted, __ATOMIC_RELAXED);
}

uint64_t requested_of(size_t granted_bytes, uint64_t live_bytes) {
    const unsigned here = row_of(granted_bytes);
    const uint64_t granted = __atomic_load_n(&row[here].granted_bytes, __ATOMIC_RELAXED);
    const uint64_t asked = __atomic_load_n(&row[here].asked_bytes, __ATOMIC_RELAXED);
    if (asked >= granted) /* none, or half of one */
        return live_bytes;
    return (uint64_t)((double)live_bytes * ((double)asked / (double)granted));
}
