/* chunk.h: one boundary-tagged chunk, and how its words are read and written.
 *
 *   in use   | owner? guard? header | what the user holds ........ slack |
 *   free     | owner? guard? header | link[0] link[1] ..... size at last |
 *            ^ chunk                ^ aligned to LARDER_FIT_ALIGN
 *
 * The header is the size of the chunk, a multiple of LARDER_FIT_ALIGN, and flags in the low bits.
 * The tag at the end of a free chunk (Knuth, The Art of Computer Programming 1, 2.5) leads from a
 * chunk to the free one before it; a chunk in use needs none, because only its PREV_FREE flag is
 * looked at (Standish's refinement). A chunk is free iff FREE is set, iff the next header has
 * PREV_FREE. A region ends with a header of size 0 in use.
 *
 * Slack is what the user did not ask for. With TRACK its size is written into its own last byte:
 * 255 means "in the word before", so that the size asked for costs no memory.
 */
#ifndef FIT_CHUNK_H
#define FIT_CHUNK_H

#include "larder/fit.h"

/* The amalgamation makes everything static. */
#ifndef FIT_LOCAL
#define FIT_LOCAL
#endif

/* The memory of a chunk is an object of the user's a moment later. gcc before 8, which Debian still
 * has for AVR, takes pointers to such a struct for another type than those in fit.h: define this as
 * nothing for it, and let -fno-strict-aliasing say so. */
#define FIT_MAY_ALIAS __attribute__((__may_alias__))
#ifndef LARDER_FIT_STRUCT_ALIAS
#define LARDER_FIT_STRUCT_ALIAS FIT_MAY_ALIAS
#endif

#define FIT_HAS(policy) ((LARDER_FIT_POLICIES & (1 << (policy))) != 0)
#define FIT_HAS_LIST ((LARDER_FIT_POLICIES & 3) != 0)
#define FIT_HAS_TREE ((LARDER_FIT_POLICIES & 12) != 0)
#define FIT_HAS_CLASSES ((LARDER_FIT_POLICIES & 16) != 0)
#define FIT_TRACK (LARDER_FIT_STATS || LARDER_FIT_CANARY)

typedef size_t FIT_MAY_ALIAS fit_word;

struct larder_fit_chunk {
#if LARDER_FIT_OWNER
    uintptr_t owner;
#endif
#if LARDER_FIT_CANARY
    size_t guard; /* header and address, mixed */
#endif
    size_t header;
    struct larder_fit_chunk *link[2]; /* free only: next, previous; or left, right */
} LARDER_FIT_STRUCT_ALIAS;

typedef struct larder_fit_chunk fit_chunk;

#define FIT_FREE ((size_t)1)
#define FIT_PREV_FREE ((size_t)2)
#define FIT_SLACK ((size_t)4) /* in use: the last bytes say how many were not asked for */
#define FIT_FLAGS ((size_t)7)

#define FIT_ALIGN ((size_t)LARDER_FIT_ALIGN)
#define FIT_WORD sizeof(size_t)
#define FIT_HEAD offsetof(struct larder_fit_chunk, link)
#define FIT_TAIL (LARDER_FIT_CANARY ? FIT_WORD : (size_t)0)
#define FIT_ROUND_UP(bytes) (((bytes) + FIT_ALIGN - 1) & ~(FIT_ALIGN - 1))
#define FIT_LINKED (FIT_HEAD + 2 * sizeof(void *))
#define FIT_LEAST FIT_ROUND_UP(FIT_LINKED + FIT_WORD)
#define FIT_MIN                                                                                    \
    (FIT_LEAST > (size_t)LARDER_FIT_MIN_CHUNK ? FIT_LEAST                                          \
                                              : FIT_ROUND_UP((size_t)LARDER_FIT_MIN_CHUNK))
#define FIT_REQUEST_MAX (SIZE_MAX / 2)

#define FIT_CANARY_BYTE 0xc5u
#define FIT_POISON_BYTE 0xdfu /* bit 0 is set: a poisoned header reads as free */

/* Where the compiler makes a call of abort() out of a trap (AVR), and there is no library, define
 * this as a loop. */
