/* recorder.h: inside a recorded program: what the calls of the malloc family (family.c,
 * operators.c) tell, and how it gets into this thread's ring (ring.c).
 *
 * Nothing here allocates. A call that is made while one of ours is under way (the next allocator's
 * own, a signal handler's) is passed on and not recorded: `depth` says so.
 *
 * A child of fork() is another process, with rings of its own. It finds out by itself, however it
 * was made: what is in struct process lies in a page that the kernel wipes in children.
 */
#ifndef LAB_RECORD_PRELOAD_RECORDER_H
#define LAB_RECORD_PRELOAD_RECORDER_H

#include "channel.h"
#include "trace/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define UNLIKELY(condition) __builtin_expect((condition), 0)

struct process {
    uint32_t image; /* 0: not attached (yet, or this is a child of fork) */
    uint32_t next_thread;
    char command[CHANNEL_COMMAND_BYTES];
};

struct thread {
    uint32_t image;            /* that of the process when this thread attached */
    uint32_t depth;            /* calls of ours under way */
    struct channel_ring *ring; /* NULL: this thread is not recorded */
    struct channel_entry *entries;
    uint64_t head, tail_seen;
    uint32_t until_sample; /* allocations until the next whole stack */
    uintptr_t stack_end;   /* of this thread's; 0: not looked for yet */
};

/* One word of static TLS would do, but a preloaded library has its TLS from the start. */
extern HIDDEN __thread struct thread recorder_thread __attribute__((tls_model("initial-exec")));
extern HIDDEN struct process *recorder_process;
extern HIDDEN struct channel *recorder_channel; /* NULL: none */

/* Make a ring this thread's. False iff it is not to be recorded. */
HIDDEN bool recorder_attach(struct thread *thread);

/* The ring is full: wait for the collector. False iff it is gone. */
HIDDEN bool recorder_wait(struct thread *thread);

/* Put in the addresses of this stack, from `caller` outwards, in front of the next event. */
HIDDEN void recorder_put_stack(struct thread *thread, const void *caller);

/* The stack, innermost first, up to `most` addresses. */
HIDDEN size_t stack_by_frames(struct thread *thread, uintptr_t *addresses, size_t most);
HIDDEN size_t stack_by_unwinding(uintptr_t *addresses, size_t most);

/* Put in /proc/self/maps. */
HIDDEN void recorder_put_maps(struct thread *thread);

static inline uint64_t recorder_ticks(void) {
    extern HIDDEN uint64_t recorder_clock(void);
#if defined(__x86_64__)
    if (__builtin_expect(recorder_channel->clock == CHANNEL_CLOCK_CYCLES, 1))
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    if (__builtin_expect(recorder_channel->clock == CHANNEL_CLOCK_CYCLES, 1)) {
        uint64_t ticks;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return recorder_clock();
}

/* ---- Entries: is_inside is set from before the time is taken until the entry is there ----------
 */

static inline bool recorder_enter(struct thread *thread) {
    if (UNLIKELY(thread->image != recorder_process->image || thread->image == 0) &&
        !recorder_attach(thread))
        return false;
    if (UNLIKELY(!thread->ring))
        return false;
    __atomic_store_n(&thread->ring->is_inside, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return true;
}

static inline void recorder_leave(struct thread *thread) {
    __atomic_store_n(&thread->ring->is_inside, 0, __ATOMIC_RELEASE);
}

/* The next entry to fill. NULL iff there is nobody to take it. */
static inline struct channel_entry *recorder_entry(struct thread *thread) {
    if (UNLIKELY(thread->head - thread->tail_seen == CHANNEL_COUNT_ENTRIES) &&
        !recorder_wait(thread))
        return NULL;
    return &thread->entries[thread->head % CHANNEL_COUNT_ENTRIES];
}

static inline void recorder_push(struct thread *thread) {
    thread->head++;
    __atomic_store_n(&thread->ring->head, thread->head, __ATOMIC_RELEASE);
}

/* Kinds are of enum trace_kind or of enum channel_entry_kind. */
static inline void recorder_event(struct thread *thread, unsigned kind, const void *pointer,
                                  size_t size_bytes, size_t align_bytes, const void *caller) {
    if (UNLIKELY(!recorder_enter(thread)))
        return;
    if (UNLIKELY(recorder_channel->stacks != CHANNEL_STACKS_CALLER) && caller) {
        recorder_put_stack(thread, caller);
        caller = NULL;
    }
    struct channel_entry *entry = recorder_entry(thread);
    if (entry) {
        entry->ticks = recorder_ticks();
        entry->pointer = (uintptr_t)pointer;
        entry->size_bytes = size_bytes;
        entry->caller = (uintptr_t)caller & (((uint64_t)1 << 48) - 1);
        entry->align_log2 = align_bytes ? (unsigned)__builtin_ctzl(align_bytes) & 63u : 0;
        entry->kind = kind & 255u;
        recorder_push(thread);
    }
    recorder_leave(thread);
}

#endif
