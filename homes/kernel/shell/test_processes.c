/* test_processes.c: in-kernel tests of processes. After each, as after all tests, the free frames
 * are counted: a process that leaves one behind fails it. */
#include "kerneltest.h"
#include "lifetimes.h"

#include "arch/arm64/layout.h"
#include "process/inject.h"
#include "process/objects.h"
#include "process/process.h"
#include "process/scheduler.h"
#include "process/space.h"
#include "process/user_copy.h"
#include "process/user_frame.h"

#include "larder/frames.h"

#include <stdatomic.h>

#define MIB ((uint64_t)1 << 20)
#define PATIENCE_US 60000000u /* an emulator on a busy machine */
#define WRITABLE (REGION_READ | REGION_WRITE)

static void nothing_is_left(void) {
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
        EXPECT_EQUAL(objects_live(kind), 0);
    EXPECT_EQUAL(user_frames_held(), 0);
    EXPECT_EQUAL(process_count(), 0);
}

static struct process *create(const char *name, const char *argument, uint64_t limit_bytes) {
    const char *arguments[] = {name, argument};
    int64_t status;
    struct process *process =
        process_create(name, argument == NULL ? 1 : 2, arguments, limit_bytes, &status);
    if (process != NULL)
        process->quiet = true;
    return process;
}

static struct process *start(const char *name, const char *argument, uint64_t limit_bytes) {
    struct process *process = create(name, argument, limit_bytes);
    if (EXPECT(process != NULL))
        process_start(process, true);
    return process;
}

/* How it ended; 1000 iff it did not begin. */
static int32_t run(const char *name, const char *argument, uint64_t limit_bytes) {
    struct process *process = start(name, argument, limit_bytes);
    return process == NULL ? 1000 : process_collect(process, NULL);
}

/* ---- Programs -------------------------------------------------------------------------------- */

static void programs_run(void) {
    EXPECT_EQUAL(run("hello", NULL, 0), 0);
    EXPECT_EQUAL(run("hello", "argument", 0), 1);
    EXPECT_EQUAL(run("leak", "1M", 0), 0);
    EXPECT_EQUAL(run("memhog", "6M", 0), 0);
    EXPECT_EQUAL(run("thrash", "200", 0), 0);
    EXPECT_EQUAL(run("forkbomb", "40", 0), 0);
    EXPECT_EQUAL(run("relay", "20", 0), 0);
    EXPECT_EQUAL(run("policies", NULL, 0), 0);
    EXPECT_EQUAL(run("giveback", "4M", 0), 0);
    nothing_is_left();
}

static void programs_refused(void) {
    const char *many[ARGUMENTS_MAX + 1] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    int64_t status;
    EXPECT(process_create("nothing", 0, NULL, 0, &status) == NULL);
    EXPECT_EQUAL(status, -ERROR_NOT_FOUND);
    EXPECT(process_create("hello", ARGUMENTS_MAX + 1, many, 0, &status) == NULL);
    EXPECT_EQUAL(status, -ERROR_TOO_LONG);
    EXPECT(process_create("hello", 1, many, PAGE_BYTES, &status) == NULL);
    EXPECT_EQUAL(status, -ERROR_NO_MEMORY);
    nothing_is_left();
}

static void hostile(void) {
    EXPECT_EQUAL(run("hostile", NULL, 0), 0);
    EXPECT_EQUAL(run("fuzz", "3000", 0), 0);
    nothing_is_left();
}

/* One process on each CPU that never calls the kernel, and as many again: all of them get turns. */
static void preemption(void) {
    struct process *process[16];
    struct process_info info;
    unsigned count = cpu_count() * 2, had_turns = 0;
    uint64_t until_us = clock_us() + PATIENCE_US;
    uint32_t pid;
    for (unsigned i = 0; i < count; i++)
        process[i] = start("spin", NULL, 0);
    while (had_turns < count && clock_us() < until_us) {
        scheduler_lend();
        pid = 0;
        for (had_turns = 0; process_info_next(&pid, &info);)
            had_turns += info.turns >= 3;
    }
    EXPECT_EQUAL(had_turns, count);
    for (unsigned i = 0; i < count; i++) {
        EXPECT(process_kill(process[i]->pid, DEATH_KILLED));
        EXPECT_EQUAL(process_collect(process[i], NULL), DEATH_KILLED);
    }
    nothing_is_left();
}

