/* replay.c: do with a policy what a program did with its malloc, and keep count.
 *
 * struct replay comes from space.h, not from malloc: in the process that replays a malloc nothing
 * but the trace's own requests may reach it. */
#include "engine.h"

#include "pattern.h"
#include "space.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ENDS_BYTES                                                                                 \
    4096u /* of a block that was moved, what is looked at; the rest when it is freed */
#define MALLOC_ALIGN 8u /* the least a block may be aligned to */

/* ---- Begin and end --------------------------------------------------------------------------- */

struct replay *replay_open_kind(const struct policy_kind *kind, const struct replay_config *config,
                                char what[REPLAY_WHAT_LENGTH]) {
    struct replay *replay = space_stretch(NULL, 0, sizeof *replay);
    if (!replay) {
        (void)snprintf(what, REPLAY_WHAT_LENGTH, "no memory");
        return NULL;
    }
    replay->policy = kind->open(kind, config->memory_bytes, what);
    if (!replay->policy) {
        space_give(replay, sizeof *replay);
        return NULL;
    }
    replay->is_checked = !config->is_unchecked;
    replay->is_timed = !config->is_untimed;
    replay->overhead_ns = replay->is_timed ? times_overhead() : 0;
    replay->write_budget_bytes = space_available() / 2;
    replay->so_far.footprint_peak_bytes = kind->footprint(replay->policy);
    return replay;
}

struct replay *replay_open(const struct replay_config *config, char what[REPLAY_WHAT_LENGTH]) {
    const struct policy_kind *kind = policy_kind_find(config->policy);
    if (kind)
        return replay_open_kind(kind, config, what);
    (void)snprintf(what, REPLAY_WHAT_LENGTH, "there is no policy \"%s\"", config->policy);
    return NULL;
}

void replay_close(struct replay *replay) {
    if (!replay)
        return;
    replay->policy->kind->close(replay->policy);
    blocks_drop(&replay->blocks);
    space_give(replay, sizeof *replay);
}

const char *replay_fault(const struct replay *replay) {
    return replay->is_at_fault ? replay->fault : NULL;
}

__attribute__((format(printf, 2, 3))) static void fail(struct replay *replay, const char *format,
                                                       ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(replay->fault, sizeof replay->fault, format, arguments);
    va_end(arguments);
    replay->is_at_fault = true;
}

/* ---- Contents -------------------------------------------------------------------------------- */

static void check(struct replay *replay, uint32_t id, const struct block *block, uint64_t from,
                  uint64_t to) {
    const uint64_t wrong = pattern_check(block->pointer, id, from, to);
    if (wrong != PATTERN_NONE)
        fail(replay, "event %llu: block %u of %llu bytes was overwritten at byte %llu",
             (unsigned long long)replay->so_far.events, id, (unsigned long long)block->size_bytes,
             (unsigned long long)wrong);
}

static void check_alignment(struct replay *replay, uint32_t id, const unsigned char *pointer,
                            uint64_t align_bytes) {
    const uint64_t align = align_bytes > MALLOC_ALIGN ? align_bytes : MALLOC_ALIGN;
    if (((uintptr_t)pointer & (align - 1)) != 0)
        fail(replay, "event %llu: block %u at %p is not aligned to %llu bytes",
             (unsigned long long)replay->so_far.events, id, (const void *)pointer,
             (unsigned long long)align);
}

/* Write a block, of which the first `from` bytes are written, unless there is too much already. */
static void write_block(struct replay *replay, uint32_t id, struct block *block, uint64_t from) {
    const uint64_t more = block->size_bytes - from;
    if (!replay->is_checked)
        return;
    block->is_written = more <= replay->write_budget_bytes &&
                        replay->written_bytes <= replay->write_budget_bytes - more;
    if (block->is_written) {
        pattern_write(block->pointer, id, from, block->size_bytes);
        replay->written_bytes += more;
    } else {
        replay->written_bytes -= from;
        replay->unwritten_blocks++;
    }
}

