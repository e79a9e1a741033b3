/* remap.c: see remap.h.
 *
 * A block is moved piece by piece, a piece being what lies in one mapping: the kernel moves no more
 * at a time. Small pieces, and those that the system refuses, are copied.
 *
 * A failed call may have unmapped its target (mremap() does that first). The target is then mapped
 * anew; where that fails too, everything is copied back.
 */
#include "remap.h"

#include "larder/frames.h"
#include "larder/heap.h"
#include "larder/port.h"

#include "process.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE_LEAST ((size_t)1 << 20) /* bytes; below, copying costs less than two system calls */

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* A mapping of its own, [start, end). `block`: it is to be freed when it has been mapped anew. */
struct moved {
    uintptr_t start, end;
    void *block;
};

static struct {
    larder_port_lock_t lock; /* guards the rest */
    unsigned count;          /* atomic: is there any? is asked without the lock */
    unsigned owed;           /* of them, those with a block; atomic too */
    struct moved moved[REMAP_MAX];
} remap;

static bool is_refused; /* atomic: this kernel cannot leave the old place mapped */

static uintptr_t least(uintptr_t a, uintptr_t b) {
    return a < b ? a : b;
}

/* ---- what was moved where; the lock is held ---- */

static bool add(struct moved more) {
    if (remap.count == REMAP_MAX)
        return false;
    remap.moved[remap.count] = more;
    __atomic_store_n(&remap.count, remap.count + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&remap.owed, remap.owed + (more.block != NULL), __ATOMIC_RELAXED);
    return true;
}

static struct moved drop(unsigned index) {
    const struct moved gone = remap.moved[index];
    remap.moved[index] = remap.moved[remap.count - 1];
    __atomic_store_n(&remap.count, remap.count - 1, __ATOMIC_RELAXED);
    __atomic_store_n(&remap.owed, remap.owed - (gone.block != NULL), __ATOMIC_RELAXED);
    return gone;
}

/* Nothing in [start, end) is a mapping of its own from now on. True iff something was. */
static bool cut(uintptr_t start, uintptr_t end) {
    bool was = false;
    for (unsigned i = remap.count; i-- > 0;) {
        const struct moved here = remap.moved[i];
        if (here.block || here.start >= end || here.end <= start)
            continue;
        was = true;
        (void)drop(i);
        if (here.start < start)
            (void)add((struct moved){here.start, start, NULL});
        if (here.end > end)
            (void)add((struct moved){end, here.end, NULL});
    }
    return was;
}

/* Where the mapping ends that `at` is in; `end` at most. */
static uintptr_t piece_end(uintptr_t at, uintptr_t end) {
    larder_port_lock_acquire(&remap.lock);
    for (unsigned i = 0; i < remap.count; i++) {
        const struct moved here = remap.moved[i];
        if (here.start > at)
            end = least(end, here.start);
        else if (here.end > at)
            end = least(end, here.end);
    }
    larder_port_lock_release(&remap.lock);
    return end;
}

/* ---- blocks that could not be freed ---- */

static bool take_owed(struct moved *taken) {
    bool is_one = false;
    larder_port_lock_acquire(&remap.lock);
    for (unsigned i = remap.count; i-- > 0 && !is_one;) {
        is_one = remap.moved[i].block != NULL;
        if (is_one)
            *taken = drop(i);
    }
    larder_port_lock_release(&remap.lock);
    return is_one;
}

static void owe(struct moved block) {
    larder_port_lock_acquire(&remap.lock);
    (void)add(block); /* no room: lost, which is a place and no memory */
    larder_port_lock_release(&remap.lock);
}

/* Free a block that has a mapping of its own, and nothing but what shares its outer pages. */
static bool free_anew(struct moved block) {
    if (!process_map_anew((void *)block.start, block.end - block.start))
        return false;
    if (larder_size_of(PROCESS, block.block) == block.end - block.start)
        larder_frames_free_unused(PROCESS, block.block);
    else
        larder_free(PROCESS, block.block);
    return true;
}

