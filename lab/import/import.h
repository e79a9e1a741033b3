/* import.h: what a format of other people's traces is. Each has a file of its own that defines one
 * importer; the table is in formats.c.
 */
#ifndef LAB_IMPORT_IMPORT_H
#define LAB_IMPORT_IMPORT_H

#include "import/input.h"
#include "say.h"
#include "trace/intern.h"
#include "trace/order.h"

/* One import while it runs. */
struct import {
    struct input *input;
    const char *output_path;
    struct trace_writer *writer; /* NULL before import_begin() */
    struct trace_order *order;
    struct intern callers;  /* of import_caller() */
    bool is_binary;         /* messages name bytes, not lines */
    uint64_t count_skipped; /* lines that say nothing about memory, or that are damaged */
    struct say_progress progress;
    char fault[200]; /* "": none */
};

struct importer {
    const char *name;    /* "mtrace" */
    const char *summary; /* whose format, in one line */

    /* Does a file that begins like this look like one? `head` has a zero behind it. */
    bool (*is_it)(const char *head, size_t count);

    /* Read it all. False iff it cannot go on: import_fail() has said why; what came before is good.
     */
    bool (*run)(struct import *import);

    bool is_binary;
    const char *refusal; /* not NULL: why such a file cannot be imported */
};

/* Formats in the order in which they are tried; NULL behind the last. */
extern const struct importer *const importers[];

/* Once, before the first event. False iff the trace cannot be created: said. */
bool import_begin(struct import *import, const struct trace_info *info);

/* The next line, as input_line(); keeps the progress bar going. */
char *import_line(struct import *import);

/* As trace_order_event(). */
void import_event(struct import *import, const struct trace_event *event, uint64_t pointer,
                  uint64_t old_pointer);

/* The number of a call site of one frame; equal frames have the same. Only for importers that make
 * no others. */
uint32_t import_caller(struct import *import, const struct trace_frame *frame);

/* What is wrong with the line read last. Always false. */
bool import_fail(struct import *import, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Words of a line ------------------------------------------------------------------------- */

/* Skip spaces, then a number in base 10, or 16 behind 0x, or in base 16 as it is. False iff there
 * is none of 64 bits; *at is behind it otherwise. */
bool word_number(const char **at, uint64_t *number);
bool word_hex(const char **at, uint64_t *number);

/* Skip spaces; does `word` come next, and nothing glued to it? If so, *at is behind it. */
bool word_is(const char **at, const char *word);

/* A time in seconds with a fraction, in ns. */
bool word_seconds(const char **at, uint64_t *time_ns);

/* Is one of the first lines of a file such a line? */
bool head_has(const char *head, bool (*is_such)(const char *line));

/* Skip spaces. Is this the end of the line? */
bool word_end(const char **at);

#endif
