/* reader.c: see reader.h; columns.h has the layout of a block of events.
 *
 * A block is believed when its checksum is right, but a hostile writer can make checksums too:
 * every number of an event is tested before it is handed out.
 */
#include "trace/reader.h"

#include "trace/block.h"
#include "trace/columns.h"
#include "trace/id_set.h"
#include "trace/info.h"
#include "trace/kinds.h"
#include "trace/memory.h"
#include "trace/site_table.h"
#include "trace/varint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct trace_reader {
    struct block_input input;
    struct trace_info info;
    struct site_table *sites;
    struct id_set live;
    struct trace_error error;
    bool is_wrong, is_at_end;
    uint64_t count_events, time_ns;
    uint32_t count_threads;
    uint32_t count_left; /* events of this block that have not been handed out */
    uint32_t last_id;
    struct varint_input columns[COUNT_COLUMNS];
};

/* ---- Opening and closing --------------------------------------------------------------------- */

/* What the end mark says, where one can look ahead. */
static void look_ahead(struct trace_reader *reader) {
    struct stat status;
    uint8_t raw[END_BYTES];
    struct info_end end;
    if (fstat(reader->input.fd, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    reader->info.file_bytes = (uint64_t)status.st_size;
    if (!block_peek_end(&reader->input, reader->info.file_bytes, raw, sizeof raw))
        return;
    info_get_end(&end, raw);
    reader->info.count_events = end.count_events;
    reader->info.count_ids = end.count_ids;
    reader->info.end_time_ns = end.end_time_ns;
}

static bool read_beginning(struct trace_reader *reader, struct trace_error *error) {
    if (!block_read_file_head(&reader->input, error) || !block_read(&reader->input, error))
        return false;
    const uint64_t offset = reader->input.block_offset;
    if (reader->input.kind != BLOCK_INFO)
        return trace_error_at(error, offset, "the file does not say what was recorded");
    const char *fault = info_get(&reader->info, reader->input.raw, reader->input.raw_bytes);
    if (fault)
        return trace_error_at(error, offset, "%s", fault);
    look_ahead(reader);
    return true;
}

struct trace_reader *trace_reader_open(const char *path, struct trace_error *error) {
    const int fd =
        strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) {
        (void)trace_error_at(error, 0, "%s", strerror(fd < 0 ? errno : EISDIR));
        if (fd > STDIN_FILENO)
            (void)close(fd);
        return NULL;
    }
    struct trace_reader *reader = memory_zeroed(1, sizeof *reader);
    block_input_begin(&reader->input, fd);
    reader->sites = site_table_make();
    if (read_beginning(reader, error))
        return reader;
    trace_reader_close(reader);
    return NULL;
}

void trace_reader_close(struct trace_reader *reader) {
    if (!reader)
        return;
    if (reader->input.fd != STDIN_FILENO)
        (void)close(reader->input.fd);
    block_input_end(&reader->input);
    site_table_free(reader->sites);
    id_set_free(&reader->live);
    info_free(&reader->info);
    free(reader);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* Wrong in the block that was read last. Always false. */
static bool stop(struct trace_reader *reader, const char *what) {
    reader->is_wrong = true;
    reader->count_left = 0;
    return trace_error_at(&reader->error, reader->input.block_offset, "%s", what);
}

static bool begin_events(struct trace_reader *reader) {
    struct varint_input input = {reader->input.raw, reader->input.raw + reader->input.raw_bytes,
                                 false};
    uint64_t bytes[COUNT_COLUMNS];
    const uint64_t count = varint_get(&input), time_ns = varint_get(&input);
    for (int column = 0; column < COUNT_COLUMNS; column++)
        bytes[column] = varint_get(&input);
    for (int column = 0; column < COUNT_COLUMNS; column++) {
        const uint8_t *at = varint_bytes(&input, bytes[column]);
        if (at)
            reader->columns[column] = (struct varint_input){at, at + bytes[column], false};
    }
    if (input.is_bad || input.at != input.end || count != bytes[COLUMN_KIND] ||
        count > EVENTS_PER_BLOCK)
        return stop(reader, "the columns of a block do not fit in it");
    if (time_ns < reader->time_ns)
        return stop(reader, "time goes back between two blocks");
    reader->time_ns = time_ns;
    reader->count_left = (uint32_t)count;
    reader->last_id = 0;
    return true;
}

/* All events of a block have been handed out: nothing may be left of its columns. */
static bool end_events(struct trace_reader *reader) {
    for (int column = 0; column < COUNT_COLUMNS; column++) {
        if (reader->columns[column].at != reader->columns[column].end)
            return stop(reader, "a column is longer than its events");
        reader->columns[column] = (struct varint_input){NULL, NULL, false};
    }
    return true;
}

static bool read_sites(struct trace_reader *reader) {
    size_t at = 0;
    const char *fault =
        site_table_read(reader->sites, reader->input.raw, reader->input.raw_bytes, &at);
    return !fault || stop(reader, fault);
}

static bool read_end(struct trace_reader *reader) {
    struct info_end end;
    uint8_t byte;
    if (reader->input.raw_bytes != END_BYTES)
        return stop(reader, "the end mark has a wrong length");
    info_get_end(&end, reader->input.raw);
    if (end.count_events != reader->count_events || end.end_time_ns != reader->time_ns ||
        end.count_ids != reader->live.count_ids || end.count_threads != reader->count_threads ||
        end.count_sites != site_table_count(reader->sites))
        return stop(reader, "the end mark contradicts what was read");
    reader->info.count_events = end.count_events;
    reader->info.count_ids = end.count_ids;
    reader->info.end_time_ns = end.end_time_ns;
    reader->is_at_end = true;
    reader->input.block_offset = reader->input.offset;
    return read(reader->input.fd, &byte, 1) != 1 ||
           stop(reader, "there is something behind the end mark");
}

/* On to the next block that has events. False iff there is none. */
static bool next_block(struct trace_reader *reader) {
    while (reader->count_left == 0 && !reader->is_at_end && !reader->is_wrong) {
        if (!end_events(reader))
            return false;
        if (!block_read(&reader->input, &reader->error)) {
            reader->is_wrong = true;
            return false;
        }
        if (reader->input.kind == BLOCK_EVENTS)
            (void)begin_events(reader);
        else if (reader->input.kind == BLOCK_SITES)
            (void)read_sites(reader);
        else if (reader->input.kind == BLOCK_END)
            (void)read_end(reader);
        /* Another kind is from a later writer: what this reader knows can be read without it. */
    }
    return reader->count_left > 0;
}

/* ---- Events ---------------------------------------------------------------------------------- */

static uint64_t get(struct trace_reader *reader, enum column column) {
    return varint_get(&reader->columns[column]);
}

static bool get_id(struct trace_reader *reader, struct trace_event *event, unsigned has) {
    if (has & KIND_MAKES_ID) {
        event->id = id_set_lowest(&reader->live);
        id_set_add(&reader->live, event->id);
    } else {
        const uint64_t id = reader->last_id + (uint64_t)zagzig(get(reader, COLUMN_ID));
        if (reader->columns[COLUMN_ID].is_bad || id > UINT32_MAX ||
            !id_set_has(&reader->live, (uint32_t)id))
            return stop(reader, "an event names a block that does not live");
        event->id = (uint32_t)id;
        if (has & KIND_ENDS_ID)
            id_set_remove(&reader->live, event->id);
    }
    reader->last_id = event->id;
    return true;
}

static bool get_align(struct trace_reader *reader, struct trace_event *event) {
    const uint64_t value = get(reader, COLUMN_ALIGN);
    if (value > 64)
        return stop(reader, "an alignment is no power of two");
    event->align_bytes = value ? (uint64_t)1 << (value - 1) : 0;
    return true;
}

static bool get_site(struct trace_reader *reader, struct trace_event *event) {
    const uint64_t site = get(reader, COLUMN_SITE);
    if (site > site_table_count(reader->sites))
        return stop(reader, "an event names a call site that is not there");
    event->site = (uint32_t)site;
    return true;
}

static bool get_when_and_who(struct trace_reader *reader, struct trace_event *event) {
    const uint64_t since = get(reader, COLUMN_TIME), thread = get(reader, COLUMN_THREAD);
    event->time_ns = reader->time_ns + since;
    if (event->time_ns < since)
        return stop(reader, "time overflows");
    if (thread > reader->count_threads || thread == UINT32_MAX)
        return stop(reader, "the numbers of threads have a gap");
    reader->time_ns = event->time_ns;
    event->thread = (uint32_t)thread;
    if (thread == reader->count_threads)
        reader->count_threads++;
    return true;
}

/* Did a column end before its events did? */
static bool is_any_short(const struct trace_reader *reader) {
    bool is_bad = false;
    for (int column = 0; column < COUNT_COLUMNS; column++)
        is_bad |= reader->columns[column].is_bad;
    return is_bad;
}

static bool get_event(struct trace_reader *reader, struct trace_event *event) {
    const uint8_t kind = *reader->columns[COLUMN_KIND].at++;
    if (kind >= COUNT_TRACE_KINDS)
        return stop(reader, "an event is of no known kind");
    const unsigned has = trace_kinds[kind].has;
    *event = (struct trace_event){.kind = (enum trace_kind)kind};
    if (!get_when_and_who(reader, event))
        return false;
    if (has & KIND_HAS_SIZE)
        event->size_bytes = get(reader, COLUMN_SIZE);
    if ((has & KIND_HAS_ALIGN) && !get_align(reader, event))
        return false;
    if ((has & KIND_HAS_SITE) && !get_site(reader, event))
        return false;
    if (is_any_short(reader))
        return stop(reader, "a column is shorter than its events");
    return !(has & (KIND_MAKES_ID | KIND_NAMES_ID)) || get_id(reader, event, has);
}

bool trace_reader_next(struct trace_reader *reader, struct trace_event *event) {
    if (reader->count_left == 0 && !next_block(reader))
        return false;
    if (!get_event(reader, event))
        return false;
    reader->count_left--;
    reader->count_events++;
    return true;
}

const struct trace_info *trace_reader_info(const struct trace_reader *reader) {
    return &reader->info;
}

const struct trace_error *trace_reader_error(const struct trace_reader *reader) {
    return reader->is_wrong ? &reader->error : NULL;
}

uint64_t trace_reader_offset(const struct trace_reader *reader) {
    return reader->input.offset;
}

uint32_t trace_site_count(const struct trace_reader *reader) {
    return site_table_count(reader->sites);
}

size_t trace_site(const struct trace_reader *reader, uint32_t site,
                  const struct trace_frame **frames) {
    return site_table_frames(reader->sites, site, frames);
}
