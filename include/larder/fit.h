/* larder/fit.h: the region heap. Memory of any size out of regions the caller owns.
 *
 * For memory with no page table: a static array on a microcontroller, a shared segment (mapped at
 * one address everywhere), a process heap that grows at its end, an arena. Boundary-tagged chunks,
 * free or in use; a freed chunk merges with both neighbours at once, so two free chunks never
 * touch. Which free chunk serves a request is a policy:
 *
 *                chosen chunk                            alloc            free
 *   FIRST fit    the lowest address that holds it        O(f)             O(min(f, d))
 *   NEXT fit     the same, from where the last one was   O(f)             O(min(f, d))
 *   BEST fit     the smallest that holds it, lowest      O(log f) *       O(log f) *
 *   WORST fit    the largest                             O(log f) *       O(log f) *
 *   GOOD fit     of the next larger size class           O(1)             O(1)
 *
 *   f: free chunks of the region; d: chunks in use up to the next free one; *: expected, a tree
 *   whose shape depends on addresses only. GOOD fit alone has a bound in instructions.
 *   All: plus O(regions). docs/worst-case.md derives and measures the bounds.
 *
 * No libc, no OS, no global state; 16-, 32- and 64-bit; nothing is called but the macros below and,
 * where the compiler makes a loop into one, memset, memcpy and memmove. fit/ amalgamated is two
 * files, larder_fit.h and larder_fit.c. docs/region-heap.md is the manual.
 *
 * CONTEXT of every function: one caller at a time for one heap, or LARDER_FIT_LOCK defined; with a
 * lock that masks interrupts, interrupt handlers too.
 */
#ifndef LARDER_FIT_H
#define LARDER_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Options: the same in every file of one program ------------------------------------------ */
#ifdef LARDER_CONFIG_HEADER
#include LARDER_CONFIG_HEADER
#endif

/* Policies compiled in: the sum of 1 FIRST, 2 NEXT, 4 BEST, 8 WORST, 16 GOOD. With one only, it is
 * not stored and the others cost nothing. */
#ifndef LARDER_FIT_POLICIES
#define LARDER_FIT_POLICIES 31
#endif

/* Alignment of every result and granule of sizes, in bytes: a power of two, 8 to 4096. */
#ifndef LARDER_FIT_ALIGN
#if SIZE_MAX > 0xffffffffu
#define LARDER_FIT_ALIGN 16
#else
#define LARDER_FIT_ALIGN 8
#endif
#endif

/* Smallest chunk, header included, in bytes; 0: as small as a free chunk can be (32 bytes on 64-bit
 * machines, 16 on 32-bit ones). Larger: fewer small holes, more unused bytes inside chunks. */
#ifndef LARDER_FIT_MIN_CHUNK
#define LARDER_FIT_MIN_CHUNK 0
#endif

/* GOOD fit: log2 of the size classes in each doubling, 0 to 5, and log2 of the largest region in
 * bytes. (SIZE_LOG2 − log2(ALIGN) − STEPS_LOG2 + 1) · 2^STEPS_LOG2 pointers in each region. A
 * request is served from a chunk at most 1/2^STEPS_LOG2 larger than was needed to look for. */
#ifndef LARDER_FIT_STEPS_LOG2
#define LARDER_FIT_STEPS_LOG2 3
#endif
#ifndef LARDER_FIT_SIZE_LOG2
#if SIZE_MAX > 0xffffffffu
#define LARDER_FIT_SIZE_LOG2 40
#elif SIZE_MAX > 0xffffu
#define LARDER_FIT_SIZE_LOG2 31
#else
#define LARDER_FIT_SIZE_LOG2 15
#endif
#endif

/* 0: pointers and headers are believed. 1: they are checked against their neighbours in O(1), and
 * every link and tag before it is followed; a mistake is named by LARDER_FIT_FATAL. 2: and each
 * call that changes something first checks the whole heap, O(chunks log chunks). */
#ifndef LARDER_FIT_CHECKS
#define LARDER_FIT_CHECKS 1
#endif

/* 1: counters, and the size asked for is remembered (in bytes that would be unused); then
 * larder_fit_size_of() is exactly what was asked for. 0: it is all the chunk holds. */
#ifndef LARDER_FIT_STATS
#define LARDER_FIT_STATS 1
#endif

/* 1: a guard word in each header and at least a word of known bytes behind each object. */
#ifndef LARDER_FIT_CANARY
#define LARDER_FIT_CANARY 0
#endif

/* 1: freed memory is filled, and looked at when it is given out again. O(size). */
#ifndef LARDER_FIT_POISON
#define LARDER_FIT_POISON 0
#endif

/* 1: a word in each header for larder_fit_set_owner(). */
#ifndef LARDER_FIT_OWNER
#define LARDER_FIT_OWNER 0
#endif

