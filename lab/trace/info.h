/* info.h: what a recording says of itself, as bytes of its info block and of its end mark. */
#ifndef LAB_TRACE_INFO_H
#define LAB_TRACE_INFO_H

#include "trace/columns.h"
#include "trace/reader.h"

/* Texts longer than this are cut. */
enum { INFO_TEXT_MAX = 32768, INFO_BYTES_MAX = 4 * INFO_TEXT_MAX };

/* Zeros at the end of an info block: pairs of two empty texts, which say nothing. */
enum { INFO_ROOM_BYTES = 640 };

/* The payload of an info block into raw, where INFO_BYTES_MAX fit. Its length. */
size_t info_put(const struct trace_info *info, uint8_t *raw);

/* Add to the note of a payload of `bytes` that info_put() has made; its length stays. False iff it
 * does not fit into what is left of the room. */
bool info_add_note(uint8_t *raw, size_t bytes, const char *more);

/* NULL, or what is wrong with it. The texts are the caller's to free, with info_free(). */
const char *info_get(struct trace_info *info, const uint8_t *raw, size_t bytes);
void info_free(struct trace_info *info);

struct info_end {
    uint64_t count_events, end_time_ns;
    uint32_t count_ids, count_threads, count_sites;
};

void info_put_end(const struct info_end *end, uint8_t raw[END_BYTES]);
void info_get_end(struct info_end *end, const uint8_t raw[END_BYTES]);

#endif
