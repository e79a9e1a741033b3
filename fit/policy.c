/* policy.c: from the policy of the heap to the structure that carries it out. With one policy
 * compiled in, every switch is decided at compile time. */
#include "policy.h"

FIT_LOCAL void policy_init(struct larder_fit_region *region) {
    unsigned char *bytes = (unsigned char *)&region->free;
    bytes_fill(bytes, bytes + sizeof region->free, 0);
}

FIT_LOCAL void policy_insert(const struct larder_fit *heap, struct larder_fit_region *region,
                             fit_chunk *chunk) {
    switch (policy_of(heap)) {
#if FIT_HAS_TREE
    case LARDER_FIT_BEST:
    case LARDER_FIT_WORST:
        tree_insert(region, chunk);
        break;
#endif
#if FIT_HAS_CLASSES
    case LARDER_FIT_GOOD:
        classes_insert(region, chunk);
        break;
#endif
    default:
#if FIT_HAS_LIST
        list_insert(region, chunk);
#endif
        break;
    }
}

FIT_LOCAL void policy_remove(const struct larder_fit *heap, struct larder_fit_region *region,
                             fit_chunk *chunk) {
    switch (policy_of(heap)) {
#if FIT_HAS_TREE
    case LARDER_FIT_BEST:
    case LARDER_FIT_WORST:
        tree_remove(region, chunk);
        break;
#endif
#if FIT_HAS_CLASSES
    case LARDER_FIT_GOOD:
        classes_remove(region, chunk);
        break;
#endif
    default:
#if FIT_HAS_LIST
        list_remove(region, chunk);
#endif
        break;
    }
}

/* The list keeps its place, O(1); elsewhere the place follows from the size. */
FIT_LOCAL void policy_replace(const struct larder_fit *heap, struct larder_fit_region *region,
                              fit_chunk *from, fit_chunk *to, size_t size) {
#if FIT_HAS_LIST
    if (policy_of(heap) <= LARDER_FIT_NEXT) {
        list_replace(region, from, to);
        chunk_set_free(to, size);
        return;
    }
#endif
    policy_remove(heap, region, from);
    chunk_set_free(to, size);
    policy_insert(heap, region, to);
}

FIT_LOCAL fit_chunk *policy_find(const struct larder_fit *heap, struct larder_fit_region *region,
                                 size_t size) {
    switch (policy_of(heap)) {
#if FIT_HAS(1)
    case LARDER_FIT_NEXT:
        return list_find_next(region, size);
#endif
#if FIT_HAS(2)
    case LARDER_FIT_BEST:
        return tree_find_best(region, size);
#endif
#if FIT_HAS(3)
    case LARDER_FIT_WORST:
        return tree_find_worst(region, size);
#endif
#if FIT_HAS(4)
    case LARDER_FIT_GOOD:
        return classes_find(region, size);
#endif
    default:
#if FIT_HAS(0)
        return list_find_first(region, size);
#else
        return NULL;
#endif
    }
}
