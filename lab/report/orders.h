/* orders.h: free blocks of each order over time, and Linux's fragmentation index: would a request
 * of this order fail, and for lack of memory or because what is free lies in pieces? */
#ifndef REPORT_ORDERS_H
#define REPORT_ORDERS_H

#include "grid.h"
#include "json.h"

#include "larder/stats.h"

#define ORDERS_STRIDE 4u /* every 4th point of the grid */

struct orders_column {
    uint64_t time;
    uint64_t free_frames;
    uint64_t free_blocks[LARDER_ORDER_MAX + 1];
    int index[LARDER_ORDER_MAX + 1]; /* thousandths; -1000: it would succeed */
};

struct orders {
    struct orders_column column[GRID_POINTS / ORDERS_STRIDE + 1];
    uint32_t count;
};

void orders_point(struct orders *orders, struct larder *larder, uint64_t time);
void orders_add(struct orders *orders, const struct larder_zone_stats *stats, uint64_t time);
void orders_thin(struct orders *orders);

/* The member "orders". */
void orders_write(const struct orders *orders, struct json *json);

#endif
