/* classes.c: free chunks in lists by size class, under two levels of bitmaps, for good fit.
 *
 * After Masmano, Ripoll, Crespo and Real (TLSF, 2004): the first level is the doubling a size lies
 * in, the second one of 2^STEPS_LOG2 equal steps of it; a bit says which lists are not empty. Every
 * operation is a few shifts and two bit searches, whatever the heap looks like.
 *
 *   units = size / ALIGN    0 ..steps  steps ..2·steps  2·steps ..4·steps   ...
 *   doubling                    0            1                 2
 *   step                      units    units − steps     (units >> 1) − steps
 *
 * A request looks in the next class whose smallest chunk holds it, so the head of any list found
 * fits and no list is walked. If there is none, the head of its own class may still do.
 */
#include "policy.h"

#if FIT_HAS_CLASSES

enum { CLASS_NEXT = 0, CLASS_PREV = 1 };

#define STEPS_LOG2 ((unsigned)LARDER_FIT_STEPS_LOG2)
#define STEPS ((size_t)1 << STEPS_LOG2)

struct size_class {
    unsigned doubling;
    unsigned step;
};

static struct size_class class_of(size_t size) {
    struct size_class class_;
    size_t units = size / FIT_ALIGN;
    if (units < STEPS) {
        class_.doubling = 0;
        class_.step = (unsigned)units;
    } else {
        unsigned shift = word_highest(units) - STEPS_LOG2;
        class_.doubling = shift + 1;
        class_.step = (unsigned)((units >> shift) - STEPS);
    }
    return class_;
}

/* The smallest class all of whose chunks hold `size`; may lie beyond the last. */
static struct size_class class_above(size_t size) {
    size_t units = size / FIT_ALIGN;
    if (units >= STEPS) {
        unsigned shift = word_highest(units) - STEPS_LOG2;
        size += (((size_t)1 << shift) - 1) * FIT_ALIGN;
    }
    return class_of(size);
}

static fit_chunk **head_of(struct larder_fit_region *region, struct size_class class_) {
    return &region->free.classes.head[class_.doubling][class_.step];
}

FIT_LOCAL void classes_insert(struct larder_fit_region *region, fit_chunk *chunk) {
    struct size_class class_ = class_of(chunk_size(chunk));
    fit_chunk **head = head_of(region, class_);
    fit_chunk *next = chunk_follow(region, *head);
    chunk->link[CLASS_NEXT] = next;
    chunk->link[CLASS_PREV] = NULL;
    if (next != NULL) {
        next->link[CLASS_PREV] = chunk;
    }
    *head = chunk;
    region->free.classes.steps[class_.doubling] |= (uint32_t)1 << class_.step;
    region->free.classes.doublings |= (size_t)1 << class_.doubling;
}

static void classes_check_links(struct larder_fit_region *region, const fit_chunk *chunk,
                                const fit_chunk *head) {
    const fit_chunk *next = chunk_follow(region, chunk->link[CLASS_NEXT]);
    const fit_chunk *prev = chunk_follow(region, chunk->link[CLASS_PREV]);
#if LARDER_FIT_CHECKS
    bool sound = next == NULL || next->link[CLASS_PREV] == chunk;
    if (!sound || (prev == NULL ? head : prev->link[CLASS_NEXT]) != chunk) {
        FIT_RAISE(LARDER_FIT_CORRUPT, chunk);
    }
#else
    (void)next;
    (void)prev;
    (void)head;
#endif
}

