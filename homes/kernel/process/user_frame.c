/* user_frame.c: see user_frame.h.
 *
 * The records lie in a window of larder's metadata region (arch/arm64/metadata.c): as wide as the
 * span of RAM, committed where RAM is. Locks: none. `others` is atomic: two processes may leave
 * one frame at the same time, and exactly one of them finds that it was the last.
 */
#include "user_frame.h"

#include "inject.h"
#include "kernel.h"

#include "larder/frames.h"
#include "larder/port.h"
#include "larder/stats.h"

#include <stdatomic.h>

struct user_frame {
    _Atomic uint32_t others; /* users beside the first; acquire-release: who is last frees */
    _Atomic uint32_t owner;  /* process number, 0: none; relaxed, for looking only */
};

_Static_assert(sizeof(struct user_frame) == 8, "0.2 % of RAM");

static struct user_frame *records; /* constant after user_frames_setup(), as is first_address */
static uint64_t first_address;
static _Atomic uint64_t held; /* frames; relaxed, a counter */

static struct user_frame *record_of(uint64_t address) {
    return &records[(address - first_address) >> LARDER_FRAME_SHIFT];
}

static void commit(uint64_t address, uint64_t size_bytes) {
    uint64_t count = ((size_bytes + LARDER_FRAME_BYTES - 1) >> LARDER_FRAME_SHIFT) + 1;

    if (!larder_port_commit(record_of(address), count * sizeof(struct user_frame)))
        panic("no memory for the records of user frames");
}

void user_frames_setup(void) {
    const struct larder_ranges *ranges = memory_ranges();
    uint64_t end, bytes;

    larder_map_span(kernel_larder, &first_address, &end);
    bytes = ((end - first_address) >> LARDER_FRAME_SHIFT) * sizeof *records;
    bytes = (bytes / LARDER_FRAME_BYTES + 2) * LARDER_FRAME_BYTES; /* and one behind the last */
    records = larder_port_reserve(bytes, LARDER_FRAME_BYTES);
    if (records == NULL)
        panic("no addresses for the records of user frames");
    for (unsigned i = 0; i < ranges->count; i++)
        if (ranges->range[i].kind == LARDER_RANGE_USABLE ||
            ranges->range[i].kind == LARDER_RANGE_DONATED)
            commit(ranges->range[i].address, ranges->range[i].size_bytes);
}

uint64_t user_frame_take(uint32_t owner, unsigned order, bool zeroed) {
    larder_flags flags =
        (zeroed ? LARDER_ZERO : 0) | (order == USER_BLOCK_ORDER ? LARDER_NO_RECLAIM : 0);
    void *frames = inject_fails() ? NULL : larder_frames_alloc(kernel_larder, order, flags);
    uint64_t address;

    if (frames == NULL)
        return UINT64_MAX;
    address = larder_frames_address(kernel_larder, frames);
    user_frame_own(address, order, owner);
    atomic_fetch_add_explicit(&held, 1ul << order, memory_order_relaxed);
    return address;
}

void user_frame_share(uint64_t address) {
    atomic_fetch_add_explicit(&record_of(address)->others, 1, memory_order_relaxed);
}

uint64_t user_frame_users(uint64_t address) {
    return 1 + (uint64_t)atomic_load_explicit(&record_of(address)->others, memory_order_acquire);
}

bool user_frame_is_shared(uint64_t address) {
    return user_frame_users(address) != 1;
}

/* True iff nobody else uses it. */
static bool leave(struct user_frame *record) {
    uint32_t others = atomic_load_explicit(&record->others, memory_order_acquire);

    do {
        if (others == 0)
            return true;
    } while (!atomic_compare_exchange_weak_explicit(&record->others, &others, others - 1,
                                                    memory_order_acq_rel, memory_order_acquire));
    return false;
}

void user_frame_leave(uint64_t address, unsigned order) {
    if (!leave(record_of(address)))
        return;
    user_frame_own(address, order, 0);
    atomic_fetch_sub_explicit(&held, 1ul << order, memory_order_relaxed);
    larder_frames_free_order(kernel_larder, larder_frames_pointer(kernel_larder, address), order);
}

void user_frame_own(uint64_t address, unsigned order, uint32_t owner) {
    for (uint64_t i = 0; i < 1ul << order; i++)
        atomic_store_explicit(&record_of(address)[i].owner, owner, memory_order_relaxed);
}

uint32_t user_frame_owner(uint64_t address) {
    return atomic_load_explicit(&record_of(address)->owner, memory_order_relaxed);
}

uint64_t user_frames_held(void) {
    return atomic_load_explicit(&held, memory_order_relaxed);
}
