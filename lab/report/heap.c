/* heap.c: see heap.h. How a process grows, attaches threads and purges: homes/linux/process.c,
 * thread.c, background.c. */
#include "heap.h"

#include "port.h"
#include "trace/memory.h"

#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/port.h"
#include "larder/ranges.h"
#include "larder/stats.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define RESERVE_LEAST (64 * MIB)
#define FIRST_BYTES (32 * MIB)
#define PLACE_BYTES (2 * MIB)
#define HEAP_ALIGN 16u
#define SLOTS_MAX 64u     /* threads beyond that have none: every call of theirs is a slow path */
#define INTERVAL_MS 1000u /* LARDER_PURGE_MS of the Linux home */
#define TICKS_AT_ONCE 4u  /* after so many intervals without an event nothing is left to do */
#define GROWTH_DIVISOR 8u /* what a run gets beyond its size when realloc moves it */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t minus(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

/* ---- start and end --------------------------------------------------------------------------- */

/* Half of it, and so on, until the system gives it. */
static bool reserve(struct heap *heap, uint64_t room_bytes) {
    for (uint64_t bytes = room_bytes; bytes >= RESERVE_LEAST; bytes /= 2) {
        heap->base = larder_port_reserve(bytes, PLACE_BYTES);
        if (heap->base) {
            heap->reserved_bytes = bytes;
            return true;
        }
    }
    return false;
}

static bool init(struct heap *heap) {
    struct larder_ranges ranges;
    const struct larder_config config = {
        .ranges = &ranges,
        .slot_count = SLOTS_MAX,
        .interval_ms = INTERVAL_MS,
        .is_reserved = true,
    };
    larder_ranges_init(&ranges);
    (void)larder_ranges_add(&ranges, (uintptr_t)heap->base, FIRST_BYTES, LARDER_RANGE_USABLE);
    (void)larder_ranges_add(&ranges, (uintptr_t)heap->base + FIRST_BYTES,
                            heap->reserved_bytes - FIRST_BYTES, LARDER_RANGE_ABSENT);
    if (!larder_port_commit(heap->base, FIRST_BYTES))
        return false;
    heap->usable_bytes = FIRST_BYTES;
    heap->larder = larder_init(heap->storage, &config, NULL);
    return heap->larder != NULL;
}

/* What is purged is not backed. Nothing was ever written there, so the system need not be told. */
static bool note_purged(void *context, void *pointer, size_t size_bytes) {
    struct heap *heap = context;
    const uint64_t offset = (uint64_t)((uintptr_t)pointer - (uintptr_t)heap->base);
    if (offset >= heap->reserved_bytes)
        return false;
    const uint64_t first = offset / LARDER_FRAME_BYTES;
    for (uint64_t frame = first; frame < first + size_bytes / LARDER_FRAME_BYTES; frame++) {
        if (heap_is_backed(heap, frame)) {
            heap->backed[frame / 64] &= ~(UINT64_C(1) << frame % 64);
            heap->backed_frames--;
        }
    }
    return true;
}

bool heap_open(struct heap *heap, uint64_t room_bytes) {
    *heap = (struct heap){0};
    port_set_clock_ms(0);
    if (!reserve(heap, room_bytes))
        return false;
    heap->storage = aligned_alloc(_Alignof(struct larder_storage), sizeof *heap->storage);
    if (heap->storage)
        memset(heap->storage, 0, sizeof *heap->storage);
    heap->parked = memory_zeroed(SLOTS_MAX, sizeof *heap->parked);
    port_set_purge_listener(note_purged, heap);
    if (heap->storage && init(heap))
        return true;
    heap_close(heap);
    return false;
}

void heap_close(struct heap *heap) {
    larder_port_thread_slot = larder_slot_none;
    if (heap->larder)
        larder_fini(heap->larder);
    if (heap->base)
        larder_port_release(heap->base, heap->reserved_bytes);
    free(heap->storage);
    free(heap->backed);
    free(heap->block);
    free((void *)heap->slot);
    free((void *)heap->parked);
    port_set_purge_listener(NULL, NULL);
    *heap = (struct heap){0};
}

/* ---- what the system backs ------------------------------------------------------------------- */

/* For one that is freed again before it was looked at, marking its slab whole is what counts. */
static void mark_backed(struct heap *heap, const unsigned char *start, uint64_t bytes) {
    const uint64_t first = (uint64_t)(start - heap->base) / LARDER_FRAME_BYTES;
    const uint64_t last = ((uint64_t)(start - heap->base) + bytes - 1) / LARDER_FRAME_BYTES;
    if (last / 64 >= heap->backed_words) {
        const size_t before = heap->backed_words;
        heap->backed =
            memory_reserve(heap->backed, &heap->backed_words, last / 64 + 1, sizeof(uint64_t));
        memset(heap->backed + before, 0, (heap->backed_words - before) * sizeof(uint64_t));
    }
    for (uint64_t frame = first; frame <= last; frame++) {
        heap->backed_frames += !heap_is_backed(heap, frame);
        heap->backed[frame / 64] |= UINT64_C(1) << frame % 64;
    }
    heap->used_bytes = (last + 1) * LARDER_FRAME_BYTES > heap->used_bytes
                           ? (last + 1) * LARDER_FRAME_BYTES
                           : heap->used_bytes;
}

