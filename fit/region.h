/* region.h: splitting and merging within a region, and who may call what.
 *
 * Everything here works on one region of one heap, under the heap's lock, and keeps the sums of
 * struct larder_fit right.
 */
#ifndef FIT_REGION_H
#define FIT_REGION_H

#include "policy.h"

/* Bytes of the chunk that serves `bytes`; 0 iff bytes is 0 or above PTRDIFF_MAX. */
FIT_LOCAL size_t chunk_need(size_t bytes);

/* Make [chunk, chunk + size) free and merge it with its neighbours. It is on no list; its header is
 * believed for PREV_FREE only. */
FIT_LOCAL void region_release(struct larder_fit *heap, struct larder_fit_region *region,
                              fit_chunk *chunk, size_t size);

/* Take the free `chunk` whole: it is in use, off its list. */
FIT_LOCAL void region_take(struct larder_fit *heap, struct larder_fit_region *region,
                           fit_chunk *chunk);

/* Take the first `need` bytes of the free `chunk`, or all of it if the rest is no chunk. */
FIT_LOCAL void region_carve(struct larder_fit *heap, struct larder_fit_region *region,
                            fit_chunk *chunk, size_t need);

/* Stretch a chunk in use to `need` bytes, more than it has, over a free one behind it. False, and
 * nothing changed, iff that does not suffice. */
FIT_LOCAL bool region_absorb(struct larder_fit *heap, struct larder_fit_region *region,
                             fit_chunk *chunk, size_t need);

/* Give back what a chunk in use has beyond `need`, if that is a chunk. */
FIT_LOCAL void region_trim(struct larder_fit *heap, struct larder_fit_region *region,
                           fit_chunk *chunk, size_t need);

/* Write down that the user of `chunk` asked for `bytes`. With TRACK. */
FIT_LOCAL void chunk_set_asked(fit_chunk *chunk, size_t bytes);

/* The bytes asked for; never more than the capacity, whatever is written there. */
FIT_LOCAL size_t chunk_asked(const fit_chunk *chunk);

/* The bytes behind what was asked for are untouched. True without CANARY. */
FIT_LOCAL bool chunk_is_whole(const fit_chunk *chunk);

/* The region that holds `pointer`; NULL iff none. */
FIT_LOCAL struct larder_fit_region *region_find(const struct larder_fit *heap, const void *pointer);

/* What is wrong with giving back `pointer`; SOUND and *chunk iff nothing is found. */
FIT_LOCAL enum larder_fit_mistake region_judge(const struct larder_fit_region *region,
                                               const void *pointer, fit_chunk **chunk);

/* Whole-heap check without the lock. */
FIT_LOCAL enum larder_fit_mistake heap_check(const struct larder_fit *heap, const void **where);

#endif
