/* text.c: see text.h. */
#include "trace/text.h"

#include "trace/kinds.h"

#include <inttypes.h>
#include <string.h>

/* A tab divides fields and a newline lines, so these are escaped, and what escapes. */
static void put_escaped(FILE *file, const char *text) {
    static const char plain[] = "\t\n\r\\", escaped[] = "tnr\\";
    for (; *text; text++) {
        const char *found = strchr(plain, *text);
        if (found)
            (void)fputc('\\', file);
        (void)fputc(found ? escaped[found - plain] : *text, file);
    }
}

char *text_unescape(char *text) {
    static const char plain[] = "\t\n\r\\", escaped[] = "tnr\\";
    char *to = text;
    for (const char *from = text; *from; from++) {
        const char *found = from[0] == '\\' && from[1] ? strchr(escaped, from[1]) : NULL;
        *to++ = found ? plain[found - escaped] : *from;
        from += found ? 1 : 0;
    }
    *to = '\0';
    return text;
}

static void put_pair(FILE *file, const char *key, const char *value) {
    if (!*value)
        return;
    (void)fprintf(file, "%s: ", key);
    put_escaped(file, value);
    (void)fputc('\n', file);
}

static void put_number(FILE *file, const char *key, uint64_t number) {
    if (number)
        (void)fprintf(file, "%s: %" PRIu64 "\n", key, number);
}

void text_put_info(FILE *file, const struct trace_info *info) {
    (void)fprintf(file, "%s\n", TEXT_FIRST_LINE);
    put_pair(file, "program", info->program);
    put_pair(file, "recorded-by", info->recorded_by);
    put_pair(file, "note", info->note);
    put_number(file, "page-bytes", info->page_bytes);
    put_number(file, "pid", info->pid);
    put_number(file, "start-unix-ms", info->start_unix_ms);
    (void)fprintf(file, "has:%s%s%s\n\n", info->has_time ? " time" : "",
                  info->has_threads ? " threads" : "", info->has_sites ? " sites" : "");
}

void text_put_site(FILE *file, uint32_t number, const struct trace_frame *frames, size_t count) {
    (void)fprintf(file, "site %" PRIu32 "\n", number);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(file, "\t0x%" PRIx64 "\t", frames[i].address);
        put_escaped(file, frames[i].function);
        (void)fputc('\t', file);
        put_escaped(file, frames[i].file);
        (void)fprintf(file, "\t%" PRIu32 "\t", frames[i].line);
        put_escaped(file, frames[i].module);
        (void)fputc('\n', file);
    }
}

void text_put_event(FILE *file, const struct trace_event *event) {
    const struct kind *kind = &trace_kinds[event->kind];
    (void)fprintf(file, "%" PRIu64 " %" PRIu32 " %s", event->time_ns, event->thread, kind->name);
    if (kind->has & (KIND_MAKES_ID | KIND_NAMES_ID))
        (void)fprintf(file, " %" PRIu32, event->id);
    if (kind->has & KIND_HAS_SIZE)
        (void)fprintf(file, " %" PRIu64, event->size_bytes);
    if (kind->has & KIND_HAS_ALIGN)
        (void)fprintf(file, " %" PRIu64, event->align_bytes);
    if ((kind->has & KIND_HAS_SITE) && event->site)
        (void)fprintf(file, " @%" PRIu32, event->site);
    (void)fputc('\n', file);
}