FIT_LOCAL void classes_remove(struct larder_fit_region *region, fit_chunk *chunk) {
    struct size_class class_ = class_of(chunk_size(chunk));
    fit_chunk **head = head_of(region, class_);
    classes_check_links(region, chunk, *head);
    fit_chunk *next = chunk->link[CLASS_NEXT], *prev = chunk->link[CLASS_PREV];
    if (next != NULL) {
        next->link[CLASS_PREV] = prev;
    }
    if (prev != NULL) {
        prev->link[CLASS_NEXT] = next;
        return;
    }
    *head = next;
    if (next == NULL) {
        uint32_t *steps = &region->free.classes.steps[class_.doubling];
        *steps &= ~((uint32_t)1 << class_.step);
        if (*steps == 0) {
            region->free.classes.doublings &= ~((size_t)1 << class_.doubling);
        }
    }
}

FIT_LOCAL fit_chunk *classes_find(struct larder_fit_region *region, size_t size) {
    struct size_class above = class_above(size);
    if (above.doubling < LARDER_FIT_DOUBLINGS_) {
        uint32_t steps = region->free.classes.steps[above.doubling];
        steps &= ~(uint32_t)0 << above.step;
        if (steps == 0) {
            /* In two shifts: the last doubling may be the last bit of the word. */
            size_t doublings = region->free.classes.doublings;
            doublings &= (~(size_t)0 << above.doubling) << 1;
            if (doublings != 0) {
                above.doubling = word_lowest(doublings);
                steps = region->free.classes.steps[above.doubling];
            }
        }
        if (steps != 0) {
            above.step = steps_lowest(steps);
            fit_chunk *found = chunk_follow(region, *head_of(region, above));
            LARDER_FIT_LOOK(found);
            return found;
        }
    }
    struct size_class class_ = class_of(size);
    if (class_.doubling >= LARDER_FIT_DOUBLINGS_) {
        return NULL;
    }
    fit_chunk *own = chunk_follow(region, *head_of(region, class_));
    return own != NULL && chunk_holds(own, size) ? own : NULL;
}

/* For the checker: does exactly its neighbour in the list of its class lead to it? */
FIT_LOCAL bool classes_has(const struct larder_fit_region *region, const fit_chunk *chunk) {
    struct size_class class_ = class_of(chunk_size(chunk));
    const fit_chunk *prev = chunk->link[CLASS_PREV];
    if (prev == NULL) {
        return region->free.classes.head[class_.doubling][class_.step] == chunk;
    }
    return chunk_is_sound_free(region, prev) && prev->link[CLASS_NEXT] == chunk;
}

/* Chunks of one list, at most one more than `most`, all sound, all of that class; SIZE_MAX iff
 * not. */
static size_t count_list(const struct larder_fit_region *region, struct size_class class_,
                         size_t most) {
    const fit_chunk *chunk = region->free.classes.head[class_.doubling][class_.step];
    const fit_chunk *prev = NULL;
    size_t count = 0;
    while (chunk != NULL && count <= most) {
        if (!chunk_is_sound_free(region, chunk) || chunk->link[CLASS_PREV] != prev) {
            return SIZE_MAX;
        }
        struct size_class own = class_of(chunk_size(chunk));
        if (own.doubling != class_.doubling || own.step != class_.step) {
            return SIZE_MAX;
        }
        prev = chunk;
        chunk = chunk->link[CLASS_NEXT];
        count++;
    }
    return count;
}

/* For the checker: lists hold `chunks` chunks together, and the bitmaps say which are not empty. */
FIT_LOCAL bool classes_are_sound(const struct larder_fit_region *region, size_t chunks) {
    size_t left = chunks;
    struct size_class class_;
    for (class_.doubling = 0; class_.doubling < LARDER_FIT_DOUBLINGS_; class_.doubling++) {
        uint32_t steps = region->free.classes.steps[class_.doubling];
        bool any = (region->free.classes.doublings >> class_.doubling & 1) != 0;
        if (any != (steps != 0)) {
            return false;
        }
        for (class_.step = 0; class_.step < STEPS; class_.step++) {
            size_t count = count_list(region, class_, left);
            if (count > left || (count > 0) != ((steps >> class_.step & 1) != 0)) {
                return false;
            }
            left -= count;
        }
    }
    return left == 0;
}

#endif
