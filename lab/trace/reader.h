/* reader.h: a trace, event by event, from a file (docs/trace-format.md).
 *
 * Reads any length with memory for live blocks and call sites only. A damaged or hostile file is an
 * error with its offset; what came before it has been read and is good.
 */
#ifndef LAB_TRACE_READER_H
#define LAB_TRACE_READER_H

#include "event.h"

#include <stddef.h>

struct trace_reader;

/* What the recording says of itself. Texts are UTF-8, "" where unknown; they live as long as the
 * reader. The counts are from the end mark and known before the events, from a file; they are a
 * hint until trace_reader_next() has come to the end: a hostile file may claim anything. */
struct trace_info {
    const char *program;     /* its command line */
    const char *recorded_by; /* "larder record", "import heaptrack" … */
    const char *note;        /* what the reader of figures must know: "classes paired FIFO" … */
    uint64_t page_bytes;     /* of the system it ran on */
    uint64_t pid;            /* 0: unknown */
    uint64_t start_unix_ms;  /* 0: unknown */
    bool has_time, has_threads, has_sites;
    uint64_t count_events; /* 0: unknown, the recording was cut off */
    uint64_t end_time_ns;  /* of the last event; 0: unknown likewise */
    uint32_t count_ids;    /* most blocks that ever lived at once; 0: unknown likewise */
    uint64_t file_bytes;   /* for a progress bar, with trace_reader_offset() */
};

/* Where and why reading ended early. */
struct trace_error {
    uint64_t offset; /* byte of the file */
    char what[160];  /* a sentence without a full stop */
};

/* Open a file; "-": standard input. NULL iff it cannot be opened, is no trace, or is of a version
 * that this reader does not know: then *error says which. */
struct trace_reader *trace_reader_open(const char *path, struct trace_error *error);
void trace_reader_close(struct trace_reader *reader);

const struct trace_info *trace_reader_info(const struct trace_reader *reader);

/* The next event into *event. False at the end, and at damage: trace_reader_error() tells. */
bool trace_reader_next(struct trace_reader *reader, struct trace_event *event);

/* NULL iff nothing is wrong so far. A file that ends without its end mark (the recorder was killed)
 * is an error too, the mildest: all that is in it has been read. */
const struct trace_error *trace_reader_error(const struct trace_reader *reader);

/* Bytes of the file consumed so far. */
uint64_t trace_reader_offset(const struct trace_reader *reader);

/* One frame of a call stack. */
struct trace_frame {
    uint64_t address;     /* in the recorded process; 0: unknown */
    const char *function; /* demangled; "": not resolved */
    const char *file;     /* of the source; "": unknown */
    uint32_t line;        /* 0: unknown */
    const char *module;   /* base name of program or library; "": unknown */
};

/* Call sites known so far: 1 to trace_site_count(). Those an event names are known when it is read.
 */
uint32_t trace_site_count(const struct trace_reader *reader);

/* The frames of a site, innermost first, without the allocator's own. Their number, 0 for an
 * unknown site. They live as long as the reader. */
size_t trace_site(const struct trace_reader *reader, uint32_t site,
                  const struct trace_frame **frames);

#endif