/* Around the work of each public function. Not nested. */
#ifndef LARDER_FIT_LOCK
#define LARDER_FIT_LOCK(heap) ((void)(heap))
#define LARDER_FIT_UNLOCK(heap) ((void)(heap))
#endif

/* After each call, outside the lock: an enum larder_fit_event, the memory (NULL if it failed) and
 * the bytes asked for. */
#ifndef LARDER_FIT_TRACE
#define LARDER_FIT_TRACE(heap, event, pointer, bytes)                                              \
    ((void)(heap), (void)(event), (void)(pointer), (void)(bytes))
#endif

/* Once for each free chunk that is looked at to serve a request, with the lock held: search
 * lengths. Must not call this heap. */
#ifndef LARDER_FIT_LOOK
#define LARDER_FIT_LOOK(chunk) ((void)(chunk))
#endif

/* The caller's mistake: an enum larder_fit_mistake and the pointer or chunk it is about. Called
 * with the lock held, nothing of this call changed yet or its change half done: must not return
 * (it traps if it does; AVR: loops) and must not call this heap. */
#ifndef LARDER_FIT_FATAL
#define LARDER_FIT_FATAL(mistake, pointer) ((void)(mistake), (void)(pointer))
#endif

/* Our own mistakes. */
#ifndef LARDER_FIT_ASSERT
#define LARDER_FIT_ASSERT(expression) ((void)sizeof(!(expression)))
#endif

/* ---- Types ----------------------------------------------------------------------------------- */
#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

enum larder_fit_policy {
    LARDER_FIT_FIRST,
    LARDER_FIT_NEXT,
    LARDER_FIT_BEST,
    LARDER_FIT_WORST,
    LARDER_FIT_GOOD,
    LARDER_FIT_POLICY_COUNT
};

enum larder_fit_event {
    LARDER_FIT_EVENT_ALLOC,  /* alloc, aligned, request, calloc */
    LARDER_FIT_EVENT_RESIZE, /* realloc, try_resize */
    LARDER_FIT_EVENT_FREE
};

enum larder_fit_mistake {
    LARDER_FIT_SOUND,       /* none */
    LARDER_FIT_DOUBLE_FREE, /* the memory is free already */
    LARDER_FIT_INTERIOR,    /* inside memory in use, not at its start, or inside our headers */
    LARDER_FIT_FOREIGN,     /* in no region of this heap */
    LARDER_FIT_CORRUPT,     /* a header, a link or a boundary tag was overwritten */
    LARDER_FIT_OVERRUN,     /* canary: bytes behind the object were overwritten */
    LARDER_FIT_POISONED     /* poison: memory was written after it was freed */
};

#define LARDER_FIT_DOUBLINGS_                                                                      \
    (LARDER_FIT_SIZE_LOG2 - LARDER_FIT_ALIGN_LOG2_ - LARDER_FIT_STEPS_LOG2 + 1)
#define LARDER_FIT_ALIGN_LOG2_                                                                     \
    (LARDER_FIT_ALIGN == 8     ? 3                                                                 \
     : LARDER_FIT_ALIGN == 16  ? 4                                                                 \
     : LARDER_FIT_ALIGN == 32  ? 5                                                                 \
     : LARDER_FIT_ALIGN == 64  ? 6                                                                 \
     : LARDER_FIT_ALIGN == 128 ? 7                                                                 \
     : LARDER_FIT_ALIGN == 256 ? 8                                                                 \
     : LARDER_FIT_ALIGN == 512 ? 9                                                                 \
     : LARDER_FIT_ALIGN < 2048 ? 10                                                                \
     : LARDER_FIT_ALIGN < 4096 ? 11                                                                \
                               : 12)

struct larder_fit_chunk; /* fit/chunk.h */

/* Free chunks of one region. Each field belongs to the policies named. */
union larder_fit_free_ {
    struct larder_fit_chunk *root; /* BEST, WORST */
    struct {
        struct larder_fit_chunk *head;
#if LARDER_FIT_POLICIES & 2
        struct larder_fit_chunk *rover; /* NEXT: where to look first; NULL: at the head */
#endif
    } list; /* FIRST, NEXT */
#if LARDER_FIT_POLICIES & 16
    struct {
        size_t doublings;                      /* bit i: steps[i] is not 0 */
        uint32_t steps[LARDER_FIT_DOUBLINGS_]; /* bit j: head[i][j] is not NULL */
        struct larder_fit_chunk *head[LARDER_FIT_DOUBLINGS_][1 << LARDER_FIT_STEPS_LOG2];
    } classes; /* GOOD */
#endif
};

