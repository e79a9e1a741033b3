/* output.h: what came of a comparison, for people and for programs. */
#ifndef LAB_REPLAY_OUTPUT_H
#define LAB_REPLAY_OUTPUT_H

#include "result.h"
#include "trace/reader.h"

#include <stdio.h>

struct comparison {
    const char *path;
    const struct trace_info *info;
    uint64_t memory_bytes; /* 0: no limit */
    bool is_untimed;
    const struct result *result;
    unsigned count;
};

/* A line for each policy; `is_colored`: the best of a column stands out. */
void output_table(const struct comparison *comparison, FILE *file, bool is_colored);

/* A line for each policy, figures of the end, under a line of names. */
void output_csv(const struct comparison *comparison, FILE *file);

/* Everything, with the samples. */
void output_json(const struct comparison *comparison, FILE *file);

/* "whole", "interrupted", "faulty", "crashed", "unable". */
const char *output_state(enum result_state state);

/* Figures that are plain numbers, under the names they have in CSV and JSON. NULL beyond the last.
 */
const char *output_number(const struct result *result, unsigned index, uint64_t *number);

#endif
