/* orders.c: see orders.h. A replayed heap has one zone. */
#include "orders.h"

void orders_add(struct orders *orders, const struct larder_zone_stats *stats, uint64_t time) {
    struct orders_column *column = &orders->column[orders->count++];
    *column = (struct orders_column){.time = time, .free_frames = stats->free};
    for (unsigned order = 0; order <= LARDER_ORDER_MAX; order++) {
        column->free_blocks[order] = stats->free_blocks[order];
        column->index[order] = larder_fragmentation_index(stats, order);
    }
}

void orders_point(struct orders *orders, struct larder *larder, uint64_t time) {
    struct larder_zone_stats stats;
    (void)larder_zone_stats(larder, 0, &stats);
    orders_add(orders, &stats, time);
}

void orders_thin(struct orders *orders) {
    for (uint32_t i = 0; i < orders->count / 2; i++)
        orders->column[i] = orders->column[2 * i + 1];
    orders->count /= 2;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Orders above that were never free are not worth a row. */
static unsigned highest_order(const struct orders *orders) {
    unsigned highest = 0;
    for (uint32_t i = 0; i < orders->count; i++) {
        for (unsigned order = highest; order <= LARDER_ORDER_MAX; order++) {
            if (orders->column[i].free_blocks[order] > 0)
                highest = order;
        }
    }
    return highest;
}

static void write_order(const struct orders *orders, struct json *json, unsigned order) {
    json_begin_object(json, NULL);
    json_number(json, "order", order);
    json_begin_array(json, "free_blocks");
    for (uint32_t i = 0; i < orders->count; i++)
        json_number(json, NULL, orders->column[i].free_blocks[order]);
    json_end_array(json);
    json_begin_array(json, "index");
    for (uint32_t i = 0; i < orders->count; i++)
        json_signed(json, NULL, orders->column[i].index[order]);
    json_end_array(json);
    json_end_object(json);
}

void orders_write(const struct orders *orders, struct json *json) {
    json_begin_object(json, "orders");
    json_begin_array(json, "time");
    for (uint32_t i = 0; i < orders->count; i++)
        json_number(json, NULL, orders->column[i].time);
    json_end_array(json);
    json_begin_array(json, "free_frames");
    for (uint32_t i = 0; i < orders->count; i++)
        json_number(json, NULL, orders->column[i].free_frames);
    json_end_array(json);
    json_begin_array(json, "rows");
    for (unsigned order = 0; order <= highest_order(orders); order++)
        write_order(orders, json, order);
    json_end_array(json);
    json_end_object(json);
}
