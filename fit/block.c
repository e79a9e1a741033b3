/* block.c: splitting, merging and the bytes nobody asked for.
 *
 *   merge    | free P | freed C | free N |    →    | free ............... |
 *   split    | free .................... |    →    | in use    | free     |
 *
 * The order is always: structures first, headers last; a header that ends up inside a merged chunk
 * keeps FREE set, so that freeing it again is seen.
 */
#include "region.h"

FIT_LOCAL size_t chunk_need(size_t bytes) {
    if (bytes == 0 || bytes > FIT_REQUEST_MAX) {
        return 0;
    }
    /* FIT_REQUEST_MAX is half of SIZE_MAX: the sum cannot wrap. */
    size_t need = FIT_ROUND_UP(FIT_HEAD + bytes + FIT_TAIL);
    return need > FIT_MIN ? need : FIT_MIN;
}

/* ---- Poison ---------------------------------------------------------------------------------- */

/* Between the links and the tag of each free chunk all is poison. Fill what the merge of
 * [chunk, end) with its neighbours leaves there. */
static void poison_released(const fit_chunk *chunk, const fit_chunk *behind, bool merged_before) {
#if LARDER_FIT_POISON
    unsigned char *from = chunk_bytes(chunk);
    unsigned char *to = chunk_bytes(behind);
    bool merged_behind = chunk_is_free(behind);
    from += merged_before ? -(ptrdiff_t)FIT_WORD : (ptrdiff_t)FIT_LINKED;
    to += merged_behind ? (ptrdiff_t)FIT_LINKED : -(ptrdiff_t)FIT_WORD;
    bytes_fill(from, to, FIT_POISON_BYTE);
#else
    (void)chunk;
    (void)behind;
    (void)merged_before;
#endif
}

static void check_poison(const fit_chunk *chunk, size_t taken) {
#if LARDER_FIT_POISON
    size_t size = chunk_size(chunk);
    size_t to = taken < size ? taken : size - FIT_WORD;
    if (!bytes_are(chunk_bytes(chunk) + FIT_LINKED, chunk_bytes(chunk) + to, FIT_POISON_BYTE)) {
        FIT_RAISE(LARDER_FIT_POISONED, chunk_payload(chunk));
    }
#else
    (void)chunk;
    (void)taken;
#endif
}

/* ---- Split and merge ------------------------------------------------------------------------- */

FIT_LOCAL void region_release(struct larder_fit *heap, struct larder_fit_region *region,
                              fit_chunk *chunk, size_t size) {
    fit_chunk *behind = chunk_at(chunk_bytes(chunk) + size);
    fit_chunk *before = chunk_follows_free(chunk) ? chunk_prev(chunk) : NULL;
    bool free_behind = chunk_is_free(behind);
    LARDER_FIT_ASSERT(size >= FIT_ALIGN && (size & (FIT_ALIGN - 1)) == 0);
    heap->free_bytes += size;
    chunk_set_header(chunk, size | FIT_FREE);
    size_t size_behind = free_behind ? chunk_size(behind) : 0;
    if (before != NULL) {
        size_t total = chunk_size(before) + size + size_behind;
        if (free_behind) {
            policy_remove(heap, region, behind);
        }
        policy_replace(heap, region, before, before, total);
        poison_released(chunk, behind, true);
        chunk = before;
    } else if (free_behind) {
        policy_replace(heap, region, behind, chunk, size + size_behind);
        poison_released(chunk, behind, false);
    } else {
        poison_released(chunk, behind, false);
        chunk_set_free(chunk, size);
        policy_insert(heap, region, chunk);
    }
    chunk_set_prev_free(chunk_next(chunk), true);
}

FIT_LOCAL void region_take(struct larder_fit *heap, struct larder_fit_region *region,
                           fit_chunk *chunk) {
    size_t size = chunk_size(chunk);
    check_poison(chunk, size);
    policy_remove(heap, region, chunk);
    chunk_set_header(chunk, size);
    chunk_set_prev_free(chunk_next(chunk), false);
    heap->free_bytes -= size;
}

FIT_LOCAL void region_carve(struct larder_fit *heap, struct larder_fit_region *region,
                            fit_chunk *chunk, size_t need) {
    size_t size = chunk_size(chunk);
    LARDER_FIT_ASSERT(need >= FIT_MIN && need <= size);
    if (size - need < FIT_MIN) {
        region_take(heap, region, chunk);
        return;
    }
    check_poison(chunk, need);
    policy_replace(heap, region, chunk, chunk_at(chunk_bytes(chunk) + need), size - need);
    chunk_set_header(chunk, need);
    heap->free_bytes -= need;
}