/* ---- Counting -------------------------------------------------------------------------------- */

uint64_t replay_held(const struct replay *replay) {
    const struct policy_kind *kind = replay->policy->kind;
    return kind->held ? kind->held(replay->policy) : replay->held_bytes;
}

static uint64_t block_bytes(struct replay *replay, const void *pointer) {
    const struct policy_kind *kind = replay->policy->kind;
    return kind->held ? 0 : kind->block_bytes(replay->policy, pointer);
}

static void note_peaks(struct replay *replay) {
    struct replay_figures *so_far = &replay->so_far;
    const uint64_t footprint = replay->policy->kind->footprint(replay->policy);
    if (so_far->live_blocks > so_far->live_blocks_peak)
        so_far->live_blocks_peak = so_far->live_blocks;
    if (so_far->live_bytes > so_far->live_bytes_peak) {
        so_far->live_bytes_peak = so_far->live_bytes;
        so_far->live_at_peak_bytes = so_far->live_bytes;
        so_far->held_at_peak_bytes = replay_held(replay);
    }
    if (footprint > so_far->footprint_peak_bytes)
        so_far->footprint_peak_bytes = footprint;
}

static uint64_t begin(const struct replay *replay) {
    return replay->is_timed ? times_now() : 0;
}

static void end(const struct replay *replay, struct times *times, uint64_t began_ns) {
    if (!replay->is_timed)
        return;
    const uint64_t took_ns = times_now() - began_ns;
    times_add(times, took_ns > replay->overhead_ns ? took_ns - replay->overhead_ns : 0);
}

static uint64_t looked(const struct replay *replay) {
    uint64_t (*const look)(void) = replay->policy->kind->looked;
    return look ? look() : 0;
}

