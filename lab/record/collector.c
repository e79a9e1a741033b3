/* collector.c: see collector.h.
 *
 * Each ring is in order of time; all together are merged. An event may be handed on when no ring
 * can get an older one any more. What a thread puts in while it is not `is_inside` is younger than
 * now; while it is, it may be as old as the last one it put in. So a program's events are complete
 * up to its watermark:
 *
 *   min(now - a little, time of the last event of each ring whose thread is inside)
 *
 * The little covers the store that says "inside" and has not left its CPU yet.
 */
#include "record/collector.h"

#include "record/clock.h"
#include "trace/kinds.h"
#include "trace/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LAG_NS = 50000, MAPS_BYTES_MAX = 8 << 20, AHEAD = 8 };

/* A ring as the collector sees it. */
struct collector_ring {
    struct image *image; /* NULL: nobody's */
    uint32_t thread;     /* as the ring says; the line it says it in is the thread's, and busy */
    struct channel_entry *entries;
    uint64_t tail, head; /* of this round */
    uint64_t last_ticks; /* of the last event taken */
    bool is_inside, is_ended;
    uint64_t stack[CHANNEL_STACK_MAX]; /* of the next event */
    size_t count_stack;
    char *maps; /* what has come of it so far */
    size_t count_maps, maps_capacity;
};

/* ---- The channel ----------------------------------------------------------------------------- */

bool collector_begin(struct collector *collector, enum channel_stacks stacks,
                     uint32_t sample_every) {
    collector->channel_fd = memfd_create("larder-record", MFD_CLOEXEC);
    if (collector->channel_fd < 0 || ftruncate(collector->channel_fd, (off_t)CHANNEL_BYTES) != 0)
        return false;
    struct channel *channel =
        mmap(NULL, sizeof *channel, PROT_READ | PROT_WRITE, MAP_SHARED, collector->channel_fd, 0);
    if (channel == MAP_FAILED)
        return false;
    channel->version = CHANNEL_VERSION;
    channel->collector_pid = (uint32_t)getpid();
    channel->clock = clock_choose();
    channel->stacks = stacks;
    channel->sample_every = sample_every;
    collector->channel = channel;
    collector->rings = memory_zeroed(CHANNEL_COUNT_RINGS, sizeof *collector->rings);
    collector->ns_per_tick = clock_ns_per_tick((enum channel_clock)channel->clock);
    collector->start_ticks = clock_ticks((enum channel_clock)channel->clock);
    return true;
}

void collector_end(struct collector *collector) {
    for (size_t i = 0; i < collector->count_images; i++)
        image_free(collector->images[i]);
    free(collector->images);
    free(collector->rings);
    (void)munmap(collector->channel, sizeof *collector->channel);
    (void)close(collector->channel_fd);
}

/* ---- Programs -------------------------------------------------------------------------------- */

/* app.ltr, then app.4711.ltr, app.4711-2.ltr when 4711 is another program by exec. */
static char *path_for(const struct collector *collector, uint32_t pid) {
    const char *path = collector->output_path, *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    unsigned count = 1;
    for (size_t i = 0; i < collector->count_images; i++)
        count += collector->images[i]->pid == pid;
    if (collector->count_images == 0)
        return memory_text(path, strlen(path));
    if (!dot)
        dot = path + strlen(path);
    char number[24] = "", *made;
    if (count > 1)
        (void)snprintf(number, sizeof number, "-%u", count);
    const int length =
        asprintf(&made, "%.*s.%" PRIu32 "%s%s", (int)(dot - path), path, pid, number, dot);
    return length < 0 ? memory_text(path, strlen(path)) : made;
}

/* A program that is another one now ended with the exec. */
static void end_earlier(struct collector *collector, uint32_t pid) {
    for (size_t i = 0; i < collector->count_images; i++) {
        if (collector->images[i]->pid == pid)
            collector->images[i]->is_dead = true;
    }
}