FIT_LOCAL bool region_absorb(struct larder_fit *heap, struct larder_fit_region *region,
                             fit_chunk *chunk, size_t need) {
    size_t more = need - chunk_size(chunk);
    fit_chunk *behind = chunk_next(chunk);
    if (!chunk_is_free(behind) || chunk_size(behind) < more) {
        return false;
    }
    size_t rest = chunk_size(behind) - more;
    if (rest < FIT_MIN) {
        size_t total = chunk_size(chunk) + chunk_size(behind);
        region_take(heap, region, behind);
        chunk_set_used(chunk, total);
        return true;
    }
    check_poison(behind, more);
    policy_replace(heap, region, behind, chunk_at(chunk_bytes(behind) + more), rest);
    chunk_set_used(chunk, need);
    heap->free_bytes -= more;
    return true;
}

FIT_LOCAL void region_trim(struct larder_fit *heap, struct larder_fit_region *region,
                           fit_chunk *chunk, size_t need) {
    size_t rest = chunk_size(chunk) - need;
    LARDER_FIT_ASSERT(need >= FIT_MIN && need <= chunk_size(chunk));
    if (rest < FIT_MIN) {
        return;
    }
    fit_chunk *freed = chunk_at(chunk_bytes(chunk) + need);
    chunk_set_used(chunk, need);
    chunk_set_header(freed, rest);
    region_release(heap, region, freed, rest);
}

/* ---- What was asked for ---------------------------------------------------------------------- */

#if FIT_TRACK

#define FIT_LONG_SLACK 255u

static void write_word(unsigned char *at, size_t value) {
    for (size_t i = 0; i < FIT_WORD; i++) {
        at[i] = (unsigned char)(value >> (8 * i));
    }
}

static size_t read_word(const unsigned char *at) {
    size_t value = 0;
    for (size_t i = FIT_WORD; i-- > 0;) {
        value = value << 8 | at[i];
    }
    return value;
}

FIT_LOCAL void chunk_set_asked(fit_chunk *chunk, size_t bytes) {
    size_t slack = chunk_capacity(chunk) - bytes;
    LARDER_FIT_ASSERT(bytes + FIT_TAIL <= chunk_capacity(chunk));
    size_t header = chunk->header & ~FIT_SLACK;
    chunk_set_header(chunk, header | (slack > 0 ? FIT_SLACK : 0));
    if (slack == 0) {
        return;
    }
    unsigned char *end = chunk_end(chunk);
#if LARDER_FIT_CANARY
    bytes_fill(end - slack, end, FIT_CANARY_BYTE);
#endif
    end[-1] = (unsigned char)(slack < FIT_LONG_SLACK ? slack : FIT_LONG_SLACK);
    if (slack >= FIT_LONG_SLACK) {
        write_word(end - 1 - FIT_WORD, slack);
    }
}

/* As written; the user may have overwritten it. */
static size_t slack_of(const fit_chunk *chunk) {
    const unsigned char *end = chunk_end(chunk);
    if ((chunk->header & FIT_SLACK) == 0) {
        return 0;
    }
    if (end[-1] < FIT_LONG_SLACK) {
        return end[-1];
    }
    /* The smallest chunk holds the word and the byte. */
    return read_word(end - 1 - FIT_WORD);
}

FIT_LOCAL size_t chunk_asked(const fit_chunk *chunk) {
    size_t capacity = chunk_capacity(chunk), slack = slack_of(chunk);
    return slack < capacity ? capacity - slack : 0;
}

FIT_LOCAL bool chunk_is_whole(const fit_chunk *chunk) {
#if LARDER_FIT_CANARY
    size_t slack = slack_of(chunk);
    if (slack < FIT_TAIL || slack >= chunk_capacity(chunk)) {
        return false;
    }
    const unsigned char *end = chunk_end(chunk);
    size_t count = slack < FIT_LONG_SLACK ? 1 : 1 + FIT_WORD;
    return bytes_are(end - slack, end - count, FIT_CANARY_BYTE);
#else
    (void)chunk;
    return true;
#endif
}

#else

FIT_LOCAL void chunk_set_asked(fit_chunk *chunk, size_t bytes) {
    (void)chunk;
    (void)bytes;
}

FIT_LOCAL size_t chunk_asked(const fit_chunk *chunk) {
    return chunk_capacity(chunk);
}

FIT_LOCAL bool chunk_is_whole(const fit_chunk *chunk) {
    (void)chunk;
    return true;
}

#endif
