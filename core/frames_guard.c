/* frames_guard.c: slabs and runs between pages that cannot be accessed, and freed runs kept like
 * them for a while.
 *
 *     | before: whole pages | block | rest of its last page | one page |
 *     '-- metadata, closed -'       '------- metadata -------- closed -'
 *
 * Each guard splits a mapping of the system, and a process may have 65,530 of them: so there is a
 * limit to the number of guarded blocks, and those beyond it have none. A system that refuses to
 * close a guard leaves it open.
 */
#include "frames.h"

static uint64_t page_frames(void) {
    return larder_port_page_bytes() >> FRAME_SHIFT;
}

struct frame_guards frames_guards_for(const struct larder *larder, uint64_t count,
                                      uint64_t align_frames) {
    const struct hardening *hardening = &larder->hardening;
    uint64_t page = page_frames();
    if (hardening->config.protect == NULL ||
        __atomic_load_n(&hardening->guarded_blocks, __ATOMIC_RELAXED) >=
            hardening->config.guarded_blocks_max) {
        return (struct frame_guards){0, 0};
    }
    return (struct frame_guards){.before = max_u64(page, align_frames),
                                 .behind = align_up(count, page) - count + page};
}

static bool protect(struct larder *larder, uint64_t first, uint64_t count, bool is_accessible) {
    return larder->hardening.config.protect(frame_pointer(&larder->map, first),
                                            (size_t)count << FRAME_SHIFT, is_accessible);
}

/* ---- guards ---- */

static void own_guard(struct larder *larder, uint64_t first, uint64_t count) {
    larder->map.record[first].count_frames = count;
    larder->map.owner[first] = OWNER_METADATA;
    __atomic_add_fetch(&larder->metadata_frames, count, __ATOMIC_RELAXED);
}

static void disown_guard(struct larder *larder, uint64_t first) {
    uint64_t count = larder->map.record[first].count_frames;
    larder->map.owner[first] = OWNER_NONE;
    __atomic_sub_fetch(&larder->metadata_frames, count, __ATOMIC_RELAXED);
}

void frames_guard(struct larder *larder, uint64_t first, uint64_t count,
                  const struct frame_guards *guards) {
    if (LIKELY(guards->before == 0)) {
        return;
    }
    uint64_t end = first + count + guards->behind;
    larder->map.record[first].guard_frames = (uint32_t)guards->before;
    own_guard(larder, first - guards->before, guards->before);
    own_guard(larder, first + count, guards->behind);
    __atomic_add_fetch(&larder->hardening.guarded_blocks, 1, __ATOMIC_RELAXED);
    (void)protect(larder, first - guards->before, guards->before, false);
    (void)protect(larder, end - page_frames(), page_frames(), false);
}

/* The block and its guards are one, of *first and *count; they stay closed. */
static void join_guards(struct larder *larder, uint64_t *first, uint64_t *count) {
    struct frame *record = larder->map.record;
    uint64_t before = record[*first].guard_frames, behind = record[*first + *count].count_frames;
    disown_guard(larder, *first - before);
    disown_guard(larder, *first + *count);
    record[*first].guard_frames = 0;
    *first -= before;
    *count += before + behind;
}

/* What cannot be opened again stays out of use for good. */
static void open_and_give(struct larder *larder, uint64_t first, uint64_t count) {
    __atomic_sub_fetch(&larder->hardening.guarded_blocks, 1, __ATOMIC_RELAXED);
    if (protect(larder, first, count, true)) {
        frames_give(larder, first, count);
    } else {
        own_guard(larder, first, count);
    }
}

void frames_give_guarded(struct larder *larder, uint64_t first, uint64_t count) {
    if (LIKELY(larder->map.record[first].guard_frames == 0)) {
        frames_give(larder, first, count);
        return;
    }
    join_guards(larder, &first, &count);
    open_and_give(larder, first, count);
}

/* ---- quarantine ---- */

static void wipe(struct larder *larder, uint64_t first, uint64_t count) {
    void *start = frame_pointer(&larder->map, first);
    if (!larder_port_purge(start, (size_t)count << FRAME_SHIFT)) {
        __builtin_memset(start, 0, count << FRAME_SHIFT);
    }
}

/* Put a run, 0 for none, in a place of the ring; the one that lay there goes to the buddies. */
static void exchange_run(struct larder *larder, uint32_t place, uint32_t run) {
    struct hardening *hardening = &larder->hardening;
    uint32_t old =
        __atomic_exchange_n(&hardening->run[place % QUARANTINE_RUNS], run, __ATOMIC_ACQ_REL);
    if (old != 0) {
        uint64_t count = larder->map.record[old - 1].count_frames;
        larder->map.owner[old - 1] = OWNER_NONE;
        __atomic_sub_fetch(&hardening->quarantined_frames, count, __ATOMIC_RELAXED);
        open_and_give(larder, old - 1, count);
    }
}

static bool is_too_full(struct hardening *hardening) {
    return __atomic_load_n(&hardening->quarantined_frames, __ATOMIC_RELAXED) >
           hardening->config.quarantine_frames;
}

/* The oldest lie behind the place of the youngest. */
static void keep_run(struct larder *larder, uint64_t first, uint64_t count) {
    struct hardening *hardening = &larder->hardening;
    uint32_t place = __atomic_fetch_add(&hardening->next_run, 1, __ATOMIC_RELAXED);
    larder->map.record[first].count_frames = count;
    larder->map.owner[first] = OWNER_BIN;
    __atomic_add_fetch(&hardening->quarantined_frames, count, __ATOMIC_RELAXED);
    exchange_run(larder, place, (uint32_t)first + 1);
    for (uint32_t i = 1; i <= QUARANTINE_RUNS && is_too_full(hardening); i++) {
        exchange_run(larder, place + i, 0);
    }
}

void frames_quarantine(struct larder *larder, uint64_t first, uint64_t count) {
    bool is_guarded = larder->map.record[first].guard_frames != 0;
    wipe(larder, first, count);
    if (!is_guarded) {
        frames_give(larder, first, count);
        return;
    }
    join_guards(larder, &first, &count);
    (void)protect(larder, first, count, false);
    keep_run(larder, first, count);
}
