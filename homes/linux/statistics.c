/* statistics.c: the numbers of a process. The contract is include/larder/process.h.
 *
 * Everything is counted when it is asked for, out of the counters the core keeps anyway; the fast
 * paths of malloc() pay for nothing, the slow ones for requested.c. Each layer is read under its
 * own lock, so differences are cut off at zero.
 */
#include "statistics.h"

#include "larder/cache.h"
#include "larder/frames.h"
#include "larder/process.h"

#include "family.h"
#include "process.h"
#include "requested.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define AMOUNTS                                                                                    \
    (offsetof(struct larder_process_stats, reserved_bytes) / sizeof(struct larder_process_amount))

/* By position in struct larder_process_stats; atomic. */
static uint64_t peak[AMOUNTS], at_peak[AMOUNTS];
static uint64_t peak_backed;         /* the sum at at_peak, but for what is purged; atomic */
static uint64_t slow_calls, slow_ns; /* atomic */

static uint64_t minus(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

/* ---- from the core ---- */

struct sums {
    uint64_t slabs, live, requested, in_magazines; /* bytes, of all but the core's own caches */
};

static void add_cache(struct larder_cache *cache, void *context) {
    struct sums *sums = context;
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    if (stats.is_internal)
        return;
    sums->slabs += stats.slabs * stats.slab_bytes;
    sums->live += stats.live * stats.object_bytes;
    sums->requested += requested_of(stats.object_bytes, stats.live * stats.object_bytes);
    sums->in_magazines += (stats.in_magazines + stats.in_depot) * stats.object_bytes;
}

static void count_heap(struct larder_process_stats *stats) {
    struct sums sums = {0};
    struct larder_frames_stats frames;
    larder_caches_each(PROCESS, add_cache, &sums);
    larder_frames_stats(PROCESS, &frames);
    const uint64_t allocated = frames.allocated * LARDER_FRAME_BYTES;
    const uint64_t metadata = frames.metadata * LARDER_FRAME_BYTES;
    const uint64_t runs = minus(allocated, metadata + sums.slabs);
    stats->requested.now = sums.requested + requested_of(LARDER_CLASS_MAX_BYTES + 1, runs);
    stats->live.now = sums.live + runs;
    stats->in_magazines.now = sums.in_magazines + frames.in_bins * LARDER_FRAME_BYTES;
    stats->in_slabs.now = minus(sums.slabs, sums.live + sums.in_magazines);
    stats->free_backed.now = frames.dirty * LARDER_FRAME_BYTES;
    stats->purged.now = minus(frames.free, frames.dirty) * LARDER_FRAME_BYTES;
    stats->metadata.now = metadata;
    stats->usable.now = frames.usable * LARDER_FRAME_BYTES;
    stats->mapped.now = stats->usable.now + frames.map_bytes;
}

/* ---- from the system ---- */

/* Bytes read, 0 at the end and where there is no such file. */
static size_t read_some(int file, char *text, size_t room) {
    const ssize_t length = file < 0 ? 0 : read(file, text, room);
    return length > 0 ? (size_t)length : 0;
}

/* The second number of /proc/self/statm. */
static uint64_t resident_pages(void) {
    char text[64];
    uint64_t pages = 0;
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const size_t length = read_some(file, text, sizeof text);
    size_t at = 0;
    while (at < length && text[at] != ' ')
        at++;
    for (at++; at < length && text[at] >= '0' && text[at] <= '9'; at++)
        pages = pages * 10 + (uint64_t)(text[at] - '0');
    if (file >= 0)
        (void)close(file);
    return pages;
}

static uint64_t count_mappings(void) {
    char text[4096];
    uint64_t lines = 0;
    const int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    for (size_t length; (length = read_some(file, text, sizeof text)) != 0;) {
        for (size_t i = 0; i < length; i++)
            lines += text[i] == '\n';
    }
    if (file >= 0)
        (void)close(file);
    return lines;
}

static void count_process(struct larder_process_stats *stats) {
    struct rusage usage;
    stats->resident.now = resident_pages() * (uint64_t)getpagesize();
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        stats->resident.peak = (uint64_t)usage.ru_maxrss * 1024;
    stats->mappings = count_mappings();
    stats->reserved_bytes = process_reserved_bytes();
    stats->foreign_frees = __atomic_load_n(&malloc_foreign_frees, __ATOMIC_RELAXED);
    stats->slow_calls = __atomic_load_n(&slow_calls, __ATOMIC_RELAXED);
    stats->slow_ns = __atomic_load_n(&slow_ns, __ATOMIC_RELAXED);
}

/* ---- peaks ---- */

/* True iff `now` is higher than what *highest was; *highest is at least `now` afterwards. */
static bool raise(uint64_t *highest, uint64_t now) {
    uint64_t seen = __atomic_load_n(highest, __ATOMIC_RELAXED);
    while (seen < now && !__atomic_compare_exchange_n(highest, &seen, now, true, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED)) {
    }
    return seen < now;
}

/* The peak moves on with a sixty-fourth more: not while a program frees and a page of metadata
 * comes on top. Two threads that pass it at once may leave a mixture of two moments a few ms apart.
 */
static void raise_peaks(struct larder_process_stats *stats) {
    struct larder_process_amount *const amount = &stats->requested;
    const uint64_t backed = minus(stats->usable.now, stats->purged.now);
    const bool is_highest = raise(&peak_backed, backed - backed / 64);
    for (size_t i = 0; i < AMOUNTS; i++) {
        (void)raise(&peak[i], amount[i].peak > amount[i].now ? amount[i].peak : amount[i].now);
        amount[i].peak = __atomic_load_n(&peak[i], __ATOMIC_RELAXED);
        if (is_highest)
            __atomic_store_n(&at_peak[i], amount[i].now, __ATOMIC_RELAXED);
        amount[i].at_peak = __atomic_load_n(&at_peak[i], __ATOMIC_RELAXED);
    }
    stats->resident.at_peak = 0; /* not read at each look: a file of /proc */
}

/* ---- time in slow paths ---- */

uint64_t statistics_clock_ns(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void statistics_add_slow(uint64_t began_ns) {
    __atomic_add_fetch(&slow_calls, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&slow_ns, statistics_clock_ns() - began_ns, __ATOMIC_RELAXED);
}

void statistics_sample(void) {
    struct larder_process_stats stats = {0};
    count_heap(&stats);
    raise_peaks(&stats);
}

void larder_process_stats(struct larder_process_stats *stats) {
    *stats = (struct larder_process_stats){0};
    if (!process_is_started())
        return;
    count_heap(stats);
    count_process(stats);
    raise_peaks(stats);
}
