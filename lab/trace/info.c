/* info.c: see info.h. An info block is pairs of texts, key and value, each a count of bytes and the
 * bytes. Who meets a key that he does not know skips it; a number is a decimal text. */
#include "trace/info.h"

#include "trace/memory.h"
#include "trace/utf8.h"
#include "trace/varint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *put_text(uint8_t *at, const char *text) {
    const size_t length = strlen(text), count = length < INFO_TEXT_MAX ? length : INFO_TEXT_MAX;
    at = varint_put(at, count);
    memcpy(at, text, count);
    return at + count;
}

static uint8_t *put_pair(uint8_t *at, const char *key, const char *value) {
    return value && *value ? put_text(put_text(at, key), value) : at;
}

static uint8_t *put_number(uint8_t *at, const char *key, uint64_t number) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    return put_pair(at, key, number ? text : NULL);
}

size_t info_put(const struct trace_info *info, uint8_t *raw) {
    uint8_t *at = put_pair(raw, "program", info->program);
    at = put_pair(at, "recorded-by", info->recorded_by);
    at = put_pair(at, "note", info->note);
    at = put_number(at, "page-bytes", info->page_bytes);
    at = put_number(at, "pid", info->pid);
    at = put_number(at, "start-unix-ms", info->start_unix_ms);
    at = put_number(at, "has-time", info->has_time);
    at = put_number(at, "has-threads", info->has_threads);
    at = put_number(at, "has-sites", info->has_sites);
    memset(at, 0, INFO_ROOM_BYTES);
    return (size_t)(at - raw) + INFO_ROOM_BYTES;
}

static void set_text(const char **text, char *value) {
    free((void *)*text);
    *text = value;
}

static void set(struct trace_info *info, const char *key, char *value) {
    const struct {
        const char *key;
        const char **text;
        uint64_t *number;
        bool *flag;
    } known[] = {
        {"program", &info->program, NULL, NULL},
        {"recorded-by", &info->recorded_by, NULL, NULL},
        {"note", &info->note, NULL, NULL},
        {"page-bytes", NULL, &info->page_bytes, NULL},
        {"pid", NULL, &info->pid, NULL},
        {"start-unix-ms", NULL, &info->start_unix_ms, NULL},
        {"has-time", NULL, NULL, &info->has_time},
        {"has-threads", NULL, NULL, &info->has_threads},
        {"has-sites", NULL, NULL, &info->has_sites},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].key, key) != 0)
            continue;
        if (known[i].number)
            *known[i].number = strtoull(value, NULL, 10);
        if (known[i].flag)
            *known[i].flag = strcmp(value, "0") != 0;
        if (known[i].text) {
            set_text(known[i].text, value);
            return;
        }
    }
    free(value);
}

const char *info_get(struct trace_info *info, const uint8_t *raw, size_t bytes) {
    struct varint_input input = {raw, raw + bytes, false};
    *info = (struct trace_info){.program = memory_text("", 0),
                                .recorded_by = memory_text("", 0),
                                .note = memory_text("", 0)};
    while (input.at < input.end) {
        const uint64_t key_count = varint_get(&input);
        const uint8_t *key_bytes = varint_bytes(&input, key_count);
        const uint64_t value_count = varint_get(&input);
        const uint8_t *value_bytes = varint_bytes(&input, value_count);
        if (input.is_bad)
            return "the description of the recording is cut off";
        char *key = utf8_text(key_bytes, key_count);
        set(info, key, utf8_text(value_bytes, value_count));
        free(key);
    }
    return NULL;
}

/* A later pair counts: the old note and the new, in the place of zeros. Of those an even number
 * must be left: a pair of three bytes sees to it. */
bool info_add_note(uint8_t *raw, size_t bytes, const char *more) {
    struct trace_info info;
    char note[INFO_ROOM_BYTES];
    uint8_t pair[INFO_ROOM_BYTES + 16];
    size_t room = 0;
    bool fits = info_get(&info, raw, bytes) == NULL;
    while (room < bytes && raw[bytes - room - 1] == 0)
        room++;
    room -= room % 2;
    const int length =
        snprintf(note, sizeof note, "%s%s%s", info.note, *info.note ? "; " : "", more);
    fits = fits && length > 0 && (size_t)length + 16 < room;
    info_free(&info);
    if (!fits)
        return false;
    uint8_t *end = put_pair(pair, "note", note);
    if ((end - pair) % 2 != 0)
        end = put_text(put_text(end, ""), " ");
    memcpy(raw + bytes - room, pair, (size_t)(end - pair));
    return true;
}

void info_free(struct trace_info *info) {
    free((void *)info->program);
    free((void *)info->recorded_by);
    free((void *)info->note);
}

static void put_le(uint8_t *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_le(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

void info_put_end(const struct info_end *end, uint8_t raw[END_BYTES]) {
    memset(raw, 0, END_BYTES);
    put_le(raw, end->count_events, 8);
    put_le(raw + 8, end->end_time_ns, 8);
    put_le(raw + 16, end->count_ids, 4);
    put_le(raw + 20, end->count_threads, 4);
    put_le(raw + 24, end->count_sites, 4);
}

void info_get_end(struct info_end *end, const uint8_t raw[END_BYTES]) {
    end->count_events = get_le(raw, 8);
    end->end_time_ns = get_le(raw + 8, 8);
    end->count_ids = (uint32_t)get_le(raw + 16, 4);
    end->count_threads = (uint32_t)get_le(raw + 20, 4);
    end->count_sites = (uint32_t)get_le(raw + 24, 4);
}