/* A block's own frames, or the whole slab of an object that is the first in its frame. */
static void note_given(struct heap *heap, struct heap_block *block) {
    const uint64_t frame = (uint64_t)(block->pointer - heap->base) / LARDER_FRAME_BYTES;
    if (heap_is_backed(heap, frame) && block->usable_bytes <= LARDER_FRAME_BYTES)
        return;
    struct larder_block whole;
    larder_block_at(heap->larder, block->pointer, &whole);
    if (whole.kind == LARDER_WHAT_OBJECT)
        mark_backed(heap, whole.start, whole.frames * LARDER_FRAME_BYTES);
    else
        mark_backed(heap, block->pointer, block->usable_bytes);
}

/* ---- threads --------------------------------------------------------------------------------- */

static struct larder_slot *attach(struct heap *heap) {
    if (heap->parked_count > 0)
        return heap->parked[--heap->parked_count];
    if (heap->slot_count == SLOTS_MAX)
        return larder_slot_none;
    struct larder_slot *slot = larder_slot_attach(heap->larder, (unsigned)heap->slot_count);
    heap->slot_count += slot != NULL;
    return slot ? slot : larder_slot_none;
}

static void be_thread(struct heap *heap, uint32_t thread) {
    const size_t before = heap->slot_room;
    heap->slot = memory_reserve((void *)heap->slot, &heap->slot_room, (size_t)thread + 1,
                                sizeof *heap->slot);
    if (heap->slot_room > before)
        memset((void *)(heap->slot + before), 0, (heap->slot_room - before) * sizeof *heap->slot);
    if (!heap->slot[thread])
        heap->slot[thread] = attach(heap);
    larder_port_thread_slot = heap->slot[thread];
}

/* Its slot keeps its magazines for the next thread, as in the Linux home, until the next interval.
 */
static void end_thread(struct heap *heap, uint32_t thread) {
    if (thread >= heap->slot_room || !heap->slot[thread])
        return;
    if (heap->slot[thread] != larder_slot_none)
        heap->parked[heap->parked_count++] = heap->slot[thread];
    heap->slot[thread] = NULL;
    larder_port_thread_slot = larder_slot_none;
}

