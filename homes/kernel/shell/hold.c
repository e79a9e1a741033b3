/* hold.c: see hold.h. CPU 0 only: no lock. */
#include "hold.h"

#include "larder/frames.h"
#include "larder/heap.h"

static struct hold hold[HOLDS_MAX + 1]; /* [0] stays empty */

unsigned hold_free_number(void) {
    for (unsigned number = 1; number <= HOLDS_MAX; number++)
        if (hold[number].pointer == NULL)
            return number;
    return 0;
}

void hold_put(unsigned number, void *pointer, uint64_t size_bytes, bool frames) {
    hold[number] = (struct hold){.pointer = pointer, .size_bytes = size_bytes, .frames = frames};
}

const struct hold *hold_get(uint64_t number) {
    if (number > HOLDS_MAX || hold[number].pointer == NULL)
        return NULL;
    return &hold[number];
}

void hold_drop(unsigned number) {
    if (hold[number].frames)
        larder_frames_free(kernel_larder, hold[number].pointer);
    else
        larder_free(kernel_larder, hold[number].pointer);
    hold[number].pointer = NULL;
}
