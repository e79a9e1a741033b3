/* android.c: what AOSP's memory_replay reads:
 *
 *   TID: malloc NEW SIZE | calloc NEW COUNT SIZE | memalign NEW ALIGN SIZE |
 *        realloc NEW OLD SIZE | free OLD | thread_done 0x0
 *
 * each with the times of begin and end in ns behind it in newer files.
 */
#include "import/import.h"

#include <string.h>

static bool is_line(const char *line) {
    static const char *const names[] = {"malloc",  "calloc", "memalign",
                                        "realloc", "free",   "thread_done"};
    uint64_t number;
    if (!word_number(&line, &number) || *line++ != ':')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (word_is(&line, names[i]))
            return word_number(&line, &number);
    }
    return false;
}

static bool is_android(const char *head, size_t count) {
    (void)count;
    return is_line(head);
}

/* The numbers of a line behind its name. */
struct numbers {
    uint64_t all[6];
    size_t count;
};

static void allocated(struct import *import, struct trace_event *event, uint64_t pointer,
                      uint64_t old_pointer) {
    if (pointer == 0)
        event->kind = TRACE_FAILED;
    else if (event->kind == TRACE_REALLOC && old_pointer == 0)
        event->kind = TRACE_MALLOC;
    import_event(import, event, pointer, old_pointer);
}

/* False iff numbers are missing. `used` of them belong to the call, the next is its time. */
static bool put(struct import *import, const char *name, const struct numbers *numbers,
                struct trace_event *event) {
    const uint64_t *all = numbers->all;
    const size_t used = strcmp(name, "free") == 0 || strcmp(name, "thread_done") == 0 ? 1
                        : strcmp(name, "malloc") == 0                                 ? 2
                                                                                      : 3;
    if (numbers->count < used)
        return false;
    event->time_ns = numbers->count > used ? all[used] : 0;
    event->size_bytes = used > 1 ? all[used - 1] : 0;
    if (strcmp(name, "thread_done") == 0) {
        event->kind = TRACE_THREAD_END;
        import_event(import, event, 0, 0);
    } else if (strcmp(name, "free") == 0) {
        event->kind = TRACE_FREE;
        if (all[0] != 0)
            import_event(import, event, all[0], 0);
    } else if (strcmp(name, "realloc") == 0) {
        event->kind = all[0] == 0 && all[2] == 0 ? TRACE_FREE : TRACE_REALLOC;
        if (event->kind == TRACE_FREE)
            import_event(import, event, all[1], 0);
        else
            allocated(import, event, all[0], all[1]);
    } else if (strcmp(name, "calloc") == 0) {
        event->kind = TRACE_CALLOC;
        if (__builtin_mul_overflow(all[1], all[2], &event->size_bytes))
            event->size_bytes = UINT64_MAX;
        allocated(import, event, all[0], 0);
    } else if (strcmp(name, "memalign") == 0) {
        event->kind = TRACE_ALIGNED;
        event->align_bytes = (all[1] & (all[1] - 1)) == 0 ? all[1] : 0;
        allocated(import, event, all[0], 0);
    } else {
        allocated(import, event, all[0], 0);
    }
    return true;
}

static bool read_line(struct import *import, char *line) {
    struct trace_event event = {.kind = TRACE_MALLOC};
    struct numbers numbers = {.count = 0};
    const char *at = line;
    uint64_t thread;
    if (word_end(&at))
        return true;
    if (!is_line(line))
        return import_fail(import, "not THREAD: FUNCTION POINTER …");
    (void)word_number(&at, &thread);
    event.thread = (uint32_t)thread;
    at += 1 + strspn(at + 1, " ");
    char *name = line + (at - line);
    at += strcspn(at, " ");
    const char *rest = at + (*at == ' ');
    line[at - line] = '\0';
    while (numbers.count < 6 && word_number(&rest, &numbers.all[numbers.count]))
        numbers.count++;
    return put(import, name, &numbers, &event) || import_fail(import, "a number is missing");
}

static bool run(struct import *import) {
    const struct trace_info info = {
        .recorded_by = "larder import android", .has_threads = true, .has_time = true};
    if (!import_begin(import, &info))
        return false;
    for (char *line; (line = import_line(import)) != NULL;) {
        if (!read_line(import, line))
            return false;
    }
    return true;
}

const struct importer android_importer = {
    .name = "android",
    .summary = "AOSP memory_replay (text)",
    .is_it = is_android,
    .run = run,
};