static void pay(void) {
    struct moved owed;
    if (__builtin_expect(__atomic_load_n(&remap.owed, __ATOMIC_RELAXED) == 0, 1))
        return;
    while (take_owed(&owed)) {
        if (!free_anew(owed)) {
            owe(owed);
            return;
        }
    }
}

/* ---- moving ---- */

enum outcome { MOVED, COPIED, LOST };

static bool has_room(void) {
    return !__atomic_load_n(&is_refused, __ATOMIC_RELAXED) &&
           __atomic_load_n(&remap.count, __ATOMIC_RELAXED) < REMAP_MAX;
}

static void note(uintptr_t to, size_t bytes) {
    larder_port_lock_acquire(&remap.lock);
    (void)cut(to, to + bytes);
    (void)add((struct moved){to, to + bytes, NULL});
    larder_port_lock_release(&remap.lock);
}

static enum outcome move_piece(uintptr_t to, uintptr_t from, size_t bytes) {
    const int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, saved = errno;
    if (bytes < PIECE_LEAST || !has_room()) {
        memcpy((void *)to, (void *)from, bytes);
        return COPIED;
    }
    if (mremap((void *)from, bytes, bytes, flags, (void *)to) != MAP_FAILED) {
        note(to, bytes);
        return MOVED;
    }
    if (errno == EINVAL)
        __atomic_store_n(&is_refused, true, __ATOMIC_RELAXED);
    errno = saved;
    if (!process_map_anew((void *)to, bytes))
        return LOST;
    memcpy((void *)to, (void *)from, bytes);
    return COPIED;
}

/* Whole pages, at the same place in a page on both sides. */
static enum outcome move(uintptr_t to, uintptr_t from, size_t bytes) {
    enum outcome all = MOVED;
    for (size_t at = 0, here; at < bytes; at += here) {
        here = piece_end(from + at, from + bytes) - (from + at);
        const enum outcome piece = move_piece(to + at, from + at, here);
        if (piece == LOST) {
            memcpy((void *)from, (void *)to, at);
            return LOST;
        }
        all = piece == COPIED ? COPIED : all;
    }
    return all;
}

/* Where the new place has memory already, copying is faster than moving; and memory that was moved
 * there would push it out. */
static bool is_worth_moving(const void *to, const void *from, size_t bytes) {
    const uintptr_t in_page = ((uintptr_t)to | (uintptr_t)from) & (larder_port_page_bytes() - 1);
    return in_page == 0 && has_room() &&
           larder_frames_count_unused(PROCESS, to) >= bytes / LARDER_FRAME_BYTES / 2;
}

bool remap_replace(void *to, void *from, size_t bytes) {
    pay();
    const size_t whole =
        is_worth_moving(to, from, bytes) ? bytes & ~(larder_port_page_bytes() - 1) : 0;
    const enum outcome outcome = whole ? move((uintptr_t)to, (uintptr_t)from, whole) : COPIED;
    if (outcome == LOST)
        return false;
    memcpy((char *)to + whole, (char *)from + whole, bytes - whole);
    if (remap_free(from))
        return true;
    if (outcome == MOVED && whole == bytes)
        larder_frames_free_unused(PROCESS, from);
    else
        larder_free(PROCESS, from);
    return true;
}

bool remap_free(void *pointer) {
    const size_t page_bytes = larder_port_page_bytes();
    if (__builtin_expect(__atomic_load_n(&remap.count, __ATOMIC_RELAXED) == 0, 1))
        return false;
    pay();
    const uintptr_t end = (uintptr_t)pointer + larder_size_of(PROCESS, pointer);
    const struct moved block = {((uintptr_t)pointer + page_bytes - 1) & ~(page_bytes - 1),
                                end & ~(page_bytes - 1), pointer};
    larder_port_lock_acquire(&remap.lock);
    const bool was_moved = block.start < block.end && cut(block.start, block.end);
    larder_port_lock_release(&remap.lock);
    if (was_moved && !free_anew(block))
        owe(block);
    return was_moved;
}

/* ---- fork ---- */

void remap_lock(void) {
    larder_port_lock_acquire(&remap.lock);
}

void remap_unlock(void) {
    larder_port_lock_release(&remap.lock);
}
