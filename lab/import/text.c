/* text.c: the text form of our own traces (docs/trace-format.md): for small ones written by hand,
 * and to edit one: dump, change, import. Ids and threads are names; they come out dense. */
#include "trace/text.h"
#include "import/import.h"
#include "trace/kinds.h"
#include "trace/memory.h"
#include "trace/site_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct text_import {
    struct import *import;
    struct trace_info info;
    uint64_t count_sites;
    struct trace_frame *frames; /* of the site whose lines are being read; texts are copies */
    size_t count_frames, frames_capacity;
    bool is_in_site;
};

static bool is_text(const char *head, size_t count) {
    return count >= strlen(TEXT_FIRST_LINE) &&
           memcmp(head, TEXT_FIRST_LINE, strlen(TEXT_FIRST_LINE)) == 0;
}

static bool is_blank(const char *line) {
    return word_end(&line) || *line == '#';
}

/* ---- What the recording says of itself ------------------------------------------------------- */

static void set_text(const char **text, const char *value) {
    free((void *)*text);
    *text = memory_text(value, strlen(value));
}

/* "key: value". False iff there is no such key. */
static bool read_info(struct trace_info *info, char *line) {
    char *colon = strchr(line, ':');
    if (!colon)
        return false;
    *colon = '\0';
    char *value = text_unescape(colon + 1 + strspn(colon + 1, " "));
    if (strcmp(line, "program") == 0)
        set_text(&info->program, value);
    else if (strcmp(line, "recorded-by") == 0)
        set_text(&info->recorded_by, value);
    else if (strcmp(line, "note") == 0)
        set_text(&info->note, value);
    else if (strcmp(line, "page-bytes") == 0)
        info->page_bytes = strtoull(value, NULL, 10);
    else if (strcmp(line, "pid") == 0)
        info->pid = strtoull(value, NULL, 10);
    else if (strcmp(line, "start-unix-ms") == 0)
        info->start_unix_ms = strtoull(value, NULL, 10);
    else if (strcmp(line, "has") == 0) {
        info->has_time = strstr(value, "time") != NULL;
        info->has_threads = strstr(value, "threads") != NULL;
        info->has_sites = strstr(value, "sites") != NULL;
    } else
        return false;
    return true;
}

static void free_info(struct trace_info *info) {
    free((void *)info->program);
    free((void *)info->recorded_by);
    free((void *)info->note);
}

static bool begin(struct text_import *text) {
    return import_begin(text->import, &text->info);
}

/* ---- Call sites ------------------------------------------------------------------------------ */

/* The next field of a line divided by tabs; "" where there is none. */
static char *field(char **at) {
    char *start = *at, *tab = strchr(start, '\t');
    *at = tab ? tab + 1 : start + strlen(start);
    if (tab)
        *tab = '\0';
    return text_unescape(start);
}

static char *copy(const char *text) {
    return memory_text(text, strlen(text));
}

static bool read_frame(struct text_import *text, char *line) {
    if (!text->is_in_site || text->count_frames == SITE_FRAMES_MAX)
        return import_fail(text->import, "a frame, and no call site that it could belong to");
    char *at = line + 1;
    text->frames = memory_reserve(text->frames, &text->frames_capacity, text->count_frames + 1,
                                  sizeof *text->frames);
    struct trace_frame *frame = &text->frames[text->count_frames++];
    const char *address = field(&at);
    *frame = (struct trace_frame){.address = 0};
    const bool is_good = word_hex(&address, &frame->address);
    frame->function = copy(field(&at));
    frame->file = copy(field(&at));
    frame->line = (uint32_t)strtoul(field(&at), NULL, 10);
    frame->module = copy(field(&at));
    return is_good || import_fail(text->import, "a frame begins with its address");
}

static void end_site(struct text_import *text) {
    if (text->is_in_site)
        (void)trace_writer_site(text->import->writer, text->frames, text->count_frames);
    for (size_t i = 0; i < text->count_frames; i++) {
        free((void *)text->frames[i].function);
        free((void *)text->frames[i].file);
        free((void *)text->frames[i].module);
    }
    text->count_frames = 0;
    text->is_in_site = false;
}

static bool begin_site(struct text_import *text, const char *rest) {
    uint64_t number;
    if (!word_number(&rest, &number) || !word_end(&rest) || number != text->count_sites + 1)
        return import_fail(text->import, "call sites are numbered from 1, and this is the %" PRIu64,
                           text->count_sites + 1);
    text->count_sites++;
    text->is_in_site = true;
    return true;
}

/* ---- Events ---------------------------------------------------------------------------------- */

/* COUNT_TRACE_KINDS iff it is none; *at is behind it. */
static unsigned read_kind(const char **at) {
    *at += strspn(*at, " \t");
    const char *name = *at;
    *at += strspn(*at, "abcdefghijklmnopqrstuvwxyz_");
    return trace_kind_of(name, (size_t)(*at - name));
}

static bool read_site(struct text_import *text, const char **at, struct trace_event *event) {
    uint64_t site = 0;
    if (!word_is(at, "@"))
        return true;
    if (!word_number(at, &site) || site > text->count_sites)
        return import_fail(text->import, "there is no such call site yet");
    event->site = (uint32_t)site;
    return true;
}

static bool read_event(struct text_import *text, const char *line) {
    struct trace_event event = {.time_ns = 0};
    uint64_t thread, id = 0;
    const char *at = line;
    if (!word_number(&at, &event.time_ns) || !word_number(&at, &thread) || thread >= UINT32_MAX)
        return import_fail(text->import, "an event begins with its time and its thread");
    event.thread = (uint32_t)thread;
    const unsigned kind = read_kind(&at);
    if (kind == COUNT_TRACE_KINDS)
        return import_fail(text->import, "there is no such kind of event");
    event.kind = (enum trace_kind)kind;
    const unsigned has = trace_kinds[kind].has;
    if (((has & (KIND_MAKES_ID | KIND_NAMES_ID)) && !word_number(&at, &id)) ||
        ((has & KIND_HAS_SIZE) && !word_number(&at, &event.size_bytes)) ||
        ((has & KIND_HAS_ALIGN) && !word_number(&at, &event.align_bytes)))
        return import_fail(text->import, "a number is missing");
    if ((event.align_bytes & (event.align_bytes - 1)) != 0)
        return import_fail(text->import, "an alignment is no power of two");
    if ((has & KIND_HAS_SITE) && !read_site(text, &at, &event))
        return false;
    if (!word_end(&at))
        return import_fail(text->import, "there is more than an event of this kind has");
    import_event(text->import, &event, id, id);
    return true;
}

static bool read_line(struct text_import *text, char *line) {
    const char *rest = line;
    if (line[0] == '\t')
        return read_frame(text, line);
    end_site(text);
    if (is_blank(line))
        return true;
    if (!text->import->writer && read_info(&text->info, line))
        return true;
    if (!text->import->writer && !begin(text))
        return false;
    return word_is(&rest, "site") ? begin_site(text, rest) : read_event(text, line);
}

static bool run(struct import *import) {
    struct text_import text = {.import = import};
    bool is_good = true;
    (void)import_line(import);
    for (char *line; is_good && (line = import_line(import));)
        is_good = read_line(&text, line);
    end_site(&text);
    is_good = is_good && (import->writer || begin(&text));
    free_info(&text.info);
    free(text.frames);
    return is_good;
}

const struct importer text_importer = {
    .name = "text",
    .summary = "the text form of our own traces, as larder dump prints it",
    .is_it = is_text,
    .run = run,
};