#ifndef LARDER_FIT_STOP
#define LARDER_FIT_STOP() __builtin_trap()
#endif

/* A mistake of the caller's: named, and never survived. */
#define FIT_RAISE(mistake, pointer)                                                                \
    do {                                                                                           \
        LARDER_FIT_FATAL((mistake), (pointer));                                                    \
        LARDER_FIT_STOP();                                                                         \
    } while (0)

/* The options agree with each other. */
typedef char fit_assert_align[(LARDER_FIT_ALIGN >= 8 && LARDER_FIT_ALIGN <= 4096 &&
                               (LARDER_FIT_ALIGN & (LARDER_FIT_ALIGN - 1)) == 0)
                                  ? 1
                                  : -1];
typedef char fit_assert_steps[(LARDER_FIT_STEPS_LOG2 >= 0 && LARDER_FIT_STEPS_LOG2 <= 5) ? 1 : -1];
typedef char fit_assert_doublings
    [(LARDER_FIT_DOUBLINGS_ >= 1 && LARDER_FIT_DOUBLINGS_ <= (int)(8 * sizeof(size_t))) ? 1 : -1];
typedef char fit_assert_policies[(LARDER_FIT_POLICIES >= 1 && LARDER_FIT_POLICIES <= 31) ? 1 : -1];

/* ---- Words ----------------------------------------------------------------------------------- */

/* Index of the highest, lowest bit; undefined for 0. */
static inline unsigned word_highest(size_t value) {
#if SIZE_MAX > 0xffffffffu
    return 63u - (unsigned)__builtin_clzll(value);
#else
    return (unsigned)(8 * sizeof(unsigned long)) - 1u - (unsigned)__builtin_clzl(value);
#endif
}

static inline unsigned word_lowest(size_t value) {
#if SIZE_MAX > 0xffffffffu
    return (unsigned)__builtin_ctzll(value);
#else
    return (unsigned)__builtin_ctzl(value);
#endif
}

/* Of the 32 bits of a second level, which are more than a word on 16-bit machines. */
static inline unsigned steps_lowest(uint32_t steps) {
    return (unsigned)__builtin_ctzl((unsigned long)steps);
}

static inline void bytes_fill(unsigned char *from, const unsigned char *to, unsigned char value) {
    while (from < to) {
        *from++ = value;
    }
}

