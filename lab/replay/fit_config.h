/* fit_config.h: the region heap as the lab compiles it: as it comes, but for a counter of the
 * chunks that searches look at, and words for its last moment. Both are in region.c. */
#ifndef LAB_REPLAY_FIT_CONFIG_H
#define LAB_REPLAY_FIT_CONFIG_H

#include <stdint.h>

extern uint64_t region_looked;
void region_fatal(unsigned mistake, const void *pointer);

#define LARDER_FIT_LOOK(chunk) ((void)(chunk), (void)region_looked++)
#define LARDER_FIT_FATAL(mistake, pointer) region_fatal((unsigned)(mistake), (pointer))

#endif
