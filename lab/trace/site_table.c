/* site_table.c: see site_table.h.
 *
 * A site is kept as the numbers of its frames; the array that callers see is made when they first
 * ask. So a file cannot make the table more than some twenty times as long as itself unpacked, and
 * an end is set to that too.
 */
#include "trace/site_table.h"

#include "trace/memory.h"
#include "trace/utf8.h"
#include "trace/varint.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_BYTES_MAX = 1 << 30 };

struct site {
    const struct trace_frame *frames; /* NULL: not asked for yet */
    size_t first, count;              /* in numbers */
};

struct site_table {
    char **texts;               /* [0] is "" */
    struct trace_frame *frames; /* [0] is nothing */
    uint32_t *numbers;          /* of frames, site after site */
    struct site *sites;         /* [0] has no frames */
    size_t count_texts, texts_capacity, count_frames, frames_capacity;
    size_t count_numbers, numbers_capacity, count_sites, sites_capacity;
    size_t bytes; /* all that, roughly */
};

struct site_table *site_table_make(void) {
    struct site_table *table = memory_zeroed(1, sizeof *table);
    table->texts = memory_reserve(NULL, &table->texts_capacity, 1, sizeof *table->texts);
    table->frames = memory_reserve(NULL, &table->frames_capacity, 1, sizeof *table->frames);
    table->sites = memory_reserve(NULL, &table->sites_capacity, 1, sizeof *table->sites);
    table->texts[table->count_texts++] = memory_text("", 0);
    table->frames[table->count_frames++] = (struct trace_frame){.function = ""};
    table->sites[table->count_sites++] = (struct site){.count = 0};
    return table;
}

void site_table_free(struct site_table *table) {
    if (!table)
        return;
    for (size_t i = 0; i < table->count_texts; i++)
        free(table->texts[i]);
    for (size_t i = 0; i < table->count_sites; i++)
        free((void *)table->sites[i].frames);
    free(table->texts);
    free(table->frames);
    free(table->numbers);
    free(table->sites);
    free(table);
}

static const char *read_text(struct site_table *table, struct varint_input *input) {
    const uint64_t count = varint_get(input);
    const uint8_t *bytes = varint_bytes(input, count);
    if (input->is_bad || count > SITE_TEXT_MAX)
        return "a text of a call site is cut off or too long";
    table->texts = memory_reserve(table->texts, &table->texts_capacity, table->count_texts + 1,
                                  sizeof *table->texts);
    table->texts[table->count_texts++] = utf8_text(bytes, count);
    table->bytes += count + 32;
    return NULL;
}

static const char *read_frame(struct site_table *table, struct varint_input *input) {
    const uint64_t address = varint_get(input), function = varint_get(input);
    const uint64_t file = varint_get(input), line = varint_get(input), module = varint_get(input);
    if (input->is_bad || function >= table->count_texts || file >= table->count_texts ||
        module >= table->count_texts || line > UINT32_MAX)
        return "a frame of a call site names a text that is not there";
    table->frames = memory_reserve(table->frames, &table->frames_capacity, table->count_frames + 1,
                                   sizeof *table->frames);
    table->frames[table->count_frames++] = (struct trace_frame){.address = address,
                                                                .function = table->texts[function],
                                                                .file = table->texts[file],
                                                                .line = (uint32_t)line,
                                                                .module = table->texts[module]};
    table->bytes += sizeof *table->frames;
    return NULL;
}

static const char *read_site(struct site_table *table, struct varint_input *input) {
    const uint64_t count = varint_get(input);
    if (input->is_bad || count > SITE_FRAMES_MAX || table->count_sites > UINT32_MAX)
        return "a call site has too many frames";
    table->numbers = memory_reserve(table->numbers, &table->numbers_capacity,
                                    table->count_numbers + count, sizeof *table->numbers);
    const size_t first = table->count_numbers;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t frame = varint_get(input);
        if (input->is_bad || frame == 0 || frame >= table->count_frames)
            return "a call site names a frame that is not there";
        table->numbers[first + i] = (uint32_t)frame;
    }
    table->count_numbers += count;
    table->sites = memory_reserve(table->sites, &table->sites_capacity, table->count_sites + 1,
                                  sizeof *table->sites);
    table->sites[table->count_sites++] = (struct site){.first = first, .count = count};
    table->bytes += sizeof *table->sites + count * sizeof *table->numbers;
    return NULL;
}

static const char *read_record(struct site_table *table, struct varint_input *input) {
    switch (varint_get(input)) {
    case SITE_TEXT:
        return read_text(table, input);
    case SITE_FRAME:
        return read_frame(table, input);
    case SITE_SITE:
        return read_site(table, input);
    default:
        return "a record of a call site is of no known kind";
    }
}

const char *site_table_read(struct site_table *table, const uint8_t *bytes, size_t count,
                            size_t *at) {
    struct varint_input input = {bytes, bytes + count, false};
    while (input.at < input.end) {
        *at = (size_t)(input.at - bytes);
        const char *fault = table->bytes > TABLE_BYTES_MAX
                                ? "there are more call sites than this reader holds"
                                : read_record(table, &input);
        if (fault)
            return fault;
    }
    return NULL;
}

uint32_t site_table_count(const struct site_table *table) {
    return (uint32_t)(table->count_sites - 1);
}

size_t site_table_frames(struct site_table *table, uint32_t number,
                         const struct trace_frame **frames) {
    *frames = NULL;
    if (number >= table->count_sites || table->sites[number].count == 0)
        return 0;
    struct site *site = &table->sites[number];
    if (!site->frames) {
        struct trace_frame *made = memory_resize(NULL, site->count, sizeof *made);
        for (size_t i = 0; i < site->count; i++)
            made[i] = table->frames[table->numbers[site->first + i]];
        site->frames = made;
    }
    *frames = site->frames;
    return site->count;
}
