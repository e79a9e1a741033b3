/* writer.h: write a trace file (docs/trace-format.md). Streaming: a file that ends anywhere is
 * readable up to there. */
#ifndef LAB_TRACE_WRITER_H
#define LAB_TRACE_WRITER_H

#include "event.h"
#include "reader.h"

struct trace_writer;

/* Create or replace a file; "-": standard output. Of *info: program, recorded_by, note, page_bytes,
 * pid, start_unix_ms, and what it has. NULL iff it cannot be created: errno. */
struct trace_writer *trace_writer_open(const char *path, const struct trace_info *info);

/* Make a call site known, before the first event that names it. Its number: 1, 2, 3 … */
uint32_t trace_writer_site(struct trace_writer *writer, const struct trace_frame *frames,
                           size_t count);

/* Events must be as event.h says; one that is not is an assertion. */
void trace_writer_event(struct trace_writer *writer, const struct trace_event *event);

/* Add to the note of the recording what is known only now. Nothing happens iff the file is none
 * that can be gone back in, or the note would be too long. */
void trace_writer_note(struct trace_writer *writer, const char *more);

/* Write what is held back, so that it is readable now. */
void trace_writer_flush(struct trace_writer *writer);

/* Finish and close. False iff something could not be written, now or before (disk full …): errno.
 */
bool trace_writer_close(struct trace_writer *writer);

#endif
