/* lifetimes.h: how long blocks of which size live, and which are temporary: freed by the very next
 * thing that the thread which made them does with memory (the word is heaptrack's). */
#ifndef REPORT_LIFETIMES_H
#define REPORT_LIFETIMES_H

#include "heap.h"
#include "json.h"

/* Row: lifetimes from 2^(row-1) to 2^row units, row 0: 0; the last: never freed. Column: sizes
 * likewise. */
#define LIFETIME_ROWS 66u
#define LIFETIME_ENDLESS (LIFETIME_ROWS - 1)
#define LIFETIME_COLUMNS 50u

struct lifetime_cell {
    uint64_t count, bytes;
};

struct lifetimes {
    struct lifetime_cell cell[LIFETIME_ROWS][LIFETIME_COLUMNS];
    struct lifetime_cell temporary[LIFETIME_COLUMNS];
    uint32_t *last; /* by thread: id of what it has just made, plus one; 0: it did something else */
    size_t threads;
};

/* Before heap_apply(). `old`: the block it names, if it is live. True iff that is temporary, and
 * ends. */
bool lifetimes_event(struct lifetimes *lifetimes, const struct trace_event *event,
                     const struct heap_block *old, uint64_t now);

/* What is live at the end has no end. */
void lifetimes_finish(struct lifetimes *lifetimes, const struct heap *heap);

/* The member "lifetimes". */
void lifetimes_write(const struct lifetimes *lifetimes, struct json *json);
void lifetimes_close(struct lifetimes *lifetimes);

#endif
