/*
 * Things that grow: logs by a few bytes at a time, lists by doubling, a text by half of its length,
 * all at once, so that each stands in the others' way. From 16 bytes to 8 MiB and back to fit.
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

enum {
    LOGS = 8,
    LOG_STEP = 24,       // bytes
    LOG_LIMIT = 1 << 18, // bytes
    LISTS = 24,
    LIST_LIMIT = 1 << 20, // entries, 8 bytes each
    TEXT_LIMIT = 4 << 20, // bytes
    PER_SCALE = 1,        // rounds of everything
};

struct buffer {
    unsigned char *bytes;
    size_t size;
};

// New bytes are written, old ones must be what they were.
static void buffer_resize(struct buffer *buffer, size_t size, int value) {
    unsigned char first = buffer->size ? buffer->bytes[0] : (unsigned char)value;
    buffer->bytes = given(realloc(buffer->bytes, size));
    if (size > buffer->size)
        memset(buffer->bytes + buffer->size, value, size - buffer->size);
    buffer->size = size;
    if (buffer->bytes[0] != first)
        workload_fail("realloc lost what was in the block");
}

static uint64_t buffer_end(struct buffer *buffer) {
    uint64_t sum = buffer->size + buffer->bytes[buffer->size / 2] + buffer->bytes[buffer->size - 1];
    free(buffer->bytes);
    return sum;
}

static uint64_t grow_logs(void) {
    struct buffer logs[LOGS] = {0};
    for (size_t size = LOG_STEP; size < LOG_LIMIT; size += LOG_STEP)
        for (size_t i = 0; i < LOGS; i++)
            buffer_resize(&logs[i], size, (int)(size / LOG_STEP + i) & 255);
    uint64_t checksum = 0;
    for (size_t i = 0; i < LOGS; i++)
        checksum += buffer_end(&logs[i]);
    return checksum;
}

// Each list has its own length; at the end it is cut to fit.
static uint64_t grow_lists(struct random *random) {
    struct buffer lists[LISTS] = {0};
    size_t lengths[LISTS];
    for (size_t i = 0; i < LISTS; i++)
        lengths[i] = (size_t)LIST_LIMIT >> random_below(random, 14);
    for (size_t entries = 2; entries <= LIST_LIMIT; entries *= 2)
        for (size_t i = 0; i < LISTS; i++)
            if (entries <= lengths[i])
                buffer_resize(&lists[i], entries * 8, (int)(entries + i) & 255);
    uint64_t checksum = 0;
    for (size_t i = 0; i < LISTS; i++) {
        buffer_resize(&lists[i], lists[i].size - lists[i].size / 3, 0);
        checksum += buffer_end(&lists[i]);
    }
    return checksum;
}

static uint64_t grow_text(void) {
    struct buffer text = {0};
    for (size_t size = 16; size < TEXT_LIMIT; size += size / 2)
        buffer_resize(&text, size, (int)(size & 255));
    return buffer_end(&text);
}

int main(int count, char **text) {
    struct arguments arguments = workload_arguments(count, text, 1);
    struct random random = random_seeded(1);
    uint64_t checksum = 0;
    for (uint64_t i = 0; i < arguments.scale * PER_SCALE; i++)
        checksum = checksum * 31 + grow_logs() + grow_lists(&random) + grow_text();
    return workload_result("realloc", checksum);
}
