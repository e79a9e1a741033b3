/*
 * Large blocks, 5 to 25 MiB: pictures that are loaded, looked at and dropped, sixteen open at a
 * time. A few are loaded only in part, as a file that is shorter than its buffer. What is measured
 * is how an allocator deals with memory that it has to fetch from the system, or has kept.
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPEN = 16,
    SIZE_LOW = 5 << 20,
    SIZE_HIGH = 25 << 20, // bytes
    PER_SCALE = 10,       // pictures
};

struct image {
    unsigned char *bytes;
    size_t loaded;
    int colour;
};

static struct image load(struct random *random) {
    size_t size = random_between(random, SIZE_LOW, SIZE_HIGH);
    struct image image = {given(malloc(size)), size, (int)random_below(random, 256)};
    if (random_below(random, 4) == 0)
        image.loaded = size / 2;
    memset(image.bytes, image.colour, image.loaded);
    return image;
}

// Looks at one pixel in each 4 KiB.
static uint64_t drop(struct image *image) {
    for (size_t at = 0; at < image->loaded; at += 4096)
        if (image->bytes[at] != image->colour)
            workload_fail("a block does not hold what was written to it");
    free(image->bytes);
    return image->loaded;
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 1);
    struct random random = random_seeded(1);
    struct image images[OPEN] = {0};
    uint64_t checksum = 0;
    for (uint64_t i = 0; i < arguments.scale * PER_SCALE; i++) {
        struct image *image = &images[random_below(&random, OPEN)];
        checksum += drop(image);
        *image = load(&random);
    }
    for (size_t i = 0; i < OPEN; i++)
        checksum += drop(&images[i]);
    return workload_result("large", checksum);
}
