/* larder/heap.h: memory of any size: size classes on object caches, exact runs of frames above.
 *
 * Classes are 16 bytes apart up to 128 bytes, then eight to each doubling (at most 12.5 % apart) up
 * to LARDER_CLASS_MAX_BYTES. Every result is 16-byte aligned; powers of two are aligned to
 * themselves up to a frame. One free for everything: larder_free() takes objects of any cache,
 * blocks and runs of frames too.
 */
#ifndef LARDER_HEAP_H
#define LARDER_HEAP_H

#include "larder/larder.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* At least `size_bytes` bytes; contents undefined. NULL iff size is 0 or above PTRDIFF_MAX, or no
 * memory after reclaim. Cost: about 18 instructions from the magazine. */
void *larder_alloc(struct larder *larder, size_t size_bytes);

/* The fast path alone: an object that lies ready in the slot's magazine. NULL iff there is none, or
 * no class serves the size. For homes that have work of their own before the slow path; also before
 * larder_init(), on an instance whose storage is all zero. */
void *larder_alloc_ready(struct larder *larder, size_t size_bytes);

/* The same, reading as zero. */
void *larder_zalloc(struct larder *larder, size_t size_bytes);

/* count × size_bytes, reading as zero; also NULL iff the product overflows. */
void *larder_calloc(struct larder *larder, size_t count, size_t size_bytes);

/* With request flags (larder/larder.h); LARDER_ZONE other than "any" is served from frames. Also
 * NULL iff a flag is unknown. */
void *larder_alloc_flags(struct larder *larder, size_t size_bytes, larder_flags flags);

/* Aligned to `align_bytes`, a power of two. Also NULL iff it is none, or no such place is free. */
void *larder_aligned(struct larder *larder, size_t align_bytes, size_t size_bytes);

/* The same with request flags; also NULL iff a flag is unknown. */
void *larder_aligned_flags(struct larder *larder, size_t align_bytes, size_t size_bytes,
                           larder_flags flags);

/* For a home's malloc and free: larder_aligned_flags() and larder_free() on behalf of whoever
 * called it, whose return address is `site`; owner tracking names that. */
void *larder_aligned_from(struct larder *larder, size_t align_bytes, size_t size_bytes,
                          larder_flags flags, uintptr_t site);
void larder_free_from(struct larder *larder, void *pointer, uintptr_t site);

/* Move or stretch to `size_bytes`, keeping min(old, new) bytes. pointer NULL: larder_alloc. NULL
 * iff that allocation fails; the old memory is then unchanged and still the caller's. size 0 is a
 * failure too: nothing is freed. In place where the class stays the same or the frames behind a run
 * are free. Alignment beyond 16 is not kept when it moves. */
void *larder_realloc(struct larder *larder, void *pointer, size_t size_bytes);

/* Change the size without moving. True iff larder_size_of(pointer) ≥ size_bytes afterwards and the
 * memory is not more than half unused; on false nothing has changed. */
bool larder_try_resize(struct larder *larder, void *pointer, size_t size_bytes);

/* Give back anything this instance gave out: heap memory, an object of any cache, a block or run of
 * frames. NULL does nothing; mistakes are fatal by name. Cost: about 15 instructions. */
void larder_free(struct larder *larder, void *pointer);

/* The fast path alone: true iff the object was put into the slot's magazine. False, with nothing
 * done, for a full magazine and for whatever is no object of this instance. Also before
 * larder_init(). */
bool larder_free_ready(struct larder *larder, void *pointer);

/* The same with the caller's word for the size; WRONG_ORDER iff larder_size_of() is smaller or size
 * falls in another class. */
void larder_free_sized(struct larder *larder, void *pointer, size_t size_bytes);

/* Usable bytes at `pointer`; 0 iff it is NULL or not the start of something given out. */
size_t larder_size_of(struct larder *larder, const void *pointer);

/* True iff the pointer lies in the RAM of this instance. One subtraction and one compare. */
bool larder_owns(const struct larder *larder, const void *pointer);

/* Bytes a request of `size_bytes` gets: its class, or whole frames; 0 iff it can never be met. */
size_t larder_good_size(size_t size_bytes);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
