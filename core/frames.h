/* frames.h: blocks of frames for the core itself, beside larder/frames.h. */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include "instance.h"
#include "larder/frames.h"

static inline bool flags_are_known(larder_flags flags) {
    return (flags & ~LARDER_FLAGS_ALL) == 0;
}

/* Zones are asked from the highest allowed one down. */
static inline unsigned highest_zone(const struct larder *larder, larder_flags flags) {
    unsigned limit = flags >> LARDER_ZONE_SHIFT, count = larder->buddies.zone_count;
    return (limit == 0 || limit > count ? count : limit) - 1;
}

/* A block of 2^order frames straight from the buddies; its owner bytes are the caller's to set.
 * FRAME_NONE iff there is none after reclaim. No lock held. */
frame_index frames_take(struct larder *larder, unsigned order, larder_flags flags);

/* The same for `count` frames out of such a block: its tail goes back at once. */
frame_index frames_take_count(struct larder *larder, unsigned order, uint64_t count,
                              larder_flags flags);

/* The same for `count` ≤ 2^LARDER_ORDER_MAX frames, aligned to nothing. */
frame_index frames_take_run(struct larder *larder, uint64_t count, larder_flags flags);

/* The same for frames where they fit first from the lowest on, with room to align them. FRAME_NONE
 * does not mean that there are none; does not reclaim. */
frame_index frames_take_fit(struct larder *larder, uint64_t count, uint64_t align_frames,
                            larder_flags flags);

/* The same for any number of frames, wherever so many lie side by side. Slow. */
frame_index frames_take_long(struct larder *larder, uint64_t count, uint64_t align_frames,
                             larder_flags flags);

/* Up to `count` blocks straight from the buddies, of one zone; returns how many. Does not reclaim.
 */
unsigned frames_take_many(struct larder *larder, unsigned order, unsigned count,
                          frame_index *frames, larder_flags flags);

/* Take exactly this range of one zone; false, with nothing taken, iff a frame of it is in use or
 * the zone cannot spare them. */
bool frames_take_range(struct larder *larder, uint64_t first, uint64_t count, larder_flags flags);

/* Give any taken range of frames back to the buddies; the caller has cleared its owner bytes. No
 * lock held. */
void frames_give(struct larder *larder, uint64_t first, uint64_t count);

/* The same of frames that nobody has used since they were taken. */
void frames_give_unused(struct larder *larder, uint64_t first, uint64_t count);

/* The same of up to BUDDY_BATCH blocks of one order; changes their order in frames[]. */
void frames_give_many(struct larder *larder, unsigned order, unsigned count, frame_index *frames);

/* A slot that ends leaves the areas it takes from to others. */
void frames_let_go_seats(struct larder *larder, struct larder_slot *slot);

/* Mark the start of a block or run as allocated; of a run, whatever its length. */
void frames_mark_run(struct larder *larder, frame_index index, uint64_t count, uintptr_t site);
void frames_mark(struct larder *larder, frame_index index, uint64_t count, uintptr_t site);

/* What the request flags still ask for once the frames are there (zeroes) or are not (panic). */
void *frames_finish(void *frames, uint64_t count, larder_flags flags);

/* Give the buddies frames [first, end) they never had; they are committed. */
void frames_add_usable(struct larder *larder, uint64_t first, uint64_t end);

/* One block as larder_frames_alloc() gives it, for metadata. NULL iff there is none. */
void *frames_alloc_metadata(struct larder *larder, uint64_t count);
void frames_free_metadata(struct larder *larder, void *frames);

/* Give back what a slot's frame bins hold; with `and_magazines` also the magazines themselves. */
void frames_flush_bins(struct larder *larder, struct larder_slot *slot, bool and_magazines);

/* Give a slot its frame bins. False iff there is no memory; the slot is then as before. */
bool frames_attach_bins(struct larder *larder, struct larder_slot *slot);

/* Frames in the bins of all slots, and in quarantine: free, but not the buddies'. */
uint64_t frames_in_bins(struct larder *larder);

/* Say which mistake freeing `pointer` as a block or run is, and stop. */
_Noreturn void frames_bad_free(struct larder *larder, const void *pointer);

struct larder_what;

/* larder_whatis() for a frame that is no slab's, or was none a moment ago: as it looks. */
void frames_what(struct larder *larder, uint64_t index, struct larder_what *what);

/* A run lies in one zone. If this one does not, its record is not what was written: stop. */
void frames_check_zone(struct larder *larder, uint64_t index, uint64_t count);

/* ---- guards (frames_guard.c) ---- */

/* Frames to be taken before and behind a block, which cannot be accessed once it is guarded. */
struct frame_guards {
    uint64_t before, behind;
};

/* Guards for a block of `count` frames that is to be aligned to `align_frames`; whole pages of the
 * system. None, zeroes, iff the instance has no guards or as many as it may have. The frames of all
 * three are taken aligned to `before`. */
struct frame_guards frames_guards_for(const struct larder *larder, uint64_t count,
                                      uint64_t align_frames);

/* Close the guards of a block [first, first + count), if there are any. No lock held. */
void frames_guard(struct larder *larder, uint64_t first, uint64_t count,
                  const struct frame_guards *guards);

/* As frames_give(), with the guards if the block has any. */
void frames_give_guarded(struct larder *larder, uint64_t first, uint64_t count);

/* A run of a hardened instance comes back, its owner byte cleared: wiped and, if it is guarded, not
 * accessible until it is given to the buddies, later. No lock held. */
void frames_quarantine(struct larder *larder, uint64_t first, uint64_t count);

/* Name of what an address is in, for reports. Never NULL. */
const char *frames_owner_name(struct larder *larder, const void *pointer);

#endif
