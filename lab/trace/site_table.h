/* site_table.h: the call sites of a trace as a reader knows them.
 *
 * In the file (payload of site blocks) they are three lists, each numbered from 1, in which later
 * items name earlier ones: texts, frames made of texts, and sites made of frames.
 */
#ifndef LAB_TRACE_SITE_TABLE_H
#define LAB_TRACE_SITE_TABLE_H

#include "trace/reader.h"

/* The first number of a record in a site block. */
enum site_record {
    SITE_TEXT = 0,  /* count of bytes, bytes */
    SITE_FRAME = 1, /* address, function, file, line, module; texts by number, 0 is "" */
    SITE_SITE = 2,  /* count of frames, frames by number */
};

enum { SITE_FRAMES_MAX = 1024, SITE_TEXT_MAX = 65536 };

struct site_table;

struct site_table *site_table_make(void);
void site_table_free(struct site_table *table);

/* Add what a block says. NULL, or what is wrong with it and, in *at, at which of its bytes; what
 * came before that is in the table. */
const char *site_table_read(struct site_table *table, const uint8_t *bytes, size_t count,
                            size_t *at);

uint32_t site_table_count(const struct site_table *table);

/* As trace_site(). */
size_t site_table_frames(struct site_table *table, uint32_t site,
                         const struct trace_frame **frames);

#endif