/* ---- Separation ------------------------------------------------------------------------------ */

static atomic_uint looks, reached;

/* In the interrupt of a tick, while a process has this CPU: its addresses mean nothing. */
static void look_at_user(void) {
    if (process_current() == NULL)
        return;
    atomic_fetch_add(&looks, 1);
    atomic_fetch_add(&reached, fault_probe_read(IMAGE_START) || fault_probe_write(STACK_END - 8) ||
                                   fault_probe_execute(IMAGE_START));
}

static void kernel_sees_no_user_memory(void) {
    uint64_t until_us = clock_us() + PATIENCE_US;
    struct process *process = start("spin", NULL, 0);
    atomic_store(&looks, 0);
    atomic_store(&reached, 0);
    tick_hook_set(look_at_user);
    while (atomic_load(&looks) < 10 && clock_us() < until_us)
        scheduler_lend();
    tick_hook_set(NULL);
    process_kill(process->pid, DEATH_KILLED);
    process_collect(process, NULL);
    kerneltest_note("%u looks", atomic_load(&looks));
    EXPECT(atomic_load(&looks) >= 10);
    EXPECT_EQUAL(atomic_load(&reached), 0);
}

/* ---- Address spaces, without a process that runs in them ------------------------------------- */

static uint64_t resident(const struct space *space) {
    return atomic_load(&space->resident);
}

static void write_all(struct space *space, uint64_t from, uint64_t bytes, uint64_t mark) {
    for (uint64_t at = from; at < from + bytes; at += PAGE_BYTES) {
        uint64_t value = mark + at;
        EXPECT_EQUAL(user_copy_out(space, at, &value, sizeof value), 0);
    }
}

static bool reads_all(struct space *space, uint64_t from, uint64_t bytes, uint64_t mark) {
    uint64_t value;
    for (uint64_t at = from; at < from + bytes; at += PAGE_BYTES)
        if (user_copy_in(space, &value, at, sizeof value) != 0 || value != mark + at)
            return false;
    return true;
}

static void expect_sound(const struct space *space) {
    const char *wrong = space_check(space);
    kerneltest_expect(wrong == NULL, __FILE__, __LINE__, "%s", wrong);
}

/* Written on one side after a fork, seen on that side only; frames are copied one by one. */
static void copy_on_write(void) {
    struct space *space = space_create(1, 64 * MIB), *child;
    uint64_t at = (uint64_t)space_map(space, 0, 16 * PAGE_BYTES, WRITABLE);
    write_all(space, at, 16 * PAGE_BYTES, 1);
    child = space_fork(space, 2);
    if (!EXPECT(child != NULL))
        return;
    EXPECT_EQUAL(user_frames_held(), 16);
    write_all(child, at, 4 * PAGE_BYTES, 2);
    EXPECT_EQUAL(user_frames_held(), 20);
    EXPECT(reads_all(child, at, 4 * PAGE_BYTES, 2));
    EXPECT(reads_all(child, at + 4 * PAGE_BYTES, 12 * PAGE_BYTES, 1));
    EXPECT(reads_all(space, at, 16 * PAGE_BYTES, 1));
    expect_sound(space);
    expect_sound(child);
    space_destroy(space);
    EXPECT_EQUAL(user_frames_held(), 16);
    write_all(child, at, 16 * PAGE_BYTES, 3); /* the last user copies nothing */
    EXPECT_EQUAL(user_frames_held(), 16);
    space_destroy(child);
    nothing_is_left();
}

