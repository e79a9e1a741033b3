/* larder/frames.h: page frames, from one frame to gigabytes.
 *
 * Binary buddies (Knowlton 1965): a block of order k is 2^k frames, aligned to its size. Orders
 * below 9 come out of the fullest 2 MiB page block that still fits, so whole page blocks stay whole
 * (idea: LLFree, Wrenger et al. 2023; Linux's page block). Small orders pass through per-slot bins.
 * Frames are named by pointers into the linear map. Every function: any context, see
 * larder/larder.h.
 */
#ifndef LARDER_FRAMES_H
#define LARDER_FRAMES_H

#include "larder/larder.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* 2^order frames, aligned to their size; contents undefined unless LARDER_ZERO.
 * NULL iff order > LARDER_ORDER_MAX, a flag is unknown, or no such block is free in the zones
 * allowed (above the watermark unless LARDER_USE_RESERVE) after reclaim. Cost: orders 0 to 3 and 9
 * about 15 instructions when the slot's bin has one; otherwise O(orders). */
void *larder_frames_alloc(struct larder *larder, unsigned order, larder_flags flags);

/* Exactly `count` contiguous frames, aligned to the power of two not below count. Nothing is
 * wasted: the tail stays free. NULL iff count is 0 or above 2^LARDER_ORDER_MAX, or as above. Cost:
 * O(orders + count/512). */
void *larder_frames_alloc_exact(struct larder *larder, uint64_t count, larder_flags flags);

/* Exactly `count` contiguous frames, aligned to `align_bytes`, all below `limit_address`; may be
 * longer than the largest order. NULL iff count is 0, the alignment is not a power of two, or no
 * such range is free. Cost: O(free and used blocks of the zones), with a lock held for 64
 * page blocks of 2 MiB at a time: for start-up and for drivers, not for every day. */
void *larder_frames_alloc_contiguous(struct larder *larder, uint64_t count, uint64_t align_bytes,
                                     uint64_t limit_address, larder_flags flags);

/* Up to `count` blocks of one order into out[]; returns how many. Fewer than count iff memory ran
 * out (those taken stay taken) or the order or flags are bad (0). One lock for many blocks. */
size_t larder_frames_alloc_bulk(struct larder *larder, unsigned order, size_t count, void **out,
                                larder_flags flags);

/* Give back what any of the above returned. NULL does nothing. Anything else is a named fatal:
 * DOUBLE_FREE, INTERIOR_FREE, RESERVED_FREE, FOREIGN_FREE, WRONG_CACHE (memory of an object cache),
 * WRONG_ZONE (the run's record was written over and leads out of its zone). */
void larder_frames_free(struct larder *larder, void *frames);

/* The same with the caller's word for the order; WRONG_ORDER if the map says otherwise. */
void larder_frames_free_order(struct larder *larder, void *frames, unsigned order);

void larder_frames_free_bulk(struct larder *larder, size_t count, void *const *frames);

/* Frames of a block or run that was allocated at `frames`; 0 iff it is not the start of one. */
uint64_t larder_frames_count(struct larder *larder, const void *frames);

/* Change the length of a run where it stands: shrink always, grow iff the frames behind it are free
 * and in the same zone. LARDER_OK; BAD_SIZE iff count is 0; BAD_RANGE iff `frames` is not the start
 * of a block or run; BUSY iff it cannot grow, or is guarded (nothing changed). */
enum larder_status larder_frames_resize(struct larder *larder, void *frames, uint64_t count);

/* Frames of this block or run that lie in page blocks (2 MiB) that nobody has used since they read
 * as zero: the system below backs them only where the caller has touched them. 0 iff there is none,
 * or `frames` is not the start of one. Cost: O(page blocks). */
uint64_t larder_frames_count_unused(struct larder *larder, const void *frames);

/* larder_frames_free() of a run that reads as zero again, because its owner gave its memory back to
 * the system below: there is nothing left to purge. A block that has a bin is freed as any other.
 */
void larder_frames_free_unused(struct larder *larder, void *frames);

/* Give the buddies memory that the range table calls DONATED (start-up memory; the caller must have
 * retired it: trap 11) or ABSENT (it is there now), or that larder_frames_reserve() took. Rounds
 * inward. LARDER_OK; BAD_RANGE iff it is empty after rounding or any frame of it is none of these;
 * NO_MEMORY iff the port cannot commit what describes it; nothing is changed then. */
enum larder_status larder_frames_donate(struct larder *larder, uint64_t address,
                                        uint64_t size_bytes);

/* Take exactly these frames out of the free memory, for instance a frame buffer or a bad page.
 * Rounds outward. LARDER_OK; BUSY iff any frame is in use; BAD_RANGE iff any is not RAM of this
 * instance. */
enum larder_status larder_frames_reserve(struct larder *larder, uint64_t address,
                                         uint64_t size_bytes);

/* Between pointers and addresses of this instance. */
uint64_t larder_frames_address(const struct larder *larder, const void *pointer);
void *larder_frames_pointer(const struct larder *larder, uint64_t address);

/* Who called for this block: kept per block while owner tracking is on (larder/stats.h); else 0. */
uintptr_t larder_frames_owner(const struct larder *larder, const void *frames);

/* Totals of all zones. Exact when nothing else runs, else a recent value. Equation: usable = free +
 * allocated + in_bins. */
struct larder_frames_stats {
    uint64_t usable;             /* frames the buddies ever got, less those reserved again */
    uint64_t free;               /* in the buddies */
    uint64_t allocated;          /* given out, including slabs and metadata of the core */
    uint64_t in_bins;            /* in per-slot bins: free, but for that slot */
    uint64_t metadata;           /* of those allocated: descriptors, magazines, slots */
    uint64_t map_bytes;          /* committed for the frame map, beside the frames */
    uint64_t dirty;              /* of those free: was used, and not purged since */
    uint64_t free_min;           /* lowest `free` ever */
    uint64_t largest_free_order; /* of the whole instance; UINT64_MAX if nothing is free */
};
void larder_frames_stats(struct larder *larder, struct larder_frames_stats *stats);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
