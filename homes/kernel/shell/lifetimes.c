/* lifetimes.c: see lifetimes.h. */
#include "lifetimes.h"

#include "block.h"
#include "census.h"

#include "process/process.h"
#include "process/scheduler.h"

#include <stdatomic.h>

#define ALIVE_MAX 6u   /* started by us at a time; they fork */
#define KILL_ONE_IN 6u /* ticks of a CPU */
#define CPUS_MAX 64u
#define EMPTY_EVERY 64u /* checks */
#define COUNTED 100u    /* lifetimes, each counted by itself; then all end … */
#define UNCOUNTED 25u /* … and these, which may end together; everything must be free each time */

static _Atomic uint64_t kills;
static uint64_t killer_random[CPUS_MAX]; /* each CPU's interrupts only, while the hook is set */

struct recipe {
    const char *name;
    const char *argument; /* NULL: a number of rounds and a seed */
};

static const struct recipe recipes[] = {
    {"thrash", NULL}, {"thrash", NULL},       {"thrash", NULL},     {"leak", "300K"},
    {"hello", "x"},   {"forkbomb", "7"},      {"fuzz", NULL},       {"memhog", "4M"},
    {"relay", "3"},   {"memhog", "nonsense"}, {"giveback", "500K"},
};
#define RECIPES (sizeof recipes / sizeof *recipes)

struct run {
    const struct lifetimes_config *config;
    struct lifetimes_result *result;
    uint64_t random;
    uint64_t baseline; /* frames at hand with no process alive */
    uint64_t ended_at_first, ended_at_check, pause_at;
    bool counts; /* after each end */
};

/* ---- Counting -------------------------------------------------------------------------------- */

/* Bins are free memory, magazines and descriptors the core's own. */
static uint64_t at_hand(bool emptied) {
    struct larder_frames_stats stats;
    if (emptied)
        census_take(&stats);
    else
        larder_frames_stats(kernel_larder, &stats);
    return stats.free + stats.in_bins + stats.metadata;
}

static void expect_frames(struct run *run, uint64_t frames, const char *what) {
    if (run->result->wrong != NULL || frames == run->baseline)
        return;
    run->result->wrong = what;
    run->result->lost_frames = run->baseline - frames;
}

static void check(struct run *run) {
    bool emptied = run->result->checks % EMPTY_EVERY == 0;
    uint64_t free_now;
    scheduler_freeze();
    run->result->missed += processes_ended() - run->ended_at_check - 1;
    run->ended_at_check = processes_ended();
    free_now = at_hand(emptied);
    run->result->wrong = processes_check();
    expect_frames(run, free_now + processes_frames(), "frames are lost, or there are too many");
    run->result->checks++;
    scheduler_thaw();
}

static void check_all_returned(struct run *run) {
    expect_frames(run, at_hand(true), "not all frames are free again");
    run->result->returned++;
}

/* ---- Living ---------------------------------------------------------------------------------- */

static void start_one(struct run *run) {
    const struct recipe *recipe = &recipes[block_random(&run->random) % RECIPES];
    char rounds[24], seed[24];
    const char *arguments[] = {recipe->name, recipe->argument, NULL};
    struct process *process;
    int64_t status;
    unsigned count = 2;
    if (recipe->argument == NULL) {
        snprintf(rounds, sizeof rounds, "%lu", 2 + block_random(&run->random) % 20);
        snprintf(seed, sizeof seed, "%lu", block_random(&run->random) % 100000);
        arguments[1] = rounds;
        arguments[2] = seed;
        count = 3;
    }
    process = process_create(recipe->name, count, arguments, 64ul << 20, &status);
    if (process == NULL) {
        run->result->refused++;
        return;
    }
    process->quiet = true;
    process_start(process, false);
}

/* In the interrupt of a tick, on every CPU: whatever the process does that it hits, in the kernel
 * or outside. */
static void kill_one(void) {
    uint64_t *random = &killer_random[cpu_self()];
    uint64_t which = block_random(random) % (KILL_ONE_IN * (process_count() + 1ul));
    struct process_info info;
    uint32_t pid = 0;
    if (which > process_count())
        return;
    while (process_info_next(&pid, &info) && which > 0)
        which--;
    if (pid != 0 && process_kill(pid, DEATH_KILLED))
        atomic_fetch_add(&kills, 1);
}

static void begin_killing(uint64_t seed) {
    atomic_store(&kills, 0);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        killer_random[cpu] = seed * CPUS_MAX + cpu + 1;
    tick_hook_set(kill_one);
}

static bool goes_on(const struct run *run) {
    return run->result->wrong == NULL && run->result->checks < run->config->count &&
           (run->config->stop == NULL || !run->config->stop());
}

/* When something is wrong the others may end as they like. */
static void count_end(struct run *run) {
    if (!run->counts || processes_ended() == run->ended_at_check)
        return;
    check(run);
    run->counts = run->result->wrong == NULL;
    scheduler_end_one_by_one(run->counts);
}

static void step(struct run *run) {
    if (process_count() < ALIVE_MAX && goes_on(run) && run->result->lifetimes < run->pause_at)
        start_one(run);
    scheduler_lend();
    count_end(run);
    run->result->lifetimes = processes_ended() - run->ended_at_first;
}

/* So many, and until the last has ended. */
static void live(struct run *run, bool counts, unsigned lifetimes) {
    run->pause_at = run->result->lifetimes + lifetimes;
    run->ended_at_check = processes_ended();
    run->counts = counts;
    scheduler_end_one_by_one(counts);
    while (process_count() > 0 || (goes_on(run) && run->result->lifetimes < run->pause_at))
        step(run);
    count_end(run);
    check_all_returned(run);
}

void lifetimes_run(const struct lifetimes_config *config, struct lifetimes_result *result) {
    struct run run = {.config = config, .result = result, .random = config->seed};
    uint64_t begin_us = clock_us();
    *result = (struct lifetimes_result){.wrong = NULL};
    run.ended_at_first = processes_ended();
    run.baseline = at_hand(true);
    begin_killing(config->seed);
    while (goes_on(&run)) {
        live(&run, true, COUNTED);
        live(&run, false, UNCOUNTED);
    }
    tick_hook_set(NULL);
    result->lifetimes = processes_ended() - run.ended_at_first;
    result->kills = atomic_load(&kills);
    result->elapsed_us = clock_us() - begin_us;
}

void lifetimes_show(const struct lifetimes_result *result) {
    printf("%lu lifetimes, %lu kills; every frame counted after each of %lu ends;\n"
           "%lu times all was free; %lu ms",
           result->lifetimes, result->kills, result->checks, result->returned,
           result->elapsed_us / 1000);
    if (result->wrong != NULL)
        printf(": %s (%ld frames)", result->wrong, (int64_t)result->lost_frames);
    printf("\n");
}
