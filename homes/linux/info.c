/* info.c: the GNU functions that look at the heap or tune it: mallinfo and its kin, malloc_info,
 * malloc_stats, malloc_trim, mallopt. Forms: glibc's manual and malloc_info(3).
 *
 * Where the program opted out, the C library's functions of the same names answer.
 */
#include "family.h"

#include "larder/larder.h"
#include "larder/process.h"

#include "libc.h"
#include "output.h"
#include "process.h"
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* The C library's function, as a pointer of type `type *`; NULL iff larder serves, or there is
 * none. */
#define OTHER(type, name) ((type *)(uintptr_t)(process_start() ? NULL : libc_function(name)))

/* ---- numbers ---- */

static struct family_mallinfo2 count(void) {
    struct larder_process_stats stats;
    larder_process_stats(&stats);
    return (struct family_mallinfo2){
        .arena = stats.usable.now,
        .fsmblks = stats.in_magazines.now,
        .usmblks = stats.usable.peak,
        .uordblks = stats.live.now,
        .fordblks = stats.usable.now > stats.live.now ? stats.usable.now - stats.live.now : 0,
        .keepcost = stats.free_backed.now,
    };
}

EXPORT struct family_mallinfo2 mallinfo2(void) {
    typedef struct family_mallinfo2 function(void);
    function *const other = OTHER(function, "mallinfo2");
    return other ? other() : count();
}

/* Its fields are int: what does not fit is INT_MAX, not negative. */
static int saturated(size_t value) {
    return value > INT_MAX ? INT_MAX : (int)value;
}

EXPORT struct family_mallinfo mallinfo(void) {
    typedef struct family_mallinfo function(void);
    function *const other = OTHER(function, "mallinfo");
    if (other)
        return other();
    const struct family_mallinfo2 wide = count();
    return (struct family_mallinfo){
        .arena = saturated(wide.arena),
        .fsmblks = saturated(wide.fsmblks),
        .usmblks = saturated(wide.usmblks),
        .uordblks = saturated(wide.uordblks),
        .fordblks = saturated(wide.fordblks),
        .keepcost = saturated(wide.keepcost),
    };
}

/* ---- text ---- */

static void write_to_stream(void *stream, const char *text, size_t length) {
    (void)fwrite(text, 1, length, stream);
}

static void xml_size(const struct larder_sink *sink, const char *head, const char *type,
                     uint64_t count_objects, uint64_t bytes) {
    text_put(sink, head);
    text_put(sink, type);
    if (count_objects != UINT64_MAX) {
        text_put(sink, "\" count=\"");
        text_decimal(sink, count_objects, 0);
    }
    text_put(sink, "\" size=\"");
    text_decimal(sink, bytes, 0);
    text_put(sink, "\"/>\n");
}

struct free_objects {
    const struct larder_sink *sink;
    uint64_t count;
};

/* One line for each size class that has free objects. */
static void xml_class(struct larder_cache *cache, void *context) {
    struct free_objects *all = context;
    struct larder_cache_stats stats;
    larder_cache_stats(cache, &stats);
    const uint64_t free_objects = stats.capacity > stats.live ? stats.capacity - stats.live : 0;
    if (stats.is_internal || free_objects == 0)
        return;
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"from", stats.object_bytes},
                   {"to", stats.object_bytes},
                   {"total", free_objects * stats.object_bytes},
                   {"count", free_objects}};
    text_put(all->sink, "    <size");
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        text_put(all->sink, " ");
        text_put(all->sink, numbers[i].name);
        text_put(all->sink, "=\"");
        text_decimal(all->sink, numbers[i].value, 0);
        text_put(all->sink, "\"");
    }
    text_put(all->sink, "/>\n");
    all->count += free_objects;
}

static void xml_totals(const struct larder_sink *sink, const struct larder_process_stats *stats,
                       uint64_t free_objects) {
    xml_size(sink, "  <total type=\"", "fast", free_objects,
             stats->in_magazines.now + stats->in_slabs.now);
    xml_size(sink, "  <total type=\"", "rest", stats->free_backed.now != 0, stats->free_backed.now);
    xml_size(sink, "  <system type=\"", "current", UINT64_MAX, stats->usable.now);
    xml_size(sink, "  <system type=\"", "max", UINT64_MAX, stats->usable.peak);
    xml_size(sink, "  <aspace type=\"", "total", UINT64_MAX, stats->reserved_bytes);
    xml_size(sink, "  <aspace type=\"", "mprotect", UINT64_MAX, stats->mapped.now);
}

static void write_xml(const struct larder_sink *sink) {
    struct free_objects all = {.sink = sink};
    struct larder_process_stats stats;
    larder_process_stats(&stats);
    text_put(sink, "<malloc version=\"larder " LARDER_VERSION "\">\n<heap nr=\"0\">\n  <sizes>\n");
    if (process_is_started())
        larder_caches_each(PROCESS, xml_class, &all);
    text_put(sink, "  </sizes>\n");
    xml_totals(sink, &stats, all.count);
    text_put(sink, "</heap>\n");
    xml_totals(sink, &stats, all.count);
    text_put(sink, "</malloc>\n");
}

/* 0, or EINVAL iff `flags` is not 0. */
EXPORT int malloc_info(int flags, FILE *stream) {
    typedef int function(int, FILE *);
    function *const other = OTHER(function, "malloc_info");
    const struct larder_sink sink = {.write = write_to_stream, .context = stream};
    if (other)
        return other(flags, stream);
    if (flags != 0)
        return EINVAL;
    write_xml(&sink);
    return 0;
}

EXPORT void malloc_stats(void) {
    typedef void function(void);
    function *const other = OTHER(function, "malloc_stats");
    struct output output;
    if (other) {
        other();
        return;
    }
    output_start(&output, STDERR_FILENO);
    larder_process_write(&output.sink);
    output_end(&output);
}

/* ---- tuning ---- */

/* 1 iff memory went back to the system. `pad_bytes` of glibc is a hint that we do not need. */
EXPORT int malloc_trim(size_t pad_bytes) {
    typedef int function(size_t);
    function *const other = OTHER(function, "malloc_trim");
    if (other)
        return other(pad_bytes);
    if (!process_is_started())
        return 0;
    thread_empty_all();
    (void)larder_reclaim(PROCESS);
    return larder_purge(PROCESS) > 0;
}

/* Our options are of other kinds: accepted, like an unknown one of glibc. */
EXPORT int mallopt(int parameter, int value) {
    typedef int function(int, int);
    function *const other = OTHER(function, "mallopt");
    return other ? other(parameter, value) : 1;
}

/* ---- larder's own ---- */

bool larder_is_active(void) {
    return process_start();
}

struct larder *larder_process(void) {
    return process_start() ? PROCESS : NULL;
}

void larder_malloc_is_linked(void) {
}
