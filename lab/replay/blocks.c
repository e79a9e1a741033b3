/* blocks.c: see blocks.h. */
#include "blocks.h"

#include "space.h"

#define FIRST_BLOCKS ((size_t)4096)

static bool make_room(struct blocks *blocks, size_t wanted) {
    size_t count = blocks->count ? blocks->count : FIRST_BLOCKS;
    while (count < wanted)
        count *= 2;
    struct block *block =
        space_stretch(blocks->block, blocks->count * sizeof *block, count * sizeof *block);
    if (!block)
        return false;
    blocks->block = block;
    blocks->count = count;
    return true;
}

struct block *blocks_at(struct blocks *blocks, uint32_t id) {
    if (id >= blocks->count && !make_room(blocks, (size_t)id + 1))
        return NULL;
    if (id >= blocks->end)
        blocks->end = id + 1;
    return &blocks->block[id];
}

void blocks_drop(struct blocks *blocks) {
    space_give(blocks->block, blocks->count * sizeof *blocks->block);
    *blocks = (struct blocks){0};
}
