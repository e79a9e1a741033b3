/* kmem.c: the kmem tracepoints of Linux, as `perf script` and ftrace print them:
 *
 *   ls 21007 [001]  4274.017354: kmem:kmalloc: call_site=f+0x1 ptr=0xffff… bytes_req=64 …
 *   ls-21007 [001] .....  4274.017354: mm_page_alloc: page=0x10 pfn=0x10 order=2 …
 *
 * Slab objects and pages are blocks alike; a page is a request for its size, aligned to it.
 */
#include "import/import.h"

#include <ctype.h>
#include <string.h>

enum { PAGE_BYTES = 4096, ORDER_MAX = 30, NAME_MAX_BYTES = 128 };
enum what { OBJECT_ALLOC, OBJECT_FREE, PAGE_ALLOC, PAGE_FREE, COUNT_WHATS };

static const struct {
    const char *name;
    enum what what;
} events[] = {
    {"kmalloc: ", OBJECT_ALLOC},
    {"kmalloc_node: ", OBJECT_ALLOC},
    {"kmem_cache_alloc: ", OBJECT_ALLOC},
    {"kmem_cache_alloc_node: ", OBJECT_ALLOC},
    {"kfree: ", OBJECT_FREE},
    {"kmem_cache_free: ", OBJECT_FREE},
    {"mm_page_alloc: ", PAGE_ALLOC},
    {"mm_page_free: ", PAGE_FREE},
};

/* Which event a line is about, and its fields in *fields. COUNT_WHATS iff it is none of these. */
static enum what what_of(const char *line, const char **fields) {
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const char *found = strstr(line, events[i].name);
        if (found && found > line && !isalnum((unsigned char)found[-1]) && found[-1] != '_') {
            *fields = found + strlen(events[i].name);
            return events[i].what;
        }
    }
    return COUNT_WHATS;
}

/* The text behind " KEY=". NULL iff there is no such field. */
static const char *field(const char *fields, const char *key) {
    const size_t length = strlen(key);
    for (const char *at = fields; (at = strstr(at, key)) != NULL; at += length) {
        if (at == fields || at[-1] == ' ')
            return at + length;
    }
    return NULL;
}

static uint64_t field_number(const char *fields, const char *key) {
    const char *at = field(fields, key);
    uint64_t number;
    return at && word_number(&at, &number) ? number : 0;
}

/* Pointers and frame numbers are hexadecimal, with or without 0x; "(nil)" is 0. */
static uint64_t field_hex(const char *fields, const char *key) {
    const char *at = field(fields, key);
    uint64_t number;
    return at && word_hex(&at, &number) ? number : 0;
}

/* The thread in front of the CPU in brackets, and the time behind it. */
static bool read_front(const char *line, struct trace_event *event) {
    const char *cpu = line;
    do {
        cpu = strchr(cpu, '[');
        cpu = cpu ? cpu + 1 : NULL;
    } while (cpu && !(isdigit((unsigned char)*cpu) && cpu[strspn(cpu, "0123456789")] == ']'));
    if (!cpu)
        return false;
    const char *digits = cpu - 1;
    while (digits > line && digits[-1] == ' ')
        digits--;
    while (digits > line && isdigit((unsigned char)digits[-1]))
        digits--;
    uint64_t thread = 0;
    (void)word_number(&digits, &thread);
    event->thread = (uint32_t)thread;
    for (const char *at = strchr(cpu, ' '); at; at = strchr(at + 1, ' ')) {
        const char *time = at;
        if (word_seconds(&time, &event->time_ns))
            return true;
    }
    return false;
}

static uint32_t site_of(struct import *import, const char *fields) {
    char name[NAME_MAX_BYTES];
    const char *at = field(fields, "call_site=");
    struct trace_frame frame = {.function = "", .module = "kernel"};
    if (!at)
        return 0;
    const size_t count = strcspn(at, "+ ");
    if (at[count] != '+' && word_hex(&at, &frame.address))
        return import_caller(import, &frame);
    if (count >= sizeof name)
        return 0;
    memcpy(name, at, count);
    name[count] = '\0';
    frame.function = name;
    return import_caller(import, &frame);
}

static void put_object(struct import *import, struct trace_event *event, const char *fields,
                       bool is_alloc) {
    const uint64_t pointer = field_hex(fields, "ptr=");
    event->site = site_of(import, fields);
    event->kind = !is_alloc ? TRACE_FREE : pointer ? TRACE_MALLOC : TRACE_FAILED;
    event->size_bytes = is_alloc ? field_number(fields, "bytes_req=") : 0;
    if (is_alloc || pointer)
        import_event(import, event, pointer, 0);
}

/* A page is named by an odd number; a pointer to an object is none. */
static void put_pages(struct import *import, struct trace_event *event, const char *fields,
                      bool is_alloc) {
    const uint64_t frame = field_hex(fields, "pfn="), order = field_number(fields, "order=");
    event->kind = !is_alloc ? TRACE_FREE : frame ? TRACE_ALIGNED : TRACE_FAILED;
    event->size_bytes = event->align_bytes =
        is_alloc ? (uint64_t)PAGE_BYTES << (order < ORDER_MAX ? order : 0) : 0;
    import_event(import, event, frame << 1 | 1, 0);
}

static bool is_kmem_line(const char *line) {
    char copy[512];
    struct trace_event event;
    const char *fields;
    const size_t length = strcspn(line, "\n");
    if (length >= sizeof copy)
        return false;
    memcpy(copy, line, length);
    copy[length] = '\0';
    return what_of(copy, &fields) != COUNT_WHATS && read_front(copy, &event);
}

static bool is_kmem(const char *head, size_t count) {
    (void)count;
    return head_has(head, is_kmem_line);
}

/* False iff it is a line about something else. */
static bool read_line(struct import *import, const char *line, uint64_t *start_ns) {
    struct trace_event event = {.kind = TRACE_FREE};
    const char *fields;
    const enum what what = what_of(line, &fields);
    if (what == COUNT_WHATS || !read_front(line, &event))
        return *line == '#' || *line == '\0';
    if (*start_ns == 0)
        *start_ns = event.time_ns;
    event.time_ns = event.time_ns > *start_ns ? event.time_ns - *start_ns : 0;
    if (what == OBJECT_ALLOC || what == OBJECT_FREE)
        put_object(import, &event, fields, what == OBJECT_ALLOC);
    else
        put_pages(import, &event, fields, what == PAGE_ALLOC);
    return true;
}

static bool run(struct import *import) {
    const struct trace_info info = {
        .recorded_by = "larder import kmem",
        .note = "slab objects and pages of a kernel; pages of 4 KiB; what lived before is unknown",
        .page_bytes = PAGE_BYTES,
        .has_time = true,
        .has_threads = true,
        .has_sites = true};
    uint64_t start_ns = 0;
    if (!import_begin(import, &info))
        return false;
    for (const char *line; (line = import_line(import)) != NULL;)
        import->count_skipped += !read_line(import, line, &start_ns);
    return true;
}

const struct importer kmem_importer = {
    .name = "kmem",
    .summary = "Linux kmem tracepoints (perf script, ftrace)",
    .is_it = is_kmem,
    .run = run,
};