/* NULL iff its file cannot be created. */
static struct image *image_of(struct collector *collector, const struct channel_ring *ring) {
    for (size_t i = collector->count_images; i > 0; i--) {
        if (collector->images[i - 1]->number == ring->image)
            return collector->images[i - 1];
    }
    char command[CHANNEL_COMMAND_BYTES], *path = path_for(collector, ring->pid);
    memcpy(command, ring->command, sizeof command);
    command[sizeof command - 1] = '\0';
    end_earlier(collector, ring->pid);
    struct image *image =
        image_make(ring->image, ring->pid, path, *command ? command : collector->program,
                   collector->channel->stacks != CHANNEL_STACKS_NONE);
    if (!image) {
        collector->error = errno;
        free(path);
        return NULL;
    }
    collector->images = memory_reserve(collector->images, &collector->images_capacity,
                                       collector->count_images + 1, sizeof *collector->images);
    return collector->images[collector->count_images++] = image;
}

/* ---- Rings ----------------------------------------------------------------------------------- */

static void adopt(struct collector *collector, size_t index) {
    struct channel_ring *shared = &collector->channel->rings[index];
    struct collector_ring *ring = &collector->rings[index];
    struct image *image = image_of(collector, shared);
    if (!image || image->is_closed)
        return;
    void *entries =
        mmap(NULL, CHANNEL_RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, collector->channel_fd,
             (off_t)(CHANNEL_RINGS_OFFSET + index * CHANNEL_RING_BYTES));
    if (entries == MAP_FAILED)
        return;
    *ring = (struct collector_ring){
        .image = image, .thread = shared->thread, .entries = entries, .tail = shared->tail};
    image->count_rings++;
}

static void give_back(struct collector *collector, size_t index) {
    struct channel_ring *shared = &collector->channel->rings[index];
    struct collector_ring *ring = &collector->rings[index];
    (void)munmap(ring->entries, CHANNEL_RING_BYTES);
    free(ring->maps);
    ring->image->count_rings--;
    ring->image->count_lost += shared->count_lost;
    *ring = (struct collector_ring){.image = NULL};
    shared->count_lost = 0;
    shared->is_inside = 0;
    __atomic_store_n(&shared->state, RING_FREE, __ATOMIC_RELEASE);
}

static const struct channel_entry *entry_at(const struct collector_ring *ring, uint64_t index) {
    return &ring->entries[index % CHANNEL_COUNT_ENTRIES];
}

static bool is_event(const struct channel_entry *entry) {
    return entry->kind < ENTRY_STACK;
}

/* What was put in up to now, and whether something older may come. In this order: who enters after
 * the first line was read puts in what is younger than this round. */
static void look(struct collector *collector, size_t index) {
    const struct channel_ring *shared = &collector->channel->rings[index];
    struct collector_ring *ring = &collector->rings[index];
    ring->is_ended =
        ring->image->is_dead || __atomic_load_n(&shared->state, __ATOMIC_ACQUIRE) == RING_ENDED;
    ring->is_inside = !ring->is_ended && __atomic_load_n(&shared->is_inside, __ATOMIC_ACQUIRE);
    ring->head = __atomic_load_n(&shared->head, __ATOMIC_ACQUIRE);
    if (ring->is_inside) {
        const struct channel_entry *last = entry_at(ring, ring->head - 1);
        const uint64_t ticks =
            ring->head > ring->tail && is_event(last) ? last->ticks : ring->last_ticks;
        if (ticks < ring->image->watermark)
            ring->image->watermark = ticks;
    }
}

/* ---- Entries --------------------------------------------------------------------------------- */

static void take_maps(struct collector_ring *ring, const struct channel_entry *entry) {
    const size_t count =
        entry->caller < CHANNEL_MAPS_PER_ENTRY ? entry->caller : CHANNEL_MAPS_PER_ENTRY;
    if (ring->count_maps > MAPS_BYTES_MAX)
        return;
    ring->maps = memory_reserve(ring->maps, &ring->maps_capacity, ring->count_maps + count + 1, 1);
    memcpy(ring->maps + ring->count_maps, entry, count);
    ring->maps[ring->count_maps += count] = '\0';
}

static void take_stack(struct collector_ring *ring, const struct channel_entry *entry) {
    const uint64_t *words = (const uint64_t *)entry;
    for (size_t i = 0; i < entry->caller && i < CHANNEL_STACK_PER_ENTRY; i++) {
        if (ring->count_stack < CHANNEL_STACK_MAX)
            ring->stack[ring->count_stack++] = words[i];
    }
}

