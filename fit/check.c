/* check.c: every invariant of a heap as an equation, and what a person wants to know of it.
 *
 * The checker believes nothing: a header is read only inside its region, a size only if it ends
 * there, a link only if a sound free chunk is at its other end, and each loop is bounded by what
 * was counted before. The equations, per region:
 *
 *   sizes of all chunks                      = end − first
 *   FREE of a chunk                          = PREV_FREE of the next header
 *   free chunks                              = chunks the policy's structure holds, each in its
 * place and per heap: sizes of free chunks          = free_bytes
 */
#include "region.h"

/* What one walk over a region adds up. */
struct tally {
    size_t free_chunks;
    size_t free_bytes;
    size_t edges;            /* tree: links that are not NULL */
    const fit_chunk *listed; /* list: the next free chunk the list promises */
};

/* One chunk for itself, and against the one behind it. */
static enum larder_fit_mistake check_chunk(const struct larder_fit_region *region,
                                           const fit_chunk *chunk) {
    if (!chunk_is_plausible(region, chunk)) {
        return LARDER_FIT_CORRUPT;
    }
    const fit_chunk *next = chunk_next(chunk);
    bool is_free = chunk_is_free(chunk);
    if (chunk_follows_free(next) != is_free ||
        (is_free && (chunk_is_free(next) || (chunk->header & FIT_SLACK) != 0 ||
                     !chunk_is_sound_free(region, chunk)))) {
        return LARDER_FIT_CORRUPT;
    }
    if (!is_free) {
        return chunk_is_whole(chunk) ? LARDER_FIT_SOUND : LARDER_FIT_OVERRUN;
    }
#if LARDER_FIT_POISON
    if (!bytes_are(chunk_bytes(chunk) + FIT_LINKED, chunk_end(chunk) - FIT_WORD, FIT_POISON_BYTE)) {
        return LARDER_FIT_POISONED;
    }
#endif
    return LARDER_FIT_SOUND;
}

#if FIT_HAS_LIST
/* The list names the free chunks in the order in which they lie. */
static bool follow_list(struct tally *tally, const struct larder_fit_region *region,
                        const fit_chunk *chunk, const fit_chunk **last) {
    if (tally->listed != chunk || (*last != NULL && chunk->link[1] != *last)) {
        return false;
    }
    (void)region;
    *last = chunk;
    tally->listed = chunk->link[0];
    return true;
}

static bool list_ends(const struct tally *tally, const struct larder_fit_region *region,
                      const fit_chunk *last) {
    const fit_chunk *head = region->free.list.head;
    return tally->listed == NULL && (last == NULL || head->link[1] == last);
}

#if FIT_HAS(1)
static bool rover_is_sound(const struct larder_fit_region *region) {
    const fit_chunk *rover = region->free.list.rover;
    const fit_chunk *chunk = region->free.list.head;
    while (chunk != NULL && chunk != rover) {
        chunk = chunk->link[0];
    }
    return chunk == rover;
}
#endif
#endif

/* Is the free `chunk` where its policy keeps it? Called by address, lowest first. */
static bool is_kept(const struct larder_fit *heap, const struct larder_fit_region *region,
                    const fit_chunk *chunk, struct tally *tally, const fit_chunk **last) {
    (void)tally;
    (void)last;
    switch (policy_of(heap)) {
#if FIT_HAS_TREE
    case LARDER_FIT_BEST:
    case LARDER_FIT_WORST:
        tally->edges += (chunk->link[0] != NULL) + (size_t)(chunk->link[1] != NULL);
        return tree_has(region, chunk, (size_t)(region->end - region->first) / FIT_MIN);
#endif
#if FIT_HAS_CLASSES
    case LARDER_FIT_GOOD:
        return classes_has(region, chunk);
#endif
    default:
#if FIT_HAS_LIST
        return follow_list(tally, region, chunk, last);
#else
        return false;
#endif
    }
}

/* Does the structure hold these chunks and no more? */
static bool is_complete(const struct larder_fit *heap, const struct larder_fit_region *region,
                        const struct tally *tally, const fit_chunk *last) {
    (void)last;
    switch (policy_of(heap)) {
#if FIT_HAS_TREE
    case LARDER_FIT_BEST:
    case LARDER_FIT_WORST:
        /* All are reached from the root, and a tree has one link less than nodes. */
        return tally->free_chunks == 0 ? region->free.root == NULL
                                       : tally->edges == tally->free_chunks - 1;
#endif
#if FIT_HAS_CLASSES
    case LARDER_FIT_GOOD:
        return classes_are_sound(region, tally->free_chunks);
#endif
    default:
#if FIT_HAS(1)
        if (policy_of(heap) == LARDER_FIT_NEXT) {
            return list_ends(tally, region, last) && rover_is_sound(region);
        }
#endif
#if FIT_HAS_LIST
        return list_ends(tally, region, last);
#else
        return false;
#endif
    }
}

static enum larder_fit_mistake check_region(const struct larder_fit *heap,
                                            const struct larder_fit_region *region,
                                            struct tally *tally, const void **where) {
    const fit_chunk *chunk = chunk_at(region->first), *last = NULL;
    bool follows_free = false;
    *where = chunk;
    /* The first header has no free chunk before it. */
    if (chunk_follows_free(chunk) != follows_free) {
        return LARDER_FIT_CORRUPT;
    }
    while (chunk_bytes(chunk) < region->end) {
        *where = chunk;
        enum larder_fit_mistake mistake = check_chunk(region, chunk);
        if (mistake != LARDER_FIT_SOUND) {
            return mistake;
        }
        if (chunk_is_free(chunk)) {
            if (!is_kept(heap, region, chunk, tally, &last)) {
                return LARDER_FIT_CORRUPT;
            }
            tally->free_chunks++;
            tally->free_bytes += chunk_size(chunk);
        }
        chunk = chunk_next(chunk);
    }
    *where = region;
    bool sound = (chunk->header & ~FIT_PREV_FREE) == 0 && is_complete(heap, region, tally, last);
    return sound ? LARDER_FIT_SOUND : LARDER_FIT_CORRUPT;
}

FIT_LOCAL enum larder_fit_mistake heap_check(const struct larder_fit *heap, const void **where) {
    size_t free_bytes = 0;
    for (const struct larder_fit_region *region = heap->regions; region != NULL;
         region = region->next) {
        struct tally tally = {0, 0, 0, NULL};
#if FIT_HAS_LIST
        tally.listed = region->free.list.head;
#endif
        enum larder_fit_mistake mistake = check_region(heap, region, &tally, where);
        if (mistake != LARDER_FIT_SOUND) {
            return mistake;
        }
        free_bytes += tally.free_bytes;
    }
    *where = heap;
    bool sound = free_bytes == heap->free_bytes && heap->minimum_free_bytes <= free_bytes;
    return sound ? LARDER_FIT_SOUND : LARDER_FIT_CORRUPT;
}

enum larder_fit_mistake larder_fit_check(struct larder_fit *heap, const void **where) {
    const void *found = NULL;
    LARDER_FIT_LOCK(heap);
    enum larder_fit_mistake mistake = heap_check(heap, &found);
    LARDER_FIT_UNLOCK(heap);
    if (where != NULL) {
        *where = mistake != LARDER_FIT_SOUND ? found : NULL;
    }
    return mistake;
}
