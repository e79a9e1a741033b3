/* order.h: events that name blocks by pointer (or by whatever else the source calls them) become
 * events as event.h promises them: dense ids, dense threads, time that never goes back, and no
 * event about a block that does not live. What a source has lost is made good here and counted:
 *
 *   an allocation at a pointer that is live      a free of the old block is put before it
 *   a free of a pointer that is not              left out
 *   a realloc of a pointer that is not           becomes a malloc
 *   a time before that of the last event         becomes that
 */
#ifndef LAB_TRACE_ORDER_H
#define LAB_TRACE_ORDER_H

#include "trace/writer.h"

struct trace_order;

struct trace_losses {
    uint64_t lost_frees, unknown_frees, unknown_reallocs, times_back;
};

/* Events go to a writer that nobody else gives events to. */
struct trace_order *trace_order_make(struct trace_writer *writer);
void trace_order_free(struct trace_order *order);

/* Of *event all but the id; its thread is any number, the same for the same thread. `pointer` names
 * the block afterwards, `old_pointer` that given to realloc; 0 where there is none. */
void trace_order_event(struct trace_order *order, const struct trace_event *event, uint64_t pointer,
                       uint64_t old_pointer);

/* A block that is about to be moved gets another name for the time being, so that its pointer may
 * be given to somebody else. Nothing happens iff there is no such block. */
void trace_order_rename(struct trace_order *order, uint64_t pointer, uint64_t name);

/* An event with this pointer comes soon: saves waiting for memory then. */
void trace_order_prefetch(const struct trace_order *order, uint64_t pointer);

const struct trace_losses *trace_order_losses(const struct trace_order *order);
uint64_t trace_order_count(const struct trace_order *order); /* of events written */

#endif
