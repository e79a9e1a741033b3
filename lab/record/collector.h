/* collector.h: take what recorded programs put into their rings, bring it into one order, and write
 * a trace for each. */
#ifndef LAB_RECORD_COLLECTOR_H
#define LAB_RECORD_COLLECTOR_H

#include "record/image.h"

struct collector {
    struct channel *channel;
    int channel_fd;
    const char *output_path; /* of the first program; others have their number in the name */
    const char *program;     /* what to call a program that has gone already */
    struct collector_ring *rings;
    struct image **images;
    size_t count_images, images_capacity;
    uint64_t start_ticks, now_ticks;
    double ns_per_tick;
    uint64_t count_events;
    int error; /* errno of the first file that could not be written */
};

/* Make the channel. False iff that cannot be done: errno. */
bool collector_begin(struct collector *collector, enum channel_stacks stacks,
                     uint32_t sample_every);

/* Take what is there. The number of entries taken. */
uint64_t collector_round(struct collector *collector);

/* Once in a while: marks of resident memory, files that can be read up to here, programs that
 * ended. */
void collector_tick(struct collector *collector);

/* No more: close all traces. The images stay, for their names and maps, until collector_end(). */
void collector_finish(struct collector *collector);
void collector_end(struct collector *collector);

#endif