/* Large regions come in blocks; a block that is cut becomes pages and keeps what was in it. */
static void blocks(void) {
    struct space *space = space_create(1, 64 * MIB), *child;
    uint64_t at = (uint64_t)space_map(space, 0, 4 * MIB, WRITABLE);
    write_all(space, at, 4 * MIB, 1);
    if (space->blocks < 2) {
        kerneltest_skip("no two blocks of 2 MiB are free");
        space_destroy(space);
        return;
    }
    EXPECT_EQUAL(space->blocks, 2);
    EXPECT_EQUAL(resident(space), 4 * MIB / PAGE_BYTES);
    child = space_fork(space, 2);
    EXPECT(child != NULL);
    write_all(child, at, PAGE_BYTES, 2);
    EXPECT(reads_all(space, at, 4 * MIB, 1));
    EXPECT(reads_all(child, at + PAGE_BYTES, 4 * MIB - PAGE_BYTES, 1));
    EXPECT_EQUAL(space_unmap(space, at + MIB, PAGE_BYTES), 0);
    EXPECT_EQUAL(space->blocks, 1);
    EXPECT_EQUAL(resident(space), 4 * MIB / PAGE_BYTES - 1);
    EXPECT(reads_all(space, at, MIB, 1));
    EXPECT(reads_all(space, at + MIB + PAGE_BYTES, 3 * MIB - PAGE_BYTES, 1));
    expect_sound(space);
    expect_sound(child);
    space_destroy(child);
    space_destroy(space);
    nothing_is_left();
}

/* What was purged reads as zero and holds no frames; its neighbours, and a child's copy, stay. */
static void purging(void) {
    struct space *space = space_create(1, 64 * MIB), *child;
    uint64_t at = (uint64_t)space_map(space, 0, 4 * MIB, WRITABLE), value = 1;
    write_all(space, at, 4 * MIB, 1);
    child = space_fork(space, 2);
    if (!EXPECT(child != NULL))
        return;
    EXPECT_EQUAL(space_purge(space, at + PAGE_BYTES, 3 * MIB), 0);
    EXPECT_EQUAL(resident(space), MIB / PAGE_BYTES);
    EXPECT_EQUAL(space->reserved_bytes, child->reserved_bytes);
    EXPECT_EQUAL(space->regions.count, child->regions.count);
    EXPECT(reads_all(space, at, PAGE_BYTES, 1));
    EXPECT(reads_all(space, at + PAGE_BYTES + 3 * MIB, MIB - PAGE_BYTES, 1));
    EXPECT_EQUAL(user_copy_in(space, &value, at + MIB, sizeof value), 0);
    EXPECT_EQUAL(value, 0);
    EXPECT(reads_all(child, at, 4 * MIB, 1));
    EXPECT_EQUAL(space_protect(space, at, PAGE_BYTES, REGION_READ), 0);
    EXPECT_EQUAL(space_purge(space, at, MIB), -ERROR_INVALID);
    EXPECT(reads_all(space, at, PAGE_BYTES, 1));
    expect_sound(space);
    expect_sound(child);
    space_destroy(space);
    space_destroy(child);
    nothing_is_left();
}

/* What reserved_bytes counts is the limit's business, however it comes about. */
static void limits(void) {
    struct space *space = space_create(1, MIB);
    int64_t at = space_map(space, 0, MIB / 2, WRITABLE);
    EXPECT(at > 0);
    EXPECT_EQUAL(space_map(space, 0, MIB, WRITABLE), -ERROR_NO_MEMORY);
    EXPECT(space_map(space, 0, MIB / 2, 0) > 0);
    EXPECT_EQUAL(space_map(space, 0, PAGE_BYTES, WRITABLE), -ERROR_NO_MEMORY);
    EXPECT_EQUAL(space_unmap(space, (uint64_t)at, PAGE_BYTES), 0);
    EXPECT_EQUAL(space_map(space, 0, PAGE_BYTES, WRITABLE), at);
    expect_sound(space);
    space_destroy(space);
    EXPECT_EQUAL(run("memhog", NULL, 8 * MIB), 0); /* gets NULL, and ends by itself */
    EXPECT_EQUAL(run("giveback", "4M", 8 * MIB), 0);
    EXPECT_EQUAL(run("giveback", "20M", 8 * MIB), 1); /* gets NULL, and says so */
    nothing_is_left();
}

