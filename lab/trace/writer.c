/* writer.c: see writer.h; columns.h has the layout of a block of events. */
#include "trace/writer.h"

#include "trace/block.h"
#include "trace/columns.h"
#include "trace/id_set.h"
#include "trace/info.h"
#include "trace/kinds.h"
#include "trace/memory.h"
#include "trace/site_writer.h"
#include "trace/varint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN_BYTES_MAX = EVENTS_PER_BLOCK * VARINT_BYTES_MAX, HEAD_BYTES_MAX = 128 };

struct trace_writer {
    struct block_output output;
    struct site_writer sites;
    struct id_set live;
    uint64_t count_events, time_ns; /* written or held back; time of the last */
    uint32_t count_threads;
    uint32_t count_held; /* events in the columns */
    uint64_t first_time_ns, last_time_ns;
    uint32_t last_id;
    uint8_t *columns[COUNT_COLUMNS], *ends[COUNT_COLUMNS];
    uint8_t *raw;
    uint8_t *info; /* the payload of the info block */
    size_t info_bytes;
};

static void columns_reset(struct trace_writer *writer) {
    writer->count_held = 0;
    writer->last_id = 0;
    for (int column = 0; column < COUNT_COLUMNS; column++)
        writer->ends[column] = writer->columns[column];
}

struct trace_writer *trace_writer_open(const char *path, const struct trace_info *info) {
    const int fd = strcmp(path, "-") == 0
                       ? STDOUT_FILENO
                       : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return NULL;
    struct trace_writer *writer = memory_zeroed(1, sizeof *writer);
    block_output_begin(&writer->output, fd);
    writer->sites.output = &writer->output;
    for (int column = 0; column < COUNT_COLUMNS; column++)
        writer->columns[column] = memory_resize(NULL, COLUMN_BYTES_MAX, 1);
    writer->raw = memory_resize(NULL, BLOCK_RAW_MAX, 1);
    columns_reset(writer);
    block_write_file_head(&writer->output);
    writer->info = memory_resize(NULL, INFO_BYTES_MAX, 1);
    writer->info_bytes = info_put(info, writer->info);
    block_write(&writer->output, BLOCK_INFO, writer->info, writer->info_bytes);
    return writer;
}

uint32_t trace_writer_site(struct trace_writer *writer, const struct trace_frame *frames,
                           size_t count) {
    return site_writer_add(&writer->sites, frames, count);
}

void trace_writer_note(struct trace_writer *writer, const char *more) {
    if (info_add_note(writer->info, writer->info_bytes, more))
        (void)block_write_again(&writer->output, BLOCK_INFO, writer->info, writer->info_bytes);
}

/* The columns as a block; the sites they name before it. */
void trace_writer_flush(struct trace_writer *writer) {
    site_writer_flush(&writer->sites);
    if (writer->count_held == 0)
        return;
    uint8_t *at = varint_put(writer->raw, writer->count_held);
    at = varint_put(at, writer->first_time_ns);
    for (int column = 0; column < COUNT_COLUMNS; column++)
        at = varint_put(at, (uint64_t)(writer->ends[column] - writer->columns[column]));
    for (int column = 0; column < COUNT_COLUMNS; column++) {
        const size_t bytes = (size_t)(writer->ends[column] - writer->columns[column]);
        memcpy(at, writer->columns[column], bytes);
        at += bytes;
    }
    block_write(&writer->output, BLOCK_EVENTS, writer->raw, (size_t)(at - writer->raw));
    columns_reset(writer);
}

static void put(struct trace_writer *writer, enum column column, uint64_t value) {
    writer->ends[column] = varint_put(writer->ends[column], value);
}

static void put_id(struct trace_writer *writer, const struct trace_event *event, unsigned has) {
    if (has & KIND_MAKES_ID) {
        assert(event->id == id_set_lowest(&writer->live));
        id_set_add(&writer->live, event->id);
    } else {
        assert(id_set_has(&writer->live, event->id));
        put(writer, COLUMN_ID, zigzag((int64_t)event->id - (int64_t)writer->last_id));
    }
    if (has & KIND_ENDS_ID)
        id_set_remove(&writer->live, event->id);
    writer->last_id = event->id;
}

static void put_align(struct trace_writer *writer, uint64_t align_bytes) {
    assert((align_bytes & (align_bytes - 1)) == 0);
    put(writer, COLUMN_ALIGN, align_bytes ? 1u + (unsigned)__builtin_ctzll(align_bytes) : 0);
}

void trace_writer_event(struct trace_writer *writer, const struct trace_event *event) {
    assert((unsigned)event->kind < COUNT_TRACE_KINDS && event->time_ns >= writer->time_ns);
    assert(event->thread <= writer->count_threads && event->site <= writer->sites.count_sites);
    const unsigned has = trace_kinds[event->kind].has;
    if (writer->count_held == 0)
        writer->first_time_ns = writer->last_time_ns = event->time_ns;
    *writer->ends[COLUMN_KIND]++ = (uint8_t)event->kind;
    put(writer, COLUMN_TIME, event->time_ns - writer->last_time_ns);
    put(writer, COLUMN_THREAD, event->thread);
    if (has & (KIND_MAKES_ID | KIND_NAMES_ID))
        put_id(writer, event, has);
    if (has & KIND_HAS_SIZE)
        put(writer, COLUMN_SIZE, event->size_bytes);
    if (has & KIND_HAS_ALIGN)
        put_align(writer, event->align_bytes);
    if (has & KIND_HAS_SITE)
        put(writer, COLUMN_SITE, event->site);
    if (event->thread == writer->count_threads)
        writer->count_threads++;
    writer->time_ns = writer->last_time_ns = event->time_ns;
    writer->count_events++;
    if (++writer->count_held == EVENTS_PER_BLOCK)
        trace_writer_flush(writer);
}

static void put_end(struct trace_writer *writer) {
    const struct info_end end = {.count_events = writer->count_events,
                                 .end_time_ns = writer->time_ns,
                                 .count_ids = writer->live.count_ids,
                                 .count_threads = writer->count_threads,
                                 .count_sites = writer->sites.count_sites};
    uint8_t raw[END_BYTES];
    info_put_end(&end, raw);
    block_write(&writer->output, BLOCK_END, raw, sizeof raw);
}

bool trace_writer_close(struct trace_writer *writer) {
    trace_writer_flush(writer);
    put_end(writer);
    int error = writer->output.error;
    if (writer->output.fd != STDOUT_FILENO && close(writer->output.fd) != 0 && !error)
        error = errno;
    block_output_end(&writer->output);
    site_writer_free(&writer->sites);
    id_set_free(&writer->live);
    for (int column = 0; column < COUNT_COLUMNS; column++)
        free(writer->columns[column]);
    free(writer->info);
    free(writer->raw);
    free(writer);
    errno = error;
    return error == 0;
}
