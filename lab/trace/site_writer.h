/* site_writer.h: the payload of site blocks, in the making: equal texts and equal frames are
 * written once (site_table.h has the records). */
#ifndef LAB_TRACE_SITE_WRITER_H
#define LAB_TRACE_SITE_WRITER_H

#include "trace/block.h"
#include "trace/intern.h"

/* One of zeros, but for `output`, has no sites. */
struct site_writer {
    struct block_output *output;
    struct intern texts, frames;
    uint32_t count_sites;
    uint8_t *pending; /* records that are in no block yet */
    size_t count_pending, pending_capacity;
};

void site_writer_free(struct site_writer *writer);

/* The number of a new site. What is beyond SITE_FRAMES_MAX frames is cut off. */
uint32_t site_writer_add(struct site_writer *writer, const struct trace_frame *frames,
                         size_t count);

/* Write what is pending. */
void site_writer_flush(struct site_writer *writer);

#endif