/* ---- Failing allocations --------------------------------------------------------------------- */

struct injection {
    struct space *space;
    struct process *process;
    uint64_t at;
};

/* Let the first allocation of an operation fail, then the second …, until it needs no more. */
static void inject_each(const char *what, struct injection *injection,
                        bool (*operation)(struct injection *injection)) {
    uint64_t failures = 0;
    bool done = false;
    for (uint64_t n = 1; !done && n < 10000; n++) {
        uint64_t held = user_frames_held();
        inject_failures(n, 0);
        bool good = operation(injection);
        failures += inject_count();
        done = inject_count() == 0;
        inject_stop();
        kerneltest_expect(good || !done, __FILE__, __LINE__, "%s fails without a reason", what);
        if (injection->space != NULL)
            expect_sound(injection->space);
        if (!good)
            EXPECT(user_frames_held() <= held + 512); /* pages that came in before the failure */
    }
    kerneltest_note("%s: %lu allocations, each failed once", what, failures);
    EXPECT(failures > 0);
}

static bool do_create(struct injection *injection) {
    struct process *process = create("thrash", "argument", 0);
    (void)injection;
    if (process != NULL)
        process_discard(process);
    nothing_is_left();
    return process != NULL;
}

static bool do_fork(struct injection *injection) {
    struct space *child = space_fork(injection->space, 2);
    if (child != NULL) {
        expect_sound(child);
        space_destroy(child);
    }
    EXPECT(reads_all(injection->space, injection->at, 8 * PAGE_BYTES, 1));
    return child != NULL;
}

static bool do_exec(struct injection *injection) {
    const char *arguments[] = {"hello", "world"};
    return process_exec(injection->process, "hello", 2, arguments) == 0;
}

static bool do_map_and_touch(struct injection *injection) {
    int64_t at = space_map(injection->space, 0, 3 * MIB, WRITABLE);
    uint64_t value = 1;
    bool good = at > 0 && user_copy_out(injection->space, (uint64_t)at + 2 * MIB, &value, 8) == 0 &&
                user_copy_out(injection->space, (uint64_t)at, &value, 8) == 0;
    if (at > 0)
        good = space_unmap(injection->space, (uint64_t)at + 5 * PAGE_BYTES, PAGE_BYTES) == 0 &&
               space_protect(injection->space, (uint64_t)at + PAGE_BYTES, PAGE_BYTES,
                             REGION_READ) == 0 &&
               space_purge(injection->space, (uint64_t)at + 7 * PAGE_BYTES, PAGE_BYTES) == 0 &&
               good;
    inject_stop();
    if (at > 0)
        EXPECT_EQUAL(space_unmap(injection->space, (uint64_t)at, 3 * MIB), 0);
    return good;
}

static bool do_write_shared(struct injection *injection) {
    uint64_t value = 1 + injection->at;
    struct space *child = space_fork(injection->space, 2);
    bool good = child != NULL && user_copy_out(child, injection->at, &value, 8) == 0 &&
                user_copy_out(injection->space, injection->at, &value, 8) == 0;
    if (child != NULL)
        space_destroy(child);
    return good;
}

static void injected(void) {
    struct injection none = {NULL, NULL, 0};
    struct injection one = {space_create(1, 64 * MIB), NULL, 0};
    struct injection running = {NULL, create("thrash", NULL, 0), 0};
    one.at = (uint64_t)space_map(one.space, 0, 8 * PAGE_BYTES, WRITABLE);
    write_all(one.space, one.at, 8 * PAGE_BYTES, 1);
    inject_each("fork", &one, do_fork);
    inject_each("write after fork", &one, do_write_shared);
    inject_each("mmap, fault, munmap, mprotect, purge", &one, do_map_and_touch);
    space_destroy(one.space);
    inject_each("exec", &running, do_exec);
    process_discard(running.process);
    nothing_is_left();
    inject_each("create", &none, do_create);
}

