/* child_main.c: the child's side of child.h: reads events, replays them with its own malloc. */
#include "command.h"
#include "engine.h"
#include "malloc.h"
#include "shared.h"

#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BATCH = 2048, GROWTH_SHARE = 32, GROWTH_LEAST_BYTES = 256 << 10 };

static struct trace_event batch[BATCH];

/* Events into batch[], as many as are there; 0 at the end. The pipe may cut one in two. */
static size_t receive(void) {
    size_t filled = 0;
    do {
        const ssize_t count = read(STDIN_FILENO, (char *)batch + filled, sizeof batch - filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return 0;
        filled += (size_t)count;
    } while (filled % sizeof *batch != 0);
    return filled / sizeof *batch;
}

/* Resident memory is looked at when live memory has grown: else a peak between samples is missed.
 */
static void note_growth(struct replay *replay, uint64_t *looked_at_bytes) {
    static struct replay_figures scratch;
    const uint64_t live = replay->so_far.live_bytes, share = *looked_at_bytes / GROWTH_SHARE;
    if (live < *looked_at_bytes + (share > GROWTH_LEAST_BYTES ? share : GROWTH_LEAST_BYTES))
        return;
    replay_figures(replay, &scratch);
    *looked_at_bytes = live;
}

static void replay_all(struct replay *replay, struct sampler *sampler, struct shared *shared) {
    uint64_t looked_at_bytes = 0;
    bool is_good = true;
    for (size_t count = receive(); count > 0 && is_good; count = receive()) {
        for (size_t i = 0; i < count && is_good; i++) {
            shared->events++;
            is_good = replay_event(replay, &batch[i]);
            note_growth(replay, &looked_at_bytes);
            sampler_event(sampler, replay);
        }
    }
}

/* What this process needs besides is touched before it looks at itself. */
static void work(struct shared *shared, struct replay *replay) {
    static struct replay_figures figures;
    struct sampler sampler;
    memset(batch, 0, sizeof batch);
    (void)blocks_at(&replay->blocks, 0);
    replay_figures(replay, &figures);
    malloc_begin(&replay->blocks);
    replay->so_far.footprint_peak_bytes = 0;
    sampler_begin(&sampler, &shared->result, shared->count_events);
    replay_all(replay, &sampler, shared);
    sampler_end(&sampler, replay);
    shared->is_done = true;
}

static bool has_library(struct shared *shared) {
    const bool is_libc = strstr(malloc_library(), "/libc.so") || strstr(malloc_library(), "/ld-");
    if (!shared->wants_library || !is_libc)
        return true;
    shared->result.state = RESULT_UNABLE;
    (void)snprintf(shared->result.what, sizeof shared->result.what,
                   "it was not loaded, or has no malloc");
    shared->is_done = true;
    return false;
}

static int child_run(int argc, char **argv) {
    const int memory = argc > 1 ? (int)strtol(argv[1], NULL, 10) : -1;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (shared == MAP_FAILED)
        return EXIT_USAGE;
    (void)signal(SIGINT, SIG_IGN); /* the parent's to handle: it closes the pipe */
    if (!has_library(shared))
        return EXIT_OK;
    const struct replay_config config = {
        .is_unchecked = shared->is_unchecked,
        .is_untimed = shared->is_untimed,
    };
    char what[REPLAY_WHAT_LENGTH];
    struct replay *replay = replay_open_kind(&policy_malloc, &config, what);
    if (!replay)
        return EXIT_TROUBLE;
    work(shared, replay);
    return EXIT_OK;
}

const struct command replay_child_command = {
    .name = CHILD_COMMAND,
    .arguments = "FD",
    .help = "Part of `larder compare`.\n",
    .run = child_run,
};
