/* log_ring.h: the last lines of the log, in memory. Pure: the caller keeps others out. */
#ifndef LOG_RING_H
#define LOG_RING_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_RING_LINES 128u
#define LOG_TEXT_BYTES 118u

struct log_entry {
    uint64_t us;               /* when, since start */
    uint8_t cpu;               /* who */
    uint8_t level;             /* enum log_level */
    char text[LOG_TEXT_BYTES]; /* what; ends with a 0, cut if it was longer */
};
_Static_assert(sizeof(struct log_entry) == 128, "no gap");

/* All zero: empty. */
struct log_ring {
    uint64_t count;                         /* lines ever put: the number of the next one */
    struct log_entry entry[LOG_RING_LINES]; /* line n is entry[n % LOG_RING_LINES] */
};

/* The oldest line goes when there is no room. `text` needs no end within LOG_TEXT_BYTES. */
void log_ring_put(struct log_ring *ring, uint64_t us, unsigned cpu, unsigned level,
                  const char *text);

/* The number of the oldest line that is still there; ring->count iff none is. */
uint64_t log_ring_oldest(const struct log_ring *ring);

/* Line `number`; false iff it is gone or still to come. */
bool log_ring_get(const struct log_ring *ring, uint64_t number, struct log_entry *entry);

#endif