/* A stretch of memory. Storage is the caller's, fields are ours. */
struct larder_fit_region {
    struct larder_fit_region *next; /* by ascending capacity */
    unsigned char *first;           /* first chunk */
    unsigned char *end;             /* behind the last chunk: a header without memory */
    uint16_t kinds;                 /* what the memory can do: bits of the caller's choice */
    uint16_t small_bytes;           /* requests below go to other regions while those have room */
    union larder_fit_free_ free;
};

/* A heap. Storage is the caller's, fields are ours.
 * Σ over regions of (end − first) = free_bytes + bytes of chunks in use. */
struct larder_fit {
    struct larder_fit_region *regions;
    size_t free_bytes;         /* in free chunks, their headers included */
    size_t minimum_free_bytes; /* the least free_bytes ever was; added memory adds to it */
#if LARDER_FIT_STATS
    size_t peak_request_bytes;
    size_t allocations; /* calls that gave new memory; wraps */
    size_t frees;       /* wraps */
    size_t failures;    /* requests that got NULL or false; wraps */
#endif
#if (LARDER_FIT_POLICIES & (LARDER_FIT_POLICIES - 1)) != 0
    unsigned char policy;
#endif
};

/* One chunk, for larder_fit_walk(). */
struct larder_fit_block {
    void *pointer;      /* in use: what the user holds; free: where that would be */
    size_t bytes;       /* bytes of the chunk behind its header */
    size_t asked_bytes; /* in use: asked for (STATS or CANARY; else as bytes); free: 0 */
    uintptr_t owner;    /* OWNER; else 0 */
    bool used;
    const struct larder_fit_region *region;
};

/* What larder_fit_diagnose() finds. capacity = free + live; asked ≤ live; largest ≤ free. */
struct larder_fit_diagnosis {
    size_t capacity_bytes;      /* of all chunks, headers included */
    size_t live_bytes;          /* of chunks in use, headers included */
    size_t asked_bytes;         /* what their users asked for (STATS or CANARY; else usable) */
    size_t free_bytes;          /* of free chunks, headers included */
    size_t largest_free_bytes;  /* the largest request some region holds a chunk for */
    size_t smallest_free_bytes; /* the same for the smallest free chunk */
    size_t minimum_free_bytes;  /* the least free_bytes since init or reset */
    size_t peak_request_bytes;  /* STATS; largest request ever, met or not; else 0 */
    size_t allocations;         /* STATS; since init or reset; else 0 */
    size_t frees;               /* STATS; else 0 */
    size_t failures;            /* STATS; else 0 */
    size_t live_chunks;
    size_t free_chunks;
    unsigned external_permille; /* of free bytes, how much lies outside the largest free chunk */
    unsigned internal_permille; /* of live bytes, how much nobody asked for */
};

/* ---- Making a heap --------------------------------------------------------------------------- */

/* An empty heap in *heap. False iff the policy is not compiled in. Cost: O(1). */
bool larder_fit_init(struct larder_fit *heap, enum larder_fit_policy policy);

/* Give the heap `bytes` at `memory`, any address, any size; both end where alignment allows. The
 * memory and *region stay the caller's and must outlive the heap. `kinds` says what the memory can
 * do (larder_fit_request); requests below `small_bytes` come here only when no other region has
 * room; besides, smaller regions are always asked first. Result: bytes of the largest request it
 * can now meet; 0, and nothing changed, iff `memory` is NULL, memory + bytes wraps, the rest after
 * alignment holds no chunk, it exceeds 2^LARDER_FIT_SIZE_LOG2 bytes (GOOD) or PTRDIFF_MAX, or it
 * overlaps another region of this heap. Cost: O(regions), with POISON O(bytes). */
size_t larder_fit_add_region(struct larder_fit *heap, struct larder_fit_region *region,
                             void *memory, size_t bytes, uint16_t kinds, uint16_t small_bytes);

/* Heap and region at the start of `memory`, the rest given to it: kinds all, small_bytes 0. NULL
 * iff init or add_region fails. */
struct larder_fit *larder_fit_create(void *memory, size_t bytes, enum larder_fit_policy policy);

/* The memory from the region's old limit up to `limit` belongs to it now. Result: bytes gained;
 * 0, and nothing changed, iff `limit` gains not a granule, the region becomes larger than
 * add_region allows or it reaches into another one. Cost: that of a free. */
size_t larder_fit_grow(struct larder_fit *heap, struct larder_fit_region *region, void *limit);

/* The limit for larder_fit_grow() that makes the free memory at the region's end just large enough
 * for a request of `bytes`; the present one if it is already. NULL iff bytes is 0 or above
 * PTRDIFF_MAX, or the limit wraps. Cost: O(1). */
void *larder_fit_limit_for(struct larder_fit *heap, const struct larder_fit_region *region,
                           size_t bytes);

