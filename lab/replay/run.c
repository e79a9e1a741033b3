/* run.c: see run.h. */
#include "run.h"

#include "say.h"

#include "child.h"

#include <stdio.h>
#include <string.h>

enum { PROGRESS_EVENTS = 4096 };

volatile sig_atomic_t run_is_interrupted;

/* ---- Where the events go --------------------------------------------------------------------- */

/* A replay here, or one in a process of its own. */
struct target {
    struct replay *replay;
    struct sampler sampler;
    struct child *child;
};

static bool target_open(struct target *target, const struct run *run, struct result *result,
                        uint64_t count_events) {
    const struct replay_config config = {
        .policy = run->policy,
        .memory_bytes = run->memory_bytes,
        .is_unchecked = run->is_unchecked,
        .is_untimed = run->is_untimed,
    };
    if (result->is_process)
        target->child = child_start(run->library, &config, count_events, result);
    else
        target->replay = replay_open(&config, result->what);
    if (target->replay)
        sampler_begin(&target->sampler, result, count_events);
    return target->replay || target->child;
}

static bool target_event(struct target *target, const struct trace_event *event) {
    if (target->child)
        return child_event(target->child, event);
    const bool is_good = replay_event(target->replay, event);
    sampler_event(&target->sampler, target->replay);
    return is_good;
}

static void target_close(struct target *target, struct result *result) {
    if (target->child) {
        child_end(target->child, result);
        return;
    }
    sampler_end(&target->sampler, target->replay);
    replay_close(target->replay);
}

/* ---- One run --------------------------------------------------------------------------------- */

static void begin(const struct run *run, struct result *result) {
    const char *title = replay_policy_title(run->policy);
    const char *slash = run->library ? strrchr(run->library, '/') : NULL;
    const char *library = slash ? slash + 1 : run->library;
    *result = (struct result){
        .is_process = strcmp(run->policy, RUN_MALLOC) == 0,
        .is_unchecked = run->is_unchecked,
        .is_untimed = run->is_untimed,
    };
    (void)snprintf(result->name, sizeof result->name, "%s", library ? library : run->policy);
    (void)snprintf(result->title, sizeof result->title, "%s",
                   title     ? title
                   : library ? library
                             : "system malloc");
}

static uint64_t feed(struct target *target, struct trace_reader *reader, const char *title) {
    const struct trace_info *info = trace_reader_info(reader);
    struct say_progress progress;
    struct trace_event event;
    uint64_t events = 0;
    say_progress_begin(&progress, title, "events");
    while (!run_is_interrupted && trace_reader_next(reader, &event) &&
           target_event(target, &event)) {
        if (++events % PROGRESS_EVENTS == 0)
            say_progress(&progress, events, trace_reader_offset(reader), info->file_bytes);
    }
    say_progress_end(&progress);
    return events;
}

static void note_interruption(struct result *result, uint64_t events) {
    if (!run_is_interrupted || result->state != RESULT_WHOLE)
        return;
    result->state = RESULT_INTERRUPTED;
    (void)snprintf(result->what, sizeof result->what, "interrupted after %llu events",
                   (unsigned long long)events);
}

bool run(const struct run *run, struct result *result, struct trace_error *error) {
    struct target target = {0};
    begin(run, result);
    struct trace_reader *reader = trace_reader_open(run->path, error);
    if (!reader) {
        result->state = RESULT_UNABLE;
        return false;
    }
    if (target_open(&target, run, result, trace_reader_info(reader)->count_events)) {
        const uint64_t events = feed(&target, reader, result->title);
        target_close(&target, result);
        note_interruption(result, events);
    } else {
        result->state = RESULT_UNABLE;
    }
    const struct trace_error *found = trace_reader_error(reader);
    if (found)
        *error = *found;
    trace_reader_close(reader);
    return !found;
}
