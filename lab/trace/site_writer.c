/* site_writer.c: see site_writer.h. */
#include "trace/site_writer.h"

#include "trace/memory.h"
#include "trace/site_table.h"
#include "trace/varint.h"

#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = 1 << 20, NUMBERS_OF_FRAME = 5 };

void site_writer_free(struct site_writer *writer) {
    intern_free(&writer->texts);
    intern_free(&writer->frames);
    free(writer->pending);
}

void site_writer_flush(struct site_writer *writer) {
    if (writer->count_pending > 0)
        block_write(writer->output, BLOCK_SITES, writer->pending, writer->count_pending);
    writer->count_pending = 0;
}

/* A record of some numbers and then bytes. Records are never divided between blocks. */
static void put(struct site_writer *writer, enum site_record record, const uint64_t *numbers,
                size_t count, const void *bytes, size_t count_bytes) {
    const size_t most = (count + 1) * VARINT_BYTES_MAX + count_bytes;
    if (writer->count_pending + most > PENDING_MAX)
        site_writer_flush(writer);
    writer->pending =
        memory_reserve(writer->pending, &writer->pending_capacity, writer->count_pending + most, 1);
    uint8_t *at = varint_put(writer->pending + writer->count_pending, record);
    for (size_t i = 0; i < count; i++)
        at = varint_put(at, numbers[i]);
    if (count_bytes > 0)
        memcpy(at, bytes, count_bytes);
    writer->count_pending = (size_t)(at - writer->pending) + count_bytes;
}

static uint64_t text_number(struct site_writer *writer, const char *text) {
    const size_t length = text ? strlen(text) : 0,
                 count = length < SITE_TEXT_MAX ? length : SITE_TEXT_MAX;
    bool is_new;
    if (count == 0)
        return 0;
    const uint32_t number = intern_number(&writer->texts, text, count, &is_new);
    if (is_new)
        put(writer, SITE_TEXT, &(uint64_t){count}, 1, text, count);
    return number;
}

static uint64_t frame_number(struct site_writer *writer, const struct trace_frame *frame) {
    const uint64_t numbers[NUMBERS_OF_FRAME] = {
        frame->address, text_number(writer, frame->function), text_number(writer, frame->file),
        frame->line, text_number(writer, frame->module)};
    bool is_new;
    const uint32_t number = intern_number(&writer->frames, numbers, sizeof numbers, &is_new);
    if (is_new)
        put(writer, SITE_FRAME, numbers, NUMBERS_OF_FRAME, NULL, 0);
    return number;
}

uint32_t site_writer_add(struct site_writer *writer, const struct trace_frame *frames,
                         size_t count) {
    uint64_t numbers[1 + SITE_FRAMES_MAX];
    if (count > SITE_FRAMES_MAX)
        count = SITE_FRAMES_MAX;
    numbers[0] = count;
    for (size_t i = 0; i < count; i++)
        numbers[1 + i] = frame_number(writer, &frames[i]);
    put(writer, SITE_SITE, numbers, 1 + count, NULL, 0);
    return ++writer->count_sites;
}
