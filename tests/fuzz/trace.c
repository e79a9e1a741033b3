/* The reader of traces, on any bytes: it must answer, and what it hands out must be as event.h
 * promises it, whoever wrote the file.
 *
 * A checksum keeps random bytes from getting far. So most inputs are the payloads of blocks, which
 * are wrapped here with the right one; the others are whole files.
 */
#include "trace/block.h"
#include "trace/kinds.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS_MAX = 70000, INPUT_IS_FILE = 'F' };

static void must(bool is_so) {
    if (!is_so)
        abort();
}

/* Blocks: a kind, a count of bytes (two of them), the payload. */
static void put_blocks(int fd, const uint8_t *at, const uint8_t *end) {
    static struct block_output output; /* made once: that takes longer than all the rest */
    if (!output.stored)
        block_output_begin(&output, fd);
    output.fd = fd;
    block_write_file_head(&output);
    block_write(&output, BLOCK_INFO, "\7program\4true", 13);
    while (end - at >= 3) {
        size_t bytes = at[1] | (size_t)at[2] << 8;
        const enum block_kind kind = (enum block_kind)at[0];
        at += 3;
        bytes = bytes < (size_t)(end - at) ? bytes : (size_t)(end - at);
        block_write(&output, kind, at, bytes);
        at += bytes;
    }
}

/* What a reader of traces relies on, looked at the simplest way. */
struct seen {
    bool live[IDS_MAX];
    uint32_t count_live, count_ids, count_threads;
    uint64_t time_ns;
};

static void check_event(const struct trace_reader *reader, const struct trace_event *event,
                        struct seen *seen) {
    must((unsigned)event->kind < COUNT_TRACE_KINDS);
    must(event->time_ns >= seen->time_ns && event->thread <= seen->count_threads);
    must(event->site <= trace_site_count(reader));
    must((event->align_bytes & (event->align_bytes - 1)) == 0);
    seen->time_ns = event->time_ns;
    seen->count_threads += event->thread == seen->count_threads;
    if (trace_is_alloc(event->kind)) {
        must(event->id <= seen->count_ids && !seen->live[event->id]);
        must(event->id < seen->count_ids || seen->count_live == seen->count_ids);
        seen->count_ids += event->id == seen->count_ids;
        seen->live[event->id] = true;
        seen->count_live++;
    } else if (trace_is_free(event->kind) || event->kind == TRACE_REALLOC) {
        must(event->id < seen->count_ids && seen->live[event->id]);
        seen->live[event->id] = !trace_is_free(event->kind);
        seen->count_live -= trace_is_free(event->kind);
    }
}

static void check_sites(const struct trace_reader *reader) {
    for (uint32_t site = 1; site <= trace_site_count(reader); site++) {
        const struct trace_frame *frames;
        const size_t count = trace_site(reader, site, &frames);
        for (size_t i = 0; i < count; i++)
            must(strlen(frames[i].function) + strlen(frames[i].file) + strlen(frames[i].module) <
                 SIZE_MAX);
    }
}

static void read_all(const char *path, uint64_t file_bytes) {
    static struct seen seen;
    struct trace_error error;
    struct trace_event event;
    struct trace_reader *reader = trace_reader_open(path, &error);
    memset(&seen, 0, sizeof seen);
    if (!reader) {
        must(error.offset <= file_bytes && error.what[0]);
        return;
    }
    while (seen.count_ids + 1 < IDS_MAX && trace_reader_next(reader, &event))
        check_event(reader, &event, &seen);
    const struct trace_error *fault = trace_reader_error(reader);
    must(!fault || (fault->offset <= file_bytes && fault->what[0]));
    check_sites(reader);
    trace_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[32];
    const int fd = memfd_create("trace", 0);
    must(fd >= 0);
    if (size > 0 && data[0] == INPUT_IS_FILE)
        must(write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    else
        put_blocks(fd, data, data + size);
    const off_t file_bytes = lseek(fd, 0, SEEK_END);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_all(path, (uint64_t)file_bytes);
    (void)close(fd);
    return 0;
}