void heap_clock(struct heap *heap, uint64_t now_ms) {
    for (unsigned tick = 0; tick < TICKS_AT_ONCE && now_ms - heap->ticked_ms >= INTERVAL_MS;
         tick++) {
        heap->ticked_ms += INTERVAL_MS;
        port_set_clock_ms(heap->ticked_ms);
        for (size_t i = 0; i < heap->parked_count; i++)
            larder_reclaim_slot(heap->larder, heap->parked[i]);
        (void)larder_tick(heap->larder);
    }
    if (now_ms - heap->ticked_ms >= INTERVAL_MS)
        heap->ticked_ms = now_ms - now_ms % INTERVAL_MS;
    port_set_clock_ms(now_ms);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static bool grow(struct heap *heap, uint64_t bytes) {
    const uint64_t left = heap->reserved_bytes - heap->usable_bytes;
    uint64_t step = FIRST_BYTES;
    if (bytes > left)
        return false;
    while (step < 2 * bytes && step < left)
        step *= 2;
    if (step < heap->usable_bytes / 4)
        step = heap->usable_bytes / 4 & ~(PLACE_BYTES - 1);
    step = least(step, left);
    const uintptr_t end = (uintptr_t)heap->base + heap->usable_bytes;
    if (step < PLACE_BYTES || !larder_port_commit((void *)end, step) ||
        larder_frames_donate(heap->larder, end, step) != LARDER_OK)
        return false;
    heap->usable_bytes += step;
    return true;
}

/* Growing comes before reclaiming: addresses are cheap. */
static void *give_out(struct heap *heap, uint64_t align_bytes, uint64_t size_bytes) {
    const uint64_t wanted = size_bytes ? size_bytes : 1;
    void *memory;
    do {
        memory = larder_aligned_flags(heap->larder, align_bytes, wanted, LARDER_NO_RECLAIM);
    } while (!memory && larder_good_size(wanted) &&
             grow(heap, wanted > align_bytes ? wanted : align_bytes));
    return memory;
}

static void place(struct heap *heap, struct heap_block *block, uint64_t align_bytes,
                  uint64_t size_bytes) {
    block->pointer = give_out(heap, align_bytes, size_bytes);
    block->usable_bytes = block->pointer ? larder_size_of(heap->larder, block->pointer) : 0;
    heap->unplaced += block->pointer == NULL;
    if (block->pointer)
        note_given(heap, block);
}

static struct heap_block *block_of(struct heap *heap, uint32_t id) {
    const size_t before = heap->block_room;
    heap->block =
        memory_reserve(heap->block, &heap->block_room, (size_t)id + 1, sizeof *heap->block);
    if (heap->block_room > before)
        memset(heap->block + before, 0, (heap->block_room - before) * sizeof *heap->block);
    if (id >= heap->block_end)
        heap->block_end = (size_t)id + 1;
    return &heap->block[id];
}

static void alloc_block(struct heap *heap, const struct trace_event *event, uint64_t now) {
    struct heap_block *block = block_of(heap, event->id);
    *block = (struct heap_block){
        .size_bytes = event->size_bytes,
        .born = now,
        .site = event->site,
        .thread = event->thread,
        .is_live = true,
    };
    place(heap, block, event->align_bytes > HEAP_ALIGN ? event->align_bytes : HEAP_ALIGN,
          event->size_bytes);
    heap->requested_bytes += event->size_bytes;
    heap->live_blocks++;
}

/* A run gets an eighth more when it moves to grow, as the Linux home's realloc does. */
static uint64_t roomy(const struct heap_block *block, uint64_t size_bytes) {
    return size_bytes > block->usable_bytes && size_bytes > LARDER_CLASS_MAX_BYTES &&
                   size_bytes < INT64_MAX / 2
               ? size_bytes + size_bytes / GROWTH_DIVISOR
               : size_bytes;
}

static void resize_block(struct heap *heap, const struct trace_event *event) {
    struct heap_block *block = block_of(heap, event->id);
    heap->requested_bytes += event->size_bytes - block->size_bytes;
    block->size_bytes = event->size_bytes;
    block->site = event->site ? event->site : block->site;
    if (block->pointer && larder_try_resize(heap->larder, block->pointer, event->size_bytes)) {
        block->usable_bytes = larder_size_of(heap->larder, block->pointer);
        note_given(heap, block);
        return;
    }
    void *old = block->pointer;
    place(heap, block, HEAP_ALIGN, roomy(block, event->size_bytes));
    larder_free(heap->larder, old);
}

static void free_block(struct heap *heap, uint32_t id) {
    struct heap_block *block = block_of(heap, id);
    larder_free(heap->larder, block->pointer);
    heap->requested_bytes -= block->size_bytes;
    heap->live_blocks--;
    *block = (struct heap_block){0};
}

void heap_apply(struct heap *heap, const struct trace_event *event, uint64_t now) {
    if (event->kind == TRACE_THREAD_END) {
        end_thread(heap, event->thread);
        return;
    }
    if (event->kind == TRACE_FAILED || event->kind == TRACE_RESIDENT ||
        event->kind == TRACE_THREAD_START)
        return;
    be_thread(heap, event->thread);
    if (trace_is_alloc(event->kind))
        alloc_block(heap, event, now);
    else if (trace_is_free(event->kind))
        free_block(heap, event->id);
    else
        resize_block(heap, event);
}

const struct heap_block *heap_find(const struct heap *heap, uint32_t id) {
    return id < heap->block_end && heap->block[id].is_live ? &heap->block[id] : NULL;
}

/* ---- amounts --------------------------------------------------------------------------------- */

struct sums {
    uint64_t slabs, live, cached; /* bytes, of all but the core's own caches */
};

static void add_cache(struct larder_cache *cache, void *context) {
    struct sums *sums = context;
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    if (stats.is_internal)
        return;
    sums->slabs += stats.slabs * stats.slab_bytes;
    sums->live += stats.live * stats.object_bytes;
    sums->cached += (stats.in_magazines + stats.in_depot) * stats.object_bytes;
}

struct heap_amounts heap_amounts(struct heap *heap) {
    struct sums sums = {0};
    struct larder_frames_stats frames;
    larder_caches_each(heap->larder, add_cache, &sums);
    larder_frames_stats(heap->larder, &frames);
    const uint64_t allocated = frames.allocated * LARDER_FRAME_BYTES;
    const uint64_t metadata = frames.metadata * LARDER_FRAME_BYTES;
    const uint64_t used = minus(frames.allocated, frames.metadata) + frames.in_bins;
    const uint64_t free_backed = least(minus(heap->backed_frames, used), frames.free);
    return (struct heap_amounts){
        .requested = heap->requested_bytes,
        .live = sums.live + minus(allocated, metadata + sums.slabs),
        .cached = sums.cached + frames.in_bins * LARDER_FRAME_BYTES,
        .in_slabs = minus(sums.slabs, sums.live + sums.cached),
        .free_backed = free_backed * LARDER_FRAME_BYTES,
        .metadata = metadata,
        .given_back = (frames.free - free_backed) * LARDER_FRAME_BYTES,
        .blocks = heap->live_blocks,
    };
}
