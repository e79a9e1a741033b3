/* order.c: see order.h. */
#include "trace/order.h"

#include "trace/id_set.h"
#include "trace/key_map.h"
#include "trace/kinds.h"
#include "trace/memory.h"

#include <stdlib.h>

struct trace_order {
    struct trace_writer *writer;
    struct key_map blocks;  /* pointer to id */
    struct key_map threads; /* the source's number to ours */
    struct id_set live;
    struct trace_losses losses;
    uint64_t time_ns, count_events;
    uint32_t last_thread, last_thread_dense; /* of the event before: mostly the same again */
};

struct trace_order *trace_order_make(struct trace_writer *writer) {
    struct trace_order *order = memory_zeroed(1, sizeof *order);
    order->writer = writer;
    return order;
}

void trace_order_free(struct trace_order *order) {
    if (!order)
        return;
    key_map_free(&order->blocks);
    key_map_free(&order->threads);
    id_set_free(&order->live);
    free(order);
}

static uint32_t dense_thread(struct trace_order *order, uint32_t thread) {
    if (order->threads.count_used > 0 && thread == order->last_thread)
        return order->last_thread_dense;
    const struct key_map_entry *entry = key_map_find(&order->threads, thread);
    const uint32_t dense = entry ? entry->value : (uint32_t)order->threads.count_used;
    if (!entry)
        key_map_put(&order->threads, thread, dense);
    order->last_thread = thread;
    return order->last_thread_dense = dense;
}

/* Until here an event has the source's number of its thread: one that is left out numbers none. */
static void emit(struct trace_order *order, const struct trace_event *given) {
    struct trace_event event = *given;
    event.thread = dense_thread(order, given->thread);
    order->count_events++;
    trace_writer_event(order->writer, &event);
}

static void end_block(struct trace_order *order, struct key_map_entry *entry) {
    id_set_remove(&order->live, entry->value);
    key_map_remove(&order->blocks, entry);
}

/* Whoever freed what lies at `pointer` was not seen. */
static void make_room(struct trace_order *order, const struct trace_event *event,
                      uint64_t pointer) {
    struct key_map_entry *old = key_map_find(&order->blocks, pointer);
    if (!old)
        return;
    const struct trace_event lost = {
        .kind = TRACE_FREE, .thread = event->thread, .id = old->value, .time_ns = event->time_ns};
    order->losses.lost_frees++;
    emit(order, &lost);
    end_block(order, old);
}

static void begin_block(struct trace_order *order, struct trace_event *event, uint64_t pointer) {
    make_room(order, event, pointer);
    event->id = id_set_lowest(&order->live);
    id_set_add(&order->live, event->id);
    key_map_put(&order->blocks, pointer, event->id);
    emit(order, event);
}

static void free_block(struct trace_order *order, struct trace_event *event, uint64_t pointer) {
    struct key_map_entry *entry = key_map_find(&order->blocks, pointer);
    if (!entry) {
        order->losses.unknown_frees++;
        return;
    }
    event->id = entry->value;
    emit(order, event);
    end_block(order, entry);
}

static void resize_block(struct trace_order *order, struct trace_event *event, uint64_t pointer,
                         uint64_t old_pointer) {
    struct key_map_entry *entry = key_map_find(&order->blocks, old_pointer);
    if (!entry) {
        order->losses.unknown_reallocs++;
        event->kind = TRACE_MALLOC;
        begin_block(order, event, pointer);
        return;
    }
    event->id = entry->value;
    if (pointer != old_pointer) {
        key_map_remove(&order->blocks, entry);
        make_room(order, event, pointer);
        key_map_put(&order->blocks, pointer, event->id);
    }
    emit(order, event);
}

void trace_order_event(struct trace_order *order, const struct trace_event *given, uint64_t pointer,
                       uint64_t old_pointer) {
    struct trace_event event = *given;
    const unsigned has = trace_kinds[event.kind].has;
    if (event.time_ns < order->time_ns) {
        order->losses.times_back++;
        event.time_ns = order->time_ns;
    }
    order->time_ns = event.time_ns;
    if (has & KIND_MAKES_ID)
        begin_block(order, &event, pointer);
    else if (has & KIND_ENDS_ID)
        free_block(order, &event, pointer);
    else if (has & KIND_NAMES_ID)
        resize_block(order, &event, pointer, old_pointer);
    else
        emit(order, &event);
}

void trace_order_rename(struct trace_order *order, uint64_t pointer, uint64_t name) {
    struct key_map_entry *entry = key_map_find(&order->blocks, pointer);
    if (!entry || key_map_find(&order->blocks, name))
        return;
    const uint32_t id = entry->value;
    key_map_remove(&order->blocks, entry);
    key_map_put(&order->blocks, name, id);
}

void trace_order_prefetch(const struct trace_order *order, uint64_t pointer) {
    key_map_prefetch(&order->blocks, pointer);
}

const struct trace_losses *trace_order_losses(const struct trace_order *order) {
    return &order->losses;
}

uint64_t trace_order_count(const struct trace_order *order) {
    return order->count_events;
}
