/* calls.c: logs of calls, as ltrace and Firefox's logalloc write them:
 *
 *   malloc(100) = 0x55f1                         ltrace
 *   [pid 7] app->free(0x55f1) = <void>           ltrace -f; or 7 in front, and a time
 *   [pid 7] malloc(100 <unfinished ...>          … then: [pid 7] <... malloc resumed> ) = 0x55f1
 *   7 8 realloc(#3,64)=#4                        logalloc: process, thread; numbers for pointers
 *
 * What is no call of the malloc family is left out.
 */
#include "import/import.h"
#include "trace/key_map.h"
#include "trace/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum function { MALLOC, CALLOC, REALLOC, FREE, MEMALIGN, POSIX_MEMALIGN, REALLOCARRAY, VALLOC };
enum { COUNT_FUNCTIONS = 11, ABSOLUTE_SECONDS_MIN = 1000000 };

static const struct {
    const char *name;
    enum function function;
} functions[COUNT_FUNCTIONS] = {
    {"malloc", MALLOC},
    {"calloc", CALLOC},
    {"realloc", REALLOC},
    {"free", FREE},
    {"memalign", MEMALIGN},
    {"aligned_alloc", MEMALIGN},
    {"valloc", VALLOC},
    {"reallocarray", REALLOCARRAY},
    {"moz_arena_malloc", MALLOC},
    {"pvalloc", VALLOC},
    {"posix_memalign", POSIX_MEMALIGN},
};

struct call {
    enum function function;
    uint64_t arguments[3];
    size_t count;
    bool is_begun; /* and its result is to come */
};

struct calls_import {
    struct import *import;
    struct key_map threads; /* thread to its call in pending */
    struct call *pending;
    size_t count_pending, pending_capacity;
    uint64_t start_ns;
};

/* ---- Parts of a line ------------------------------------------------------------------------- */

/* A name of a function, with nothing glued in front, and `end` behind. NULL iff there is none; else
 * what comes behind that, and which function. */
static const char *find_function(const char *line, const char *end, enum function *function) {
    for (const char *at = line; *at; at++) {
        if (!islower((unsigned char)*at) ||
            (at > line && (isalnum((unsigned char)at[-1]) || at[-1] == '_')))
            continue;
        const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        for (size_t i = 0; i < COUNT_FUNCTIONS; i++) {
            if (strlen(functions[i].name) == length && memcmp(functions[i].name, at, length) == 0 &&
                strncmp(at + length, end, strlen(end)) == 0) {
                *function = functions[i].function;
                return at + length + strlen(end);
            }
        }
    }
    return NULL;
}

/* A number, a pointer, #number, or nil. */
static bool read_value(const char **at, uint64_t *value) {
    const char *from = *at + strspn(*at, " (");
    if (word_is(&from, "nil") || word_is(&from, "NULL")) {
        *value = 0;
    } else {
        from += *from == '#';
        if (!word_number(&from, value))
            return false;
    }
    *at = from + (*from == ')' && from[1] == ')'); /* of "(nil)" */
    return true;
}

static void read_arguments(const char **at, struct call *call) {
    while (call->count < 3 && read_value(at, &call->arguments[call->count])) {
        call->count++;
        *at += strspn(*at, " ");
        if (**at != ',')
            return;
        ++*at;
    }
}