/* What is no event is taken at once. False iff no event is left then. */
static bool to_event(struct collector_ring *ring) {
    for (; ring->tail < ring->head; ring->tail++) {
        const struct channel_entry *entry = entry_at(ring, ring->tail);
        if (is_event(entry))
            return true;
        if (entry->kind == ENTRY_STACK) {
            take_stack(ring, entry);
        } else if (entry->kind == ENTRY_MAPS) {
            take_maps(ring, entry);
        } else if (ring->maps) {
            image_add_maps(ring->image, ring->maps);
            ring->maps = NULL;
            ring->count_maps = ring->maps_capacity = 0;
        }
    }
    return false;
}

static uint32_t site_of(struct collector_ring *ring, const struct channel_entry *entry) {
    uint32_t site = 0;
    if (ring->count_stack > 0)
        site = image_site(ring->image, ring->stack, ring->count_stack);
    else if (entry->caller)
        site = image_site(ring->image, &(uint64_t){entry->caller}, 1);
    ring->count_stack = 0;
    return site;
}

/* The name of a block while this ring's thread moves it; no pointer is like it. */
static uint64_t moving_name(const struct collector *collector, const struct collector_ring *ring) {
    return (uint64_t)1 << 63 | (uint64_t)(ring - collector->rings);
}

