/* Linked with an installed larder: its malloc serves, and its headers say the truth about structs.
 */
#include <larder/frames.h>
#include <larder/process.h>
#include <larder/ranges.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD 0x5a

/* The library writes all of a struct, and nothing behind it. */
static int sizes_agree(void) {
    struct {
        struct larder_zone_stats stats;
        unsigned char guard[512];
    } zone;
    memset(&zone, GUARD, sizeof zone);
    if (!larder_zone_stats(larder_process(), 0, &zone.stats))
        return 0;
    for (size_t i = 0; i < sizeof zone.guard; i++) {
        if (zone.guard[i] != GUARD)
            return 0;
    }
    return zone.stats.usable > 0 && zone.stats.usable < ((uint64_t)1 << 40) &&
           zone.stats.free_blocks[LARDER_ORDER_MAX] == 0;
}

int main(void) {
    struct larder_process_stats stats;
    void *pointer = malloc(100);
    const size_t usable = malloc_usable_size(pointer);
    larder_process_stats(&stats);
    printf("%d %zu %d %d\n", larder_is_active(), usable, sizes_agree(), stats.live.now >= 112);
    free(pointer);
    return 0;
}
