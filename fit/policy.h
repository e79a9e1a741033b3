/* policy.h: where free chunks are kept and which one serves a request.
 *
 * A policy knows free chunks of one region; it neither splits nor merges. Three structures do for
 * five policies: a list by address (first, next), a tree by size and address (best, worst), lists
 * by size class under two levels of bitmaps (good). The tag and header of a chunk are set before it
 * is inserted and still so when it is removed.
 */
#ifndef FIT_POLICY_H
#define FIT_POLICY_H

#include "chunk.h"

#if FIT_HAS_LIST
FIT_LOCAL void list_insert(struct larder_fit_region *region, fit_chunk *chunk);
FIT_LOCAL void list_remove(struct larder_fit_region *region, fit_chunk *chunk);
FIT_LOCAL void list_replace(struct larder_fit_region *region, fit_chunk *from, fit_chunk *to);
#if FIT_HAS(0)
FIT_LOCAL fit_chunk *list_find_first(struct larder_fit_region *region, size_t size);
#endif
#if FIT_HAS(1)
FIT_LOCAL fit_chunk *list_find_next(struct larder_fit_region *region, size_t size);
#endif
#endif

#if FIT_HAS_TREE
FIT_LOCAL void tree_insert(struct larder_fit_region *region, fit_chunk *chunk);
FIT_LOCAL void tree_remove(struct larder_fit_region *region, fit_chunk *chunk);
#if FIT_HAS(2)
FIT_LOCAL fit_chunk *tree_find_best(struct larder_fit_region *region, size_t size);
#endif
#if FIT_HAS(3)
FIT_LOCAL fit_chunk *tree_find_worst(struct larder_fit_region *region, size_t size);
#endif
FIT_LOCAL bool tree_has(const struct larder_fit_region *region, const fit_chunk *chunk,
                        size_t most);
#endif

#if FIT_HAS_CLASSES
FIT_LOCAL void classes_insert(struct larder_fit_region *region, fit_chunk *chunk);
FIT_LOCAL void classes_remove(struct larder_fit_region *region, fit_chunk *chunk);
FIT_LOCAL fit_chunk *classes_find(struct larder_fit_region *region, size_t size);
FIT_LOCAL bool classes_has(const struct larder_fit_region *region, const fit_chunk *chunk);
FIT_LOCAL bool classes_are_sound(const struct larder_fit_region *region, size_t chunks);
#endif

/* By the policy of the heap. */
FIT_LOCAL void policy_init(struct larder_fit_region *region);
FIT_LOCAL void policy_insert(const struct larder_fit *heap, struct larder_fit_region *region,
                             fit_chunk *chunk);
FIT_LOCAL void policy_remove(const struct larder_fit *heap, struct larder_fit_region *region,
                             fit_chunk *chunk);
/* `from` leaves; the `size` bytes at `to` become a free chunk in its stead. They may overlap. No
 * other free chunk lies between them. */
FIT_LOCAL void policy_replace(const struct larder_fit *heap, struct larder_fit_region *region,
                              fit_chunk *from, fit_chunk *to, size_t size);
/* A chunk of at least `size` bytes, still in its place; NULL iff the policy finds none. */
FIT_LOCAL fit_chunk *policy_find(const struct larder_fit *heap, struct larder_fit_region *region,
                                 size_t size);

static inline unsigned policy_of(const struct larder_fit *heap) {
#if (LARDER_FIT_POLICIES & (LARDER_FIT_POLICIES - 1)) != 0
    return heap->policy;
#else
    (void)heap;
    return word_lowest(LARDER_FIT_POLICIES);
#endif
}

#endif
