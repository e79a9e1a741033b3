/* watch.c: see watch.h.
 *
 * The handler of the signal stores a word and wakes the purging thread, which writes the snapshot;
 * where there is none, the next slow path of any thread does. Nothing is stopped meanwhile: each
 * layer is locked for as long as it takes to read its counters.
 */
#include "watch.h"

#include "larder/frames.h"
#include "larder/larder.h"
#include "larder/port.h"

#include "background.h"
#include "cgroup.h"
#include "options.h"
#include "process.h"
#include "statistics.h"

#include <errno.h>
#include <signal.h>

#define LOOK_MS 4u    /* between looks at the soft limit: what a coarse clock can tell */
#define SAMPLE_MS 20u /* between looks for peaks, */
#define LOOKS_PER_COUNT 16u
#define SAMPLE_SHARE 64u /* or when so much more of the heap is used than ever: 1/64 of it */

bool watch_is_wanted;
bool watch_has_statistics;
bool watch_has_signal;
int watch_pending;

static struct {
    uint64_t limit_bytes;                    /* constant; 0: none */
    uint64_t look_ms, sample_ms, reclaim_ms; /* atomic: of the last ones */
    uint64_t looks;                          /* atomic */
    uint64_t used_frames;                    /* at the highest sample; atomic */
} watch;

/* True, for one caller, iff that much time has passed. */
static bool is_time(uint64_t *last_ms, uint64_t now_ms, uint64_t interval_ms) {
    uint64_t last = __atomic_load_n(last_ms, __ATOMIC_RELAXED);
    return now_ms - last >= interval_ms &&
           __atomic_compare_exchange_n(last_ms, &last, now_ms, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

/* ---- the soft limit ---- */

/* Purging costs what is purged once; emptying all caches would cost every time, so that is done at
 * most once an interval. */
static void look_at_limit(uint64_t now_ms) {
    struct larder_frames_stats stats;
    larder_frames_stats(PROCESS, &stats);
    const uint64_t used = stats.allocated + stats.in_bins;
    if ((used + stats.dirty) * LARDER_FRAME_BYTES <= watch.limit_bytes)
        return;
    if (used * LARDER_FRAME_BYTES > watch.limit_bytes &&
        is_time(&watch.reclaim_ms, now_ms, options.purge_ms))
        (void)larder_reclaim(PROCESS);
    (void)larder_purge(PROCESS);
}

/* ---- peaks ---- */

/* A program that grows and ends within the interval has a peak too. Frames are counted on one slow
 * path of a few: that costs ten times what the slow path does. */
static bool has_grown(void) {
    struct larder_frames_stats stats;
    if (__atomic_fetch_add(&watch.looks, 1, __ATOMIC_RELAXED) % LOOKS_PER_COUNT != 0)
        return false;
    larder_frames_stats(PROCESS, &stats);
    const uint64_t seen = __atomic_load_n(&watch.used_frames, __ATOMIC_RELAXED);
    if (stats.allocated <= seen + seen / SAMPLE_SHARE)
        return false;
    __atomic_store_n(&watch.used_frames, stats.allocated, __ATOMIC_RELAXED);
    return true;
}

/* ---- snapshots ---- */

static void on_signal(int signal) {
    const int saved = errno;
    (void)signal;
    __atomic_store_n(&watch_pending, 1, __ATOMIC_SEQ_CST);
    background_wake();
    errno = saved;
}

void watch_take_signal(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (options.snapshot_signal != 0)
        watch_has_signal = sigaction((int)options.snapshot_signal, &action, NULL) == 0;
}

void watch_write_pending(void) {
    if (__atomic_exchange_n(&watch_pending, 0, __ATOMIC_SEQ_CST) != 0)
        statistics_write_snapshot();
}

/* ---- all ---- */

void watch_start(void) {
    const size_t cgroup_bytes = options.cgroup ? cgroup_limit(options.cgroup) : 0;
    const size_t soft_bytes = options.soft_limit_bytes;
    watch.limit_bytes = cgroup_bytes && (!soft_bytes || cgroup_bytes / 8 * 7 < soft_bytes)
                            ? cgroup_bytes / 8 * 7
                            : soft_bytes;
    watch_has_statistics = options.stats != STATS_NONE || options.stats_file ||
                           options.snapshot_signal || options.control;
    watch_is_wanted = watch.limit_bytes != 0 || watch_has_statistics;
}

void watch_look(void) {
    const uint64_t now_ms = larder_port_clock_ms();
    if (watch.limit_bytes != 0 && is_time(&watch.look_ms, now_ms, LOOK_MS))
        look_at_limit(now_ms);
    if (watch_has_statistics && (is_time(&watch.sample_ms, now_ms, SAMPLE_MS) || has_grown()))
        statistics_sample();
    if (__atomic_load_n(&watch_pending, __ATOMIC_RELAXED) != 0 && !background_is_running())
        watch_write_pending();
}