/* Everything is free again, whatever was allocated or overwritten; statistics start anew. The
 * structures *heap and *regions themselves must be intact. Cost: O(regions). */
void larder_fit_reset(struct larder_fit *heap);

/* ---- Memory ---------------------------------------------------------------------------------- */

/* At least `bytes` bytes, aligned to LARDER_FIT_ALIGN; contents undefined. NULL iff bytes is 0 or
 * above PTRDIFF_MAX, or no free chunk holds bytes + header. GOOD fit: NULL also if the only such
 * chunks are in the request's own size class behind its first: docs/worst-case.md. */
void *larder_fit_alloc(struct larder_fit *heap, size_t bytes);

/* count × bytes, reading as zero. NULL iff the product wraps or larder_fit_alloc() of it is. */
void *larder_fit_calloc(struct larder_fit *heap, size_t count, size_t bytes);

/* Aligned to `align`, a power of two (1 and up). NULL iff it is none, or bytes is 0 or above
 * PTRDIFF_MAX, or neither the policy's choice for `bytes` holds an aligned piece nor any chunk
 * bytes + align + the smallest chunk. */
void *larder_fit_aligned(struct larder_fit *heap, size_t align, size_t bytes);

/* The same from regions that have all the bits of `kinds`. */
void *larder_fit_request(struct larder_fit *heap, size_t align, size_t bytes, uint16_t kinds);

/* Move or stretch to `bytes`, keeping min(old, new) bytes. In place where it shrinks or the chunk
 * behind is free; into the free chunk before, if that suffices; else to new memory, of the kinds
 * of the region it was in. pointer NULL: larder_fit_aligned. NULL iff all of that fails, or bytes
 * is 0 or above PTRDIFF_MAX: the old memory is then unchanged and still the caller's. The result is
 * aligned to `align`; give the same as before to keep it. Cost: O(old) copied, plus alloc and free.
 */
void *larder_fit_realloc_aligned(struct larder_fit *heap, void *pointer, size_t align,
                                 size_t bytes);

/* With align LARDER_FIT_ALIGN. */
void *larder_fit_realloc(struct larder_fit *heap, void *pointer, size_t bytes);

/* Change the size without moving. False, and nothing changed, iff bytes is 0 or above PTRDIFF_MAX
 * or the chunk and a free one behind it do not hold them. */
bool larder_fit_try_resize(struct larder_fit *heap, void *pointer, size_t bytes);

/* Give back what any function above gave out. NULL does nothing. Mistakes are fatal by name where
 * LARDER_FIT_CHECKS finds them. */
void larder_fit_free(struct larder_fit *heap, void *pointer);

/* Bytes the caller may use: as asked for (STATS or CANARY), else all the chunk holds; 0 iff pointer
 * is not the start of memory in use, as far as CHECKS tells. */
size_t larder_fit_size_of(struct larder_fit *heap, const void *pointer);

/* Tag memory in use with a word of the caller's (task, call site); larder_fit_walk() tells. 0 at
 * first. Does nothing without LARDER_FIT_OWNER. */
void larder_fit_set_owner(struct larder_fit *heap, void *pointer, uintptr_t owner);

/* Take exactly [start, start + bytes), and some bytes around it, out of free memory. Result: the
 * handle for larder_fit_unreserve(), at or below `start`; NULL iff bytes is 0 or any of it is not
 * free memory of one chunk behind its header. Cost: O(chunks). */
void *larder_fit_reserve(struct larder_fit *heap, void *start, size_t bytes);

/* Give it back; it is a larder_fit_free(). */
void larder_fit_unreserve(struct larder_fit *heap, void *handle);

/* ---- Looking at it --------------------------------------------------------------------------- */

/* Every invariant: headers, tags, links, order, sums. Believes nothing it has not checked: never
 * reads outside the regions, always ends. *where (may be NULL): the chunk or region at fault.
 * Result: LARDER_FIT_SOUND, CORRUPT, OVERRUN or POISONED. Cost: O(chunks log chunks). */
enum larder_fit_mistake larder_fit_check(struct larder_fit *heap, const void **where);

/* Call `visit` for each chunk, by region, by address, until it returns false. It runs under the
 * lock and must not call this heap. False iff it stopped, or a header is corrupt and the walk ends.
 */
bool larder_fit_walk(struct larder_fit *heap,
                     bool (*visit)(void *context, const struct larder_fit_block *block),
                     void *context);

/* Figures. Cost: O(chunks). A corrupt header ends the count of its region. */
void larder_fit_diagnose(struct larder_fit *heap, struct larder_fit_diagnosis *diagnosis);

/* Words for people; never NULL. */
const char *larder_fit_policy_text(enum larder_fit_policy policy);
const char *larder_fit_mistake_text(enum larder_fit_mistake mistake);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
