/* A plain LIFO buddy, for contrast. One record per frame, doubly linked lists of frame numbers. */
#include "peers.h"

#include "bench.h"

#include <stdlib.h>

enum { ORDERS = 19, NOT_FREE = 255 };

struct record {
    uint32_t next, previous;
    uint8_t order; /* of the free block that starts here, or NOT_FREE */
};

struct plain_buddy {
    uint32_t frames;
    uint32_t first[ORDERS];
    struct record record[];
};

static void link_block(struct plain_buddy *buddy, uint32_t frame, unsigned order) {
    const uint32_t next = buddy->first[order];
    buddy->record[frame] =
        (struct record){.next = next, .previous = PLAIN_NONE, .order = (uint8_t)order};
    if (next != PLAIN_NONE)
        buddy->record[next].previous = frame;
    buddy->first[order] = frame;
}

static void unlink_block(struct plain_buddy *buddy, uint32_t frame) {
    struct record *record = &buddy->record[frame];
    if (record->previous != PLAIN_NONE)
        buddy->record[record->previous].next = record->next;
    else
        buddy->first[record->order] = record->next;
    if (record->next != PLAIN_NONE)
        buddy->record[record->next].previous = record->previous;
    record->order = NOT_FREE;
}

struct plain_buddy *plain_buddy_create(uint32_t frames) {
    const uint32_t block = 1u << (ORDERS - 1);
    struct plain_buddy *buddy = malloc(sizeof *buddy + frames * sizeof(struct record));
    if (!buddy || frames % block != 0)
        die("no plain buddy of %u frames", frames);
    buddy->frames = frames;
    for (unsigned order = 0; order < ORDERS; order++)
        buddy->first[order] = PLAIN_NONE;
    for (uint32_t frame = 0; frame < frames; frame++)
        buddy->record[frame].order = NOT_FREE;
    for (uint32_t frame = 0; frame < frames; frame += block)
        link_block(buddy, frame, ORDERS - 1);
    return buddy;
}

void plain_buddy_destroy(struct plain_buddy *buddy) {
    free(buddy);
}

uint32_t plain_buddy_alloc(struct plain_buddy *buddy, unsigned order) {
    unsigned found = order;
    while (found < ORDERS && buddy->first[found] == PLAIN_NONE)
        found++;
    if (found >= ORDERS)
        return PLAIN_NONE;
    const uint32_t frame = buddy->first[found];
    unlink_block(buddy, frame);
    while (found > order) {
        found--;
        link_block(buddy, frame + (1u << found), found);
    }
    return frame;
}

void plain_buddy_free(struct plain_buddy *buddy, uint32_t frame, unsigned order) {
    for (; order < ORDERS - 1; order++) {
        const uint32_t mate = frame ^ (1u << order);
        if (mate >= buddy->frames || buddy->record[mate].order != order)
            break;
        unlink_block(buddy, mate);
        frame &= mate;
    }
    link_block(buddy, frame, order);
}
