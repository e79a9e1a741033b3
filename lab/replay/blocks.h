/* blocks.h: the blocks of a trace by id, and where they lie. */
#ifndef LAB_REPLAY_BLOCKS_H
#define LAB_REPLAY_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    unsigned char *pointer; /* NULL: dead, or its request failed */
    uint64_t size_bytes;    /* asked for */
    uint64_t born_event;    /* 0: dead */
    uint64_t born_ns;
    uint32_t site, thread;
    bool is_written; /* pattern.h's bytes are in it */
};

struct blocks {
    struct block *block;
    size_t count; /* room */
    uint32_t end; /* ids below have been used */
};

/* NULL iff there is no memory for a table so long. */
struct block *blocks_at(struct blocks *blocks, uint32_t id);
void blocks_drop(struct blocks *blocks);

#endif
