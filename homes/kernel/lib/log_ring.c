/* log_ring.c: see log_ring.h. */
#include "log_ring.h"

void log_ring_put(struct log_ring *ring, uint64_t us, unsigned cpu, unsigned level,
                  const char *text) {
    struct log_entry *entry = &ring->entry[ring->count++ % LOG_RING_LINES];
    unsigned length = 0;

    entry->us = us;
    entry->cpu = (uint8_t)cpu;
    entry->level = (uint8_t)level;
    for (; length < LOG_TEXT_BYTES - 1 && text[length] != '\0'; length++)
        entry->text[length] = text[length];
    entry->text[length] = '\0';
}

uint64_t log_ring_oldest(const struct log_ring *ring) {
    return ring->count > LOG_RING_LINES ? ring->count - LOG_RING_LINES : 0;
}

bool log_ring_get(const struct log_ring *ring, uint64_t number, struct log_entry *entry) {
    if (number < log_ring_oldest(ring) || number >= ring->count)
        return false;
    *entry = ring->entry[number % LOG_RING_LINES];
    return true;
}