static void take_event(struct collector *collector, struct collector_ring *ring) {
    const struct channel_entry *entry = entry_at(ring, ring->tail);
    struct image *image = ring->image;
    const uint64_t since =
        entry->ticks > collector->start_ticks ? entry->ticks - collector->start_ticks : 0;
    struct trace_event event = {
        .kind = (enum trace_kind)entry->kind,
        .thread = ring->thread,
        .time_ns = (uint64_t)((double)since * collector->ns_per_tick),
        .size_bytes = entry->size_bytes,
        .align_bytes = entry->align_log2 ? (uint64_t)1 << (entry->align_log2 & 63) : 0};
    ring->last_ticks = entry->ticks;
    if (event.time_ns < image->last_ns)
        event.time_ns = image->last_ns; /* the lag was too small: for once, no matter */
    image->last_ns = event.time_ns;
    if (entry->kind == ENTRY_REALLOC_BEGIN) {
        trace_order_rename(image->order, entry->pointer, moving_name(collector, ring));
        return;
    }
    event.site = site_of(ring, entry);
    if (entry->kind == ENTRY_REALLOC_FAILED) {
        trace_order_rename(image->order, moving_name(collector, ring), entry->pointer);
        event.kind = TRACE_FAILED;
    }
    if ((unsigned)event.kind < COUNT_TRACE_KINDS)
        trace_order_event(image->order, &event, entry->pointer, moving_name(collector, ring));
    collector->count_events++;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

/* Of the rings that have an event below their watermark: the one with the oldest, and the time of
 * the next oldest. NULL iff there is none. */
static struct collector_ring *oldest(struct collector_ring **active, size_t *count,
                                     uint64_t *next_ticks) {
    struct collector_ring *best = NULL;
    uint64_t best_ticks = UINT64_MAX;
    *next_ticks = UINT64_MAX;
    for (size_t i = 0; i < *count;) {
        struct collector_ring *ring = active[i];
        const uint64_t ticks =
            ring->tail < ring->head ? entry_at(ring, ring->tail)->ticks : UINT64_MAX;
        if (ring->tail == ring->head || ticks > ring->image->watermark) {
            active[i] = active[--*count];
            continue;
        }
        if (!best || ticks < best_ticks) {
            *next_ticks = best ? best_ticks : UINT64_MAX;
            best = ring;
            best_ticks = ticks;
        } else if (ticks < *next_ticks) {
            *next_ticks = ticks;
        }
        i++;
    }
    return best;
}

/* All events of one ring that are not younger than those of the others. */
static uint64_t take_run(struct collector *collector, struct collector_ring *ring,
                         uint64_t next_ticks) {
    const uint64_t limit =
        next_ticks < ring->image->watermark ? next_ticks : ring->image->watermark;
    struct channel_ring *shared = &collector->channel->rings[ring - collector->rings];
    uint64_t count = 0;
    while (to_event(ring) && entry_at(ring, ring->tail)->ticks <= limit) {
        trace_order_prefetch(ring->image->order, entry_at(ring, ring->tail + AHEAD)->pointer);
        take_event(collector, ring);
        ring->tail++;
        if (++count % 1024 == 0)
            __atomic_store_n(&shared->tail, ring->tail, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&shared->tail, ring->tail, __ATOMIC_RELEASE);
    return count;
}

static uint64_t merge(struct collector *collector) {
    struct collector_ring *active[CHANNEL_COUNT_RINGS];
    size_t count_active = 0;
    uint64_t count = 0, next_ticks;
    for (size_t i = 0; i < CHANNEL_COUNT_RINGS; i++) {
        struct collector_ring *ring = &collector->rings[i];
        if (!ring->image)
            continue;
        if (to_event(ring))
            active[count_active++] = ring;
        __atomic_store_n(&collector->channel->rings[i].tail, ring->tail, __ATOMIC_RELEASE);
    }
    for (struct collector_ring *ring; (ring = oldest(active, &count_active, &next_ticks)) != NULL;)
        count += take_run(collector, ring, next_ticks);
    return count;
}

uint64_t collector_round(struct collector *collector) {
    const uint64_t lag = (uint64_t)(LAG_NS / collector->ns_per_tick);
    collector->now_ticks = clock_ticks((enum channel_clock)collector->channel->clock);
    for (size_t i = 0; i < collector->count_images; i++)
        collector->images[i]->watermark =
            collector->images[i]->is_dead ? UINT64_MAX : collector->now_ticks - lag;
    for (size_t i = 0; i < CHANNEL_COUNT_RINGS; i++) {
        const uint32_t state =
            __atomic_load_n(&collector->channel->rings[i].state, __ATOMIC_ACQUIRE);
        if (state != RING_OPEN && state != RING_ENDED)
            continue;
        if (!collector->rings[i].image)
            adopt(collector, i); /* of a new program: the watermark is 0, its turn is the next */
        if (collector->rings[i].image)
            look(collector, i);
    }
    const uint64_t count = merge(collector);
    for (size_t i = 0; i < CHANNEL_COUNT_RINGS; i++) {
        struct collector_ring *ring = &collector->rings[i];
        if (ring->image && ring->is_ended && ring->tail == ring->head)
            give_back(collector, i);
    }
    return count;
}

static void close_image(struct collector *collector, struct image *image) {
    if (!image_close(image) && !collector->error)
        collector->error = errno;
}

void collector_tick(struct collector *collector) {
    for (size_t i = 0; i < collector->count_images; i++) {
        struct image *image = collector->images[i];
        if (image->is_closed)
            continue;
        if (image->is_dead && image->count_rings == 0) {
            close_image(collector, image);
            continue;
        }
        image_mark(image);
        trace_writer_flush(image->writer);
        if (image_has_ended(image))
            image->is_dead = true;
    }
}

/* The name that was asked for is that of what the program's process was last: a shell or a script
 * that starts it by exec is not what one wants to see. */
static void name_last(struct collector *collector) {
    struct image *first = collector->count_images > 0 ? collector->images[0] : NULL, *last = first;
    for (size_t i = 1; i < collector->count_images; i++) {
        if (collector->images[i]->pid == first->pid)
            last = collector->images[i];
    }
    if (!first || last == first)
        return;
    char *path = first->path, *other = path_for(collector, first->pid);
    if (rename(path, other) != 0 || rename(last->path, path) != 0) {
        collector->error = errno;
        free(other);
        return;
    }
    first->path = other;
    free(last->path);
    last->path = memory_text(path, strlen(path));
    free(path);
}

/* Programs may go on; they are told, and what they have put in until now counts. */
void collector_finish(struct collector *collector) {
    __atomic_store_n(&collector->channel->is_closed, 1, __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < collector->count_images; i++)
        collector->images[i]->is_dead = true;
    (void)collector_round(collector);
    for (size_t i = 0; i < collector->count_images; i++) {
        if (!collector->images[i]->is_closed)
            close_image(collector, collector->images[i]);
    }
    name_last(collector);
}