static void note_search(struct replay *replay, uint64_t before, bool is_search) {
    struct replay_figures *so_far = &replay->so_far;
    const uint64_t length = looked(replay) - before;
    if (!replay->policy->kind->looked || (!is_search && length == 0))
        return;
    so_far->searches++;
    so_far->searched += length;
    if (length > so_far->searched_max)
        so_far->searched_max = length;
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* Nobody gets nothing for malloc(0): the policies are asked for a byte. */
static uint64_t at_least_one(uint64_t bytes) {
    return bytes ? bytes : 1;
}

/* Nobody is asked for an alignment that is none. */
static bool is_alignment(uint64_t bytes) {
    return (bytes & (bytes - 1)) == 0;
}

static unsigned char *ask(struct replay *replay, const struct trace_event *event) {
    const struct policy_kind *kind = replay->policy->kind;
    const uint64_t bytes = at_least_one(event->size_bytes);
    const uint64_t before = looked(replay), began_ns = begin(replay);
    void *pointer;
    if (event->align_bytes != 0)
        pointer = kind->aligned(replay->policy, event->align_bytes, bytes);
    else if (event->kind == TRACE_CALLOC && kind->zeroed)
        pointer = kind->zeroed(replay->policy, bytes);
    else
        pointer = kind->alloc(replay->policy, bytes);
    end(replay, &replay->alloc, began_ns);
    note_search(replay, before, true);
    return pointer;
}

/* The block is there now. */
static void arrive(struct replay *replay, const struct trace_event *event, struct block *block) {
    block->size_bytes = event->size_bytes;
    replay->so_far.live_blocks++;
    replay->so_far.live_bytes += block->size_bytes;
    replay->held_bytes += block_bytes(replay, block->pointer);
    check_alignment(replay, event->id, block->pointer, event->align_bytes);
    if (!replay->is_at_fault)
        write_block(replay, event->id, block, 0);
    note_peaks(replay);
}

static void request(struct replay *replay, const struct trace_event *event, struct block *block) {
    replay->so_far.allocs++;
    block->pointer = is_alignment(event->align_bytes) ? ask(replay, event) : NULL;
    if (block->pointer)
        arrive(replay, event, block);
    else
        replay->so_far.failures++;
}

static void on_alloc(struct replay *replay, const struct trace_event *event, struct block *block) {
    if (block->born_event != 0) {
        fail(replay, "event %llu: block %u lives already",
             (unsigned long long)replay->so_far.events, event->id);
        return;
    }
    *block = (struct block){
        .born_event = replay->so_far.events,
        .born_ns = event->time_ns,
        .site = event->site,
        .thread = event->thread,
    };
    request(replay, event, block);
}

/* Both ends of what was kept; then the new part is written. */
static void check_moved(struct replay *replay, uint32_t id, struct block *block,
                        uint64_t old_bytes) {
    const uint64_t kept = old_bytes < block->size_bytes ? old_bytes : block->size_bytes;
    if (!block->is_written)
        return;
    check(replay, id, block, 0, kept < ENDS_BYTES ? kept : ENDS_BYTES);
    check(replay, id, block, kept < ENDS_BYTES ? 0 : kept - ENDS_BYTES, kept);
    replay->written_bytes -= old_bytes - kept;
    if (!replay->is_at_fault)
        write_block(replay, id, block, kept);
}

static void on_resize(struct replay *replay, const struct trace_event *event, struct block *block) {
    struct replay_figures *so_far = &replay->so_far;
    const uint64_t old_bytes = block->size_bytes, old_held = block_bytes(replay, block->pointer);
    const uint64_t before = looked(replay), began_ns = begin(replay);
    unsigned char *moved = replay->policy->kind->resize(replay->policy, block->pointer,
                                                        at_least_one(event->size_bytes));
    end(replay, &replay->resize, began_ns);
    note_search(replay, before, false);
    so_far->reallocs++;
    if (!moved) {
        so_far->failures++;
        return;
    }
    block->pointer = moved;
    block->size_bytes = event->size_bytes;
    so_far->live_bytes += block->size_bytes - old_bytes;
    replay->held_bytes += block_bytes(replay, moved) - old_held;
    check_moved(replay, event->id, block, old_bytes);
    note_peaks(replay);
}

static void on_realloc(struct replay *replay, const struct trace_event *event,
                       struct block *block) {
    if (block->pointer)
        on_resize(replay, event, block);
    else if (block->born_event != 0)
        request(replay, event, block);
}

static void on_free(struct replay *replay, const struct trace_event *event, struct block *block) {
    if (block->pointer) {
        if (block->is_written)
            check(replay, event->id, block, 0, block->size_bytes);
        replay->written_bytes -= block->is_written ? block->size_bytes : 0;
        replay->held_bytes -= block_bytes(replay, block->pointer);
        const uint64_t began_ns = begin(replay);
        replay->policy->kind->free(replay->policy, block->pointer);
        end(replay, &replay->free, began_ns);
        replay->so_far.frees++;
        replay->so_far.live_blocks--;
        replay->so_far.live_bytes -= block->size_bytes;
    }
    *block = (struct block){0};
}

static void on_block(struct replay *replay, const struct trace_event *event) {
    struct block *block = blocks_at(&replay->blocks, event->id);
    if (!block)
        fail(replay, "no memory for a table of %u blocks", event->id);
    else if (trace_is_alloc(event->kind))
        on_alloc(replay, event, block);
    else if (trace_is_free(event->kind))
        on_free(replay, event, block);
    else
        on_realloc(replay, event, block);
}

bool replay_event(struct replay *replay, const struct trace_event *event) {
    if (replay->is_at_fault)
        return false;
    if (replay->policy->kind->enter)
        replay->policy->kind->enter(replay->policy);
    replay->so_far.events++;
    replay->so_far.time_ns = event->time_ns;
    if (trace_is_alloc(event->kind) || trace_is_free(event->kind) || event->kind == TRACE_REALLOC)
        on_block(replay, event);
    return !replay->is_at_fault;
}