/* What stands in front: [pid N], or one or two numbers, the last of which is the thread; a time. */
static void read_front(struct calls_import *calls, const char *at, struct trace_event *event) {
    uint64_t number, time_ns;
    if (word_is(&at, "[pid") && word_number(&at, &number)) {
        event->thread = (uint32_t)number;
        at += *at == ']';
    }
    for (;;) {
        const char *next = at;
        if (word_seconds(&next, &time_ns)) {
            if (calls->start_ns == 0)
                calls->start_ns = time_ns;
            if (time_ns / 1000000000 >= ABSOLUTE_SECONDS_MIN)
                event->time_ns = time_ns - calls->start_ns;
            at = next;
        } else if (word_number(&next, &number) && (*next == ' ' || *next == '\t')) {
            event->thread = (uint32_t)number;
            at = next;
        } else {
            return;
        }
    }
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static uint64_t product(uint64_t a, uint64_t b) {
    return __builtin_mul_overflow(a, b, &a) ? UINT64_MAX : a;
}

static void put_alloc(struct import *import, struct trace_event *event, enum trace_kind kind,
                      uint64_t size_bytes, uint64_t pointer) {
    event->kind = pointer ? kind : TRACE_FAILED;
    event->size_bytes = size_bytes;
    import_event(import, event, pointer, 0);
}

static void put_realloc(struct import *import, struct trace_event *event, uint64_t old_pointer,
                        uint64_t size_bytes, uint64_t pointer) {
    event->kind = TRACE_REALLOC;
    event->size_bytes = size_bytes;
    if (old_pointer == 0 || (pointer == 0 && size_bytes > 0)) {
        put_alloc(import, event, TRACE_MALLOC, size_bytes, pointer);
    } else if (pointer == 0) {
        event->kind = TRACE_FREE;
        import_event(import, event, old_pointer, 0);
    } else {
        import_event(import, event, pointer, old_pointer);
    }
}

/* False iff the call does not tell enough. */
static bool put_call(struct import *import, struct trace_event *event, const struct call *call,
                     uint64_t result) {
    static const size_t needed[] = {[MALLOC] = 1,   [CALLOC] = 2, [REALLOC] = 2,     [FREE] = 1,
                                    [MEMALIGN] = 2, [VALLOC] = 1, [REALLOCARRAY] = 3};
    const uint64_t *arguments = call->arguments;
    /* Where posix_memalign put the pointer is not in the log; logalloc gives it as the result. */
    if (call->function == POSIX_MEMALIGN ? call->count != 2 : call->count < needed[call->function])
        return false;
    switch (call->function) {
    case FREE:
        event->kind = TRACE_FREE;
        if (arguments[0])
            import_event(import, event, arguments[0], 0);
        break;
    case CALLOC:
        put_alloc(import, event, TRACE_CALLOC, product(arguments[0], arguments[1]), result);
        break;
    case REALLOC:
        put_realloc(import, event, arguments[0], arguments[1], result);
        break;
    case REALLOCARRAY:
        put_realloc(import, event, arguments[0], product(arguments[1], arguments[2]), result);
        break;
    case MEMALIGN:
    case POSIX_MEMALIGN:
        event->align_bytes = (arguments[0] & (arguments[0] - 1)) == 0 ? arguments[0] : 0;
        put_alloc(import, event, TRACE_ALIGNED, arguments[1], result);
        break;
    case MALLOC:
    case VALLOC:
        put_alloc(import, event, TRACE_MALLOC, arguments[call->count - 1], result);
        break;
    }
    return true;
}

/* The result behind "=". A function without one has 0. */
static bool read_result(const char *at, const struct call *call, uint64_t *result) {
    const char *equals = strchr(at, '=');
    *result = 0;
    if (call->function == FREE)
        return true;
    if (!equals)
        return false;
    const char *value = equals + 1;
    return read_value(&value, result);
}

static struct call *pending_call(struct calls_import *calls, uint32_t thread) {
    struct key_map_entry *entry = key_map_find(&calls->threads, thread);
    if (entry)
        return &calls->pending[entry->value];
    calls->pending = memory_reserve(calls->pending, &calls->pending_capacity,
                                    calls->count_pending + 1, sizeof *calls->pending);
    key_map_put(&calls->threads, thread, (uint32_t)calls->count_pending);
    calls->pending[calls->count_pending] = (struct call){.is_begun = false};
    return &calls->pending[calls->count_pending++];
}

/* False iff the line is nothing that we know. */
static bool read_line(struct calls_import *calls, const char *line) {
    struct trace_event event = {.kind = TRACE_MALLOC};
    struct call call = {.count = 0};
    uint64_t result;
    read_front(calls, line, &event);
    if (find_function(line, " resumed>", &call.function)) {
        struct call *begun = pending_call(calls, event.thread);
        const bool is_good = begun->is_begun && begun->function == call.function &&
                             read_result(line, begun, &result) &&
                             put_call(calls->import, &event, begun, result);
        begun->is_begun = false;
        return is_good;
    }
    const char *at = find_function(line, "(", &call.function);
    if (!at)
        return false;
    read_arguments(&at, &call);
    if (call.function != FREE && strstr(at, "<unfinished")) {
        call.is_begun = true;
        *pending_call(calls, event.thread) = call;
        return true;
    }
    return read_result(at, &call, &result) && put_call(calls->import, &event, &call, result);
}

static bool is_call(const char *line) {
    char copy[256];
    enum function function;
    const size_t length = strcspn(line, "\n");
    if (length >= sizeof copy)
        return false;
    memcpy(copy, line, length);
    copy[length] = '\0';
    const char *at = find_function(copy, "(", &function);
    return at && strchr(at, ')') && (strchr(at, '=') || function == FREE);
}

static bool is_calls(const char *head, size_t count) {
    (void)count;
    return head_has(head, is_call);
}

static bool run(struct import *import) {
    const struct trace_info info = {
        .recorded_by = "larder import calls",
        .note = "from a log of calls; what posix_memalign() gave is unknown",
        .has_time = true,
        .has_threads = true};
    struct calls_import calls = {.import = import};
    if (!import_begin(import, &info))
        return false;
    for (const char *line; (line = import_line(import)) != NULL;)
        import->count_skipped += !read_line(&calls, line);
    key_map_free(&calls.threads);
    free(calls.pending);
    return true;
}

const struct importer calls_importer = {
    .name = "calls",
    .summary = "ltrace, Firefox's logalloc: function(arguments) = result",
    .is_it = is_calls,
    .run = run,
};