/* The same from programs, which get errors or die; the kernel does not. */
static void injected_programs(void) {
    for (unsigned every = 2; every < 60; every += 7) {
        struct process *process = create("thrash", "40", 0);
        inject_failures(every, every);
        process_start(process, true);
        int32_t status = process_collect(process, NULL);
        inject_stop();
        EXPECT(inject_count() > 0);
        EXPECT(status == 0 || status == DEATH_MEMORY);
        nothing_is_left();
    }
}

/* ---- Memory runs out ------------------------------------------------------------------------- */

struct taken {
    struct taken *next;
};

static uint64_t free_bytes(void) {
    struct larder_frames_stats stats;
    larder_frames_stats(kernel_larder, &stats);
    return (stats.free + stats.in_bins) * LARDER_FRAME_BYTES;
}

static struct taken *take_all_but(uint64_t left_bytes) {
    struct taken *list = NULL, *block;
    for (unsigned order = LARDER_ORDER_MAX + 1; order-- > 0;)
        while (free_bytes() > left_bytes + (LARDER_FRAME_BYTES << order) &&
               (block = larder_frames_alloc(kernel_larder, order, 0)) != NULL) {
            block->next = list;
            list = block;
        }
    return list;
}

static void give_all(struct taken *list) {
    while (list != NULL) {
        struct taken *block = list;
        list = block->next;
        larder_frames_free(kernel_larder, block);
    }
}

/* The one that holds the most ends; the others live, and the system. */
static void memory_ends(void) {
    struct taken *list = take_all_but(24 * MIB);
    struct process *bystander = start("spin", NULL, 0);
    EXPECT_EQUAL(run("memhog", NULL, 0), DEATH_MEMORY);
    EXPECT_EQUAL(run("memhog", "4M", 0), 0);
    EXPECT_EQUAL(run("thrash", "50", 0), 0);
    EXPECT(process_kill(bystander->pid, DEATH_KILLED));
    EXPECT_EQUAL(process_collect(bystander, NULL), DEATH_KILLED);
    give_all(list);
    nothing_is_left();
}

/* ---- Lives ----------------------------------------------------------------------------------- */

/* larder.lifetimes=N for more. */
static void live_and_die(void) {
    const char *text = machine_bootarg("larder.lifetimes");
    struct lifetimes_config config = {.count = text != NULL ? strtoul(text, NULL, 0) : 60,
                                      .seed = 1};
    struct lifetimes_result result;
    lifetimes_run(&config, &result);
    kerneltest_note("%lu lifetimes, %lu kills, every frame counted after each of %lu ends, all "
                    "free %lu times",
                    result.lifetimes, result.kills, result.checks, result.returned);
    kerneltest_expect(result.wrong == NULL, __FILE__, __LINE__, "%s: %ld frames", result.wrong,
                      (int64_t)result.lost_frames);
    EXPECT(result.checks >= config.count);
    EXPECT_EQUAL(result.missed, 0);
    EXPECT_EQUAL(result.refused, 0);
    nothing_is_left();
}

const struct kerneltest process_tests[] = {
    {"process-programs", programs_run},
    {"process-refused", programs_refused},
    {"process-hostile", hostile},
    {"process-preemption", preemption},
    {"process-separation", kernel_sees_no_user_memory},
    {"process-copy-on-write", copy_on_write},
    {"process-blocks", blocks},
    {"process-purging", purging},
    {"process-limits", limits},
    {"process-injected", injected},
    {"process-injected-programs", injected_programs},
    {"process-memory-ends", memory_ends},
    {"process-lifetimes", live_and_die},
    {NULL, NULL},
};
