/* columns.h: how the events of one block lie in the file: column by column, because likes compress
 * best beside likes (Abadi, Madden and Ferreira, 2006).
 *
 *   count of events, time of the first, bytes of each column, then the columns:
 *
 *   kind     a byte                             every event
 *   time     since the event before             every event
 *   thread                                      every event
 *   id       minus the id before, zigzag        those that name one
 *   size                                        those that have one
 *   align    0, or 1 + its logarithm            those that have one
 *   site                                        those that have one
 *
 * All numbers but the kinds are varints. The id of a new block is not written: it is the lowest
 * that is not live. "The id before" is of the last event in this block that made or named one; 0 at
 * first.
 */
#ifndef LAB_TRACE_COLUMNS_H
#define LAB_TRACE_COLUMNS_H

enum column {
    COLUMN_KIND,
    COLUMN_TIME,
    COLUMN_THREAD,
    COLUMN_ID,
    COLUMN_SIZE,
    COLUMN_ALIGN,
    COLUMN_SITE,
    COUNT_COLUMNS,
};

/* So a block is never longer than BLOCK_RAW_MAX: an event is 37 bytes at most. */
enum { EVENTS_PER_BLOCK = 65536 };

/* The end mark: count of events u64, time of the last u64, count of ids, threads, sites u32, zero
 * u32. */
enum { END_BYTES = 32 };

#endif
