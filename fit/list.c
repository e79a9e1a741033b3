/* list.c: free chunks in one list by address, for first fit and next fit.
 *
 * By address, because that is what makes first fit pack well: holes near the start are used up and
 * the end stays whole. The list is linear, the first chunk's link back is the last one.
 *
 * A freed chunk that has no free neighbour must find its place. Two searches run in step: one along
 * the list from its head, one along the chunks behind, until the next free one. The cost is the
 * smaller of both: O(min(free chunks before, chunks in use behind)).
 */
#include "policy.h"

#if FIT_HAS_LIST

enum { LIST_NEXT = 0, LIST_PREV = 1 };

/* The chunk after `chunk`. It must lie behind it, so that no way through overwritten links is
 * without end. */
static fit_chunk *list_follow(const struct larder_fit_region *region, const fit_chunk *chunk) {
    fit_chunk *next = chunk_follow(region, chunk->link[LIST_NEXT]);
#if LARDER_FIT_CHECKS
    if (next != NULL && next <= chunk) {
        FIT_RAISE(LARDER_FIT_CORRUPT, chunk);
    }
#endif
    return next;
}

/* The first free chunk behind `chunk`, which is not listed; NULL iff none. */
static fit_chunk *find_successor(struct larder_fit_region *region, const fit_chunk *chunk) {
    fit_chunk *listed = region->free.list.head;
    const fit_chunk *behind = chunk_next(chunk);
    while (listed != NULL && listed < chunk) {
        if (chunk_bytes(behind) >= region->end) {
            return NULL;
        }
        if (chunk_is_free(behind)) {
            return chunk_at(behind);
        }
#if LARDER_FIT_CHECKS
        if (!chunk_is_plausible(region, behind)) {
            FIT_RAISE(LARDER_FIT_CORRUPT, behind);
        }
#endif
        behind = chunk_next(behind);
        listed = list_follow(region, listed);
    }
    return listed;
}

/* What the link of `at` back leads to: the chunk before it, for the head the last one. */
static fit_chunk *list_back(const struct larder_fit_region *region, const fit_chunk *at) {
    fit_chunk *prev = at->link[LIST_PREV];
#if LARDER_FIT_CHECKS
    const fit_chunk *next = at != region->free.list.head ? at : NULL;
    if (!chunk_looks_free(region, prev) || prev->link[LIST_NEXT] != next) {
        FIT_RAISE(LARDER_FIT_CORRUPT, at);
    }
#else
    (void)region;
#endif
    return prev;
}

FIT_LOCAL void list_insert(struct larder_fit_region *region, fit_chunk *chunk) {
    fit_chunk *head = region->free.list.head;
    fit_chunk *next = find_successor(region, chunk);
    fit_chunk *at = next != NULL ? next : head; /* whose link back we take; NULL: nothing listed */
    fit_chunk *prev = at != NULL ? list_back(region, at) : chunk;
    if (at != NULL) {
        at->link[LIST_PREV] = chunk;
    }
    chunk->link[LIST_NEXT] = next;
    chunk->link[LIST_PREV] = prev;
    if (next == head) {
        region->free.list.head = chunk;
    } else {
        prev->link[LIST_NEXT] = chunk;
    }
}

/* Links of a chunk that is to leave must lead back to it: a freed object may have been written. */
static void list_check_links(const struct larder_fit_region *region, const fit_chunk *chunk) {
#if LARDER_FIT_CHECKS
    const fit_chunk *next = chunk->link[LIST_NEXT], *prev = chunk->link[LIST_PREV];
    const fit_chunk *head = region->free.list.head;
    const fit_chunk *back = next != NULL ? next : head;
    bool sound = chunk_looks_free(region, back) && back->link[LIST_PREV] == chunk;
    if (sound && chunk != head) {
        sound = chunk_looks_free(region, prev) && prev->link[LIST_NEXT] == chunk;
    }
    if (!sound) {
        FIT_RAISE(LARDER_FIT_CORRUPT, chunk);
    }
#else
    (void)region;
    (void)chunk;
#endif
}

FIT_LOCAL void list_remove(struct larder_fit_region *region, fit_chunk *chunk) {
    list_check_links(region, chunk);
    fit_chunk *next = chunk->link[LIST_NEXT], *prev = chunk->link[LIST_PREV];
    if (chunk == region->free.list.head) {
        region->free.list.head = next;
    } else {
        prev->link[LIST_NEXT] = next;
    }
    fit_chunk *back = next != NULL ? next : region->free.list.head;
    if (back != NULL) {
        back->link[LIST_PREV] = prev;
    }
#if FIT_HAS(1)
    if (region->free.list.rover == chunk) {
        region->free.list.rover = next;
    }
#endif
}

FIT_LOCAL void list_replace(struct larder_fit_region *region, fit_chunk *from, fit_chunk *to) {
    if (from == to) {
        return;
    }
    list_check_links(region, from);
    fit_chunk *next = from->link[LIST_NEXT], *prev = from->link[LIST_PREV];
    if (from == region->free.list.head) {
        region->free.list.head = to;
    } else {
        prev->link[LIST_NEXT] = to;
    }
    to->link[LIST_NEXT] = next;
    to->link[LIST_PREV] = prev == from ? to : prev;
    if (next != NULL) {
        next->link[LIST_PREV] = to;
    } else {
        region->free.list.head->link[LIST_PREV] = to;
    }
#if FIT_HAS(1)
    if (region->free.list.rover == from) {
        region->free.list.rover = to;
    }
#endif
}

/* From `chunk` on, up to and without `stop`. */
static fit_chunk *find_between(struct larder_fit_region *region, fit_chunk *chunk,
                               const fit_chunk *stop, size_t size) {
    chunk = chunk_follow(region, chunk);
    while (chunk != stop && chunk != NULL && !chunk_holds(chunk, size)) {
        chunk = list_follow(region, chunk);
    }
    return chunk != stop ? chunk : NULL;
}

#if FIT_HAS(0)
FIT_LOCAL fit_chunk *list_find_first(struct larder_fit_region *region, size_t size) {
    return find_between(region, region->free.list.head, NULL, size);
}
#endif

#if FIT_HAS(1)
/* What is found becomes the rover; taking it away, whole or in part, moves the rover on. */
FIT_LOCAL fit_chunk *list_find_next(struct larder_fit_region *region, size_t size) {
    fit_chunk *rover = region->free.list.rover;
    fit_chunk *found = find_between(region, rover, NULL, size);
    if (found == NULL) {
        found = find_between(region, region->free.list.head, rover, size);
    }
    if (found != NULL) {
        region->free.list.rover = found;
    }
    return found;
}
#endif

#endif
