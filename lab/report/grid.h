/* grid.h: when to look, without knowing how long it will take: evenly, and never more than a fixed
 * number of times.
 *
 * Points lie at width, 2 × width, 3 × width … When GRID_POINTS of them are full, every other one is
 * dropped and the width doubles, so at the end there are between half of them and all of them. What
 * is looked at more rarely takes every STRIDE-th point, and is thinned with the others.
 */
#ifndef REPORT_GRID_H
#define REPORT_GRID_H

#include <stdbool.h>
#include <stdint.h>

#define GRID_POINTS 1024u

struct grid {
    uint64_t width; /* from point to point */
    uint32_t count; /* points passed */
};

/* The next point's time. */
static inline uint64_t grid_next(const struct grid *grid) {
    return (uint64_t)(grid->count + 1) * grid->width;
}

/* Will it be full before `now` is reached? Then everything kept by points is to be thinned first.
 */
static inline bool grid_is_short(const struct grid *grid, uint64_t now) {
    return now / grid->width >= GRID_POINTS;
}

static inline void grid_thin(struct grid *grid) {
    grid->width *= 2;
    grid->count /= 2;
}

#endif
