/* pin_rows.h: what pins memory, added up: a row for each call site, size and number of holders. */
#ifndef REPORT_PIN_ROWS_H
#define REPORT_PIN_ROWS_H

#include "moment.h"

#include "larder/larder.h"

#define PIN_PAGEBLOCK_BYTES ((uint64_t)2 << 20)
#define PIN_PAGEBLOCK_FRAMES (PIN_PAGEBLOCK_BYTES / LARDER_FRAME_BYTES)
#define PIN_HOLDERS_MAX (1u << (PIN_HOLDERS - 1))

/* Of one unit. */
struct pin_rows {
    struct pin *row;
    size_t count, room;
    uint32_t *bucket; /* index of a row plus one */
    size_t buckets;
};

/* The row of a site, a size and a class of holders; made as the key is if there is none yet. Valid
 * until the next call. */
struct pin *pin_row(struct pin_rows *rows, const struct pin *key);

/* The class of so many blocks in a unit, 1 to PIN_HOLDERS_MAX. */
unsigned pin_holders_class(uint32_t blocks);

/* Those that would give back most go into the moment; the rows are empty afterwards. */
void pin_rows_keep(struct pin_rows *rows, struct moment *moment);

#endif
