/* id_set.h: which block ids are live. The lowest that is not is found in a few steps, however many
 * are: a bit per id, a bit per full word of these, and so on (a bitmap with summaries).
 *
 * Memory: 1/8 byte per id up to the most that ever lived at once, and a 64th of that.
 */
#ifndef LAB_TRACE_ID_SET_H
#define LAB_TRACE_ID_SET_H

#include <stdbool.h>
#include <stdint.h>

enum { ID_SET_LEVELS = 6 }; /* 64^6 > 2^32 */

struct id_set {
    /* Level 0: a bit per id, set iff it is live. Level n + 1: a bit per word of level n, set iff
     * all its bits are. Words beyond count_words are zero, and not there. */
    uint64_t *words[ID_SET_LEVELS];
    uint32_t count_words[ID_SET_LEVELS];
    uint32_t count_live;
    uint32_t count_ids; /* one more than the highest that was ever live */
};

/* An id_set of zeros is an empty one. */
void id_set_free(struct id_set *set);

/* The lowest id that is not live. */
uint32_t id_set_lowest(const struct id_set *set);

/* Make it live, or not any more. Nothing else may be asked of these: add what is not live, remove
 * what is. */
void id_set_add(struct id_set *set, uint32_t id);
void id_set_remove(struct id_set *set, uint32_t id);

static inline bool id_set_has(const struct id_set *set, uint32_t id) {
    return id / 64 < set->count_words[0] && (set->words[0][id / 64] >> id % 64 & 1) != 0;
}

#endif
