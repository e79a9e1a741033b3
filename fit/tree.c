/* tree.c: free chunks in a tree by size, then address, for best fit and worst fit.
 *
 * A treap (Seidel and Aragon 1996): a search tree by key that is also a heap by priority. The
 * priority is a hash of the chunk's address, so it is stored nowhere, a node is two links, and the
 * smallest chunk stays at four words. The shape follows from the set of chunks alone; expected
 * depth is below 2 ln n, whatever the sizes. Insertion splits the subtree it displaces, removal
 * merges two; both are loops over links, no recursion, no stack.
 */
#include "policy.h"

#if FIT_HAS_TREE

enum { LEFT = 0, RIGHT = 1 };

/* A bijection of 32-bit words: neighbours in memory must not be neighbours in priority. */
static uint32_t priority_of(const fit_chunk *chunk) {
    uintptr_t at = (uintptr_t)chunk / FIT_ALIGN;
    uint32_t hash = (uint32_t)at;
#if SIZE_MAX > 0xffffffffu
    hash ^= (uint32_t)(at >> 32) * 0x9e3779b1u;
#endif
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    return hash ^ (hash >> 16);
}

static bool is_before(const fit_chunk *a, const fit_chunk *b) {
    size_t size_a = chunk_size(a), size_b = chunk_size(b);
    return size_a != size_b ? size_a < size_b : a < b;
}

/* A total order, though hashes of addresses 64 GiB apart may be the same. */
static bool is_above(const fit_chunk *a, const fit_chunk *b) {
    uint32_t priority_a = priority_of(a), priority_b = priority_of(b);
    return priority_a != priority_b ? priority_a > priority_b : a > b;
}

/* The child of `parent` at a link. It must be below its parent, so that no way through overwritten
 * links is without end. */
static fit_chunk *tree_follow(const struct larder_fit_region *region, const fit_chunk *parent,
                              fit_chunk *child) {
#if LARDER_FIT_CHECKS
    if (chunk_follow(region, child) != NULL && !is_above(parent, child)) {
        FIT_RAISE(LARDER_FIT_CORRUPT, parent);
    }
#else
    (void)region;
    (void)parent;
#endif
    return child;
}

FIT_LOCAL void tree_insert(struct larder_fit_region *region, fit_chunk *chunk) {
    fit_chunk **link = &region->free.root;
    fit_chunk *node = chunk_follow(region, *link);
    while (node != NULL && is_above(node, chunk)) {
        link = &node->link[is_before(chunk, node) ? LEFT : RIGHT];
        node = tree_follow(region, node, *link);
    }
    *link = chunk;
    /* What hung here goes below the newcomer: smaller keys to its left, larger to its right. */
    fit_chunk **left = &chunk->link[LEFT], **right = &chunk->link[RIGHT];
    while (node != NULL) {
        if (is_before(node, chunk)) {
            *left = node;
            left = &node->link[RIGHT];
            node = tree_follow(region, node, *left);
        } else {
            *right = node;
            right = &node->link[LEFT];
            node = tree_follow(region, node, *right);
        }
    }
    *left = NULL;
    *right = NULL;
}

/* The link that leads to `chunk`. A way that misses it is a way somebody has overwritten. */
static fit_chunk **link_to(struct larder_fit_region *region, const fit_chunk *chunk) {
    fit_chunk **link = &region->free.root;
    fit_chunk *node = chunk_follow(region, *link);
    while (node != chunk) {
        if (node == NULL) {
            FIT_RAISE(LARDER_FIT_CORRUPT, chunk);
        }
        link = &node->link[is_before(chunk, node) ? LEFT : RIGHT];
        node = tree_follow(region, node, *link);
    }
    return link;
}

FIT_LOCAL void tree_remove(struct larder_fit_region *region, fit_chunk *chunk) {
    fit_chunk **link = link_to(region, chunk);
    fit_chunk *left = tree_follow(region, chunk, chunk->link[LEFT]);
    fit_chunk *right = tree_follow(region, chunk, chunk->link[RIGHT]);
    while (left != NULL && right != NULL) {
        if (is_above(left, right)) {
            *link = left;
            link = &left->link[RIGHT];
            left = tree_follow(region, left, *link);
        } else {
            *link = right;
            link = &right->link[LEFT];
            right = tree_follow(region, right, *link);
        }
    }
    *link = left != NULL ? left : right;
}

#if FIT_HAS(2)
FIT_LOCAL fit_chunk *tree_find_best(struct larder_fit_region *region, size_t size) {
    fit_chunk *best = NULL;
    fit_chunk *node = chunk_follow(region, region->free.root);
    while (node != NULL) {
        bool holds = chunk_holds(node, size);
        best = holds ? node : best;
        node = tree_follow(region, node, node->link[holds ? LEFT : RIGHT]);
    }
    return best;
}
#endif

#if FIT_HAS(3)
FIT_LOCAL fit_chunk *tree_find_worst(struct larder_fit_region *region, size_t size) {
    fit_chunk *worst = NULL;
    fit_chunk *node = chunk_follow(region, region->free.root);
    while (node != NULL) {
        LARDER_FIT_LOOK(node);
        worst = node;
        node = tree_follow(region, node, node->link[RIGHT]);
    }
    return worst != NULL && chunk_size(worst) >= size ? worst : NULL;
}
#endif

/* For the checker: is it where its key says, within `most` steps, over sound chunks only, each
 * below a parent of higher priority? */
FIT_LOCAL bool tree_has(const struct larder_fit_region *region, const fit_chunk *chunk,
                        size_t most) {
    const fit_chunk *node = region->free.root;
    const fit_chunk *parent = NULL;
    while (node != NULL && most-- > 0) {
        if (!chunk_is_sound_free(region, node)) {
            return false;
        }
        if (parent != NULL && !is_above(parent, node)) {
            return false;
        }
        if (node == chunk) {
            return true;
        }
        parent = node;
        node = node->link[is_before(chunk, node) ? LEFT : RIGHT];
    }
    return false;
}

#endif
