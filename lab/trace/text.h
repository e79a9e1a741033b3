/* text.h: the text form of a trace: what `larder dump` prints and `larder import text` reads
 * (docs/trace-format.md). */
#ifndef LAB_TRACE_TEXT_H
#define LAB_TRACE_TEXT_H

#include "trace/reader.h"

#include <stdio.h>

#define TEXT_FIRST_LINE "larder trace text 1"

void text_put_info(FILE *file, const struct trace_info *info);
void text_put_site(FILE *file, uint32_t number, const struct trace_frame *frames, size_t count);
void text_put_event(FILE *file, const struct trace_event *event);

/* Undo the escapes of a text, in place. Returns it. */
char *text_unescape(char *text);

#endif
