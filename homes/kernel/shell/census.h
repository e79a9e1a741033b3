/* census.h: how much memory is really free, when nobody holds any of it back.
 *
 * Free frames also lie in bins, objects in magazines, slabs in depots, each CPU's own. Before
 * counting, every CPU empties its own; then what is not in the buddies is in use.
 */
#ifndef SHELL_CENSUS_H
#define SHELL_CENSUS_H

#include "kernel.h"

#include "larder/frames.h"

/* Empty the magazines and bins of every CPU, then count. On CPU 0, with every other CPU idle. */
void census_take(struct larder_frames_stats *stats);

#endif