static inline bool bytes_are(const unsigned char *from, const unsigned char *to,
                             unsigned char value) {
    while (from < to && *from == value) {
        from++;
    }
    return from >= to;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static inline unsigned char *chunk_bytes(const fit_chunk *chunk) {
    return (unsigned char *)(uintptr_t)chunk;
}

static inline fit_chunk *chunk_at(const void *address) {
    return (fit_chunk *)(uintptr_t)address;
}

static inline size_t chunk_size(const fit_chunk *chunk) {
    return chunk->header & ~FIT_FLAGS;
}

static inline bool chunk_is_free(const fit_chunk *chunk) {
    return (chunk->header & FIT_FREE) != 0;
}

static inline bool chunk_follows_free(const fit_chunk *chunk) {
    return (chunk->header & FIT_PREV_FREE) != 0;
}

static inline unsigned char *chunk_payload(const fit_chunk *chunk) {
    return chunk_bytes(chunk) + FIT_HEAD;
}

static inline fit_chunk *chunk_of(const void *payload) {
    return chunk_at((const unsigned char *)payload - FIT_HEAD);
}

static inline unsigned char *chunk_end(const fit_chunk *chunk) {
    return chunk_bytes(chunk) + chunk_size(chunk);
}

static inline fit_chunk *chunk_next(const fit_chunk *chunk) {
    return chunk_at(chunk_end(chunk));
}

/* The tag behind a free chunk that ends at `end`. */
static inline size_t chunk_tag(const unsigned char *end) {
    return ((const fit_word *)(uintptr_t)end)[-1];
}

/* Only if chunk_follows_free(). */
static inline fit_chunk *chunk_prev(const fit_chunk *chunk) {
    return chunk_at(chunk_bytes(chunk) - chunk_tag(chunk_bytes(chunk)));
}

/* Bytes behind the header. */
static inline size_t chunk_capacity(const fit_chunk *chunk) {
    return chunk_size(chunk) - FIT_HEAD;
}

static inline size_t chunk_guard(const fit_chunk *chunk) {
    return chunk->header ^ (size_t)(uintptr_t)chunk ^ (size_t)0x5afec0de5afec0deu;
}

/* Could a chunk, free or not, be here? Reads the header, which lies in the region. */
static inline bool chunk_is_plausible(const struct larder_fit_region *region,
                                      const fit_chunk *chunk) {
    const unsigned char *at = chunk_bytes(chunk);
    size_t size = chunk_size(chunk);
#if LARDER_FIT_CANARY
    if (chunk->guard != chunk_guard(chunk)) {
        return false;
    }
#endif
    return size >= FIT_MIN && (size & (FIT_ALIGN - 1)) == 0 && size <= (size_t)(region->end - at);
}

/* Could a chunk start at this address? Reads nothing. */
static inline bool region_has_chunk(const struct larder_fit_region *region,
                                    const fit_chunk *chunk) {
    uintptr_t at = (uintptr_t)chunk, first = (uintptr_t)region->first;
    return at >= first && at < (uintptr_t)region->end && ((at - first) & (FIT_ALIGN - 1)) == 0;
}

/* A free chunk, by its header? Reads only that, inside the region. */
static inline bool chunk_looks_free(const struct larder_fit_region *region,
                                    const fit_chunk *chunk) {
    return region_has_chunk(region, chunk) && chunk_is_plausible(region, chunk) &&
           chunk_is_free(chunk);
}

/* And its tag agrees? */
static inline bool chunk_is_sound_free(const struct larder_fit_region *region,
                                       const fit_chunk *chunk) {
    return chunk_looks_free(region, chunk) && chunk_tag(chunk_end(chunk)) == chunk_size(chunk);
}

/* The free chunk that ends where `chunk` begins, by its tag, which may be anything; NULL iff there
 * is no sound one. */
static inline fit_chunk *chunk_sound_prev(const struct larder_fit_region *region,
                                          const fit_chunk *chunk) {
    size_t before = (size_t)(chunk_bytes(chunk) - region->first);
    if (before < FIT_MIN || chunk_tag(chunk_bytes(chunk)) > before) {
        return NULL;
    }
    fit_chunk *prev = chunk_prev(chunk);
    bool sound = chunk_is_sound_free(region, prev) && chunk_next(prev) == chunk;
    return sound ? prev : NULL;
}

/* Every chunk that is looked at for a request of `size` passes here, or LARDER_FIT_LOOK. */
static inline bool chunk_holds(const fit_chunk *chunk, size_t size) {
    LARDER_FIT_LOOK(chunk);
    return chunk_size(chunk) >= size;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static inline void chunk_set_header(fit_chunk *chunk, size_t header) {
    chunk->header = header;
#if LARDER_FIT_CANARY
    chunk->guard = chunk_guard(chunk);
#endif
}

/* Two free chunks never touch: neither PREV_FREE nor SLACK. */
static inline void chunk_set_free(fit_chunk *chunk, size_t size) {
    chunk_set_header(chunk, size | FIT_FREE);
    ((fit_word *)(void *)(chunk_bytes(chunk) + size))[-1] = size;
}

static inline void chunk_set_used(fit_chunk *chunk, size_t size) {
    chunk_set_header(chunk, size | (chunk->header & FIT_PREV_FREE));
}

static inline void chunk_set_prev_free(fit_chunk *chunk, bool is_free) {
    size_t header = chunk->header & ~FIT_PREV_FREE;
    chunk_set_header(chunk, header | (is_free ? FIT_PREV_FREE : 0));
}

/* `chunk`, which may be NULL, if it looks free: links are believed unchecked only when CHECKS is 0.
 * The tag is left alone: it lies on another cache line. */
static inline fit_chunk *chunk_follow(const struct larder_fit_region *region, fit_chunk *chunk) {
#if LARDER_FIT_CHECKS
    if (chunk != NULL && !chunk_looks_free(region, chunk)) {
        FIT_RAISE(LARDER_FIT_CORRUPT, chunk);
    }
#else
    (void)region;
#endif
    return chunk;
}

#endif
